"""What hangs on pins. Each family of kinds is a file of its own, `_gpio_*`; here is what they have in common."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import model_validator

from cooee import kinds
from cooee.actions import (
    Action,
    Report,
    _gpio_buzzer,
    _gpio_distance,
    _gpio_input,
    _gpio_level,
    _gpio_output,
    _gpio_rgb,
    _gpio_servo,
    _gpio_temperature,
    _when,
)
from cooee.actions._gpio_buzzer import Buzzer
from cooee.actions._gpio_distance import Distance
from cooee.actions._gpio_input import Input
from cooee.actions._gpio_level import Level
from cooee.actions._gpio_output import Output, Pulse
from cooee.actions._gpio_pins import Declared, Wired
from cooee.actions._gpio_rgb import Rgb
from cooee.actions._gpio_servo import Servo
from cooee.actions._gpio_temperature import Temperature
from cooee.effects import Function

PINS = ("pin", "red", "green", "blue", "trigger", "echo")
"""The settings that are pins."""


@dataclass(frozen=True, slots=True)
class Family:
    """`table`: its settings; `needs`: those that must be set; `faults`: sentences about what does not go together."""

    table: type[Wired]
    open: Callable[[Function, str, Any, Report], Action]
    declared: Callable[[Any], Declared]
    faults: Callable[[Any], Iterator[str]]
    needs: tuple[str, ...] = ("pin",)


_INPUT = Family(Input, _gpio_input.Contact, _gpio_input.declared, _gpio_input.faults)
FAMILIES: Mapping[str, Family] = {
    "output": Family(Output, _gpio_output.Switch, _gpio_output.declared, _gpio_output.faults),
    "pulse": Family(Pulse, _gpio_output.Switch, _gpio_output.declared, _gpio_output.faults),
    "pwm": Family(Level, _gpio_level.Dimmer, _gpio_level.declared, _gpio_level.faults),
    "rgb": Family(Rgb, _gpio_rgb.Strip, _gpio_rgb.declared, _gpio_rgb.faults, ("red", "green", "blue")),
    "servo": Family(Servo, _gpio_servo.Arm, _gpio_servo.declared, _gpio_servo.faults),
    "buzzer": Family(Buzzer, _gpio_buzzer.Horn, _gpio_buzzer.declared, _gpio_buzzer.faults),
    "button": _INPUT,
    "sensor": _INPUT,
    "motion": _INPUT,
    "line": _INPUT,
    "distance": Family(
        Distance,
        _gpio_distance.open_distance,
        _gpio_distance.declared,
        _gpio_distance.faults,
        ("trigger", "echo"),
    ),
    "temperature": Family(
        Temperature, _gpio_temperature.open_temperature, _gpio_temperature.declared, _gpio_temperature.faults, ()
    ),
}


class Settings(Output, Level, Rgb, Servo, Buzzer, Input, Distance, Temperature):
    """Something on GPIO pins. `pin` and `description` are all that a lamp needs."""

    type: Literal["gpio"] = "gpio"
    """GPIO pins."""
    kind: Literal[
        "output", "pulse", "pwm", "rgb", "servo", "buzzer",
        "button", "sensor", "motion", "line", "distance", "temperature",
    ] = "output"  # fmt: skip
    """output: on and off; pulse: only on for `pulse_s`, such as a door opener; pwm: a level; rgb: a colour; servo: an
    angle; buzzer: tunes; button, sensor, motion, line, distance, temperature: read, and may set off something."""

    def pins(self) -> tuple[int, ...]:
        return tuple(pin for pin in (getattr(self, name) for name in PINS) if pin is not None)

    @classmethod
    def of_its_kind(cls, table: Mapping[str, Any]) -> tuple[str, ...]:
        """What can be set for the kind of thing that the table is of."""
        family = FAMILIES.get(str(table.get("kind", "output")))
        return tuple(each for each in cls.model_fields if family is None or each in family.table.model_fields)

    def misfits(self, name: str, others: Mapping[str, Any], built_in: Collection[str]) -> Iterator[_when.Misfit]:
        """What does not go together with the other tables of [actions], None for those with faults of their own."""
        yield from _when.misfits(self, name, others, built_in)
        if not self.interlock:
            return
        place, other = (("interlock",), self.interlock), others.get(self.interlock)
        known = tuple(each for each, table in others.items() if isinstance(table, Settings) and each != name)
        if self.interlock not in others or self.interlock == name:
            hint = kinds.did_you_mean(self.interlock, known)
            yield *place, f"must be the name of another output: there is no other [actions.{self.interlock}]{hint}"
        elif other is not None and getattr(other, "kind", "") not in ("output", "pulse"):
            yield *place, f"must be the name of an output; [actions.{self.interlock}] is none"
        elif other is not None and other.interlock != name:
            yield *place, f'must be said by both: [actions.{self.interlock}] needs interlock = "{name}"'

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        family = FAMILIES[self.kind]
        wrong = [
            f'{name} means nothing for kind = "{self.kind}", only for {_and(_having(name))}'
            for name in sorted(self.model_fields_set - set(family.table.model_fields))
            if getattr(self, name) != Settings.model_fields[name].default
        ]
        missing = [name for name in family.needs if getattr(self, name) is None]
        if missing:
            wrong.append(f'kind = "{self.kind}" needs {_and(missing)}')
        if faults := [*wrong, *(() if missing else family.faults(self))]:
            raise ValueError("; ".join(faults))
        return self


def _having(name: str) -> list[str]:
    return [kind for kind, family in FAMILIES.items() if name in family.table.model_fields]


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def declare(name: str, settings: Settings) -> Function:
    declared = FAMILIES[settings.kind].declared(settings)
    schema = {
        "type": "object",
        "properties": declared.properties,
        "required": list(declared.required),
        "additionalProperties": False,
    }
    about = f"{settings.description.rstrip('. ')}. {declared.does}"
    return Function(name, about, schema, declared.side_effect, declared.phrases)


def open(name: str, settings: Settings, report: Report) -> Action:
    """Raises Failed where there are no such pins."""
    return FAMILIES[settings.kind].open(declare(name, settings), name, settings, report)
