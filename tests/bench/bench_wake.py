"""What listening for a wake word costs: cooee's Wake beside plain `openwakeword.Model.predict`.

`python tests/bench/bench_wake.py` prints a table. Each line is a process of its own: speech as fast as it goes, then
paced as in life (caches get cold between frames), then a quiet room, paced, which is what a speaker mostly hears.
"""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

WORD = "hey_jarvis"
FRAME_SAMPLES = 1280
FRAME_S = 0.08
AUDIO_S = 10


def _cooee() -> Callable[[NDArray[np.int16]], object]:
    from cooee import settings
    from cooee.wake import Wake

    wake = Wake(settings.Wake(words=[WORD]))
    return lambda frame: wake.score(frame.tobytes())


def _openwakeword() -> Callable[[NDArray[np.int16]], object]:
    warnings.simplefilter("ignore")
    import openwakeword

    return openwakeword.Model([openwakeword.models[WORD]["model_path"]]).predict


ENGINES = {"openwakeword.Model.predict": _openwakeword, "cooee Wake.score": _cooee}


def measure(engine: str, speech: NDArray[np.int16], room: NDArray[np.int16]) -> dict[str, float]:
    """CPU is that of all threads, in ms per second of audio; RSS in MB at the end. Audio: (frames, 1280)."""
    cpu_s = time.process_time()
    score = ENGINES[engine]()
    start_s = time.process_time() - cpu_s
    found = {"start: CPU ms": 1000 * start_s, "speech: CPU ms per s": _cpu_ms(score, speech, paced=False)}
    found["speech, paced"] = _cpu_ms(score, speech, paced=True)
    _cpu_ms(score, room, paced=False)  # the room has become quiet
    found["quiet room, paced"] = _cpu_ms(score, room, paced=True)
    return found | {"RSS: MB": psutil.Process().memory_info().rss / 1e6}


def _cpu_ms(score: Callable[[NDArray[np.int16]], object], frames: NDArray[np.int16], *, paced: bool) -> float:
    cpu_s, due_s = time.process_time(), time.monotonic()
    for frame in frames:
        if paced:
            due_s += FRAME_S
            time.sleep(max(0.0, due_s - time.monotonic()))
        score(frame)
    return 1000 * (time.process_time() - cpu_s) / (len(frames) * FRAME_S)


def _speech_and_room() -> dict[str, NDArray[np.int16]]:
    from voices import Voice, noise, say

    said = say("the weather is fine today, and the lamp in the kitchen is on", Voice("espeak-ng", "en-us", 150))
    count = round(AUDIO_S / FRAME_S)
    audio = {"speech": said + np.resize(noise(1), len(said)), "room": noise(AUDIO_S)}
    return {name: np.resize(samples, (count, FRAME_SAMPLES)) for name, samples in audio.items()}


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audio.npz")
        np.savez(path, **_speech_and_room())
        for engine in ENGINES:
            child = subprocess.run([sys.executable, __file__, engine, path], check=True, capture_output=True, text=True)
            found[engine] = json.loads(child.stdout)
    theirs, ours = found.values()
    table = Table(title=f"Listening for {WORD}, Python {sys.version.split()[0]}")
    for title in ("", *theirs):
        table.add_column(title, justify="right" if title else "left")
    for engine, row in found.items():
        table.add_row(engine, *(f"{value:.1f}" for value in row.values()))
    table.add_row("ratio", *(f"{theirs[key] / ours[key]:.1f} x" for key in theirs))
    Console(width=120).print(table)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1], **np.load(sys.argv[2]))))
    else:
        sys.path.insert(0, str(Path(__file__).parents[1]))
        main()
