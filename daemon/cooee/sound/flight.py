"""What is on its way through the loudspeaker's buffer: who takes it, in real time, and the account of what sounded."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from cooee.sound.playlist import Reply, Samples


class Sink(Protocol):
    """What takes float32 mono samples in real time: periods of a fixed length, `capacity` frames at once.

    A card that is gone raises alsa.Lost from any method but `close`.
    """

    name: str
    rate_hz: int
    period: int
    capacity: int

    @property
    def outdated(self) -> bool:
        """Another one should be opened now."""

    def room(self) -> int:
        """Frames that it takes without waiting."""

    def write(self, mono: Samples) -> None: ...

    def rest(self) -> None:
        """Write a period of silence; what a speaker does nearly all day costs nearly nothing."""

    def drop(self) -> None:
        """Forget what was written and did not sound yet."""

    def close(self) -> None: ...


class Clock:
    """Takes samples as fast as they would sound, where no card does; until `until_s` on the monotonic clock."""

    name = "clock"

    def __init__(self, rate_hz: int, period_s: float, until_s: float = float("inf")) -> None:
        self.rate_hz, self.period = rate_hz, round(rate_hz * period_s)
        self.capacity = 2 * self.period
        self._until_s = until_s
        self.drop()

    @property
    def outdated(self) -> bool:
        return time.monotonic() >= self._until_s

    def room(self) -> int:
        due = int((time.monotonic() - self._start_s) * self.rate_hz)
        if due >= self._written:
            self.drop()
            return self.capacity
        return self.capacity - (self._written - due)

    def write(self, mono: Samples) -> None:
        self._written += len(mono)

    def rest(self) -> None:
        self._written += self.period

    def drop(self) -> None:
        self._start_s, self._written = time.monotonic(), 0

    def close(self) -> None:
        pass


class Flight:
    """The samples in a sink's buffer, of replies and of the silence between them.

    `sounds(reply, samples, first)` is called for what leaves the buffer. `frames`: how many there are.
    """

    def __init__(self, sounds: Callable[[Reply, Samples, bool], None]) -> None:
        self._sounds = sounds
        self._runs: deque[tuple[Reply | None, Samples]] = deque()
        self._passed_s = 0.0
        self.frames = 0

    def add(self, reply: Reply | None, samples: Samples) -> None:
        self._runs.append((reply, samples))
        self.frames += len(samples)
        if reply:
            reply.in_flight += len(samples)

    def move(self, frames: int, rate_hz: int) -> None:
        """So many frames have sounded."""
        while frames > 0 and self._runs:
            reply, samples = self._runs.popleft()
            if len(samples) > frames:
                self._runs.appendleft((reply, samples[frames:]))
                samples = samples[:frames]
            frames -= len(samples)
            self.frames -= len(samples)
            began_s, self._passed_s = self._passed_s, self._passed_s + len(samples) / rate_hz
            if reply:
                self._account(reply, samples, began_s)

    def _account(self, reply: Reply, samples: Samples, began_s: float) -> None:
        first = reply.began_s is None
        if reply.began_s is None:
            reply.began_s = began_s
        reply.in_flight -= len(samples)
        reply.heard_s += self._passed_s - began_s
        reply.ended_s = self._passed_s
        self._sounds(reply, samples, first)

    def replies(self) -> list[Reply]:
        return [reply for reply, _ in self._runs if reply]

    def forget(self) -> None:
        """None of it has sounded."""
        self._runs.clear()
        self.frames = 0
