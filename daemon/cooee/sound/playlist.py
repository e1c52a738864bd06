"""Replies on their way to the loudspeaker: whole turns of audio, in order, handed out at the rate that the card has."""

import threading
from collections import deque

import numpy as np
import numpy.typing as npt
import soxr

Samples = npt.NDArray[np.float32]

_PIECE_S = 0.02


class Reply:
    """One turn's audio. `began_s`, `ended_s`, `heard_s` and `in_flight` are the account that `flight` keeps."""

    def __init__(self, turn: int, rate_hz: int) -> None:
        self.turn = turn
        self.finished = False
        self.began_s: float | None = None
        self.ended_s = self.heard_s = 0.0
        self.in_flight = 0
        self._rate_hz = rate_hz
        self._pcm = bytearray()
        self._bytes = 0
        self._resampler: soxr.ResampleStream | None = None
        self._ready = np.zeros(0, np.float32)
        self._ready_hz = rate_hz
        self._flushed = False

    def add(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._bytes += len(pcm)

    @property
    def dropped_s(self) -> float:
        """How much of it has not been heard."""
        return max(0.0, self._bytes // 2 / self._rate_hz - self.heard_s)

    @property
    def taken(self) -> bool:
        """It is complete and all of it has been handed out."""
        return self.finished and self._flushed and not len(self._ready)

    def take(self, frames: int, rate_hz: int) -> Samples:
        """Up to so many samples at `rate_hz`, between -1 and 1; fewer when there are no more by now."""
        if rate_hz != self._ready_hz:
            self._start(rate_hz)
        ready = [self._ready]
        count = len(self._ready)
        while count < frames and not self._flushed:
            piece = self._convert()
            if piece is None:
                break
            ready.append(piece)
            count += len(piece)
        whole = np.concatenate(ready)
        self._ready = whole[frames:]
        return whole[:frames]

    def _start(self, rate_hz: int) -> None:
        """From now on for a card of another rate."""
        if len(self._ready):
            self._ready = soxr.resample(self._ready, self._ready_hz, rate_hz)
        self._ready_hz = rate_hz
        if rate_hz == self._rate_hz:
            self._resampler = None
        else:
            self._resampler = soxr.ResampleStream(self._rate_hz, rate_hz, 1, dtype="float32")

    def _convert(self) -> Samples | None:
        """The next few ms, or None when they have not come yet. An odd byte waits for its other half."""
        size = min(len(self._pcm) // 2, round(self._rate_hz * _PIECE_S)) * 2
        if not size and not self.finished:
            return None
        piece = np.frombuffer(bytes(self._pcm[:size]), "<i2").astype(np.float32) / np.float32(2**15)
        del self._pcm[:size]
        self._flushed = self.finished and len(self._pcm) < 2
        return piece if self._resampler is None else self._resampler.resample_chunk(piece, self._flushed)


class Playlist:
    """All turns that are to be heard. Any thread may ask for anything; nothing takes long.

    Turn numbers only grow. A turn that has been hushed, and every older one, is not heard again.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._lock = threading.Lock()
        self._queue: deque[Reply] = deque()
        self._hushed = self._finished = -1
        self._cuts: list[tuple[int, list[Reply]]] = []

    def play(self, turn: int, pcm: bytes) -> None:
        with self._lock:
            if self._wanted(turn):
                self._open(turn).add(pcm)

    def finish(self, turn: int) -> None:
        """A second time, with nothing played in between, changes nothing."""
        with self._lock:
            fresh = not self._queue or self._queue[-1].turn != turn or self._queue[-1].finished
            if self._wanted(turn) and not (fresh and turn == self._finished):
                self._open(turn).finished = True
                self._finished = turn

    def hush(self, turn: int) -> None:
        with self._lock:
            if turn > self._hushed:
                self._hushed = turn
                self._cuts.append((turn, [reply for reply in self._queue if reply.turn <= turn]))
                self._queue = deque(reply for reply in self._queue if reply.turn > turn)

    def _wanted(self, turn: int) -> bool:
        return turn > self._hushed and (not self._queue or turn >= self._queue[-1].turn)

    def _open(self, turn: int) -> Reply:
        """The reply that takes the turn's audio. A newer turn ends the one before it, and so does a `finish`."""
        if self._queue and self._queue[-1].turn == turn and not self._queue[-1].finished:
            return self._queue[-1]
        if self._queue:
            self._queue[-1].finished = True
        self._queue.append(Reply(turn, self._rate_hz))
        return self._queue[-1]

    def cuts(self) -> list[tuple[int, list[Reply]]]:
        """Turns hushed since the last call, each with what there was of it."""
        with self._lock:
            cuts, self._cuts = self._cuts, []
            return cuts

    def take(self, frames: int, rate_hz: int) -> list[tuple[Reply, Samples]]:
        """The next samples, from as many replies as it takes; fewer than asked for when there are no more by now."""
        taken: list[tuple[Reply, Samples]] = []
        with self._lock:
            if self._cuts:
                return []
            for reply in self._queue:
                samples = reply.take(frames, rate_hz)
                if len(samples):
                    taken.append((reply, samples))
                    frames -= len(samples)
                if not frames or not reply.taken:
                    break
        return taken

    def spoken(self) -> list[Reply]:
        """Take out the replies of which everything has been heard, oldest first."""
        done: list[Reply] = []
        with self._lock:
            while self._queue and self._queue[0].taken and not self._queue[0].in_flight:
                done.append(self._queue.popleft())
        return done

    @property
    def idle(self) -> bool:
        with self._lock:
            return not self._queue
