"""Our own recorded sentences, as a listener gets them."""

from importlib.resources import as_file, files

import numpy as np
import pytest

from cooee.agent.embedded import models
from cooee.agent.embedded.whisper import Whisper
from cooee.agent.embedded.words import normalise
from cooee.events import Trouble
from cooee.sound.wav import read_wav

SAYS = {
    "network": "internet",
    "vendor": "few minutes",
    "busy": "busy",
    "clock": "time",
    "key": "key",
    "credit": "credit",
    "permission": "permission",
    "settings": "settings",
    "limit": "used up",
    "limit_near": "fifths",
    "fallback": "by myself",
    "lost": "say it again",
    "moment": "moment",
    "no_answer": "answer",
}


def clip(name: str) -> np.ndarray:
    with as_file(files("cooee") / "sounds" / f"{name}.wav") as path:
        return read_wav(path)


def test_every_trouble_has_its_own_sentence() -> None:
    assert {trouble.value for trouble in Trouble} <= SAYS.keys()
    assert len({clip(trouble.value).tobytes() for trouble in Trouble}) == len(Trouble)


@pytest.mark.parametrize("name", SAYS)
def test_a_sentence_is_short_loud_enough_and_begins_at_once(name: str) -> None:
    samples = clip(name) / 32768
    assert 0.3 <= len(samples) / 16_000 <= 5
    assert 20 * np.log10(samples.std()) == pytest.approx(-15, abs=1), "all as loud as each other"
    assert np.abs(samples).max() < 0.95, "not clipped"
    assert np.abs(samples[:800]).max() > 0.003 and np.abs(samples[-800:]).max() > 0.003, "no silence at either end"


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(models.whisper("tiny.en"), threads=1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), SAYS.items(), ids=SAYS)
def test_a_sentence_is_understood(whisper: Whisper, name: str, words: str) -> None:
    assert words in normalise(whisper.transcribe(clip(name)).text)
