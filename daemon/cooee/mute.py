"""Mute outlives a restart; a switch on a pin mutes, and a line on another tells that it is so."""

import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from cooee import pins
from cooee.events import Event, Muted, Unmuted
from cooee.kept import Kept
from cooee.settings import Pin, Table

log = logging.getLogger("cooee.mute")

BY = "switch"


class Settings(Table):
    """Pins about mute, which shuts the microphone and outlives a restart."""

    switch: Literal["none", "gpio"] = "none"
    """"gpio": a switch on a pin mutes while it is closed, and nothing else can unmute then."""
    switch_pin: Pin = 5
    """The switch's GPIO number."""
    switch_pull: Literal["up", "down"] = "up"
    """Which way the pin is pulled; the switch connects it to the other side."""
    line: Literal["none", "gpio"] = "none"
    """"gpio": a pin is on while the speaker is muted, for a LED or for what takes the microphone its power."""
    line_pin: Annotated[Pin, Field(validate_default=True)] = 6
    """The line's GPIO number."""
    line_active_high: bool = True
    """Whether on is high."""

    @field_validator("line_pin")
    @classmethod
    def _is_another(cls, pin: int, info: ValidationInfo) -> int:
        both = (info.data.get("switch"), info.data.get("line")) == ("gpio", "gpio")
        if both and pin == info.data.get("switch_pin"):
            raise ValueError("is switch_pin already; each pin has one owner")
        return pin

    def pins(self) -> tuple[int, ...]:
        """The GPIO pins that it takes."""
        used = ((self.switch, self.switch_pin), (self.line, self.line_pin))
        return tuple(pin for kind, pin in used if kind == "gpio")


class Mute:
    """A context manager. `post` is called on the pin library's thread. A pin that can't be used is one warning.

    `is_on`: whether the microphone is to be shut from the very start. The switch, where there is one, has the last
    word; what it has muted is not kept.
    """

    def __init__(self, settings: Settings, kept: Kept, post: Callable[[Event], None]) -> None:
        self._settings, self._kept, self._post = settings, kept, post
        self._switch: Any = None
        self._line: Any = None
        self.is_on = kept.get("muted") == "yes"

    def __enter__(self) -> "Mute":
        table = self._settings
        self._switch = self._open(table.switch, lambda: pins.button(table.switch_pin, table.switch_pull, False, 20))
        was_on, self.is_on = self.is_on, self.is_on or self._is_switched_off
        self._line = self._open(table.line, lambda: _line(table.line_pin, table.line_active_high, self.is_on))
        if self._switch is not None:
            self._switch.when_pressed = lambda: self._post(Muted(BY, is_switch=True))
            self._switch.when_released = lambda: self._post(Unmuted(BY, is_switch=True))
        if self._is_switched_off:
            self._post(Muted(BY, is_switch=True))
        elif was_on:
            self._post(Muted("restart"))
        return self

    def __exit__(self, *_: object) -> None:
        for device in (self._switch, self._line):
            if device is not None:
                device.close()

    def show(self, *, is_on: bool) -> None:
        """The microphone was shut, or opened."""
        self.is_on = is_on
        if self._line is not None:
            self._line.value = is_on
        self._kept.set("muted", "yes" if is_on and not self._is_switched_off else "")

    @property
    def _is_switched_off(self) -> bool:
        return self._switch is not None and bool(self._switch.is_pressed)

    def _open(self, kind: str, open_pin: Callable[[], Any]) -> Any:
        if kind == "none":
            return None
        try:
            return open_pin()
        except OSError as error:
            log.warning("[mute]: %s; the speaker goes on without it", error)
            return None


def _line(pin: int, active_high: bool, is_on: bool) -> Any:
    """Raises OSError."""
    import gpiozero

    with pins.sentences(pin):
        return gpiozero.OutputDevice(pin, active_high=active_high, initial_value=is_on)
