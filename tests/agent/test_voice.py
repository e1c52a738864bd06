import importlib.util
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soxr

from cooee.agent.embedded import models, voice
from cooee.agent.embedded.sphinx import alike
from cooee.agent.embedded.voice import Flite, Voice
from cooee.agent.embedded.whisper import Whisper

HOSTILE = ["-v", "--help", "-f /etc/passwd", "@/etc/passwd", "[[h@l'oU]]", "<speak>one</speak>", "`id` $(id); id | id"]


@pytest.fixture(scope="module", params=[Voice, Flite])
def speaker(request: pytest.FixtureRequest):
    onnxruntime.set_seed(1)  # Piper's rhythm is drawn by lot
    made = request.param()
    yield made
    made.close()


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(models.whisper("tiny.en"), threads=1)


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2")


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_says_what_it_is_told(speaker: Voice | Flite, whisper: Whisper, rate_hz: int) -> None:
    said = samples(b"".join(speaker.speak("Okay, the kitchen lamp is on.", rate_hz)))
    assert 1.5 < len(said) / rate_hz < 4
    heard = whisper.transcribe(soxr.resample(said, rate_hz, 16_000))
    assert alike(heard.text, "Okay, the kitchen lamp is on.") > 80


@pytest.mark.slow
def test_says_numbers_and_units(speaker: Voice | Flite, whisper: Whisper) -> None:
    said = samples(b"".join(speaker.speak("It is 21 °C with 45 % humidity.", 16_000)))
    heard = whisper.transcribe(said).text
    assert alike(heard, "it is twenty one degrees celsius with forty five percent humidity") > 80


@pytest.mark.slow
def test_the_first_sentence_does_not_wait_for_the_rest(speaker: Voice | Flite, whisper: Whisper) -> None:
    pieces = speaker.speak("The lamp is on. " + "This is a long story. " * 1000, 16_000)
    assert alike(whisper.transcribe(samples(next(pieces))).text, "the lamp is on") > 80
    pieces.close()


@pytest.mark.slow
def test_all_sentences_are_equally_loud_and_none_clips(speaker: Voice | Flite) -> None:
    levels = []
    for piece in speaker.speak("Okay. The kitchen lamp is on now! Shall I turn off the desk fan too?", 24_000):
        sound = samples(piece) / 32768
        assert 0.2 < np.abs(sound).max() < 0.95
        levels.append(20 * np.log10(np.sqrt((sound[np.abs(sound) > 0.01] ** 2).mean())))
    assert len(levels) == 3 and max(levels) - min(levels) < 2 and -23 < np.mean(levels) < -17


@pytest.mark.parametrize("text", ["", "   ", "\x00\x1b\n", "...", "?!", "🎉", "-", "[]"])
def test_nothing_to_say_is_no_sound(speaker: Voice | Flite, text: str) -> None:
    assert list(speaker.speak(text, 24_000)) == []


@pytest.mark.slow
@pytest.mark.parametrize("text", [*HOSTILE, "\ud800 lone", "日本語", "a" * 1000, "% & °", "one\x00two\x1b[31m"])
def test_any_text_is_only_spoken(
    speaker: Voice | Flite,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for piece in speaker.speak(text, 16_000):
        assert len(piece) % 2 == 0 and 0.2 < len(piece) / 32_000 < 60
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("text", ["-v", "--help", "@home", "-f in"])
def test_what_looks_like_an_option_is_read_out(speaker: Voice | Flite, whisper: Whisper, text: str) -> None:
    said = samples(b"".join(speaker.speak(f"{text}, the kitchen lamp is on", 16_000)))
    assert alike(whisper.transcribe(said).text, f"{text}, the kitchen lamp is on") > 70


@pytest.mark.parametrize("missing", ["espeak-ng", "package"])
def test_speaks_with_flite_where_piper_is_missing(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    which, find_spec = shutil.which, importlib.util.find_spec
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    if missing == "package":
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "piper" in name else find_spec(name))
    assert isinstance(voice.open(), Flite)


def test_says_what_to_install_where_there_is_no_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(models.Unusable, match="apt install flite"):
        voice.open()


def test_a_voice_that_fails_is_an_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    flite = Flite()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OSError):
        list(flite.speak("hello", 16_000))
