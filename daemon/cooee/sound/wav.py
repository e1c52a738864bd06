"""WAV files in and out: anything readable becomes 16 kHz mono; what is written is a valid file at every moment."""

import contextlib
import logging
import struct
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soxr

from cooee.sound.frames import RATE_HZ, to_int16

FLUSH_S = 1.0
"""A recording is brought up to date on the disk this often."""

log = logging.getLogger("cooee.speaker")

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


class Unplayable(Exception):
    """A file cannot be read or written as WAV; str() is a sentence for the user."""


def read_wav(path: Path | str, channel: int | Literal["mix"] = "mix") -> npt.NDArray[np.int16]:
    """The file as int16, mono, 16 kHz; exactly round(frames * 16000 / rate) samples.

    Takes samples of 8, 16, 24 or 32 bits, also floating point and WAVE_FORMAT_EXTENSIBLE, of any rate and number of
    channels, of which one or the mean is taken. (The standard library's `wave` knows EXTENSIBLE from 3.12 on only.)
    Raises Unplayable.
    """
    samples, rate_hz = _read(path)
    channels = samples.shape[1]
    if channel != "mix" and channel >= channels:
        raise Unplayable(f"{path} has no channel {channel}; its channels are 0 to {channels - 1}")
    mono = samples.mean(axis=1) if channel == "mix" else samples[:, channel]
    wanted = round(len(mono) * RATE_HZ / rate_hz)
    if rate_hz != RATE_HZ:
        mono = soxr.resample(mono, rate_hz, RATE_HZ)[:wanted]
        mono = np.pad(mono, (0, wanted - len(mono)))
    return to_int16(mono)


def _read(path: Path | str) -> tuple[npt.NDArray[np.float64], int]:
    """Samples between -1 and 1, shape (frames, channels), and their rate."""
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise Unplayable(f"{path} is no regular file; a WAV file is wanted")
        data = Path(path).read_bytes()
    except OSError as fault:
        raise Unplayable(f"{path} cannot be read: {fault.strerror}") from None
    if not data:
        raise Unplayable(f"{path} is empty; a WAV file is wanted")
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise Unplayable(f"{path} is no WAV file")
    chunks = dict(_chunks(data))
    form, raw = chunks.get(b"fmt ", b""), chunks.get(b"data", b"")
    if len(form) < 16:
        raise Unplayable(f"{path} is no WAV file: it does not say its format")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    if (tag, bits) not in [(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)]:
        raise Unplayable(f"{path} is compressed (format {tag}, {bits} bits); save it as WAV with 16 bit PCM samples")
    if not 1000 <= rate_hz <= 384_000 or not channels:
        raise Unplayable(f"{path} claims {channels} channels at {rate_hz} Hz; save it as WAV with 16 bit PCM samples")
    frames = len(raw) // (channels * bits // 8)
    if not frames:
        raise Unplayable(f"{path} holds no samples")
    return _unpack(raw[: frames * channels * bits // 8], tag, bits).reshape(frames, channels), rate_hz


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A last chunk that is shorter than it says, as after a power cut, is given as far as it goes."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _unpack(raw: bytes, tag: int, bits: int) -> npt.NDArray[np.float64]:
    if tag == _FLOAT:
        return np.nan_to_num(np.frombuffer(raw, f"<f{bits // 8}").astype(np.float64))
    if bits == 8:
        return (np.frombuffer(raw, np.uint8).astype(np.float64) - 128) / 128
    if bits == 24:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1) / 2**31
    return np.frombuffer(raw, f"<i{bits // 8}") / 2.0 ** (bits - 1)


class Recording:
    """A 16 bit mono WAV file that grows, and ends where the disk is full. Raises Unplayable when it cannot be made."""

    def __init__(self, path: Path | str, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._waiting = bytearray()
        self._flushed_s = time.monotonic()
        self.samples = 0
        try:
            if Path(path).is_fifo() or Path(path).is_socket():  # to open one may hang
                raise Unplayable(f"{path} is no regular file; a WAV file can't be written to it")
            self._file = Path(path).open("wb")  # noqa: SIM115 (lives as long as the recording)
        except OSError as fault:
            raise Unplayable(f"{path} cannot be written: {fault.strerror}") from None
        self._wav = wave.open(self._file, "wb")  # noqa: SIM115
        self._wav.setparams((1, 2, rate_hz, 0, "NONE", ""))
        self.flush()

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        self._waiting += samples.astype("<i2").tobytes()
        self.samples += len(samples)
        if time.monotonic() - self._flushed_s > FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """`writeframes` writes the samples first and then corrects the header, so the file never claims too much."""
        self._flushed_s = time.monotonic()
        try:
            self._wav.writeframes(bytes(self._waiting))
            self._file.flush()
        except OSError as fault:
            log.error("%s cannot be written any more: %s", self._file.name, fault.strerror)
        self._waiting.clear()

    def close(self) -> None:
        self.flush()
        with contextlib.suppress(OSError):
            self._wav.close()
            self._file.close()
