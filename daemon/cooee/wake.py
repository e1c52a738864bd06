"""The wake word: says of each frame of the microphone how much it sounds like one, and whether it completes one."""

import logging
from collections import deque

import numpy as np

from cooee import settings
from cooee.quiet import Sparing
from cooee.wake_models import FRAME_SAMPLES, BadModel, Engine, OpenWakeWord, UnknownWord, available, find, spoken

__all__ = ["BadModel", "Trigger", "UnknownWord", "Wake", "available", "find", "spoken"]

FRAME_S = 0.08
FRAME_BYTES = 2 * FRAME_SAMPLES
# As many as openWakeWord keeps quiet for. More would lose a word that a recording begins with.
SETTLE_FRAMES = 5
NEAR_MISS = 0.2

log = logging.getLogger("cooee.wake")


class Trigger:
    """When one word's scores make a wake. Time is counted in frames: the audio's time, not the clock's."""

    def __init__(self, word: str, settings: settings.Wake) -> None:
        self.word = word
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        self._hits: deque[bool] = deque(maxlen=self._settings.window_frames)
        self._settling_frames = SETTLE_FRAMES
        self._refractory_frames = 0
        self._fell = True
        self._peak = 0.0

    def adopt(self, settings: settings.Wake) -> None:
        """Go by these from the next frame on."""
        self._settings = settings
        self._hits = deque(self._hits, maxlen=settings.window_frames)

    def push(self, score: float) -> bool:
        """Whether the frame with this score completes a wake."""
        hit = score >= self._settings.threshold
        if self._settling_frames:
            self._settling_frames -= 1
            return False
        if self._refractory_frames:
            self._refractory_frames -= 1
            self._fell = not hit
            return False
        # A word that is still high after the refractory time is the one that woke already.
        self._fell = self._fell or not hit
        self._hits.append(hit and self._fell)
        if sum(self._hits) < self._settings.trigger_frames:
            self._watch_near_miss(score)
            return False
        self._hits.clear()
        self._refractory_frames = round(self._settings.refractory_s / FRAME_S)
        self._fell = False
        self._peak = 0.0
        return True

    def _watch_near_miss(self, score: float) -> None:
        if score >= NEAR_MISS:
            self._peak = max(self._peak, score) if self._fell else 0.0
        elif self._peak:
            log.debug("near miss: %s peaked at %.2f of %.2f", self.word, self._peak, self._settings.threshold)
            self._peak = 0.0


class Wake:
    """Listens for the configured words. Belongs to one thread, the microphone's.

    `engine`: what scores the frames; by default openWakeWord's models, spared while the room is quiet.
    Raises UnknownWord or BadModel.
    """

    def __init__(self, settings: settings.Wake, engine: Engine | None = None) -> None:
        self._engine = engine or Sparing(OpenWakeWord(settings.words))
        self.words = self._engine.words
        self._triggers = [Trigger(word, settings) for word in self.words]

    def score(self, frame: bytes) -> tuple[float, str | None]:
        """The highest score (0..1) of this frame, and the word if the frame completes a wake.

        `frame`: 1280 samples, signed 16 bit little endian, mono, 16 kHz. Raises ValueError for any other length.
        """
        if len(frame) != FRAME_BYTES:
            raise ValueError(
                f"a frame for the wake word has {FRAME_BYTES} bytes ({FRAME_SAMPLES} samples), not {len(frame)}"
            )
        scores = self._engine.scores(np.frombuffer(frame, "<i2"))
        # Every trigger has to see every frame, so no short cut after the first wake.
        woken = [
            (score, trigger.word) for score, trigger in zip(scores, self._triggers, strict=True) if trigger.push(score)
        ]
        return max(scores), max(woken)[1] if woken else None

    def adopt(self, settings: settings.Wake) -> None:
        """Go by these thresholds and counts from the next frame on; the words stay. Called on any thread."""
        for trigger in self._triggers:
            trigger.adopt(settings)

    def reset(self) -> None:
        """Forget what was heard, after a gap in the audio; nothing wakes in the next 0.4 s."""
        self._engine.reset()
        for trigger in self._triggers:
            trigger.reset()
