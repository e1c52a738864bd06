"""Text to speech: Piper's voice on onnxruntime, with espeak-ng's phonemes, or flite where these are missing.

espeak-ng and flite are run as programs, with an argument list and never a shell: the text is data.
"""

import json
import logging
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooee.agent.embedded import models
from cooee.agent.embedded.words import sentences, spoken

log = logging.getLogger("cooee.agent")

_LEVEL, _CEILING = 0.1, 0.89  # of full scale: -20 dBFS while somebody speaks, no sample above -1 dBFS
_PAUSE_S = 0.2  # between sentences
_FLITE_HZ, _WAV_HEADER = 16_000, 44
_PATIENCE_S = 20.0  # with a program that takes milliseconds


class Voice:
    """A Piper voice. `own`: a user's .onnx file, with its .json beside it. Raises models.Unusable."""

    def __init__(self, threads: int = 2, own: Path | None = None) -> None:
        onnx, description = models.voice(own)
        if shutil.which("espeak-ng") is None:
            raise models.Unusable("the voice needs the program espeak-ng: sudo apt install espeak-ng")
        import onnxruntime

        about = json.loads(description.read_text())
        settings = about["inference"]
        self._rate_hz = int(about["audio"]["sample_rate"])
        self._language = str(about["espeak"]["voice"])
        self._ids: dict[str, list[int]] = about["phoneme_id_map"]
        self._scales = np.array([settings[name] for name in ("noise_scale", "length_scale", "noise_w")], np.float32)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])

    def speak(self, text: str, rate_hz: int) -> Iterator[bytes]:
        """The text as s16le mono PCM at `rate_hz`, a sentence at a time. Raises OSError if espeak-ng fails."""
        for sentence in sentences(spoken(text)):
            yield _pcm(self._sound(sentence), self._rate_hz, rate_hz)

    def _sound(self, sentence: str) -> NDArray[np.float32]:
        ids = self._phoneme_ids(sentence)
        inputs = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": self._scales,
        }
        sound: NDArray[np.float32] = self._session.run(None, inputs)[0].ravel()
        return sound

    def _phoneme_ids(self, sentence: str) -> list[int]:
        """A blank id stands between all phonemes, as Piper's models are trained."""
        said = _run(["espeak-ng", "-q", "--ipa", "-b", "1", "-v", self._language, "--stdin"], sentence).decode()
        said = re.sub(r"\([a-z-]+\)", "", said)  # marks of words that espeak-ng takes for another language's
        end = sentence[-1] if sentence[-1] in ".!?,;:" else "."
        phonemes = unicodedata.normalize("NFD", ", ".join(said.split("\n")[:-1])) + end
        blank = self._ids["_"]
        ids = [*self._ids["^"], *blank]
        for phoneme in phonemes:
            ids += [*self._ids[phoneme], *blank] if phoneme in self._ids else []
        return ids + self._ids["$"]

    def close(self) -> None:
        self._session = None


class Flite:
    """The voice "slt" of the program flite, which needs no download. Raises models.Unusable."""

    def __init__(self) -> None:
        if shutil.which("flite") is None:
            raise models.Unusable("there is no voice: sudo apt install flite, or pip install 'cooee[offline]'")

    def speak(self, text: str, rate_hz: int) -> Iterator[bytes]:
        """The text as s16le mono PCM at `rate_hz`, a sentence at a time. Raises OSError if flite fails."""
        for sentence in sentences(spoken(text)):
            wav = _run(["flite", "-voice", "slt", "-o", "/dev/stdout", "-t", sentence])
            sound = np.frombuffer(wav[_WAV_HEADER:], "<i2").astype(np.float32) / np.float32(32768)
            yield _pcm(sound, _FLITE_HZ, rate_hz)

    def close(self) -> None:
        pass


def open(threads: int = 2) -> Voice | Flite:
    """The best voice that this machine has. Raises models.Unusable when it has none."""
    try:
        return Voice(threads)
    except (models.Unusable, ImportError) as error:
        log.warning("speaking with flite: %s", error)
        return Flite()


def _run(command: list[str], text: str = "") -> bytes:
    """What the program makes of the text. Raises OSError."""
    try:
        return subprocess.run(command, input=text.encode(), capture_output=True, timeout=_PATIENCE_S, check=True).stdout
    except subprocess.SubprocessError as error:
        raise OSError(f"{command[0]} made no speech ({type(error).__name__})") from error


def _pcm(sound: NDArray[np.float32], from_hz: int, to_hz: int) -> bytes:
    """The sound at the rate that is wanted, as loud as every other sentence, and a pause."""
    import soxr

    sound = soxr.resample(_levelled(sound, from_hz), from_hz, to_hz)
    samples = np.clip(sound, -1, 1) * 32767
    return samples.astype("<i2").tobytes() + bytes(2 * int(_PAUSE_S * to_hz))


def _levelled(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Speech at one level, measured where it is not quiet: in frames of 20 ms less than 20 dB below the loudest."""
    frame = rate_hz // 50
    power = (sound[: len(sound) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1)
    if not power.size or not (peak := np.abs(sound).max()):
        return sound
    speech = np.sqrt(power[power > power.max() / 100].mean())
    return sound * np.float32(min(_LEVEL / speech, _CEILING / peak))
