"""A light of three colours on three pins that can do PWM."""

import re
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, model_validator

from cooee.effects import Phase, Show
from cooee.lights import LightTable
from cooee.lights._looks import Motion, brightness
from cooee.lights._pins import gpiozero
from cooee.settings import Percent, Pin, Table

COLOURS = {
    "off": "#000000",
    "white": "#ffffff",
    "warm": "#ff9030",
    "red": "#ff0000",
    "orange": "#ff5000",
    "yellow": "#ffc000",
    "green": "#00ff00",
    "cyan": "#00ffff",
    "blue": "#0000ff",
    "purple": "#8000ff",
    "pink": "#ff3080",
}


def _with(*motions: str) -> AfterValidator:
    """A colour, perhaps with one of these motions."""

    def check(text: str) -> str:
        colour, _, motion = text.partition(" ")
        if (colour in COLOURS or re.fullmatch(r"#[0-9a-fA-F]{6}", colour)) and motion in ("", *motions):
            return text
        raise ValueError(
            f'must be a colour ({", ".join(COLOURS)} or such as "#0040ff"), and after a space perhaps a motion '
            f'({", ".join(motions)}), such as "blue pulse"'
        )

    return AfterValidator(check)


Look = Annotated[str, _with(*get_args(Motion))]
OfflineLook = Annotated[str, _with(*get_args(Motion), "code")]


class Looks(Table):
    """How each phase looks: a colour (a name or "#rrggbb"), and after a space perhaps how it moves."""

    offline: OfflineLook = "orange code"
    """The agent can't be reached for now. "code" flashes once to nine times to tell why."""
    refused: OfflineLook = "purple code"
    """The agent can't be reached before you do something, or a new day or month begins."""
    asleep: Look = "off"
    """Waiting for the wake word; nothing leaves the house."""
    listening: Look = "blue"
    """What is said now goes to the agent."""
    thinking: Look = "cyan pulse"
    """The agent is at work on an answer."""
    speaking: Look = "green breathe"
    """The answer is being spoken."""
    muted: Look = "red"
    """The microphone is closed."""
    fault: Look = "red blink"
    """Something is missing, such as the microphone; the log says what."""


class Settings(LightTable):
    """A light of three colours on three pins."""

    type: Literal["rgb"] = "rgb"
    """A light of three colours."""
    red: Pin
    """The GPIO number of the red light's pin."""
    green: Pin
    """The GPIO number of the green light's pin."""
    blue: Pin
    """The GPIO number of the blue light's pin."""
    active_high: bool = True
    """Whether it is lit when its pins are high; false for a common anode."""
    brightness: Percent = 100
    """How bright the brightest look is."""
    looks: Looks = Looks()
    """How each phase looks."""

    def pins(self) -> tuple[int, ...]:
        return (self.red, self.green, self.blue)

    @model_validator(mode="after")
    def _pins_differ(self) -> Self:
        if len(set(self.pins())) < 3:
            raise ValueError("red, green and blue must be three different pins")
        return self


class Rgb:
    def __init__(self, settings: Settings) -> None:
        zero = gpiozero()
        self._looks = settings.looks
        self._full = settings.brightness / 100
        self._led: Any = zero.RGBLED(*settings.pins(), active_high=settings.active_high)

    def show(self, show: Show) -> Iterator[float]:
        look = self._look(show)
        colour, _, motion = look.partition(" ")
        red, green, blue = _rgb(colour)
        start_s = time.monotonic()
        while True:
            bright, delay_s = brightness(_motion(motion), time.monotonic() - start_s, show.trouble)
            bright *= self._full
            self._led.value = (red * bright, green * bright, blue * bright)
            if delay_s is None:
                return
            yield delay_s

    def _look(self, show: Show) -> str:
        if show.fault:
            return self._looks.fault
        if show.phase is Phase.OFFLINE and show.trouble and show.trouble.is_hopeless:
            return self._looks.refused
        look: str = getattr(self._looks, show.phase.value)
        return look

    def close(self) -> None:
        self._led.off()
        self._led.close()


def _motion(word: str) -> Motion | Literal["code"]:
    return next((motion for motion in (*get_args(Motion), "code") if motion == word), "steady")


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(COLOURS.get(colour, colour).removeprefix("#"))
    return red / 255, green / 255, blue / 255


def open(settings: Settings) -> Rgb:
    return Rgb(settings)
