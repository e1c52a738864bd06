"""A private PulseAudio for tests: what is spoken into one null sink is the microphone, another one the loudspeaker.

Debian packages: pulseaudio, pulseaudio-utils, libasound2-plugins.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

RATE_HZ = 48000
PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")


class Pulse:
    """A context manager. Whatever runs with `env` sees the devices "mic", "speaker" and "default"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = folder / "native"
        self.env = {"PULSE_SERVER": f"unix:{self._socket}", "ALSA_CONFIG_PATH": str(folder / "asound.conf")}
        self._started: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def missing() -> list[str]:
        return [program for program in PROGRAMS if not shutil.which(program)]

    def __enter__(self) -> "Pulse":
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "daemon.pa").write_text(self._script())
        (self.folder / "asound.conf").write_text(self._config())
        own = {"PULSE_RUNTIME_PATH": self.folder, "PULSE_STATE_PATH": self.folder / "state", "HOME": self.folder}
        options = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes"]
        options += ["--realtime=no", "--high-priority=no", "--log-target=stderr", "-F", str(self.folder / "daemon.pa")]
        with (self.folder / "log").open("wb") as output:
            self._run(["pulseaudio", *options], {key: str(path) for key, path in own.items()}, output)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def speak(self, path: Path) -> None:
        """Play a WAV file into the microphone; returns when it has been played."""
        subprocess.run(["paplay", "--device=mic_feed", str(path)], env=self._env(), check=True, timeout=120)

    def record(self) -> "subprocess.Popen[bytes]":
        """Keep from now on what the loudspeaker plays; `recorded` gives it."""
        options = ["--device=speaker.monitor", "--raw", "--format=s16le", "--channels=1", "--latency-msec=20"]
        with (self.folder / "recorded.raw").open("wb") as output:
            return self._run(["parec", *options, f"--rate={RATE_HZ}"], {}, output)

    def recorded(self) -> np.ndarray:
        """int16, mono, 48 kHz, since `record`."""
        raw = (self.folder / "recorded.raw").read_bytes()
        return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2")

    def stop_server(self) -> None:
        """As if the sound server had crashed."""
        self._started[0].kill()
        self._started[0].wait()

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    def _run(self, command: list[str], env: dict[str, str], output: object) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command,
            env={**self._env(), **env},
            stdin=subprocess.DEVNULL,
            stdout=output,  # type: ignore[call-overload]
            stderr=subprocess.STDOUT if command[0] == "pulseaudio" else subprocess.DEVNULL,
        )
        self._started.append(process)
        return process

    def _wait(self) -> None:
        until_s = time.monotonic() + 10
        while subprocess.run(["pactl", "info"], env=self._env(), capture_output=True).returncode:
            if time.monotonic() > until_s:
                raise AssertionError(f"PulseAudio does not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def _script(self) -> str:
        """Without norewinds an idle null sink works in pieces of 2 s."""
        sink = f"load-module module-null-sink norewinds=1 rate={RATE_HZ} format=s16le"
        return (
            f"load-module module-native-protocol-unix socket={self._socket} auth-anonymous=1\n"
            f"{sink} sink_name=mic_feed channels=1\n"
            f"{sink} sink_name=speaker channels=2\n"
            "set-default-sink speaker\n"
            "set-default-source mic_feed.monitor\n"
        )

    def _config(self) -> str:
        server = f'type pulse server "unix:{self._socket}"'
        return (
            f'pcm.mic {{ {server} device "mic_feed.monitor" }}\n'
            f'pcm.speaker {{ {server} device "speaker" }}\n'
            f"pcm.default {{ {server} }}\n"
        )
