import tempfile
from pathlib import Path

import numpy as np
import pytest

from cooee.agent.embedded.sphinx import SecondOpinion, alike
from voices import Voice, noise, say

SLT = Voice("flite", "slt", 1.0)
HOUSE = [
    *(f"turn {way} the {thing}" for way in ("on", "off") for thing in ("kitchen lamp", "desk fan", "ceiling light")),
    *(f"set a timer for {number} minutes" for number in range(1, 61)),
    "what's the time",
    "resume timer",
]


@pytest.fixture(scope="module")
def opinion() -> SecondOpinion:
    return SecondOpinion(HOUSE)


@pytest.mark.parametrize("said", ["turn off the ceiling light", "set a timer for twenty five minutes", "resume timer"])
@pytest.mark.parametrize("voice", [SLT, Voice("flite", "rms", 1.0)], ids=str)
def test_understands_the_house(opinion: SecondOpinion, said: str, voice: Voice) -> None:
    assert opinion.transcribe(say(said, voice)) == said


def test_other_talk_is_not_alike(opinion: SecondOpinion) -> None:
    said = "the quick brown fox jumps over the lazy dog"
    assert alike(opinion.transcribe(say(said, SLT)), said) < 60


def test_nothing_is_no_words(opinion: SecondOpinion) -> None:
    for samples in (0, 1, 100):
        assert opinion.transcribe(np.zeros(samples, np.int16)) == ""


def test_what_was_said_before_does_not_matter() -> None:
    said = say("turn off the ceiling light", Voice("espeak-ng", "en-us", 160))
    unclear = (said // 4 + noise(5, -40.0)[: len(said)]).astype(np.int16)
    fresh, used = SecondOpinion(HOUSE), SecondOpinion(HOUSE)
    used.transcribe(say("open the pod bay doors", Voice("flite", "rms", 1.0)))
    used.transcribe(noise(1, -12.0))
    assert used.transcribe(unclear) == fresh.transcribe(unclear)


def test_leaves_out_sentences_with_unknown_words() -> None:
    opinion = SecondOpinion(["turn on the xqzzt", "stop", "", "…", "drop (a table) ../../x"])
    assert opinion.transcribe(say("stop", SLT)) == "stop"


@pytest.mark.parametrize("sentences", [[], [""], ["xqzzt"]])
def test_a_house_without_words_says_nothing(sentences: list[str]) -> None:
    assert SecondOpinion(iter(sentences)).transcribe(say("stop", SLT)) == ""


def test_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opinion = SecondOpinion(HOUSE)
    assert list(tmp_path.iterdir()) == []
    assert opinion.transcribe(say("resume timer", SLT)) == "resume timer"


def test_says_nothing_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    SecondOpinion(HOUSE).transcribe(say("resume timer", SLT))
    assert capfd.readouterr() == ("", "")


def test_alike_looks_through_spelling() -> None:
    assert alike("Set it to 50%.", "set it to fifty percent") == 100
    assert alike("Wake me at 7:00", "wake me at seven o'clock") == 100
    assert alike("pause timer", "Horse timer!") > 70 > 50 > alike("pause timer", "What's the weather?")
    assert alike("", "stop") == 0
