"""One-wire thermometers such as the DS18B20, read through the kernel (dtoverlay=w1-gpio)."""

import re
from collections.abc import Iterator
from pathlib import Path

from cooee.actions._action import Report
from cooee.actions._gpio_pins import Declared, OnPin
from cooee.actions._gpio_reading import UNITS, Measured, Reading, Unknown, declared_of, faults_of
from cooee.actions._when import Trigger
from cooee.effects import Function

FAMILIES = ("10-*", "22-*", "28-*", "3b-*", "42-*")
"""The kernel's names of thermometers begin so."""
_ANSWER = re.compile(r"((?:[0-9a-f]{2} ){8})[0-9a-f]{2} : crc=[0-9a-f]{2} YES\n.*\bt=(-?\d+)")
_SHORTED = "00 00 00 00 00 00 00 00 "
_FRESH = re.compile(r"50 05 .. .. .. .. 0c .. ")
"""What stands in a thermometer that has just got its power and has measured nothing: 85 degrees."""


class Temperature(OnPin, Measured):
    """How warm it is. `pin` is the one that the kernel uses, usually 4: nothing else is given it."""

    serial: str = ""
    """Which thermometer, such as "28-0316a2797f21"; left out: the only one."""
    folder: str = "/sys/bus/w1/devices"
    """Where the kernel has them."""


def faults(settings: Temperature) -> Iterator[str]:
    if settings.serial and not re.fullmatch(r"[0-9a-f]{2}-[0-9a-f]{12}", settings.serial):
        yield 'serial must be a name in /sys/bus/w1/devices such as "28-0316a2797f21"'
    yield from faults_of(settings, ("celsius", "fahrenheit"))


def declared(settings: Temperature) -> Declared:
    return declared_of(settings, f"Tells the temperature in {UNITS[settings.unit or 'celsius']}: how warm it is.")


def open_temperature(function: Function, name: str, settings: Temperature, report: Report) -> Reading:
    def measure() -> float:
        celsius = read_celsius(Path(settings.folder), settings.serial)
        return celsius * 1.8 + 32 if settings.unit == "fahrenheit" else celsius

    limits = (-67.0, 257.0) if settings.unit == "fahrenheit" else (-55.0, 125.0)
    return Reading(function, settings, settings.unit or "celsius", limits, measure, Trigger(name, settings, report))


def read_celsius(folder: Path, serial: str) -> float:
    """Takes most of a second, as the thermometer does. Raises Unknown."""
    try:
        text = (_thermometer(folder, serial) / "w1_slave").read_text("ascii")
    except (OSError, ValueError) as error:
        raise Unknown("its thermometer does not answer") from error
    found = _ANSWER.match(text)
    if found is None or found[1] == _SHORTED or _FRESH.match(found[1]):
        raise Unknown("its thermometer can't be read")
    return int(found[2]) / 1000


def _thermometer(folder: Path, serial: str) -> Path:
    if serial:
        return folder / serial
    there = [path for family in FAMILIES for path in sorted(folder.glob(family))]
    if len(there) == 1:
        return there[0]
    raise Unknown("there is no thermometer" if not there else "there are several thermometers and no serial is set")
