"""Speech for tests, from the synthesisers that the test machine has."""

import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

RATE_HZ = 16000


@dataclass(frozen=True, slots=True)
class Voice:
    """`engine`: "espeak-ng" or "flite". `pace`: espeak-ng's words per minute, flite's stretch (1.0; slower is more)."""

    engine: str
    name: str
    pace: float

    def __str__(self) -> str:
        return f"{self.engine} {self.name} {self.pace:g}"


def say(text: str, voice: Voice) -> NDArray[np.int16]:
    """The words as 16 kHz mono, without silence before and after."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        if voice.engine == "flite":
            command = ["flite", "-voice", voice.name, "--setf", f"duration_stretch={voice.pace}", "-t", text, "-o"]
        else:
            command = ["espeak-ng", "-v", voice.name, "-s", f"{voice.pace:g}", text, "-w"]
        subprocess.run([*command, path], check=True, capture_output=True, timeout=30)
        return trimmed(read(path))


def read(path: Path | BinaryIO) -> NDArray[np.int16]:
    """A 16-bit WAV of any rate as 16 kHz mono."""
    with wave.open(str(path) if isinstance(path, Path) else path) as file:
        rate_hz, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)
    mono = samples.astype(np.float32).mean(axis=1)
    return np.clip(np.rint(soxr.resample(mono, rate_hz, RATE_HZ)), -32768, 32767).astype(np.int16)


def trimmed(samples: NDArray[np.int16], below_db: float = 40.0) -> NDArray[np.int16]:
    """Without what is quieter than the loudest 10 ms by `below_db` at either end."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    level = np.sqrt((blocks**2).mean(axis=1))
    loud = np.flatnonzero(level >= level.max() * 10 ** (-below_db / 20))
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]


def noise(seconds: float, level_dbfs: float = -65.0, seed: int = 0) -> NDArray[np.int16]:
    """A quiet room: white noise."""
    scale = 32768 * 10 ** (level_dbfs / 20)
    return np.random.default_rng(seed).normal(0, scale, round(seconds * RATE_HZ)).astype(np.int16)
