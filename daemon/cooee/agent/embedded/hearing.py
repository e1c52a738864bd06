"""The user's voice on one line: PCM in, the beginning and the end of what was said out."""

import time
from typing import Any

RATE_HZ = 16_000
STALE_S = 2.0
"""Audio that stopped for so long in the middle of speech does not go on with that speech."""
_SILENCE = bytes(RATE_HZ * 2 // 50)


class Hearing:
    """Brings the client's PCM to 16 kHz and to the endpointer, sparing it the zeros that a muted client sends."""

    def __init__(self, endpointer: Any, rate_hz: int) -> None:
        self._endpointer = endpointer
        self._fed_s = time.monotonic()
        self._paused = False
        self._odd = b""
        self._resampler = None
        if rate_hz != RATE_HZ:
            import soxr

            self._resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="int16")

    @property
    def talking(self) -> bool:
        """Whether the user is in the middle of something."""
        return bool(self._endpointer.talking) and time.monotonic() - self._fed_s < STALE_S

    def feed(self, pcm: bytes) -> list[Any]:
        """What the endpointer makes of it. `pcm` may be of any length, even an odd number of bytes."""
        pcm = self._odd + pcm
        whole = len(pcm) // 2 * 2
        pcm, self._odd = pcm[:whole], pcm[whole:]
        if not self.talking and pcm.count(0) == len(pcm):
            self._paused = True
            return []
        if self._paused or time.monotonic() - self._fed_s > STALE_S:
            self._endpointer.reset()
        self._paused = False
        found = list(self._endpointer.feed(self._resampled(pcm)))
        self._fed_s = time.monotonic()  # not before: half a minute at once may take seconds
        return found

    def end(self) -> list[Any]:
        """End the turn that is open, as if the user had fallen silent."""
        events: list[Any] = []
        for _ in range(250):
            if not self.talking:
                break
            events += self._endpointer.feed(_SILENCE)
        return events

    def _resampled(self, pcm: bytes) -> bytes:
        if self._resampler is None:
            return pcm
        import numpy as np

        made: bytes = self._resampler.resample_chunk(np.frombuffer(pcm, np.int16)).tobytes()
        return made
