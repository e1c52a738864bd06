"""Dimmers, fans and motors: a level in percent, by PWM."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cooee.actions._action import READ, Failed, Report
from cooee.actions._gpio_pins import PWM_STEP, Declared, OnPin, Polar, Told, ask, take, told
from cooee.actions._words import sentence
from cooee.effects import Function
from cooee.settings import Percent

STEP_S = 0.04
"""Of a fade."""


class Level(OnPin, Polar):
    """A level in percent."""

    initial: Literal["off", "on"] = "off"
    """The safe state: how an output is left at start and at the end."""
    fade_s: Annotated[float, Field(ge=0, le=30)] = 0.0
    """How long a change of level takes."""
    min_percent: Percent = 0
    """The duty cycle at which it just begins to shine or turn; what is called 1 percent is a bit more than that."""
    max_percent: Percent = 100
    """The duty cycle for what is called 100 percent."""


def faults(settings: Level) -> Iterator[str]:
    if settings.fade_s >= settings.time_limit_s:
        yield f"fade_s must be shorter than time_limit_s ({settings.time_limit_s:g})"
    if settings.min_percent >= settings.max_percent:
        yield "min_percent must be less than max_percent"


def declared(settings: Level) -> Declared:
    about = "How strong, in percent; 0 is off."
    level = {"type": "integer", "minimum": 0, "maximum": 100, "description": about}
    state = {"type": "string", "enum": ["on", "off", READ], "description": f"Instead of a level; {READ}: only tells."}
    return Declared("Sets its level, or switches it on or off.", {"level": level, "state": state})


class Dimmer:
    """Raises Failed where there is no such pin."""

    def __init__(self, function: Function, name: str, settings: Level, report: Report) -> None:
        self.function = function
        self._settings = settings
        self._turn = asyncio.Lock()
        self._safe = self._duty(float(settings.initial == "on"))
        high, safe = settings.active_high, self._safe
        self._device = take(
            lambda zero: zero.PWMOutputDevice(settings.number, active_high=high, initial_value=safe), settings.number
        )
        self._told = Told(name, report, float(settings.initial == "on"))

    async def run(self, arguments: Mapping[str, Any]) -> str:
        if self.only_tells(arguments):
            is_now = await ask(lambda: float(self._device.value), self._settings.number)
            return sentence(self._settings.description, told(self._level(is_now)))
        value = _value(arguments)
        async with self._turn:
            duty = self._duty(value)
            await self._fade(duty)
            is_now = await ask(lambda: float(self._device.value), self._settings.number)
            follows = abs(is_now - duty) <= PWM_STEP and (is_now == 0) <= (duty < PWM_STEP)
            self._told.tell(value if follows else self._level(is_now))
            if not follows:
                raise Failed(sentence(self._settings.description, f"still {told(self._level(is_now))}"))
            return sentence(self._settings.description, told(value))

    def only_tells(self, arguments: Mapping[str, Any]) -> bool:
        return arguments == {"state": READ}

    async def _fade(self, duty: float) -> None:
        """One that is cancelled goes back to where it was."""
        before = await ask(lambda: float(self._device.value), self._settings.number)
        steps = int(self._settings.fade_s / STEP_S) if before != duty else 0
        try:
            for step in range(1, steps):
                await self._write(before + (duty - before) * step / steps)
                await asyncio.sleep(STEP_S)
            await self._write(duty)
        except asyncio.CancelledError:
            await self._write(before)
            raise

    async def _write(self, duty: float) -> None:
        def write() -> None:
            self._device.value = duty

        await ask(write, self._settings.number)

    def _duty(self, value: float) -> float:
        low, high = self._settings.min_percent, self._settings.max_percent
        return (low + (high - low) * value) / 100 if value else 0.0

    def _level(self, duty: float) -> float:
        low, high = self._settings.min_percent / 100, self._settings.max_percent / 100
        return min(1.0, max(0.01, (duty - low) / (high - low))) if duty else 0.0

    def close(self) -> None:
        if not self._device.closed:
            self._device.value = self._safe
            self._device.close()


def _value(arguments: Mapping[str, Any]) -> float:
    level, state = arguments.get("level"), arguments.get("state")
    if level is None and state is None:
        raise Failed("level is missing; it has to be a whole number from 0 to 100.")
    if state == READ:
        raise Failed("it can't be read and set at once.")
    if state == "off" and level:
        raise Failed(f"it can't be off and at {level} percent at once.")
    return float(state == "on") if level is None else level / 100
