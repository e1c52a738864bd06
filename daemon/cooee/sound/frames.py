"""From what a card gives to frames of 16 kHz mono, and how much of it never came."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import soxr

RATE_HZ = 16000
FRAME_SAMPLES = 1280

_JITTER_S = 0.02


def gain(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def to_int16(samples: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int16]:
    """From -1 to 1; what is beyond saturates."""
    whole: npt.NDArray[np.int16] = np.clip(np.rint(samples * np.float32(2**15)), -(2**15), 2**15 - 1).astype(np.int16)
    return whole


class Converter:
    """A stream of float32 samples of shape (frames, channels) at `rate_hz`, to int16 mono at 16 kHz."""

    def __init__(self, rate_hz: int, channel: int | Literal["mix"], gain_db: float) -> None:
        self._channel, self._gain = channel, gain(gain_db)
        self._resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32") if rate_hz != RATE_HZ else None

    def __call__(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
        if samples.shape[1] == 1 or self._channel != "mix":
            mono = samples[:, 0 if self._channel == "mix" else self._channel]
        else:
            mono = samples.mean(axis=1)
        if self._resampler:
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono))
        return to_int16(mono * self._gain)


class Framer:
    """Cuts samples into frames of 1280 and hands each on, with the position of its end on the time line."""

    def __init__(self, hear: Callable[[bytes, float], None]) -> None:
        self._hear = hear
        self._pending = bytearray()
        self._frames = 0

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        self._pending += samples.astype("<i2").tobytes()
        while len(self._pending) >= 2 * FRAME_SAMPLES:
            frame = bytes(self._pending[: 2 * FRAME_SAMPLES])
            del self._pending[: 2 * FRAME_SAMPLES]
            self._frames += 1
            self._hear(frame, self._frames * FRAME_SAMPLES / RATE_HZ)

    def missing_s(self) -> float:
        """How much is missing for the next frame."""
        return (FRAME_SAMPLES - len(self._pending) // 2) / RATE_HZ

    def restart(self) -> None:
        """Forget what is too short for a frame."""
        self._pending.clear()


class Lag:
    """How far what was heard falls behind the clock. Cards deliver in bursts, so the least of a second counts; their
    clocks drift, so only a step counts.
    """

    def __init__(self) -> None:
        self._known: float | None = None
        self._least = float("inf")
        self._until_s = 0.0

    def note(self, now_s: float, heard_s: float) -> float:
        """Seconds that were lost since the last call, as far as they are known by now."""
        lag_s = now_s - heard_s
        if self._known is None:
            self._known, self._until_s = lag_s, now_s + 1
        self._least = min(self._least, lag_s)
        if now_s < self._until_s:
            return 0.0
        lost_s, self._known = self._least - self._known, self._least
        self._least, self._until_s = float("inf"), now_s + 1
        return lost_s if lost_s > _JITTER_S else 0.0
