"""A servo that turns to an angle."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from cooee.actions._action import Failed, Report
from cooee.actions._gpio_pins import PWM_STEP, Declared, OnPin, ask, take
from cooee.actions._words import clause
from cooee.effects import Function

FREQUENCY_HZ = 50

Angle = Annotated[int, Field(ge=0, le=360)]
Width = Annotated[float, Field(ge=0.3, le=3.0)]


class Servo(OnPin):
    """An angle in degrees."""

    min_angle: Angle = 0
    """It is never turned to less, in degrees."""
    max_angle: Angle = 180
    """It is never turned to more."""
    travel_deg: Annotated[int, Field(ge=10, le=360)] = 180
    """How far it turns from the shortest pulse to the longest."""
    min_pulse_ms: Width = 1.0
    """The pulse at 0 degrees; begin with 1.0, for a servo that is driven into its stop burns."""
    max_pulse_ms: Width = 2.0
    """The pulse at travel_deg."""
    initial_angle: Angle | None = None
    """Where it is turned to at start and at the end; left out: it stays as it is."""
    move_s: Annotated[float, Field(gt=0, le=10)] = 0.8
    """How long the longest way takes."""
    detach: bool = True
    """Whether it is let go when it has moved: it does not hum, and holds nothing heavy."""


def faults(settings: Servo) -> Iterator[str]:
    if not settings.min_angle < settings.max_angle <= settings.travel_deg:
        yield f"min_angle must be less than max_angle, and that at most travel_deg ({settings.travel_deg})"
    if settings.min_pulse_ms >= settings.max_pulse_ms:
        yield "min_pulse_ms must be less than max_pulse_ms"
    if settings.move_s >= settings.time_limit_s:
        yield f"move_s must be shorter than time_limit_s ({settings.time_limit_s:g})"
    first = settings.initial_angle
    if first is not None and not settings.min_angle <= first <= settings.max_angle:
        yield f"initial_angle must be from min_angle ({settings.min_angle}) to max_angle ({settings.max_angle})"


def declared(settings: Servo) -> Declared:
    low, high = settings.min_angle, settings.max_angle
    angle = {"type": "integer", "minimum": low, "maximum": high, "description": "Where to, in degrees."}
    return Declared("Turns it to an angle.", {"angle": angle}, ("angle",))


class Arm:
    """Raises Failed where there is no such pin, or no PWM."""

    def __init__(self, function: Function, name: str, settings: Servo, report: Report) -> None:
        self.function = function
        self._settings = settings
        self._turn = asyncio.Lock()
        self._device = take(lambda zero: zero.PWMOutputDevice(settings.number, frequency=FREQUENCY_HZ), settings.number)
        if settings.initial_angle is not None:
            self._send(settings.initial_angle)
            letting_go = threading.Timer(settings.move_s, self._let_go)
            letting_go.daemon = True
            letting_go.start()

    async def run(self, arguments: Mapping[str, Any]) -> str:
        angle = arguments["angle"]
        async with self._turn:
            await ask(lambda: self._send(angle), self._settings.number)
            try:
                await asyncio.sleep(self._settings.move_s)
            finally:
                await ask(self._let_go, self._settings.number)
        # It has no way to tell where it is.
        return clause(self._settings.description, "was", "were", f"sent to {angle} degrees")

    def _send(self, angle: int) -> None:
        least, most = self._settings.min_pulse_ms, self._settings.max_pulse_ms
        width_ms = least + (most - least) * angle / self._settings.travel_deg
        factory = self._device.pin_factory
        if type(factory).__name__ == "LGPIOFactory":
            # gpiozero gives lgpio whole percents of 20 ms, in which a servo has five positions.
            import lgpio  # type: ignore[import-not-found]

            lgpio.tx_servo(factory._handle, self._settings.number, round(width_ms * 1000), FREQUENCY_HZ)
            return
        duty = width_ms * FREQUENCY_HZ / 1000
        self._device.value = duty
        if abs(self._device.value - duty) > PWM_STEP:
            raise Failed("its pin does not follow.")

    def _let_go(self) -> None:
        if self._settings.detach and not self._device.closed:
            self._device.value = 0

    def close(self) -> None:
        if self._device.closed:
            return
        if self._settings.initial_angle is not None:
            self._send(self._settings.initial_angle)
            threading.Event().wait(self._settings.move_s)
        self._device.value = 0
        self._device.close()
