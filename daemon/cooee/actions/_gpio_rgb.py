"""Coloured lights on three pins."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from cooee.actions._action import READ, Failed, Report
from cooee.actions._gpio_pins import PWM_STEP, Declared, Polar, Told, ask, take
from cooee.actions._words import sentence
from cooee.effects import Function
from cooee.settings import Pin

COLOURS = {
    "white": (255, 255, 255),
    "warm white": (255, 147, 41),
    "red": (255, 0, 0),
    "orange": (255, 80, 0),
    "yellow": (255, 170, 0),
    "green": (0, 255, 0),
    "cyan": (0, 255, 255),
    "blue": (0, 0, 255),
    "purple": (150, 0, 255),
    "pink": (255, 40, 120),
}
"""As they look on LEDs, whose green is strong."""


class Rgb(Polar):
    """A colour and a brightness."""

    red: Pin | None = None
    """The GPIO number of the red channel."""
    green: Pin | None = None
    """That of the green one."""
    blue: Pin | None = None
    """That of the blue one."""


def faults(settings: Rgb) -> Iterator[str]:
    if len({settings.red, settings.green, settings.blue}) < 3:
        yield "red, green and blue must be three different pins"


def declared(settings: Rgb) -> Declared:
    level = {"type": "integer", "minimum": 0, "maximum": 100, "description": "Its brightness, in percent; 0 is off."}
    properties = {
        "state": {"type": "string", "enum": ["on", "off", READ], "description": f"{READ}: only tells."},
        "colour": {"type": "string", "enum": list(COLOURS), "description": "What is left out stays as it was."},
        "level": level,
    }
    return Declared("Switches it on or off, or sets its colour and its brightness.", properties)


class Strip:
    """Raises Failed where there are no such pins."""

    def __init__(self, function: Function, name: str, settings: Rgb, report: Report) -> None:
        self.function = function
        self._settings = settings
        self._turn = asyncio.Lock()
        self._pins = [pin for pin in (settings.red, settings.green, settings.blue) if pin is not None]
        self._device = take(lambda zero: zero.RGBLED(*self._pins, active_high=settings.active_high), *self._pins)
        self._colour, self._level = "white", 100
        self._told = Told(name, report, 0.0)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        if not arguments:
            raise Failed("a state, a colour or a level is missing.")
        async with self._turn:
            if self.only_tells(arguments):
                shines = await ask(lambda: any(self._device.value), *self._pins)
                return self._said(self._colour, self._level if shines else 0)
            if arguments.get("state") == READ:
                raise Failed("it can't be read and set at once.")
            colour, level = arguments.get("colour", self._colour), arguments.get("level", self._level)
            is_off = arguments.get("state") == "off" or level == 0
            if is_off and ("colour" in arguments or arguments.get("level")):
                raise Failed("it can't be off and shine at once.")
            await self._shine(colour, 0 if is_off else level)
            self._told.tell(0.0 if is_off else level / 100)
            if not is_off:
                self._colour, self._level = colour, level
            return self._said(colour, 0 if is_off else level)

    def only_tells(self, arguments: Mapping[str, Any]) -> bool:
        return arguments == {"state": READ}

    def _said(self, colour: str, level: int) -> str:
        words = "off" if level == 0 else colour if level == 100 else f"{colour} at {level} percent"
        return sentence(self._settings.description, words)

    async def _shine(self, colour: str, level: int) -> None:
        value = tuple(channel / 255 * level / 100 for channel in COLOURS[colour])

        def shine() -> tuple[float, ...]:
            self._device.value = value
            return tuple(self._device.value)

        is_now = await ask(shine, *self._pins)
        if any(abs(one - other) > PWM_STEP for one, other in zip(is_now, value, strict=True)):
            raise Failed("its pins do not follow, so it is not known what it shows.")

    def close(self) -> None:
        if not self._device.closed:
            self._device.value = (0, 0, 0)
            self._device.close()
