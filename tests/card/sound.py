"""Sounds that fit in one place only, and how to find them again."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np


def tone(seconds: float, rate_hz: int, hz: float = 440.0) -> np.ndarray:
    """Starts and ends loud, so that no sample of it can go missing unseen."""
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8000 * np.cos(2 * np.pi * hz * at_s)).astype(np.int16)


def speech(seconds: float, rate_hz: int, seed: int = 1) -> np.ndarray:
    """Noise in a voice's band, different in each place, so that it fits in one place only."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=round(seconds * rate_hz)))
    hz = np.fft.rfftfreq(round(seconds * rate_hz), 1 / rate_hz)
    samples = np.fft.irfft(np.where((hz > 200) & (hz < 3500), spectrum, 0), round(seconds * rate_hz))
    return (samples / np.abs(samples).max() * 12000).astype(np.int16)


def place(whole: np.ndarray, part: np.ndarray) -> tuple[float, float]:
    """Where `part` fits best in `whole`, to a tenth of a sample, and how well (1 is exactly)."""
    size = len(whole) + len(part)
    spectrum = np.fft.rfft(part.astype(float), size)
    fits = np.fft.irfft(np.fft.rfft(whole.astype(float), size) * np.conj(spectrum), size)
    at = int(np.argmax(fits[: max(1, len(whole) - len(part) + 1)]))
    turns = 2j * np.pi * np.fft.rfftfreq(size)
    tries = []
    for tenth in range(-6, 7):
        shifted = np.fft.irfft(spectrum * np.exp(-turns * tenth / 10), size)[: len(part)]
        tries.append((float(np.corrcoef(whole[at : at + len(part)], shifted)[0, 1]), at + tenth / 10))
    fit, best = max(tries)
    return best, fit


def sounding(heard: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.abs(heard) > 20)


def until(true: Callable[[], Any], timeout_s: float = 5.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end_s, "it did not come to be"
        time.sleep(0.02)
