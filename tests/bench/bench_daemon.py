"""What the whole daemon costs: `python tests/bench/bench_daemon.py` prints a table; nothing is asserted.

Idle: `cooee run` on the fake sound card in a quiet room, and in the same seconds plain `openwakeword.Model.predict`,
paced the same. Start-up: until READY, and until the embedded agent could answer. Latency: what the
device adds to a reply, between the agent's first byte and the loudspeaker's first sample.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import psutil

IDLE_S = 20.0
WARM_S = 6.0
STARTS = 3
TURNS = 5
ROOM_DBFS = -55.0
FRAME_SAMPLES, FRAME_S = 1280, 0.08


def predict(seconds: float) -> float:
    """CPU time in s of plain openwakeword in this process, for each second of a quiet room."""
    warnings.simplefilter("ignore")
    import openwakeword

    from voices import noise

    model = openwakeword.Model([openwakeword.models["hey_jarvis"]["model_path"]])
    frames = noise(seconds, ROOM_DBFS)[: round(seconds / FRAME_S) * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    model.predict(frames[0])
    cpu_s, due_s = time.process_time(), time.monotonic()
    for frame in frames:
        due_s += FRAME_S
        time.sleep(max(0.0, due_s - time.monotonic()))
        model.predict(frame)
    return (time.process_time() - cpu_s) / (len(frames) * FRAME_S)


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def idle(folder: Path) -> dict[str, str]:
    from card import Card
    from running import Running
    from voices import noise

    card = Card(folder / "card").start()
    room = noise(WARM_S + IDLE_S + 30, ROOM_DBFS)
    card.speak(room, 0.0)
    with Running(folder, "", card.env, watchdog_s=30) as speaker:
        speaker.wait_for("READY=1")
        time.sleep(WARM_S)
        both = (speaker.process, speaker.agent)
        began_s, before = time.monotonic(), [cpu_s(each) for each in both]
        theirs = subprocess.Popen([sys.executable, __file__, str(IDLE_S)], stdout=subprocess.PIPE, text=True)
        plain = float(theirs.communicate()[0])
        took_s = time.monotonic() - began_s
        daemon, agent = ((cpu_s(each) - was) / took_s for each, was in zip(both, before, strict=True))
        rss = [each.memory_info().rss / 1e6 for each in both]
        own = [each.memory_full_info().pss / 1e6 for each in both]
        speaker.terminate()
    return {
        "idle CPU, daemon": f"{1000 * daemon:.1f} ms per s",
        "idle CPU, embedded agent": f"{1000 * agent:.1f} ms per s",
        "idle CPU, plain openwakeword.Model.predict": f"{1000 * plain:.1f} ms per s",
        "daemon and agent / predict": f"{(daemon + agent) / plain:.2f}",
        "idle RSS (PSS), daemon": f"{rss[0]:.0f} ({own[0]:.0f}) MB",
        "idle RSS (PSS), embedded agent": f"{rss[1]:.0f} ({own[1]:.0f}) MB",
    }


def starting(folder: Path) -> dict[str, str]:
    from card import Card
    from running import Running

    ready_s, answering_s = [], []
    for number in range(STARTS):
        place = folder / str(number)
        place.mkdir()
        card = Card(place / "card").start()
        with Running(place, "", card.env) as speaker:
            ready_s.append(speaker.wait_for("READY=1") - speaker.started_s)
            while not re.search("voice ready after", speaker.stderr):
                time.sleep(0.02)
            answering_s.append(time.monotonic() - speaker.started_s)
            speaker.terminate()
    return {
        f"start-up to READY, median of {STARTS}": f"{np.median(ready_s):.2f} s",
        "until the embedded agent can answer": f"{np.median(answering_s):.2f} s",
    }


def latency(folder: Path) -> dict[str, str]:
    from running import cooee

    added_ms = []
    (folder / "config.toml").write_text("[conversation]\nfollow_up_s = 0.0\n")
    for number in range(TURNS):
        timeline = folder / f"{number}.jsonl"
        done = cooee("simulate", "--config", folder / "config.toml", "--timeline", timeline)
        if done.returncode:
            raise SystemExit(f"cooee simulate ended with {done.returncode}: {done.stderr}")
        at = {event["event"]: event["t"] for event in map(json.loads, timeline.read_text().splitlines())}
        added_ms.append(1000 * (at["reply_first_sample"] - at["reply_first_byte"]))
    spread = f"{np.median(added_ms):.0f} ms ({min(added_ms):.0f} to {max(added_ms):.0f})"
    return {f"reply_first_byte to reply_first_sample, median of {TURNS}": spread}


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "measured", title=f"cooee run, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        for measure in (idle, starting, latency):
            folder = Path(name, measure.__name__)
            folder.mkdir()
            for title, value in measure(folder).items():
                table.add_row(title, value)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "daemon")]
    if sys.argv[1:]:
        print(predict(float(sys.argv[1])))
    else:
        main()
