"""What listening for a wake word costs: cooee's Wake beside plain `openwakeword.Model.predict`.

`python tests/bench/bench_wake.py` prints a table. Each line is a process of its own: first as fast as it goes, then
paced as in life (caches get cold between frames), which is the number that counts.
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
BACK_TO_BACK_S = 20
PACED_S = 10


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


def measure(engine: str, frames: NDArray[np.int16]) -> dict[str, float]:
    """CPU is that of all threads, in ms per second of audio; RSS in MB at the end. `frames`: (count, 1280)."""
    cpu_s = time.process_time()
    score = ENGINES[engine]()
    start_s = time.process_time() - cpu_s
    for frame in frames[:30]:
        score(frame)
    cpu_s = time.process_time()
    for frame in frames:
        score(frame)
    back_to_back_s = time.process_time() - cpu_s
    cpu_s, due_s = time.process_time(), time.monotonic()
    for frame in frames[: round(PACED_S / FRAME_S)]:
        due_s += FRAME_S
        time.sleep(max(0.0, due_s - time.monotonic()))
        score(frame)
    return {
        "start_ms": 1000 * start_s,
        "fast_ms": 1000 * back_to_back_s / BACK_TO_BACK_S,
        "paced_ms": 1000 * (time.process_time() - cpu_s) / PACED_S,
        "rss_mb": psutil.Process().memory_info().rss / 1e6,
    }


def _speech_and_silence() -> NDArray[np.int16]:
    """Half speech, half a quiet room."""
    from voices import Voice, noise, say

    speech = say("the weather is fine today, and the lamp in the kitchen is on", Voice("espeak-ng", "en-us", 150))
    count = round(BACK_TO_BACK_S / FRAME_S)
    both = np.concatenate((speech, noise(len(speech) / 16000)))
    return np.resize(both, count * FRAME_SAMPLES).reshape(count, FRAME_SAMPLES)


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "frames.npy")
        np.save(path, _speech_and_silence())
        for engine in ENGINES:
            child = subprocess.run([sys.executable, __file__, engine, path], check=True, capture_output=True, text=True)
            found[engine] = json.loads(child.stdout)
    theirs, ours = found.values()
    table = Table(title=f"Listening for {WORD}, Python {sys.version.split()[0]}")
    for title in ("", "start: CPU ms", "back to back: CPU ms per s", "paced: CPU ms per s", "RSS: MB"):
        table.add_column(title, justify="right" if title else "left")
    for engine, row in found.items():
        table.add_row(engine, *(f"{value:.1f}" for value in row.values()))
    table.add_row("ratio", *(f"{theirs[key] / ours[key]:.1f} x" for key in theirs))
    Console(width=120).print(table)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1], np.load(sys.argv[2]))))
    else:
        sys.path.insert(0, str(Path(__file__).parents[1]))
        main()
