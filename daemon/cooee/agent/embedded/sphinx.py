"""A second opinion on what was said: pocketsphinx, which knows nothing but the sentences that the house understands.

Whatever it hears, it answers with words of that house; so it is believed only where it is `alike` to Whisper's text.
"""

import functools
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cooee.agent.embedded.words import normalise


class SecondOpinion:
    """A recogniser for `sentences`, as written; those with a word that the dictionary does not know are left out."""

    def __init__(self, sentences: Iterable[str]) -> None:
        pronunciations = _pronunciations()
        normal = (normalise(sentence).split() for sentence in sentences)
        known = [words for words in normal if words and all(word in pronunciations for word in words)]
        self._decoder = None
        if not known:
            return
        from pocketsphinx import Decoder, get_model_path

        with tempfile.TemporaryDirectory(prefix="cooee-") as folder:
            dictionary, model = Path(folder, "words.dict"), Path(folder, "sentences.lm")
            words = sorted({word for sentence in known for word in sentence})
            dictionary.write_text("".join(_entry(word, pronunciations[word]) for word in words))
            _language_model(known, model)
            self._decoder = Decoder(
                hmm=get_model_path("en-us/en-us"),
                dict=str(dictionary),
                lm=str(model),
                loglevel="FATAL",
                samprate=16_000,
                cmn="batch",
            )

    def transcribe(self, samples: NDArray[np.int16]) -> str:
        """The likeliest words of the house for mono 16 kHz int16; "" if there are none."""
        if self._decoder is None or not len(samples):
            return ""
        self._decoder.reinit_feat()  # no memory of the noise around what was said before
        self._decoder.start_utt()
        self._decoder.process_raw(samples.astype("<i2").tobytes(), full_utt=True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        return str(best.hypstr) if best else ""


def alike(a: str, b: str) -> float:
    """How alike two texts are, 0 to 100, whichever way their numbers and punctuation are written."""
    from rapidfuzz import fuzz

    return fuzz.ratio(normalise(a), normalise(b))


@functools.cache
def _pronunciations() -> dict[str, tuple[str, ...]]:
    """The dictionary that comes with pocketsphinx: each word's ways to be said."""
    from pocketsphinx import get_model_path

    found: dict[str, tuple[str, ...]] = {}
    with open(get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.partition(" ")
            word = word.partition("(")[0]
            found[word] = (*found.get(word, ()), phones.strip())
    return found


def _entry(word: str, ways: tuple[str, ...]) -> str:
    return "".join(f"{word}{f'({n})' if n > 1 else ''} {phones}\n" for n, phones in enumerate(ways, start=1))


def _language_model(sentences: list[list[str]], file: Path) -> None:
    from pocketsphinx.lm import ArpaBoLM

    model = ArpaBoLM(text="\n".join(map(" ".join, sentences)), add_start=True)
    model.compute()
    if not model.write_file(str(file)):
        raise OSError(f"the language model cannot be written to {file.parent}")
