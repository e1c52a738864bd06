"""Pins opened, asked and told about; every fault is a sentence."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cooee.actions._action import ActionTable, Failed, Report
from cooee.actions._thread import on_a_thread
from cooee.events import Switched
from cooee.settings import Pin

T = TypeVar("T")

PWM_STEP = 0.0101
"""The pin libraries keep whole percents of a duty cycle, rounded down."""


class Wired(ActionTable):
    """Something on pins."""

    kind: str
    """Which kind of thing it is."""


class OnPin(Wired):
    """Something on one pin."""

    pin: Pin | None = None
    """The GPIO number (not the number on the header)."""

    @property
    def number(self) -> int:
        """The pin, which is there once the settings have been checked."""
        assert self.pin is not None
        return self.pin


class Polar(Wired):
    """Something that is on at one of the two levels."""

    active_high: bool = True
    """Whether a high pin means on; for inputs it counts where `pull` is "none"."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a kind tells the agent: what it does, and its parameters."""

    does: str
    properties: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    side_effect: bool = True
    phrases: tuple[str, ...] = ()


def take(make: Callable[[Any], T], *pins: int) -> T:
    """What `make` makes of the module gpiozero on these pins. Raises Failed."""
    import gpiozero

    # It tells on stderr of each pin library that it does not find, even if another one is there.
    warnings.filterwarnings("ignore", category=gpiozero.PinFactoryFallback)
    named = _named(pins)
    try:
        return make(gpiozero)
    except gpiozero.BadPinFactory as error:
        raise Failed("this machine has no GPIO pins, or no library for them such as lgpio.") from error
    except gpiozero.PinPWMUnsupported as error:
        raise Failed(f"{named} can't do PWM here.") from error
    except gpiozero.GPIOPinInUse as error:
        raise Failed(f"{named} is in use already.") from error
    except Exception as error:
        raise Failed(f"{named} can't be used: {error}.") from error


async def ask(call: Callable[[], T], *pins: int) -> T:
    """The call's result, off the loop. Raises Failed where the pin does not answer."""
    try:
        return await on_a_thread(call)
    # lgpio's own error is a bare Exception.
    except Exception as error:
        raise Failed(f"{_named(pins)} does not answer.") from error


def _named(pins: tuple[int, ...]) -> str:
    return f"pin {pins[0]}" if len(pins) == 1 else f"one of the pins {', '.join(map(str, pins))}"


class Told:
    """Reports a value that was read back where it is another one than before. `value`: None, nothing is known yet."""

    def __init__(self, name: str, report: Report, value: float | None) -> None:
        self._name = name
        self._report = report
        self._value = value

    def tell(self, value: float) -> None:
        if value != self._value:
            self._value = value
            self._report(Switched(self._name, value))


def told(value: float) -> str:
    """A part of 1, as it is said."""
    return "off" if value == 0 else "on" if value == 1 else f"at {value * 100:.0f} percent"
