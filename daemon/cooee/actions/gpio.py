"""What hangs on a pin: lamps and relays, dimmers, door openers, buttons and contacts."""

import asyncio
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from cooee.actions import ActionTable, Failed, Report
from cooee.actions._thread import on_a_thread
from cooee.actions._words import sentence, subject
from cooee.effects import Function
from cooee.events import Switched
from cooee.settings import Pin

T = TypeVar("T")

_ONLY_FOR = {
    "initial": ("output", "pwm"),
    "pulse_s": ("output", "pulse"),
    "pull": ("button", "sensor"),
    "active_text": ("button", "sensor"),
    "inactive_text": ("button", "sensor"),
}
_WORDS = {"button": ("pressed", "not pressed"), "sensor": ("on", "off")}
PWM_STEP = 0.0101
"""The pin libraries keep whole percents of a duty cycle, rounded down."""


class Settings(ActionTable):
    """Something on one GPIO pin. `pin` and `description` are all that a lamp needs."""

    type: Literal["gpio"] = "gpio"
    """A GPIO pin."""
    pin: Pin
    """The GPIO number (not the number on the header)."""
    kind: Literal["output", "pulse", "pwm", "button", "sensor"] = "output"
    """output: on and off; pulse: only on for `pulse_s`, such as a door opener; pwm: a level; button, sensor: read."""
    active_high: bool = True
    """Whether a high pin means on; for a button or a sensor it counts where `pull` is "none"."""
    initial: Literal["off", "on"] = "off"
    """The safe state: how an output is left at start and at the end."""
    pulse_s: Annotated[float, Field(ge=0, le=30)] = 0.0
    """How long a pulse is; 0: an output has none."""
    pull: Literal["up", "down", "none"] = "up"
    """Which way an input is pulled; what connects it to the other side makes it active."""
    active_text: Annotated[str, Field(max_length=60)] = ""
    """How an active input is told: "open" -> "The back door is open."; left out: "pressed" or "on"."""
    inactive_text: Annotated[str, Field(max_length=60)] = ""
    """How an input is told that is not active; left out: "not pressed" or "off"."""

    def pins(self) -> tuple[int, ...]:
        return (self.pin,)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        faults = [
            f'{name} means nothing for kind = "{self.kind}", only for {" and ".join(kinds)}'
            for name, kinds in _ONLY_FOR.items()
            if self.kind not in kinds and getattr(self, name) != Settings.model_fields[name].default
        ]
        if self.kind == "pulse" and not self.pulse_s:
            faults.append('kind = "pulse" needs pulse_s, the length of the pulse in seconds, such as 0.5')
        if self.pulse_s >= self.time_limit_s:
            faults.append(f"pulse_s must be shorter than time_limit_s ({self.time_limit_s:g})")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def words(self) -> tuple[str, str]:
        """How active and inactive are told."""
        active, inactive = _WORDS.get(self.kind, ("on", "off"))
        return self.active_text or active, self.inactive_text or inactive


def declare(name: str, settings: Settings) -> Function:
    properties: dict[str, Any] = {}
    required: list[str] = []
    match settings.kind:
        case "output":
            states = ["on", "off", "toggle", *(["pulse"] if settings.pulse_s else [])]
            properties["state"] = {"type": "string", "enum": states, "description": "toggle: the opposite of now."}
            required = ["state"]
            does = "Switches it on or off."
        case "pulse":
            does = f"Switches it on for {settings.pulse_s:g} s and off again."
        case "pwm":
            about = "How strong, in percent; 0 is off."
            properties["level"] = {"type": "integer", "minimum": 0, "maximum": 100, "description": about}
            properties["state"] = {"type": "string", "enum": ["on", "off"], "description": "Instead of a level."}
            does = "Sets its level, or switches it on or off."
        case _:
            does = f"Tells whether it is {' or '.join(settings.words())}."
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    about = f"{settings.description.rstrip('. ')}. {does}"
    return Function(name, about, schema, side_effect=settings.kind not in _WORDS)


def open(name: str, settings: Settings, report: Report) -> "Gpio":
    return Gpio(name, settings, report)


class Gpio:
    """Raises Failed where there is no such pin."""

    def __init__(self, name: str, settings: Settings, report: Report) -> None:
        self.function = declare(name, settings)
        self._name = name
        self._settings = settings
        self._report = report
        self._turn = asyncio.Lock()
        self._initial = float(settings.initial == "on")
        self._device = _device(settings, self._initial)
        self._reported = self._initial if settings.kind not in _WORDS else None

    async def run(self, arguments: Mapping[str, Any]) -> str:
        async with self._turn:
            match self._settings.kind:
                case "pulse":
                    return await self._pulse()
                case "pwm":
                    return await self._write(_level(arguments))
                case "button" | "sensor":
                    active, inactive = self._settings.words()
                    return self._say(active if await self._read() else inactive)
            match arguments["state"]:
                case "pulse":
                    return await self._pulse()
                case "toggle":
                    return await self._write(1.0 - await self._read())
                case state:
                    return await self._write(float(state == "on"))

    async def _pulse(self) -> str:
        try:
            await self._write(1.0)
            await asyncio.sleep(self._settings.pulse_s)
        finally:
            await self._write(0.0)
        seconds = "1 second" if self._settings.pulse_s == 1 else f"{self._settings.pulse_s:g} seconds"
        return f"{subject(self._settings.description)} went on for {seconds} and off again."

    async def _write(self, value: float) -> str:
        """Raises Failed where the pin does not follow."""

        def write() -> None:
            self._device.value = value

        await self._ask(write)
        is_now = await self._read()
        if abs(is_now - value) > (PWM_STEP if self._settings.kind == "pwm" else 0):
            raise Failed(self._say(f"still {_told(is_now)}"))
        return self._say(_told(value))

    async def _read(self) -> float:
        value = await self._ask(lambda: float(self._device.value))
        if value != self._reported:
            self._reported = value
            self._report(Switched(self._name, value))
        return value

    async def _ask(self, call: Callable[[], T]) -> T:
        try:
            return await on_a_thread(call)
        # lgpio's own error is a bare Exception.
        except Exception as error:
            raise Failed(f"pin {self._settings.pin} does not answer.") from error

    def _say(self, predicate: str) -> str:
        return sentence(self._settings.description, predicate)

    def close(self) -> None:
        if self._settings.kind not in _WORDS:
            self._device.value = self._initial
        self._device.close()


def _level(arguments: Mapping[str, Any]) -> float:
    level, state = arguments.get("level"), arguments.get("state")
    if level is None and state is None:
        raise Failed("level is missing; it has to be a whole number from 0 to 100.")
    if state == "off" and level:
        raise Failed(f"it can't be off and at {level} percent at once.")
    return float(state == "on") if level is None else level / 100


def _told(value: float) -> str:
    return "off" if value == 0 else "on" if value == 1 else f"at {value * 100:.0f} percent"


def _device(settings: Settings, initial: float) -> Any:
    import gpiozero

    # It tells on stderr of each pin library that it does not find, even if another one is there.
    warnings.filterwarnings("ignore", category=gpiozero.PinFactoryFallback)
    try:
        if settings.kind == "pwm":
            return gpiozero.PWMOutputDevice(settings.pin, active_high=settings.active_high, initial_value=initial)
        if settings.kind in _WORDS:
            pull_up = {"up": True, "down": False, "none": None}[settings.pull]
            active_state = settings.active_high if pull_up is None else None
            return gpiozero.InputDevice(settings.pin, pull_up=pull_up, active_state=active_state)
        return gpiozero.OutputDevice(settings.pin, active_high=settings.active_high, initial_value=bool(initial))
    except gpiozero.BadPinFactory as error:
        raise Failed("this machine has no GPIO pins, or no library for them such as lgpio.") from error
    except gpiozero.PinPWMUnsupported as error:
        raise Failed(f"pin {settings.pin} can't do PWM here.") from error
    except gpiozero.GPIOPinInUse as error:
        raise Failed(f"pin {settings.pin} is in use already.") from error
    except Exception as error:
        raise Failed(f"pin {settings.pin} can't be used: {error}.") from error
