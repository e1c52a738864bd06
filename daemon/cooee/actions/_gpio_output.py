"""Lamps, relays, pumps and door openers: on, off, or on for a moment."""

import asyncio
import logging
import math
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cooee.actions._action import READ, Failed, Report
from cooee.actions._gpio_pins import Declared, OnPin, Polar, Told, ask, take, told
from cooee.actions._ways import moved
from cooee.actions._words import clause, sentence, subject
from cooee.effects import Function

log = logging.getLogger("cooee.actions")

RETRY_S = 1.0
"""A pin that could not be switched off in time is tried again after so long."""

Day = Annotated[float, Field(ge=0, le=86400)]


class Pulse(OnPin, Polar):
    """On for a moment only."""

    pulse_s: Annotated[float, Field(ge=0, le=30)] = 0.0
    """How long a pulse is; 0: an output has none."""
    min_off_s: Day = 0.0
    """It is not switched on again before it has been off for so long, also after the start: for compressors."""
    interlock: str = ""
    """The name of another output, so that never both are on: for the two directions of a motor."""


class Output(Pulse):
    """On and off."""

    initial: Literal["off", "on"] = "off"
    """The safe state: how an output is left at start and at the end."""
    min_on_s: Day = 0.0
    """It is not switched off before it has been on for so long; the end of the speaker does not wait for that."""
    max_on_s: Day = 0.0
    """After so long it is switched off, whoever forgot it: for heaters and valves; 0: never."""


def faults(settings: Output) -> Iterator[str]:
    if settings.kind == "pulse" and not settings.pulse_s:
        yield 'kind = "pulse" needs pulse_s, the length of the pulse in seconds, such as 0.5'
    if settings.pulse_s >= settings.time_limit_s:
        yield f"pulse_s must be shorter than time_limit_s ({settings.time_limit_s:g})"
    if settings.max_on_s and settings.max_on_s < max(settings.min_on_s, settings.pulse_s):
        yield "max_on_s must not be shorter than min_on_s or pulse_s"
    if settings.pulse_s and settings.pulse_s < settings.min_on_s:
        yield "pulse_s must not be shorter than min_on_s"
    if settings.initial == "on" and (settings.max_on_s or settings.interlock):
        yield 'what has a max_on_s or an interlock must be off at the start: initial = "off"'


def declared(settings: Output) -> Declared:
    what = moved(settings.description)
    if settings.kind == "pulse":
        does = f"Switches it on for {settings.pulse_s:g} s and off again."
        return Declared(does, phrases=what.asked() if what else ())
    verbs = [what.way.on, what.way.off] if what else []
    states = ["on", "off", *verbs, "toggle", *(["pulse"] if settings.pulse_s else []), READ]
    about = f"{what.way.on}: on; {what.way.off}: off; " if what else ""
    about = f"{about}toggle: the opposite of now; {READ}: only tells."
    state = {"type": "string", "enum": states, "description": about}
    until = f" It goes off by itself after {_duration(settings.max_on_s)}." if settings.max_on_s else ""
    return Declared(f"Switches it on or off.{until}", {"state": state}, ("state",))


_OPEN: "weakref.WeakValueDictionary[str, Switch]" = weakref.WeakValueDictionary()
"""Those that are open, by their names: what is interlocked has to see the other."""


_OWN = {False: "'s", True: "'"}


class Switch:
    """Raises Failed where there is no such pin."""

    def __init__(self, function: Function, name: str, settings: Output, report: Report) -> None:
        self.function = function
        self._settings = settings
        self._turn = asyncio.Lock()
        self._safe = float(settings.initial == "on")
        high, safe = settings.active_high, bool(self._safe)
        self._device = take(
            lambda zero: zero.OutputDevice(settings.number, active_high=high, initial_value=safe), settings.number
        )
        self._told = Told(name, report, self._safe)
        self._seen, self._changed_s = self._safe, time.monotonic()
        self._timer: threading.Timer | None = None
        self.may_be_on = bool(self._safe)
        """Whether it is on, or is being switched on, or does not tell."""
        _OPEN[name] = self

    async def run(self, arguments: Mapping[str, Any]) -> str:
        async with self._turn:
            match arguments.get("state", "pulse"):
                case "pulse":
                    return await self._pulse()
                case "toggle":
                    return await self._switch(1.0 - await self._read())
                case "read":
                    return self._said(await self._read())
                case state:
                    return await self._switch(float(state in ("on", "open", "unlock")))

    def only_tells(self, arguments: Mapping[str, Any]) -> bool:
        return arguments.get("state") == READ

    async def _pulse(self) -> str:
        try:
            await self._switch(1.0)
            await asyncio.sleep(self._settings.pulse_s)
        finally:
            # Not to be refused: what was on already when the pulse began goes off with it.
            if self.may_be_on:
                await self._write(0.0)
        return self._pulsed()

    async def _switch(self, value: float) -> str:
        """Raises Failed where it must not, or where the pin does not follow."""
        if await self._read() != value:
            self._refuse_haste(value)
        if value:
            self._refuse_both()
            # Before anything is awaited, so that the other one sees it.
            self.may_be_on = True
        return await self._write(value)

    def _refuse_haste(self, value: float) -> None:
        least_s = self._settings.min_off_s if value else self._settings.min_on_s
        left_s = math.ceil(self._changed_s + least_s - time.monotonic())
        if left_s > 0:
            now, to = ("off", "rest") if value else ("on", "run")
            who, then = subject(self._settings.description), "on" if value else "off"
            raise Failed(
                f"{who} has to {to} for {_duration(least_s)}; it stays {now} and can go {then} in {_duration(left_s)}."
            )

    def _refuse_both(self) -> None:
        if not self._settings.interlock:
            return
        other = _OPEN.get(self._settings.interlock)
        if other is None:
            raise Failed(f"it must never be on together with {self._settings.interlock}, which can't be asked.")
        if other.may_be_on:
            raise Failed(f"{other.subject} is on, and both must never be on at once; it has to be off first.")

    @property
    def subject(self) -> str:
        return subject(self._settings.description)

    async def _write(self, value: float) -> str:
        def write() -> None:
            self._device.value = value

        if value and self._settings.max_on_s:
            self._relax()
            self._expire_in(self._settings.max_on_s)
        await ask(write, self._settings.number)
        is_now = await self._read()
        if is_now != value:
            raise Failed(self._said(is_now, "still "))
        if not value:
            self._relax()
        return self._said(value)

    def _said(self, value: float, still: str = "") -> str:
        """What was switched; whether a gate has followed, nobody has seen."""
        what = moved(self._settings.description)
        if what is None or what.is_part:
            return sentence(self._settings.description, f"{still}{told(value)}")
        return sentence(
            self._settings.description, f"{still}switched to {what.way.is_on if value else what.way.is_off}"
        )

    def _pulsed(self) -> str:
        description, for_ = self._settings.description, _duration(self._settings.pulse_s)
        what = moved(description)
        if what is None:
            return f"{self.subject} went on for {for_} and off again."
        if what.is_part:
            return clause(description, "was", "were", f"pressed for {for_}")
        return f"{self.subject}{_OWN[self.subject.endswith('s')]} opener was pressed for {for_}."

    async def _read(self) -> float:
        value = await ask(lambda: float(self._device.value), self._settings.number)
        self._saw(value)
        return value

    def _saw(self, value: float) -> None:
        if value != self._seen:
            self._seen, self._changed_s = value, time.monotonic()
        self.may_be_on = bool(value)
        self._told.tell(value)

    def _relax(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire_in(self, delay_s: float) -> None:
        """A thread of its own switches it off, so that it goes off even if everything else hangs."""
        self._timer = threading.Timer(delay_s, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        try:
            self._device.value = 0.0
            self._saw(float(self._device.value))
        except Exception:
            if not self._device.closed:
                log.warning("pin %s could not be switched off after its time; trying again", self._settings.number)
                self._expire_in(RETRY_S)

    def close(self) -> None:
        self._relax()
        if not self._device.closed:
            self._device.value = self._safe
            self.may_be_on = bool(self._safe)
            self._device.close()


def _duration(seconds: float) -> str:
    """As it is said: "1 second", "90 seconds", "5 minutes"."""
    if seconds >= 120:
        return f"{math.ceil(seconds / 60)} minutes"
    if seconds == 0.5:
        return "half a second"
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"
