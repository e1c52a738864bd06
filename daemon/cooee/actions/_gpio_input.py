"""Buttons, contacts, motion and line sensors: what they are now, and what they set off."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cooee.actions._action import Report
from cooee.actions._gpio_pins import Declared, OnPin, Polar, Told, ask, take
from cooee.actions._when import Trigger, When
from cooee.actions._words import join, sentence
from cooee.effects import Function

_WORDS = {
    "button": ("pressed", "not pressed"),
    "sensor": ("on", "off"),
    "motion": ("seeing somebody move", "seeing nobody"),
    "line": ("over the line", "off the line"),
}
_ANYBODY = ("is anybody", "is somebody", "is anyone", "is there anybody", "is there any motion")


class Input(OnPin, Polar, When):
    """Active or not."""

    pull: Literal["up", "down", "none"] | None = None
    """Which way it is pulled; what connects it to the other side makes it active. Left out: "up" for a button and a
    sensor, "none" for motion and line, which drive their pin themselves."""
    active_text: Annotated[str, Field(max_length=60)] = ""
    """How an active input is told: "open" -> "The back door is open."; left out: as fits its kind."""
    inactive_text: Annotated[str, Field(max_length=60)] = ""
    """How an input is told that is not active; left out: as fits its kind."""
    debounce_ms: Annotated[int, Field(ge=1, le=1000)] = 20
    """A change counts when it has been steady for so long."""


def faults(settings: Input) -> Iterator[str]:
    yield from ()


def words(settings: Input) -> tuple[str, str]:
    """How active and inactive are told."""
    active, inactive = _WORDS[settings.kind]
    return settings.active_text or active, settings.inactive_text or inactive


def declared(settings: Input) -> Declared:
    does = f"Tells whether it is {join(list(words(settings)))}."
    return Declared(does, side_effect=False, phrases=_asked(settings) if settings.kind == "motion" else ())


def _asked(settings: Input) -> tuple[str, ...]:
    """The motion sensor in the hall is asked whether anybody is there, or in the hall."""
    place = re.search(r" ((?:in|on|at|by|outside|behind|under|over) (?:[\w']+ ?){1,4})$", settings.description)
    places = ("there", *([place[1].lower()] if place else []))
    return tuple(f"{anybody} {place}" for place in places for anybody in _ANYBODY)


class Contact:
    """Raises Failed where there is no such pin."""

    def __init__(self, function: Function, name: str, settings: Input, report: Report) -> None:
        self.function = function
        self._settings = settings
        self._told = Told(name, report, None)
        self._trigger = Trigger(name, settings, report)
        pull = settings.pull or ("up" if settings.kind in ("button", "sensor") else "none")
        pull_up = {"up": True, "down": False, "none": None}[pull]
        active_state = settings.active_high if pull_up is None else None
        self._device = take(
            lambda zero: zero.DigitalInputDevice(
                settings.number, pull_up=pull_up, active_state=active_state, bounce_time=settings.debounce_ms / 1000
            ),
            settings.number,
        )
        self._device.when_activated = self._activated
        self._device.when_deactivated = self._deactivated

    def _activated(self) -> None:
        self._changed(True)

    def _deactivated(self) -> None:
        self._changed(False)

    def _changed(self, is_active: bool) -> None:
        """On the pin library's thread."""
        self._told.tell(float(is_active))
        self._trigger.fire(is_active)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        value = await ask(lambda: float(self._device.value), self._settings.number)
        self._told.tell(value)
        active, inactive = words(self._settings)
        return sentence(self._settings.description, active if value else inactive)

    def close(self) -> None:
        self._device.close()
