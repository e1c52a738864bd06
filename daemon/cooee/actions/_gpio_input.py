"""Buttons, contacts, motion and line sensors: what they are now, and what they set off."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cooee.actions._action import Report
from cooee.actions._gpio_pins import Declared, OnPin, Polar, Told, ask, take
from cooee.actions._ways import moved
from cooee.actions._when import Trigger, When
from cooee.actions._words import sentence, subject
from cooee.effects import Function

_WORDS = {
    "button": ("pressed", "not pressed"),
    "sensor": ("on", "off"),
    "motion": ("there is motion", "there is no motion"),
    "line": ("over the line", "off the line"),
}
_ANYBODY = (
    *(f"{is_} {body}" for is_ in ("is", "is there") for body in ("anybody", "somebody", "anyone", "someone")),
    *("is there motion", "is there any motion", "is anything moving", "is anybody moving"),
)
_PLACE = re.compile(r"\b((?:in|on|at|by|outside|behind|under|over|near) (?:[\w']+ ?){1,4})$")
_WHETHER = re.compile(r"(?:tells )?(?:whether|if) (?:or not )?(.+?) (?:is|are) ([^.,;:(!?\n]+)", re.IGNORECASE)
_CONTACT = re.compile(
    r"^(?:the )?(?:contact|sensor) (?:of|on|at) |(?:['\u2019]s?)? (?:reed )?(?:contact|sensor)s?$", re.IGNORECASE
)
_SENSOR = re.compile(r"(?: ?\b(?:motion|movement|presence|pir|sensor|detector))+$", re.IGNORECASE)


class Input(OnPin, Polar, When):
    """Active or not."""

    pull: Literal["up", "down", "none"] | None = None
    """Which way it is pulled; what connects it to the other side makes it active. Left out: "up" for a button and a
    sensor, "none" for motion and line, which drive their pin themselves."""
    active_text: Annotated[str, Field(max_length=60)] = ""
    """How an active input is told: "open" -> "The back door is open."; left out: as fits its kind. A sensor at what
    opens or is locked is a contact that is active while it is closed or locked."""
    inactive_text: Annotated[str, Field(max_length=60)] = ""
    """How an input is told that is not active; left out: the opposite, as fits its kind."""
    debounce_ms: Annotated[int, Field(ge=1, le=1000)] = 20
    """A change counts when it has been steady for so long."""


def faults(settings: Input) -> Iterator[str]:
    yield from ()


def declared(settings: Input) -> Declared:
    if settings.kind == "motion" and not (settings.active_text or settings.inactive_text):
        return Declared("Tells whether there is motion.", side_effect=False, phrases=_asked(settings))
    active, inactive = (_words(settings, is_active=each) for each in (True, False))
    phrases = _asked(settings) if settings.kind == "motion" else ()
    return Declared(f"Tells whether it is {active} or {inactive}.", side_effect=False, phrases=phrases)


def _words(settings: Input, *, is_active: bool) -> str:
    own, other = settings.active_text, settings.inactive_text
    if not is_active:
        own, other = other, own
    return own or _opposite(settings, other) or _usual(settings)[0 if is_active else 1]


def _usual(settings: Input) -> tuple[str, str]:
    """The words for active and for not active. Whose wire is broken is never told to be closed or locked."""
    thing, state = _whether(settings.description)
    what = moved(thing)
    if settings.kind == "sensor" and what and state in ("", what.way.is_on, what.way.is_off):
        return what.way.is_off, what.way.is_on
    return (state, f"not {state}") if state else _WORDS[settings.kind]


def _opposite(settings: Input, text: str) -> str:
    """Of a door that is told to be "closed" while active: "open"; "" where there is none."""
    usual = _usual(settings)
    return usual[1 - usual.index(text)] if text in usual else ""


def _whether(description: str) -> tuple[str, str]:
    """What a description speaks of, and, where it asks for that, how it may be: "Whether the front door is open". Of
    "The front door's contact" it is the door.
    """
    if found := _WHETHER.match(description.strip()):
        return found[1], "" if " or " in found[2] else found[2].strip()
    thing = _CONTACT.sub("", subject(description))
    return (thing if moved(thing) else description), ""


def _asked(settings: Input) -> tuple[str, ...]:
    """The motion sensor in the hall is asked whether anybody is there, or in the hall."""
    place = _place(settings.description)
    places = ("there", *([place.lower()] if place else []))
    return tuple(f"{anybody} {place}" for place in places for anybody in _ANYBODY)


def _place(description: str) -> str:
    """Where a motion sensor looks: "in the hall" of "Motion in the hall", "The hall's motion sensor" and "The hall"."""
    thing = subject(description)
    if found := _PLACE.search(thing):
        return found[1]
    named = re.sub(r"['\u2019]s?$", "", _SENSOR.sub("", thing)).strip()
    if named.lower() in ("", "the", "your", "a", "an"):
        return ""
    at = "at" if re.search(r"(?:door|gate|window|entrance)s?$", named) else "in"
    return f"{at} {named[0].lower()}{named[1:]}"


def _told(settings: Input, *, is_active: bool) -> str:
    words = _words(settings, is_active=is_active)
    if not words.startswith("there is"):
        return sentence(_whether(settings.description)[0], words)
    return f"T{words[1:]} {_place(settings.description) or 'there'}."


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
        return _told(self._settings, is_active=bool(value))

    def close(self) -> None:
        self._device.close()
