"""The whole daemon as a process, on a sound card that has a room, a loudspeaker on record and a plug to pull."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from card import Card
from cooee.agent.embedded import models
from cooee.agent.embedded.whisper import Whisper
from cooee.mic import read_wav
from pulse import RATE_HZ as PULSE_RATE_HZ
from pulse import Pulse
from running import DAEMON, Running
from voices import Voice, say

pytestmark = pytest.mark.slow

LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"
CONFIG = """
[conversation]
follow_up_s = 0.0
[speaker]
volume = 100
period_ms = 60
[actions.desk_lamp]
type = "gpio"
pin = 17
description = "The lamp on the desk"
"""
SLT = Voice("flite", "slt", 1.0)


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(models.whisper("tiny.en"), threads=1)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    yield Card(tmp_path / "card").start()


def understood(whisper: Whisper, heard: np.ndarray, rate_hz: int) -> str:
    """What a listener understands of what left the loudspeaker."""
    loud = np.flatnonzero(np.abs(heard.astype(int)) > 100)
    assert len(loud), "the loudspeaker was silent"
    spoken = heard[max(0, loud[0] - rate_hz // 5) : loud[-1] + rate_hz // 5]
    return whisper.transcribe(soxr.resample(spoken, rate_hz, 16000)).text.lower()


def wait_until_asleep(speaker: Running) -> None:
    speaker.wait_for("STATUS=speaking", 30)
    speaker.wait_for("STATUS=asleep", 30)


def turn_on_the_lamp(speaker: Running, card: Card, whisper: Whisper) -> None:
    before = len(card.heard())
    card.speak(read_wav(LAMP_WAV))
    wait_until_asleep(speaker)
    assert "desk is on" in understood(whisper, card.heard()[before:], card.rate_hz)


def test_answers_in_the_room_through_unplugging_and_a_crash_of_its_agent(
    tmp_path: Path, card: Card, whisper: Whisper
) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        turn_on_the_lamp(speaker, card, whisper)

        card.unplug()
        speaker.wait_for("STATUS=asleep: .*")
        card.plug()
        speaker.wait_for("STATUS=asleep")
        time.sleep(1.5)  # the loudspeaker's side of the card finds back in its own time
        turn_on_the_lamp(speaker, card, whisper)

        speaker.agent.kill()
        turn_on_the_lamp(speaker, card, whisper)
        code, took_s = speaker.terminate()
    assert (code, took_s < 2) == (0, True)
    assert "Traceback" not in speaker.stderr


def test_the_wake_word_hushes_a_long_reply_and_a_stop_ends_one(tmp_path: Path, card: Card, whisper: Whisper) -> None:
    question = np.concatenate([say("hey jarvis", SLT), np.zeros(1600, np.int16), say("what can you do", SLT)])
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        time.sleep(1)
        card.speak(question)
        speaker.wait_for("STATUS=speaking")
        time.sleep(0.5)
        card.speak(read_wav(LAMP_WAV))
        listening_s = speaker.wait_for("STATUS=listening") - card.epoch_s
        thinking_s = speaker.wait_for("STATUS=thinking") - card.epoch_s
        speaker.wait_for("STATUS=asleep")
        heard, quiet = card.heard(), slice(*(round(at * card.rate_hz) for at in (listening_s + 0.4, thinking_s)))
        assert np.abs(heard[quiet.start - card.rate_hz : quiet.start]).max() > 1000, "there was nothing to hush"
        assert thinking_s - listening_s > 0.8
        assert not heard[quiet].any(), "it went on talking"
        assert "desk is on" in understood(whisper, heard[quiet.stop :], card.rate_hz)

        card.speak(question)
        speaker.wait_for("STATUS=speaking")
        time.sleep(1)
        code, took_s = speaker.terminate()
    assert (code, took_s < 2) == (0, True)


@pytest.mark.skipif(bool(Pulse.missing()), reason=f"not installed: {', '.join(Pulse.missing())}")
def test_answers_through_a_sound_server(tmp_path: Path, whisper: Whisper) -> None:
    with Pulse(tmp_path / "pulse") as pulse, Running(tmp_path, CONFIG, pulse.env) as speaker:
        speaker.wait_for("READY=1")
        pulse.record()
        time.sleep(1)
        pulse.speak(LAMP_WAV)
        wait_until_asleep(speaker)
        code, took_s = speaker.terminate()
        assert "desk is on" in understood(whisper, pulse.recorded(), PULSE_RATE_HZ)
    assert (code, took_s < 2) == (0, True)


def test_ctrl_c_ends_it_as_well_while_the_card_is_away(tmp_path: Path) -> None:
    away = Card(tmp_path / "card").start(plugged=False)
    with Running(tmp_path, CONFIG, away.env) as speaker:
        speaker.wait_for("STATUS=asleep: .*")
        began_s = time.monotonic()
        speaker.process.send_signal(signal.SIGINT)
        assert speaker.process.wait(timeout=20) == 0
        assert time.monotonic() - began_s < 2
    assert "Traceback" not in speaker.stderr
    assert 'microphone "default"' in speaker.stderr


@pytest.mark.parametrize("state", ["just ready", "listening", "listening, to an agent that hangs"])
def test_stops_at_once_whatever_it_is_doing(tmp_path: Path, card: Card, state: str) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        if state != "just ready":
            time.sleep(1)
            card.speak(read_wav(LAMP_WAV))
            speaker.wait_for("STATUS=listening")
        if state.endswith("hangs"):
            time.sleep(0.5)
            speaker.agent.suspend()
        code, took_s = speaker.terminate()
    assert (code, took_s < 2) == (0, True)
