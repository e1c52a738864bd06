"""Our own recorded sentences, for what the agent can't say itself: `sounds/NAME.wav`."""

from functools import cache
from importlib.resources import as_file, files

import soxr

from cooee.mic import read_wav


@cache
def clip(name: str, rate_hz: int) -> bytes:
    """The sentence as PCM (16 bit, mono) at the agent's rate."""
    with as_file(files("cooee") / "sounds" / f"{name}.wav") as path:
        pcm: bytes = soxr.resample(read_wav(path), 16_000, rate_hz).astype("<i2").tobytes()
    return pcm
