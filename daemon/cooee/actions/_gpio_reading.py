"""What is measured rather than switched: how it is said, what is believed, and when it sets something off."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from cooee.actions._action import Unsure, where
from cooee.actions._gpio_pins import Declared
from cooee.actions._thread import on_a_thread
from cooee.actions._when import Trigger, When
from cooee.actions._words import PREPOSITIONS, clause, sentence, subject
from cooee.effects import Function

log = logging.getLogger("cooee.actions")

UNITS = {
    "celsius": "degrees Celsius",
    "fahrenheit": "degrees Fahrenheit",
    "cm": "centimetres",
    "inches": "inches",
}
ONE = {"celsius": "degree Celsius", "fahrenheit": "degree Fahrenheit", "cm": "centimetre", "inches": "inch"}
Unit = Literal["celsius", "fahrenheit", "cm", "inches"]


class Unknown(Exception):
    """It could not be measured; str() says why in half a sentence."""


class Measured(When):
    """A number with a unit."""

    unit: Unit | None = None
    """What is told and compared: "celsius" or "fahrenheit", "cm" or "inches"; left out: "celsius" or "cm"."""
    lowest: float | None = None
    """A reading below that is not believed: it is unknown. Left out: what the sensor can measure."""
    highest: float | None = None
    """The same for one above."""
    active_below: float | None = None
    """It is active below that, for on_active and on_inactive."""
    active_above: float | None = None
    """It is active above that."""
    margin: Annotated[float, Field(ge=0)] = 1.0
    """How far it has to come back before it is not active any more."""
    every_s: Annotated[float, Field(ge=0.2, le=3600)] = 5.0
    """How often it is measured unasked, where something waits for it to be active."""


def faults_of(settings: Measured, units: tuple[str, ...]) -> Iterator[str]:
    if settings.unit not in (None, *units):
        yield f'unit must be "{units[0]}" or "{units[1]}"'
    has_bound = settings.active_below is not None or settings.active_above is not None
    if has_bound != bool(settings.on_active or settings.on_inactive):
        yield "on_active and on_inactive need active_below or active_above, and these need one of them"
    if None not in (settings.active_below, settings.active_above) and settings.active_below > settings.active_above:  # type: ignore[operator]
        yield "active_below must be less than active_above"


def declared_of(settings: Measured, does: str) -> Declared:
    """It is also asked for as it is described."""
    thing = subject(settings.description)
    asked = (f"what is {thing[0].lower()}{thing[1:]}",) if re.fullmatch(r"[\w' ]{1,60}", thing) else ()
    return Declared(does, side_effect=False, phrases=asked)


class Reading:
    """`measure` may block; it gives the number in `unit`, and raises Unknown. `stop` ends what it needs."""

    def __init__(
        self,
        function: Function,
        settings: Measured,
        unit: Unit,
        limits: tuple[float, float],
        measure: Callable[[], float],
        trigger: Trigger,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.function = function
        self._settings = settings
        self._unit = unit
        self._lowest = limits[0] if settings.lowest is None else settings.lowest
        self._highest = limits[1] if settings.highest is None else settings.highest
        self._measure = measure
        self._measuring = threading.Lock()
        self._trigger = trigger
        self._stop = stop
        self._is_active = False
        self._closed = threading.Event()
        if trigger.is_set:
            threading.Thread(target=self._watch, name="actions' sensor", daemon=True).start()

    async def run(self, arguments: Mapping[str, Any]) -> str:
        try:
            value = await on_a_thread(self._believed)
        except asyncio.CancelledError:
            raise
        except Unknown as unknown:
            raise self._unsure(str(unknown)) from None
        except Exception as error:
            raise self._unsure("its sensor does not answer") from error
        return _said(self._settings.description, value, self._unit)

    def _unsure(self, why: str) -> Unsure:
        return Unsure(f"{sentence(self._settings.description, 'not known').rstrip('.')}: {why}.")

    def _believed(self) -> float:
        """Raises Unknown for what can't be."""
        with self._measuring:
            value = self._measure()
        if not self._lowest <= value <= self._highest:
            raise Unknown("its sensor tells something that can't be")
        return round(value, 1) if self._unit in ("celsius", "fahrenheit") else round(value)

    def _watch(self) -> None:
        was_known = True
        while not self._closed.is_set():
            try:
                self._compare(self._believed())
                was_known = True
            except Exception as error:
                if was_known and not self._closed.is_set():
                    why = error if isinstance(error, Unknown) else where(error)
                    log.warning("%s: %s; nothing is set off meanwhile", self.function.name, why)
                was_known = False
            self._closed.wait(self._settings.every_s)

    def _compare(self, value: float) -> None:
        slack = self._settings.margin if self._is_active else 0.0
        below, above = self._settings.active_below, self._settings.active_above
        is_active = (below is not None and value < below + slack) or (above is not None and value > above - slack)
        if is_active != self._is_active:
            self._is_active = is_active
            self._trigger.fire(is_active)

    def close(self) -> None:
        self._closed.set()
        self._stop()


def _said(description: str, value: float, unit: Unit) -> str:
    """The distance to the car is so far, the car is so far away; the thermometer shows it."""
    amount = f"{'minus ' if value < 0 else ''}{abs(value):g} {(ONE if abs(value) == 1 else UNITS)[unit]}"
    head = PREPOSITIONS.split(description.lower(), maxsplit=1)[0]
    if re.search(r"(?:thermometer|sensor|probe|gauge|meter)$", head):
        return clause(description, "shows", "show", amount)
    is_place = unit in ("cm", "inches") and not re.search(
        r"\b(?:distance|level|height|depth|length|gap|space|clearance|range)\b", head
    )
    return sentence(description, f"{amount} away" if is_place else amount)
