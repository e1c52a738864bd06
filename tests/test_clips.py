"""Our own sentences, at whatever rate the agent speaks."""

from importlib.resources import as_file, files
from typing import get_args

import numpy as np
import pytest

from cooee.agent import AgentTable
from cooee.clips import clip
from cooee.sound.wav import read_wav

RATES_HZ = get_args(AgentTable.model_fields["output_rate_hz"].annotation)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_sentence_is_as_long_as_loud_and_as_high_at_any_rate(rate_hz: int) -> None:
    with as_file(files("cooee") / "sounds" / "network.wav") as path:
        recorded = read_wav(path).astype(float)
    heard = np.frombuffer(clip("network", rate_hz), "<i2").astype(float)
    assert len(heard) / rate_hz == pytest.approx(len(recorded) / 16_000, abs=0.001)
    assert heard.std() == pytest.approx(recorded.std(), rel=0.1)
    assert pitch_hz(heard, rate_hz) == pytest.approx(pitch_hz(recorded, 16_000), abs=1)


def pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    """Where the spectrum is strongest."""
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * rate_hz / len(samples))
