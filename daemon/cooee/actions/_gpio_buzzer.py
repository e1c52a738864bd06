"""A piezo buzzer that plays tunes."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from cooee.actions._action import Report
from cooee.actions._gpio_pins import Declared, OnPin, ask, take
from cooee.actions._words import subject
from cooee.effects import Function

LIMIT_S = 30.0
"""The longest tune."""
_NOTE = re.compile(r"[A-G][#b]?[3-6]|-")


class Buzzer(OnPin):
    """Tunes of single notes."""

    tunes: dict[str, str] = Field({"ring": "E5 C5", "chime": "G5 E5 C5", "alarm": "A5 E5 A5 E5 A5 E5 A5 E5"})
    """What it can play: names and notes from C3 to B6; "-" is a rest."""
    note_s: Annotated[float, Field(ge=0.02, le=2)] = 0.25
    """How long a note is."""


def faults(settings: Buzzer) -> Iterator[str]:
    if not settings.tunes:
        yield "tunes must have at least one tune"
    limit_s = min(LIMIT_S, settings.time_limit_s)
    for name, notes in settings.tunes.items():
        if wrong := [note for note in notes.split() if not _NOTE.fullmatch(note)]:
            yield f'tunes {name}: "{wrong[0][:20]}" is no note; notes are C3 to B6, such as C5, F#4 or Bb3, and "-"'
        elif not re.search("[A-G]", notes):
            yield f"tunes {name}: there is no note in it"
        elif len(notes.split()) * settings.note_s >= limit_s:
            yield f"tunes {name}: it must be shorter than {limit_s:g} s, the lesser of 30 and time_limit_s"
        if not re.fullmatch(r"[a-z][a-z0-9 ]{0,30}", name):
            yield f"tunes {name[:30]}: a name is lower-case words that can be said"


def declared(settings: Buzzer) -> Declared:
    tune = {"type": "string", "enum": list(settings.tunes)}
    thing = subject(settings.description)
    asked = (f"sound {thing[0].lower()}{thing[1:]}",) if re.fullmatch(r"[\w' ]{1,60}", thing) else ()
    return Declared("Plays a tune.", {"tune": tune}, ("tune",), phrases=asked)


class Horn:
    """Raises Failed where there is no such pin, or no PWM."""

    def __init__(self, function: Function, name: str, settings: Buzzer, report: Report) -> None:
        self.function = function
        self._settings = settings
        self._turn = asyncio.Lock()
        self._device = take(lambda zero: zero.TonalBuzzer(settings.number, octaves=3), settings.number)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        tune = arguments["tune"]
        async with self._turn:
            try:
                for note in self._settings.tunes[tune].split():
                    await self._sound(note)
                    await asyncio.sleep(self._settings.note_s)
            finally:
                await self._sound("-")
        return f"{subject(self._settings.description)} played the tune {tune}."

    async def _sound(self, note: str) -> None:
        def sound() -> None:
            if note == "-":
                self._device.stop()
            else:
                self._device.play(note)

        await ask(sound, self._settings.number)

    def close(self) -> None:
        if not self._device.closed:
            self._device.stop()
            self._device.close()
