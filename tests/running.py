"""cooee as a process of its own, with the supervisor's end of systemd's notify protocol; nothing it starts outlives it.

Protocol: sd_notify(3).
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

DAEMON = Path(__file__).parents[1] / "daemon"
MOCK_PINS = {"GPIOZERO_PIN_FACTORY": "mock", "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin"}
COOEE = (sys.executable, "-m", "cooee")


def clean_env(**more: str) -> dict[str, str]:
    """This process's environment without what makes a cooee behave differently, nor what is to be empty."""
    strange = ("DEEPGRAM_API_KEY", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM")
    own = {name: value for name, value in os.environ.items() if name not in strange}
    whole = {**own, **MOCK_PINS, "PYTHONPATH": str(DAEMON), **more}
    return {name: value for name, value in whole.items() if value}


def cooee(*arguments: object, timeout_s: float = 60, **env: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself; with all that it started, it is gone afterwards."""
    command = [*COOEE, *map(str, arguments)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, env=clean_env(**env), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, process_group=0
    )
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


class Running:
    """`cooee run` as a context manager. `env`: of the sound card; `notify`: a path, or "@name" for an abstract socket.

    `notes`: what it told the supervisor, as (monotonic time, "NAME=value").
    """

    def __init__(
        self, folder: Path, config: str, env: Mapping[str, str], *, notify: str = "", watchdog_s: float = 0
    ) -> None:
        self.stderr_file = folder / "stderr"
        self._config = folder / "config.toml"
        self._config.write_text(config)
        address = notify or str(folder / "notify")
        folders = {"STATE_DIRECTORY": str(folder / "state"), "RUNTIME_DIRECTORY": str(folder)}
        self._env = clean_env(**{**folders, **env}, NOTIFY_SOCKET=address)
        if watchdog_s:
            self._env["WATCHDOG_USEC"] = str(round(watchdog_s * 1e6))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.notes: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._passed = 0

    def __enter__(self) -> "Running":
        self._listener.start()
        self.started_s = time.monotonic()
        # The shell knows its number before it becomes the daemon, as systemd does.
        command = ["sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh", *COOEE, "run", "--config", str(self._config)]
        with self.stderr_file.open("wb") as errors:
            self.process = psutil.Popen(
                command, env=self._env, stdin=subprocess.DEVNULL, stderr=errors, process_group=0
            )
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._listener.join(timeout=5)
        self._socket.close()

    @property
    def stderr(self) -> str:
        return self.stderr_file.read_text()

    def command(self, *arguments: object, timeout_s: float = 60) -> "subprocess.CompletedProcess[str]":
        """A command that talks to it."""
        return cooee(*arguments, timeout_s=timeout_s, RUNTIME_DIRECTORY=self._env["RUNTIME_DIRECTORY"])

    @property
    def agent(self) -> psutil.Process:
        """The embedded agent's process."""
        (child,) = self.process.children()
        return child

    def wait_for(self, note: str, timeout_s: float = 20) -> float:
        """When the next such note came, a regular expression; those before it are passed over."""
        with self._news:
            until_s = time.monotonic() + timeout_s
            while True:
                for number, (at_s, each) in enumerate(self.notes[self._passed :], self._passed + 1):
                    if re.fullmatch(note, each):
                        self._passed = number
                        return at_s
                left_s = until_s - time.monotonic()
                passed = [each for _, each in self.notes]
                assert left_s > 0 and self.process.is_running(), f"no {note}: {passed}\n{self.stderr}"
                self._news.wait(min(left_s, 0.5))

    def since(self, at_s: float, note: str) -> list[str]:
        """Such notes that came after `at_s`."""
        return [each for came_s, each in self.notes if came_s > at_s and re.fullmatch(note, each)]

    def terminate(self) -> tuple[int, float]:
        """SIGTERM: the exit code, and how many seconds it took; nothing may be left running."""
        family = [self.process, *self.process.children(recursive=True)]
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        took_s = time.monotonic() - began_s
        left = [each for each in family[1:] if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        assert not left, f"still running: {left}"
        return code, took_s

    def _listen(self) -> None:
        while data := self._socket.recv(4096):
            with self._news:
                self.notes += [(time.monotonic(), line) for line in data.decode().splitlines()]
                self._news.notify_all()
