"""Pretended pins that write down all that a process does with them, so that it can be seen from outside and afterwards.

gpiozero finds its pins by the entry points of what is installed; `install` makes a folder look so to a new process.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpiozero.pins.mock import MockPWMPin

HERE = Path(__file__).parent
LOG = "COOEE_LOGGED_PINS"
SLOW = {"onnxruntime", "pyaudio", "deepgram"}


class LoggedPin(MockPWMPin):
    """Also logs what changes nothing: a new process does not know how the last one left the pin."""

    def _set_state(self, value: float) -> None:
        super()._set_state(value)
        line = {"pid": os.getpid(), "at_s": time.monotonic(), "pin": int(self.info.name[4:]), "value": float(value)}
        line["is_first"] = not SLOW & set(sys.modules)
        with open(os.environ[LOG], "a", encoding="ascii") as log:
            log.write(json.dumps(line) + "\n")


@dataclass(frozen=True)
class Written:
    pid: int
    at_s: float
    pin: int
    value: float
    is_first: bool
    """Whether it was written before the libraries and models were loaded that take seconds on a Pi."""


def install(folder: Path, path: str) -> dict[str, str]:
    """The environment of a process that has such pins. `path`: its PYTHONPATH otherwise."""
    info = folder / "logged_pins-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: logged-pins\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[gpiozero_mock_pin_classes]\nloggedpin = logged_pins:LoggedPin\n")
    places = (path, str(folder), str(HERE))
    return {
        "PYTHONPATH": os.pathsep.join(places),
        "GPIOZERO_MOCK_PIN_CLASS": "loggedpin",
        LOG: str(folder / "pins.jsonl"),
    }


def written(env: Mapping[str, str], pid: int) -> list[Written]:
    """What the process wrote to its pins, in order."""
    try:
        lines = Path(env[LOG]).read_text("ascii").splitlines()
    except FileNotFoundError:
        return []
    return [each for each in (Written(**json.loads(line)) for line in lines) if each.pid == pid]
