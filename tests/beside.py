"""What takes minutes, as a process of its own beside the tests."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from running import clean_env

TESTS = Path(__file__).parent
STOP_S = 20.0


class Beside:
    """`python -m MODULE ARGUMENT`, which prints JSON. Runs from its making on, until `stop`.

    One that is patient yields to the tests.
    """

    def __init__(self, module: str, argument: float, limit_s: float, *, is_patient: bool = False) -> None:
        self.argument = argument
        self._limit_s = limit_s
        path = os.pathsep.join((str(TESTS), str(TESTS.parent / "daemon")))
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [*(("nice",) if is_patient else ()), sys.executable, "-m", module, f"{argument:g}"],
            env=clean_env(PYTHONPATH=path),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            process_group=0,
        )

    def join(self) -> dict[str, Any]:
        """What it found."""
        out, err = self._process.communicate(timeout=self._limit_s)
        assert self._process.returncode == 0, err[-4000:]
        found: dict[str, Any] = json.loads(out)
        return found

    def stop(self) -> None:
        """In peace, for it may have to end what it has started."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
