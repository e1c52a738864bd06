"""One light-emitting diode on one pin; dimmed where the pin can do PWM, else only on and off."""

import time
from collections.abc import Iterator
from typing import Any, Literal

from cooee.effects import Show
from cooee.lights import LightTable
from cooee.lights._looks import Motion, brightness
from cooee.lights._pins import gpiozero
from cooee.settings import Percent, Pin, Table

Look = Literal["off", "on", "dim", "blink", "flash", "pulse", "breathe"]
OfflineLook = Literal["code", Look]

DIM = 0.15
SEEN_FROM = 0.1
"""A pin that is only on or off is on from this brightness, so that "dim" can be seen."""


class Looks(Table):
    """How each phase looks: "off", "on", "dim", "blink", "flash", "pulse" or "breathe"."""

    offline: OfflineLook = "code"
    """The agent can't be reached. "code", which only this one can be, flashes once to nine times to tell why."""
    asleep: Look = "off"
    """Waiting for the wake word; nothing leaves the house."""
    listening: Look = "on"
    """What is said now goes to the agent."""
    thinking: Look = "pulse"
    """The agent is at work on an answer."""
    speaking: Look = "breathe"
    """The answer is being spoken."""
    muted: Look = "dim"
    """The microphone is closed."""
    fault: Look = "blink"
    """Something is missing, such as the microphone; the log says what."""


class Settings(LightTable):
    """A light-emitting diode on one pin."""

    type: Literal["led"] = "led"
    """One light-emitting diode."""
    pin: Pin
    """The GPIO number (not the number on the header) of its pin."""
    active_high: bool = True
    """Whether it is lit when the pin is high; false where it hangs between 3.3 V and the pin."""
    brightness: Percent = 100
    """How bright "on" is."""
    looks: Looks = Looks()
    """How each phase looks."""

    def pins(self) -> tuple[int, ...]:
        return (self.pin,)


class Led:
    def __init__(self, settings: Settings) -> None:
        zero = gpiozero()
        self._looks = settings.looks
        self._full = settings.brightness / 100
        self._led: Any
        try:
            self._led = zero.PWMLED(settings.pin, active_high=settings.active_high)
            self._dimmable = True
        except zero.PinPWMUnsupported:
            self._led = zero.LED(settings.pin, active_high=settings.active_high)
            self._dimmable = False

    def show(self, show: Show) -> Iterator[float]:
        look: OfflineLook = self._looks.fault if show.fault else getattr(self._looks, show.phase.value)
        start_s = time.monotonic()
        level, motion = _parts(look)
        while True:
            bright, delay_s = brightness(motion, time.monotonic() - start_s, show.trouble)
            self._set(level * bright)
            if delay_s is None:
                return
            yield delay_s

    def _set(self, level: float) -> None:
        self._led.value = level * self._full if self._dimmable else level >= SEEN_FROM

    def close(self) -> None:
        self._led.off()
        self._led.close()


def _parts(look: OfflineLook) -> tuple[float, Motion | Literal["code"]]:
    match look:
        case "off":
            return 0.0, "steady"
        case "on":
            return 1.0, "steady"
        case "dim":
            return DIM, "steady"
        case motion:
            return 1.0, motion


def open(settings: Settings) -> Led:
    return Led(settings)
