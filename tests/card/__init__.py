"""A sound card for tests that needs no hardware: a room to speak into, a loudspeaker on record, a plug to pull.

ALSA reads its configuration once per process, so what shall use the card runs in a process of its own, with `Card.env`.
"""

import contextlib
import fcntl
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import soxr

HERE = Path(__file__).parent
BUILD = HERE / "build"


def build() -> Path:
    """Compile the ALSA plugin unless that is done. Needs gcc and ALSA's headers (Debian: libasound2-dev)."""
    BUILD.mkdir(exist_ok=True)
    source, plugin = HERE / "card.c", BUILD / "libasound_module_pcm_card.so"
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not plugin.exists() or plugin.stat().st_mtime < source.stat().st_mtime:
            fresh = plugin.with_suffix(f".{os.getpid()}")
            options = ["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-DPIC"]
            subprocess.run(["gcc", *options, "-o", fresh, source, "-lasound"], check=True)
            fresh.replace(plugin)
    return plugin


class Card:
    """A card and its room, kept in `folder`. PyAudio sees it as "card" (what the hardware really takes), "plugcard"
    and "default" (anything goes). `rate_hz`, `channels` and `sample` ("s16" or "s32") are all that the hardware takes.
    `ear`: the only channel with a microphone, as on some boards; -1 for all. `echo`: (delay_ms, gain) of the ways
    from the loudspeaker to the microphone, each longer than a period of the loudspeaker.

    Times are seconds on the card's own time line, which starts with `start`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rate_hz: int = 48000,
        channels: int = 2,
        sample: str = "s16",
        ear: int = -1,
        echo: tuple[tuple[float, float], ...] = (),
    ) -> None:
        self.folder, self.rate_hz, self.channels, self.sample, self.echo = folder, rate_hz, channels, sample, echo
        self.ear = ear
        self.env = {"ALSA_CONFIG_PATH": str(folder / "asound.conf")}
        self._epoch_ns = 0

    def start(self, *, plugged: bool = True) -> "Card":
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "asound.conf").write_text(self._config(build()))
        (self.folder / "echo").write_text("".join(f"{delay_ms} {gain}\n" for delay_ms, gain in self.echo))
        for name in ("near.raw", "speaker.raw"):
            (self.folder / name).write_bytes(b"")
        self._set("ok" if plugged else "gone")
        self._epoch_ns = time.monotonic_ns()
        (self.folder / "epoch").write_bytes(self._epoch_ns.to_bytes(8, "little"))
        return self

    def _hardware(self) -> str:
        return f'world "{self.folder}" rate {self.rate_hz} channels {self.channels} format {self.sample} ear {self.ear}'

    def _config(self, plugin: Path) -> str:
        return (
            f'pcm_type.card {{ lib "{plugin}" }}\n'
            f"pcm.card {{ type card {self._hardware()} }}\n"
            'pcm.plugcard { type plug slave.pcm "card" }\n'
            'pcm.default { type plug slave.pcm "card" }\n'
        )

    def add(self, name: str, other: "Card") -> None:
        """Let `env` show another card too."""
        with (self.folder / "asound.conf").open("a") as config:
            config.write(f"pcm.{name} {{ type card {other._hardware()} }}\n")

    @property
    def epoch_s(self) -> float:
        """The start of the time line on the monotonic clock."""
        return self._epoch_ns / 1e9

    @property
    def now_s(self) -> float:
        return time.monotonic() - self.epoch_s

    def in_use(self) -> bool:
        """Whether some process has the card open."""
        rooms = {str(self.folder / "near.raw"), str(self.folder / "speaker.raw")}
        for file in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if os.readlink(file) in rooms:
                    return True
        return False

    def speak(self, samples_16k: np.ndarray, at_s: float | None = None) -> float:
        """Say something (int16, mono, 16 kHz) in the room, now or at `at_s` in the future; returns when it starts."""
        at_s = self.now_s + 0.1 if at_s is None else at_s
        samples = samples_16k.astype(np.int16)
        if self.rate_hz != 16000:
            samples = soxr.resample(samples, 16000, self.rate_hz)
        with (self.folder / "near.raw").open("r+b") as near:
            near.seek(round(at_s * self.rate_hz) * 2)
            near.write(samples.astype("<i2").tobytes())
        return at_s

    def heard(self) -> np.ndarray:
        """Exactly what left the loudspeaker so far: int16, mono, at `rate_hz`, from the start of the time line."""
        raw = (self.folder / "speaker.raw").read_bytes()
        return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2")

    def unplug(self) -> None:
        self._set("gone")

    def stall(self) -> None:
        """Let the card's clock stand still."""
        self._set("stall")

    def busy(self) -> None:
        """As if another program had it: who has it open keeps it, nobody else gets it."""
        self._set("busy")

    def plug(self) -> None:
        self._set("ok")

    def _set(self, state: str) -> None:
        fresh = self.folder / "ctl.new"
        fresh.write_text(state)
        fresh.replace(self.folder / "ctl")
