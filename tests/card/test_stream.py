"""PortAudio under two threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from card import Card
from card.rig import DAEMON


@pytest.mark.slow
def test_a_rate_that_the_card_lacks_is_never_taken_for_opened_while_the_microphone_runs(tmp_path: Path) -> None:
    card = Card(tmp_path / "card").start()
    code = (
        "import threading, time; from cooee.sound.stream import Stream\n"
        "ended = threading.Event()\n"
        "def listen():\n"
        "    stream = Stream('input', 'card', (48000,), 0.08)\n"
        "    while not ended.wait(0.001):\n"
        "        stream.read(stream.room())\n"
        "    stream.close()\n"
        "thread = threading.Thread(target=listen); thread.start()\n"
        "until_s, rates_hz = time.monotonic() + 4, set()\n"
        "while time.monotonic() < until_s:\n"
        "    stream = Stream('output', 'card', (16000, 22050, 48000), 0.02)\n"
        "    rates_hz.add(stream.rate_hz); stream.close()\n"
        "ended.set(); thread.join(); print(rates_hz)\n"
    )
    env = {**os.environ, **card.env, "PYTHONPATH": str(DAEMON)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "{48000}\n"), done.stderr
