"""Where an utterance starts and where it ends, by Silero's voice activity detector on onnxruntime.

The detector is the one that openWakeWord brings along (Silero VAD 4, https://github.com/snakers4/silero-vad): it finds
speech in noise as well as version 6 does and adds no dependency.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooee.agent.embedded import models

RATE_HZ = 16_000
CHUNK = 512  # samples that the detector judges at once
_CHUNK_S = CHUNK / RATE_HZ

_SPEECH, _QUIET = 0.5, 0.35  # speech starts at the one probability and goes on down to the other
_ONSET_CHUNKS = 3  # so many in a row are speech; a click is shorter
_BEFORE_S = 0.3  # of audio before the first sound, which is softer than what the detector calls speech
_AFTER_S = 0.2  # of the quiet after the last sound
_OPENING_S = 1.0  # speech that starts in here may be under way already: nothing before it is dropped

# After perfect silence the detector takes any noise that sets in for speech; a hiss of -70 dBFS, which a microphone
# has by itself, cures most of that, and speech above -50 dBFS is found as before.
_HISS = np.random.default_rng(0).normal(0, 10 ** (-70 / 20), (1, CHUNK)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Started:
    """Somebody speaks since `at_s`, in seconds of the audio that was fed."""

    at_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """An utterance, int16 at 16 kHz with a little quiet around it; known at `at_s`, last sound `speech_ended_at_s`."""

    samples: NDArray[np.int16]
    at_s: float
    speech_ended_at_s: float


class Endpointer:
    """Cuts a stream of PCM into utterances.

    `quiet_s`: so long a pause ends one. `limit_s`: none is longer; noise could hold its end open for ever.
    `model`: a user's own detector of the same shape. Raises models.Unusable.
    """

    def __init__(self, quiet_s: float = 0.5, limit_s: float = 12.0, model: Path | None = None) -> None:
        self._session = _session(models.vad(model))
        self._quiet_chunks = max(1, round(quiet_s / _CHUNK_S))
        self._limit_chunks = max(_ONSET_CHUNKS, int(limit_s / _CHUNK_S))
        self._fed_chunks = 0
        self.reset()

    @property
    def talking(self) -> bool:
        """Whether an utterance has started and not ended."""
        return self._talking

    def reset(self) -> None:
        """Forget what was heard, for audio that does not continue it. The time that was fed goes on counting."""
        self._odd = b""
        self._heard: list[NDArray[np.int16]] = []
        self._opened_at = self._fed_chunks
        self._talking = False
        self._voiced = self._silent = 0
        self._state = np.zeros((2, 1, 64), np.float32), np.zeros((2, 1, 64), np.float32)

    def feed(self, pcm: bytes) -> list[Started | Ended]:
        """Hear more s16le mono PCM at 16 kHz, of any length, and say what that completed."""
        pcm = self._odd + pcm
        whole = len(pcm) // (2 * CHUNK) * (2 * CHUNK)
        self._odd = pcm[whole:]
        happened = []
        for chunk in np.frombuffer(pcm[:whole], "<i2").reshape(-1, CHUNK):
            self._fed_chunks += 1
            self._heard.append(chunk)
            probability = self._probability(chunk)
            if event := self._on(probability) if self._talking else self._off(probability):
                happened.append(event)
        return happened

    def _probability(self, chunk: NDArray[np.int16]) -> float:
        inputs = {
            "input": chunk[None].astype(np.float32) / 32768 + _HISS,
            "sr": np.array(RATE_HZ, np.int64),
            "h": self._state[0],
            "c": self._state[1],
        }
        probability, *state = self._session.run(None, inputs)
        self._state = state[0], state[1]
        return float(probability[0, 0])

    def _off(self, probability: float) -> Started | None:
        self._voiced = self._voiced + 1 if probability >= _SPEECH else 0
        opening = self._fed_chunks - self._opened_at <= _OPENING_S / _CHUNK_S
        if self._voiced < _ONSET_CHUNKS:
            if not opening:
                del self._heard[: -(round(_BEFORE_S / _CHUNK_S) + _ONSET_CHUNKS)]
            return None
        self._talking, self._silent = True, 0
        return Started((self._fed_chunks - self._voiced) * _CHUNK_S)

    def _on(self, probability: float) -> Ended | None:
        self._silent = self._silent + 1 if probability < _QUIET else 0
        if self._silent < self._quiet_chunks and len(self._heard) < self._limit_chunks:
            return None
        last = len(self._heard) - max(0, self._silent - round(_AFTER_S / _CHUNK_S))
        samples = np.concatenate(self._heard[:last])
        silent, self._heard, self._talking, self._voiced = self._silent, [], False, 0
        return Ended(samples, self._fed_chunks * _CHUNK_S, (self._fed_chunks - silent) * _CHUNK_S)


@functools.cache
def _session(model: Path) -> Any:
    """The detector itself remembers nothing, so all lines share it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
