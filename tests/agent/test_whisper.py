import math
import wave
from os import environ
from pathlib import Path

import numpy as np
import pytest

from cooee.agent.embedded import models
from cooee.agent.embedded.whisper import Transcript, Whisper, log_mel, without_loops
from cooee.agent.embedded.words import normalise
from voices import RATE_HZ, Voice, noise, read, say

SLT = Voice("flite", "slt", 1.0)


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(models.whisper("tiny.en"), threads=1)


@pytest.mark.slow
@pytest.mark.parametrize("voice", [SLT, Voice("flite", "rms", 1.0)], ids=str)
def test_understands_commands(whisper: Whisper, voice: Voice) -> None:
    lamp = whisper.transcribe(say("turn on the kitchen lamp", voice))
    assert lamp.heard and "kitchen lamp" in normalise(lamp.text) and -1 < lamp.log_probability < 0
    timer = whisper.transcribe(say("set a timer for twenty five minutes", voice))
    assert "twenty five minute" in normalise(timer.text) and timer.heard


@pytest.mark.slow
def test_hints_are_not_part_of_the_text(whisper: Whisper) -> None:
    hints = ["kitchen lamp", "desk fan", "Zigbee coordinator"] * 50
    transcript = whisper.transcribe(say("turn off the desk fan", SLT), hints)
    assert normalise(transcript.text) == "turn off the desk fan"


@pytest.mark.slow
@pytest.mark.parametrize("hints", [(), ("kitchen lamp", "desk fan")])
def test_does_not_hear_anybody_in_noise(whisper: Whisper, hints: tuple[str, ...]) -> None:
    for sound in (noise(2), noise(0.5, -40.0), noise(4, -25.0), np.zeros(RATE_HZ, np.int16)):
        assert not whisper.transcribe(sound, hints).heard


@pytest.mark.slow
def test_nothing_is_no_text(whisper: Whisper) -> None:
    for samples in (0, 1, 159, 1000, RATE_HZ):
        transcript = whisper.transcribe(np.zeros(samples, np.int16))
        assert transcript.text == "" and not transcript.heard
    assert whisper.transcribe(np.full(3, -32768, np.int16)).text == ""


@pytest.mark.slow
def test_takes_the_first_28_s_of_more(whisper: Whisper) -> None:
    command = say("turn on the kitchen lamp", SLT)
    assert "lamp" in whisper.transcribe(np.concatenate([command, *[noise(1)] * 40])).text.lower()


@pytest.mark.slow
def test_real_people(whisper: Whisper) -> None:
    """Recordings of commands, named by their text; at least half of the words have to be right."""
    if not (folder := environ.get("COOEE_DATA")):
        pytest.skip("COOEE_DATA names no folder of recordings")
    found = wanted = 0
    for file in Path(folder).rglob("*.wav"):
        try:
            heard = set(normalise(whisper.transcribe(read(file)).text).split())
        except wave.Error:
            continue
        words = normalise(file.stem).split()
        wanted, found = wanted + len(words), found + sum(word in heard for word in words)
    assert found >= wanted / 2


@pytest.mark.parametrize(
    ("transcript", "heard"),
    [
        (Transcript("Thank you.", -1.2, 0.72), False),
        (Transcript("You", -3.6, 0.3), False),
        (Transcript(".", -0.2, 0.3), False),
        (Transcript("cancel timer", -1.6, 0.06), True),
        (Transcript("turn on the kitchen lamp.", -0.26, 0.57), True),
    ],
)
def test_parts_what_was_said_from_what_was_made_up(transcript: Transcript, heard: bool) -> None:
    assert transcript.heard is heard


def test_spectrogram_of_a_tone_is_one_line() -> None:
    tone = (16000 * np.sin(np.arange(RATE_HZ) * 2 * math.pi * 1000 / RATE_HZ)).astype(np.int16)
    mel = log_mel(tone, 200)
    assert mel.shape == (80, 200) and mel.dtype == np.float32
    # 1 kHz is the 15th of the 45.2 steps that 81 intervals share: filter 25 or 26, and the padding is silent.
    assert set(mel[:, 10:90].argmax(axis=0)) <= {25, 26}
    assert mel[:, 110:].max() == mel.min() == pytest.approx(mel.max() - 2)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("next track next track next track next", "next track"),
        ("Turn it off. Turn it off.", "Turn it off."),
        ("Turn off the lights in the hall. Turn off the lights", "Turn off the lights in the hall."),
        ("Stop, stop, stop, stop", "Stop,"),
        ("Yes. No.", "Yes. No."),
        ("turn on the lamp and turn on the fan", "turn on the lamp and turn on the fan"),
        ("a very very long timer", "a very very long timer"),
        ("set it to 20 20", "set it to 20 20"),
        (" What time is it? ", "What time is it?"),
        ("", ""),
    ],
)
def test_cuts_loops_only(text: str, kept: str) -> None:
    assert without_loops(text) == kept
