"""The whole speaker with a WAV as its microphone: nothing is pretended but the card and the pins."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from importlib.resources import as_file, files
from pathlib import Path
from typing import TextIO

from rich.console import Console

from cooee.config import Config
from cooee.effects import Effect, Phase
from cooee.events import Event, Heard
from cooee.mic import Unplayable, read_wav
from cooee.timeline import Timeline

SILENCE_LIMIT_S = 30.0
SETTLE_S = 0.8
"""The wake model may need so long after a recording's last sample."""


class Ended(IntEnum):
    """How it ended, as the exit code."""

    ANSWERED = 0
    UNANSWERED = 1
    NOT_WOKEN = 3
    UNREACHABLE = 4


class Simulation:
    """Watches the speaker until it is asleep again after the recording, or `SILENCE_LIMIT_S` have passed."""

    def __init__(self, config: Config, speech_s: float, timeline: Path | None, console: Console) -> None:
        self._config = config
        self._speech_s = speech_s
        self._timeline_path = timeline
        self._console = console

    async def run(self) -> Ended:
        from cooee.app import App

        with contextlib.ExitStack() as open_files:
            out = None
            if self._timeline_path:
                out = _writable(self._timeline_path)
                open_files.callback(_close, out)
            self._app = App(self._config, self._watch)
            self._timeline = Timeline(out, self._console, lambda: self._app.rooms.session.bytes_sent)
            await self._app.run()
            self._timeline.summary(asyncio.get_running_loop().time())
        if self._timeline.unwritable:
            raise Unplayable(f"{self._timeline_path} cannot be written: {self._timeline.unwritable.strerror}")
        return self._ending()

    def _watch(self, now: float, item: Event | Effect) -> None:
        self._timeline.watch(now, item)
        if self._timeline.unwritable:
            self._app.stop()
        if isinstance(item, Heard):
            silent_s = item.at_s - self._speech_s
            resting = self._app.phase in (Phase.ASLEEP, Phase.OFFLINE) and not self._app.is_telling
            if silent_s > SILENCE_LIMIT_S or (silent_s > SETTLE_S and resting):
                self._app.stop()

    def _ending(self) -> Ended:
        if not self._timeline.wakes:
            return Ended.NOT_WOKEN
        if self._timeline.turns:
            return Ended.ANSWERED
        return Ended.UNREACHABLE if self._timeline.was_refused or self._app.phase is Phase.OFFLINE else Ended.UNANSWERED


def _writable(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as fault:
        raise Unplayable(f"{path} cannot be written: {fault.strerror}") from None


def _close(out: TextIO) -> None:
    with contextlib.suppress(OSError):  # what could not be written has been told already
        out.close()


def _keep_apart(named: Mapping[str, Path | None]) -> None:
    """Nothing that is read or written here may be overwritten by another. Raises Unplayable."""
    files = {name: path for name, path in named.items() if path and not (path.exists() and not path.is_file())}
    for (one, path), (other, another) in itertools.combinations(files.items(), 2):
        same = path.resolve() == another.resolve()
        if same or (path.exists() and another.exists() and path.samefile(another)):
            raise Unplayable(f"{another} is both {one} and {other}, which would overwrite it; name another file")


def simulate(
    config: Config, wav: Path | None, *, reply: Path | None, timeline: Path | None, real_pins: bool, console: Console
) -> Ended:
    """Play the recording (a bundled one if None) to the speaker, in real time. Raises mic.Unplayable."""
    if not real_pins:
        # gpiozero's own mock pins, with PWM: they behave as pins do, without any.
        os.environ.update(GPIOZERO_PIN_FACTORY="mock", GPIOZERO_MOCK_PIN_CLASS="mockpwmpin")
    with as_file(files("cooee") / "sounds" / "hey_jarvis_turn_on_the_lamp.wav") as bundled:
        path = wav or bundled
        _keep_apart({"the recording": path, "the config": Path(config.file), "--reply": reply, "--timeline": timeline})
        speech_s = len(read_wav(path)) / 16_000
        mic = config.mic.model_copy(update={"type": "file", "file": str(path)})
        # Beside the speaker that runs, under another name: it must not be thrown off its broker, nor speak for it.
        mqtt = config.mqtt.model_copy(update={"id": f"simulate-{os.getpid()}", "discovery": "off"})
        speaker = config.speaker.model_copy(update={"type": "file", "file": str(reply or os.devnull)})
        return asyncio.run(
            Simulation(replace(config, mic=mic, speaker=speaker, mqtt=mqtt), speech_s, timeline, console).run()
        )
