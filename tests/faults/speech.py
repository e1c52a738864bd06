"""Sentences whose every frame has a number, so that what was lost on the way can be counted; and their microphone."""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Any

from cooee.events import Event

FRAME_BYTES = 2560
FRAME_S = 0.08
WORD_FRAMES = 5


class Kind(IntEnum):
    """What is in a frame. Half-duplex zeros read as ROOM."""

    ROOM = 0
    WAKE = 1
    SPEECH = 2


def frame(number: int, kind: Kind) -> bytes:
    return struct.pack("<IB", number, kind).ljust(FRAME_BYTES, b"\1" if kind else b"\0")


def read(pcm: bytes) -> tuple[int, Kind]:
    """A frame's number and kind."""
    number, kind = struct.unpack_from("<IB", pcm)
    return number, Kind(kind)


@dataclass
class Sentence:
    """What was said: the numbers of its frames, the wake word's not among them."""

    numbers: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def lost(self, understood: Iterable[frozenset[int]]) -> int:
        """How many of its words nobody who took a turn as said ever got whole."""
        got = frozenset[int]().union(*understood)
        words = [self.numbers[at : at + WORD_FRAMES] for at in range(0, len(self.numbers), WORD_FRAMES)]
        return sum(not got.issuperset(word) for word in words)


class Mouth:
    """What the microphone hears: the room, unless somebody speaks."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self._number = 0
        self._coming: deque[tuple[Kind, Sentence | None, bool]] = deque()

    def say(self, words: int, *, wake: bool = True) -> Sentence:
        sentence = Sentence()
        if wake:
            self._coming.append((Kind.WAKE, None, False))
        if words:
            self.sentences.append(sentence)
        count = words * WORD_FRAMES
        self._coming.extend((Kind.SPEECH, sentence, number == count - 1) for number in range(count))
        return sentence

    def next(self) -> bytes:
        self._number += 1
        kind, sentence, is_last = self._coming.popleft() if self._coming else (Kind.ROOM, None, False)
        if sentence:
            sentence.numbers.append(self._number)
            if is_last:
                sentence.ended.set()
        return frame(self._number, kind)


class Mic:
    """Stands where `cooee.mic.Mic` does and hears a Mouth, in real time, on the loop."""

    stuck = False
    lost_s = 0.0
    reopened = 0

    def __init__(self, mouth: Mouth, hear: Callable[[bytes, float], None]) -> None:
        self._mouth, self._hear = mouth, hear
        self._is_on = True

    def __enter__(self) -> "Mic":
        self._task = asyncio.create_task(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()

    def capture(self, on: bool) -> None:
        self._is_on = on

    def wait_closed(self, timeout_s: float) -> bool:
        return not self._is_on

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        began, count = loop.time(), 0
        while True:
            count += 1
            await asyncio.sleep(max(0.0, began + count * FRAME_S - loop.time()))
            if self._is_on:
                self._hear(self._mouth.next(), count * FRAME_S)


class Wake:
    """Stands where `cooee.wake.Wake` does: knows the wake frame when it comes."""

    words = ("hey_jarvis",)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def score(self, pcm: bytes) -> tuple[float, str | None]:
        return (0.9, self.words[0]) if read(pcm)[1] is Kind.WAKE else (0.0, None)

    def reset(self) -> None: ...


def no_report(_: Event) -> None: ...
