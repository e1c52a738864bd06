"""The soak as a process of its own, beside the tests."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from running import clean_env

TESTS = Path(__file__).parents[1]
MARGIN_S = 180.0
"""For what has begun to come to its end."""


class Soaking:
    """Runs from its making on, until `stop`."""

    def __init__(self) -> None:
        self.seconds = float(os.environ.get("COOEE_SOAK_S", "600"))
        path = os.pathsep.join((str(TESTS), str(TESTS.parent / "daemon")))
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.soak", str(self.seconds)],
            env=clean_env(PYTHONPATH=path),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            process_group=0,
        )

    def join(self) -> dict[str, Any]:
        """What it found."""
        out, err = self._process.communicate(timeout=self.seconds + MARGIN_S)
        assert self._process.returncode == 0, err[-4000:]
        found: dict[str, Any] = json.loads(out)
        return found

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
