"""Spares the wake word's models while the room is quiet: idle costs next to nothing, and no score is changed by it."""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from cooee.wake_models import Engine

# All that a score depends on: 16 embeddings, the first of which looks back over 10 frames.
MEMORY_FRAMES = 26
HOLD_FRAMES = 19
ABOVE_ROOM_DB = 4.0
ROOM_RISE_DB = 0.12
# Quieter than this no microphone is; digital silence must not make the room itself seem loud for long.
LEAST_DBFS = -78.0


class QuietRoom:
    """Says whether a frame is only the room. The room's level falls at once and rises by 1.5 dB a second."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._room_dbfs = math.inf
        # What comes first cannot be told from the room, so it counts as loud.
        self._loud_frames = MEMORY_FRAMES

    def push(self, samples: NDArray[np.int16]) -> bool:
        """`samples`: the next 80 ms. True after 1.5 s in which nothing was above the room by 4 dB."""
        # The deviation, not the power: many microphones have an offset that is louder than a voice.
        deviation = float(np.std(samples, dtype=np.float32)) / 32768
        level_dbfs = max(LEAST_DBFS, 20 * math.log10(deviation + 1e-9))
        self._room_dbfs = min(level_dbfs, self._room_dbfs + ROOM_RISE_DB)
        if level_dbfs > self._room_dbfs + ABOVE_ROOM_DB:
            self._loud_frames = HOLD_FRAMES
        elif self._loud_frames:
            self._loud_frames -= 1
        return not self._loud_frames


class Sparing:
    """An engine that hears nothing in a quiet room, and when it gets louder first catches up on what it missed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._room = QuietRoom()
        self._missed: deque[NDArray[np.int16]] = deque(maxlen=MEMORY_FRAMES)

    @property
    def words(self) -> tuple[str, ...]:
        return self._engine.words

    def scores(self, samples: NDArray[np.int16]) -> list[float]:
        """0 in a quiet room, otherwise what the engine says after having heard everything that it remembers."""
        if self._room.push(samples):
            self._missed.append(samples)
            return [0.0] * len(self.words)
        while self._missed:
            self._engine.scores(self._missed.popleft())
        return self._engine.scores(samples)

    def reset(self) -> None:
        self._engine.reset()
        self._room.reset()
        self._missed.clear()
