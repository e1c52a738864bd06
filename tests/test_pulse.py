"""The microphone and the loudspeaker through a sound server."""

import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from card.rig import Rig
from pulse import RATE_HZ, Pulse

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(Pulse.missing()), reason=f"not installed: {', '.join(Pulse.missing())}"),
]


def tone(seconds: float, rate_hz: int, hz: float) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


def length_s(samples: np.ndarray, rate_hz: int, hz: float) -> float:
    """For how long the tone, and nothing else, is there; pieces of 10 ms."""
    size = rate_hz // 100
    pieces = samples[: len(samples) // size * size].reshape(-1, size).astype(float)
    wave_at = np.exp(-2j * np.pi * hz * np.arange(size) / rate_hz)
    of_tone = np.abs(pieces @ wave_at) * np.sqrt(2) / size
    rms = np.sqrt(np.mean(pieces**2, axis=1))
    return float(np.sum((rms > 500) & (of_tone > 0.95 * rms)) / 100)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    with Pulse(tmp_path / "pulse") as server:
        yield server


@pytest.mark.parametrize("devices", [("mic", "speaker"), ("default", "default")])
def test_a_tone_goes_in_and_another_one_comes_out(tmp_path: Path, pulse: Pulse, devices: tuple[str, str]) -> None:
    with wave.open(str(tmp_path / "said.wav"), "wb") as said:
        said.setparams((1, 2, 16000, 0, "NONE", ""))
        said.writeframes(tone(1, 16000, 500).tobytes())
    mic, speaker = {"device": devices[0]}, {"device": devices[1], "volume": 100}
    pulse.record()
    with Rig(tmp_path, pulse.env, mic=mic, speaker=speaker) as rig:
        while not len(rig.frames()):
            time.sleep(0.02)
        pulse.speak(tmp_path / "said.wav")
        rig.play(1, tone(1, 24000, 1000))
        rig.ask("finish", turn=1)
        assert rig.wait_for("Spoken")["played_s"] == pytest.approx(1, abs=0.05)
        time.sleep(0.4)
        rig.play(2, tone(5, 24000, 700))
        rig.wait_for("Sounded")
        time.sleep(0.3)
        rig.ask("hush", turn=2)
        assert rig.wait_for("Hushed")["dropped_s"] > 4
        time.sleep(0.4)
        numbers = rig.numbers()
    assert length_s(rig.frames(), 16000, 500) == pytest.approx(1, abs=0.04)
    assert length_s(pulse.recorded(), RATE_HZ, 1000) == pytest.approx(1, abs=0.04)
    assert 0.1 < length_s(pulse.recorded(), RATE_HZ, 700) < 0.6
    assert not rig.passed("MicLost") and not rig.passed("SpeakerLost")
    assert numbers["lost_s"] < 0.1
    assert rig.errors.read_text() == ""


def test_a_sound_server_that_crashes_is_noticed_and_found_again(tmp_path: Path, pulse: Pulse) -> None:
    with Rig(tmp_path, pulse.env, mic={}, speaker={"volume": 100}) as rig:
        while not len(rig.frames()):
            time.sleep(0.02)
        pulse.stop_server()
        rig.wait_for_all("MicLost", "SpeakerLost")
        rig.play(1, tone(0.3, 24000, 1000))
        rig.ask("finish", turn=1)
        assert rig.wait_for("Spoken")["played_s"] == pytest.approx(0.3, abs=0.01)
        with pulse:
            rig.wait_for_all("MicFound", "SpeakerFound")
            frames = len(rig.frames())
            while len(rig.frames()) < frames + 8000:
                time.sleep(0.02)
    assert rig.exit_code == 0 and rig.wait_for("left")["within_s"] < 1
