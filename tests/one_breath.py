"""Wake phrase and command in one breath: utterances with known seams, and whether the first word gets through the gate.

`python tests/one_breath.py` prints, for all of them, how long before the wake the phrase and the command began.
"""

import io
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cooee import settings
from cooee.gate import Gate
from cooee.wake import Wake
from cooee.wake_models import FRAME_SAMPLES
from voices import RATE_HZ, Voice, noise, read, say, trimmed

PHRASE = "hey jarvis"
PAUSES_S = (0.0, 0.1, 0.3)
LEAD_IN_S = 2.0
TAIL_S = 1.5
FIRST_WORD_S = 0.3
VOICES = (
    Voice("flite", "slt", 1.0),
    Voice("flite", "rms", 1.1),
    Voice("flite", "awb", 1.0),
    Voice("flite", "kal16", 1.1),
    Voice("espeak-ng", "en-us", 150),
    Voice("espeak-ng", "en-us+f3", 140),
    Voice("espeak-ng", "en-gb", 140),
    Voice("espeak-ng", "en-us+m3", 165),
)
COMMANDS = (
    "turn on the lamp",
    "what time is it",
    "set a timer for ten minutes",
    "stop",
    "is the garage door open",
    "open the blinds",
    "how warm is it outside",
    "add apples to my list",
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """16 kHz mono in a quiet room. The seams are sample indices."""

    name: str
    samples: NDArray[np.int16]
    phrase_starts_at: int
    phrase_ends_at: int
    command_starts_at: int


def join(name: str, phrase: NDArray[np.int16], command: NDArray[np.int16], pause_s: float) -> Utterance:
    """Phrase, pause, command, with 2 s of the room before and 1.5 s after; noise at -65 dBFS throughout."""
    start = round(LEAD_IN_S * RATE_HZ)
    phrase_end = start + len(phrase)
    command_start = phrase_end + round(pause_s * RATE_HZ)
    room = noise((command_start + len(command)) / RATE_HZ + TAIL_S).astype(np.int32)
    room[start:phrase_end] += phrase
    room[command_start : command_start + len(command)] += command
    return Utterance(name, np.clip(room, -32768, 32767).astype(np.int16), start, phrase_end, command_start)


def synthesised() -> Iterator[Utterance]:
    """Each voice with each pause."""
    for number, voice in enumerate(VOICES):
        phrase, command = say(PHRASE, voice), COMMANDS[number % len(COMMANDS)]
        for pause_s in PAUSES_S:
            yield join(f"{voice}, {command}, {1000 * pause_s:.0f} ms", phrase, say(command, voice), pause_s)


def recorded() -> Iterator[Utterance]:
    """People's commands after wake phrases, from the folder in COOEE_DATA; none without it or without `flac`."""
    data = Path(os.environ.get("COOEE_DATA", "/nonexistent"))
    if not shutil.which("flac"):
        return
    phrases = [_flac(path) for path in sorted(data.glob("wake/fixtures/hey_jarvis__*.flac"))]
    for number, path in enumerate(sorted(data.glob("commands/*.wav")) if phrases else ()):
        phrase, pause_s = phrases[number % len(phrases)], PAUSES_S[number % len(PAUSES_S)]
        yield join(f"{path.stem}, {1000 * pause_s:.0f} ms", phrase, trimmed(read(path)), pause_s)


def _flac(path: Path) -> NDArray[np.int16]:
    wav = subprocess.run(["flac", "-dcs", path], check=True, capture_output=True, timeout=30).stdout
    return trimmed(read(io.BytesIO(wav)))


@cache
def _wake() -> Wake:
    return Wake(settings.Wake())


def _frames(samples: NDArray[np.int16]) -> Iterator[bytes]:
    for start in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        yield samples[start : start + FRAME_SAMPLES].astype("<i2").tobytes()


def wakes_at(samples: NDArray[np.int16]) -> int | None:
    """The sample index at which the frame that wakes ends; None if none does."""
    wake = _wake()
    wake.reset()
    for number, frame in enumerate(_frames(samples), 1):
        if wake.score(frame)[1]:
            return number * FRAME_SAMPLES
    return None


def first_word_sent(samples: NDArray[np.int16], command_starts_at: int, preroll_s: float) -> bool:
    """Whether what passes the gate holds the command's first 0.3 s, sample by sample. False if nothing wakes."""
    wake, gate = _wake(), Gate(preroll_s)
    wake.reset()
    sent: list[bytes] = []
    for frame in _frames(samples):
        sent += gate.push(frame)
        if wake.score(frame)[1]:
            sent += gate.open()
    end = command_starts_at + round(FIRST_WORD_S * RATE_HZ)
    return samples[command_starts_at:end].astype("<i2").tobytes() in b"".join(sent)


def main() -> None:
    after_phrase, before_command, preroll = [], [], []
    asleep = 0
    for utterance in (*synthesised(), *recorded()):
        at = wakes_at(utterance.samples)
        if at is None:
            asleep += 1
            print(f"{utterance.name}: does not wake")
            continue
        after_phrase.append((at - utterance.phrase_ends_at) / RATE_HZ)
        before_command.append((utterance.command_starts_at - at) / RATE_HZ)
        preroll.append((at - utterance.phrase_starts_at) / RATE_HZ)
    print(f"{len(preroll)} of {len(preroll) + asleep} wake")
    for title, values in (("after the phrase's end", after_phrase), ("before the command", before_command)):
        print(f"wakes {title}: {min(values):.2f} {np.median(values):.2f} {max(values):.2f} s (min, median, max)")
    print(f"pre-roll for the command's first word in all: {max(0.0, -min(before_command)):.2f} s")
    needed = sorted(preroll)[math.ceil(0.95 * len(preroll)) - 1]
    print(f"pre-roll for the whole phrase in 95 %: {needed:.2f} s, in all: {max(preroll):.2f} s")


if __name__ == "__main__":
    main()
