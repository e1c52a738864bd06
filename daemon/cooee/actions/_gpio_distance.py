"""Ultrasonic distance sensors such as the HC-SR04: a pulse out on one pin, its echo on another.

The echo pin of an HC-SR04 gives 5 V: two resistors have to bring it down to 3.3 V.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

from cooee.actions._action import Report
from cooee.actions._gpio_pins import Declared, Wired, take
from cooee.actions._gpio_reading import UNITS, Measured, Reading, Unknown, declared_of, faults_of
from cooee.actions._when import Trigger
from cooee.effects import Function
from cooee.settings import Pin

SOUND_CM_PER_S = 34300.0
"""At 20 degrees."""
PINGS = 3
PING_S = 0.06
"""An echo of the last one is over after so long."""
_AIR = threading.Lock()
"""One sensor would hear the echo of another."""


class Distance(Wired, Measured):
    """How far away something is."""

    trigger: Pin | None = None
    """The GPIO number of the pin that sends the pulse."""
    echo: Pin | None = None
    """That of the pin on which the echo comes back."""


def faults(settings: Distance) -> Iterator[str]:
    if settings.trigger == settings.echo:
        yield "trigger and echo must be two different pins"
    yield from faults_of(settings, ("cm", "inches"))


def declared(settings: Distance) -> Declared:
    return declared_of(settings, f"Tells the distance in {UNITS[settings.unit or 'cm']}: how far away it is.")


def open_distance(function: Function, name: str, settings: Distance, report: Report) -> Reading:
    """Raises Failed where there are no such pins."""
    sonar = Sonar(settings)
    scale = 2.54 if settings.unit == "inches" else 1.0
    limits = (2 / scale, 450 / scale)
    trigger = Trigger(name, settings, report)
    return Reading(
        function, settings, settings.unit or "cm", limits, lambda: sonar.measure_cm() / scale, trigger, sonar.close
    )


class Sonar:
    """The library's own keeps its last distance when the sensor is unplugged, and measures without end."""

    def __init__(self, settings: Distance) -> None:
        pins = (settings.trigger or 0, settings.echo or 0)
        self._trigger = take(lambda zero: zero.OutputDevice(pins[0]), *pins)
        try:
            self._echo = take(lambda zero: zero.InputDevice(pins[1], pull_up=False), *pins)
            self._rise: Any = None
            self._width_s: float | None = None
            self._came = threading.Event()
            self._echo.pin.edges = "both"
            self._echo.pin.when_changed = self._changed
        except BaseException:
            self._trigger.close()
            raise

    def _changed(self, ticks: Any, state: Any) -> None:
        """On the pin library's thread; `ticks` are the kernel's time of the edge."""
        if state:
            self._rise = ticks
        elif self._rise is not None:
            self._width_s = self._echo.pin_factory.ticks_diff(ticks, self._rise)
            self._came.set()

    def measure_cm(self) -> float:
        """The middle one of a few echoes. Raises Unknown."""
        widths_s = []
        with _AIR:
            for _ in range(PINGS):
                if (width_s := self._ping()) is not None:
                    widths_s.append(width_s)
        if not widths_s:
            raise Unknown("there is no echo")
        return statistics.median(widths_s) * SOUND_CM_PER_S / 2

    def _ping(self) -> float | None:
        self._rise = None
        self._came.clear()
        self._trigger.on()
        time.sleep(0.00001)
        self._trigger.off()
        if not self._came.wait(PING_S):
            return None
        time.sleep(PING_S / 2)
        return self._width_s

    def close(self) -> None:
        self._echo.close()
        self._trigger.close()
