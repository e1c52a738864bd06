"""Speech to text: Whisper on bare CTranslate2, in a window as short as the speech.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022): the spectrogram of section 2.2,
the prompt of figure 1. The encoder is made for 30 s; speech plus two seconds of padding is four times cheaper and as
good for commands, but makes the decoder say things twice, so that is cut.
"""

import functools
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
_FFT, _HOP, _MELS = 400, 160, 80
_LONGEST_S, _PADDING_S, _SHORTEST_S = 30.0, 2.0, 0.1
_SILENCE = 20  # of 32768: nothing that is said is softer than this
_HINT_TOKENS = 120

# These part 102 noisy human commands, of which five (all misheard) are taken for noise, from 104 noises, tones and
# clicks, of which three tones are taken for words. Clear speech may have a high `no_speech`, but then a sure text.
_LEAST_LOG_PROBABILITY, _SURE_LOG_PROBABILITY = -1.8, -0.7
_MOST_NO_SPEECH = 0.55


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `log_probability`: mean of the tokens; `no_speech`: how probable it is that nobody spoke."""

    text: str
    log_probability: float
    no_speech: float

    @property
    def heard(self) -> bool:
        """Whether somebody said this; if not, Whisper made it up from noise or silence."""
        if self.log_probability < _LEAST_LOG_PROBABILITY or not re.search(r"\w", self.text):
            return False
        return self.no_speech < _MOST_NO_SPEECH or self.log_probability > _SURE_LOG_PROBABILITY


_NOTHING = Transcript("", -math.inf, 1.0)


class Whisper:
    """A model that is loaded once (seconds on a Pi) and used by one thread at a time."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        self._array = ctranslate2.StorageView.from_array
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
        )
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        names = ["<|startoftranscript|>"]
        if self._model.is_multilingual:
            names += ["<|en|>", "<|transcribe|>"]
        self._prompt = [self._tokenizer.token_to_id(name) for name in (*names, "<|notimestamps|>")]
        self._previous = self._tokenizer.token_to_id("<|startofprev|>")
        self._end = self._tokenizer.token_to_id("<|endoftext|>")

    def transcribe(self, samples: NDArray[np.int16], hints: Sequence[str] = ()) -> Transcript:
        """The text of up to 28 s of mono 16 kHz int16. `hints`: names that may occur, such as those of devices."""
        samples = samples[: int(RATE_HZ * (_LONGEST_S - _PADDING_S))]
        seconds = len(samples) / RATE_HZ
        if seconds < _SHORTEST_S or int(np.abs(samples.astype(np.int32)).max()) < _SILENCE:
            return _NOTHING
        mel = log_mel(samples, math.ceil((seconds + _PADDING_S) * RATE_HZ / _HOP / 2) * 2)
        prompt = [*self._hinted(hints), *self._prompt]
        result = self._model.generate(
            self._array(mel[None]),
            [prompt],
            beam_size=1,
            max_length=len(prompt) + 10 + int(7 * seconds),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        text = self._tokenizer.decode(result.sequences_ids[0], skip_special_tokens=True)
        return Transcript(without_loops(text), result.scores[0], result.no_speech_prob)

    def _hinted(self, hints: Sequence[str]) -> list[int]:
        if not hints or self._model.is_multilingual:  # they help tiny.en; the larger model reads them out in noise
            return []
        tokens = self._tokenizer.encode(" " + ", ".join(hints) + ".", add_special_tokens=False).ids
        return [self._previous, *[token for token in tokens if token < self._end][:_HINT_TOKENS]]


def log_mel(samples: NDArray[np.int16], frames: int) -> NDArray[np.float32]:
    """Whisper's input: shape (80, frames), one frame per 10 ms, the samples padded with silence."""
    samples = samples[: frames * _HOP]
    padded = np.zeros(frames * _HOP + _FFT, np.float32)
    padded[_FFT // 2 : _FFT // 2 + len(samples)] = samples / np.float32(32768)
    padded[: _FFT // 2] = padded[_FFT // 2 + 1 : _FFT + 1][::-1]  # as if the sound were mirrored at its start
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    slices = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][:frames]
    power = np.abs(np.fft.rfft(slices * window, axis=1)).astype(np.float32) ** 2
    decades = np.log10(np.maximum(_mel_filters() @ power.T, 1e-10))
    mel: NDArray[np.float32] = ((np.maximum(decades, decades.max() - 8) + 4) / 4).astype(np.float32)
    return np.ascontiguousarray(mel)


@functools.cache
def _mel_filters() -> NDArray[np.float32]:
    """Triangles of equal area on Slaney's mel scale (linear to 1 kHz, then 27 steps per factor 6.4): (80, 201)."""
    steps = np.linspace(0, 15 + 27 * math.log(8) / math.log(6.4), _MELS + 2)
    corners = np.where(steps < 15, steps * 200 / 3, 1000 * 6.4 ** ((steps - 15) / 27))
    bins = np.linspace(0, RATE_HZ / 2, _FFT // 2 + 1)
    low, middle, high = (corners[place : place + _MELS, None] for place in range(3))
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    filters: NDArray[np.float32] = (np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)).astype(np.float32)
    return filters


def without_loops(text: str) -> str:
    """The text up to where it repeats itself: a sentence again (or its start), a phrase twice, a word three times."""
    kept: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
        if any(_key(earlier).startswith(_key(sentence)) for earlier in kept):
            break
        kept.append(sentence)
    words = " ".join(kept).split()
    keys = [_key(word) for word in words]
    for length, start in itertools.product(range(1, len(words) // 2 + 1), range(len(words))):
        times = 2 if length > 1 else 3
        phrase = keys[start : start + length]
        if keys[start : start + times * length] == phrase * times:
            return " ".join(words[: start + length])
    return " ".join(words)


def _key(text: str) -> str:
    return re.sub(r"[^\w']", "", text.lower())
