"""Mute outlives a restart; a switch on a pin mutes, and a line on another tells that it is so.

Where there is a switch, its change wins: closed it mutes, opened it unmutes, whatever was wanted before. Under a closed
one nothing else unmutes. What others (commands, the button, Home Assistant) have muted is kept, under a closed switch
as well; so from the start it is muted if either says so.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from cooee import pins
from cooee.effects import Capture, Effect
from cooee.events import Event, MicShut, Muted, Unmuted
from cooee.kept import Kept
from cooee.settings import Pin, Table

log = logging.getLogger("cooee.mute")

BY = "switch"
LIMIT_S = 8.0
"""Longer than a card may hang before a new process is to help."""
POLL_S = 0.02


class NotSo(Exception):
    """It is not as it was wanted; str() is a sentence."""


class Settings(Table):
    """Pins about mute, which shuts the microphone and outlives a restart."""

    switch: Literal["none", "gpio"] = "none"
    """"gpio": a switch on a pin mutes while it is closed, and nothing else can unmute then; opened, it unmutes."""
    switch_pin: Pin = 5
    """The switch's GPIO number."""
    switch_pull: Literal["up", "down"] = "up"
    """Which way the pin is pulled; the switch connects it to the other side."""
    line: Literal["none", "gpio"] = "none"
    """"gpio": a pin is on while the speaker is muted, for a LED or for what takes the microphone its power."""
    line_pin: Annotated[Pin, Field(validate_default=True)] = 6
    """The line's GPIO number."""
    line_active_high: bool = True
    """Whether on is high."""

    @field_validator("line_pin")
    @classmethod
    def _is_another(cls, pin: int, info: ValidationInfo) -> int:
        both = (info.data.get("switch"), info.data.get("line")) == ("gpio", "gpio")
        if both and pin == info.data.get("switch_pin"):
            raise ValueError("is switch_pin already; each pin has one owner")
        return pin

    def pins(self) -> tuple[int, ...]:
        """The GPIO pins that it takes."""
        used = ((self.switch, self.switch_pin), (self.line, self.line_pin))
        return tuple(pin for kind, pin in used if kind == "gpio")


class Mute:
    """A context manager. `post` is called on any thread. A pin that can't be used is one warning.

    `is_shut(timeout_s)` says whether the capture device is closed, or comes to be within the time. `is_on`: whether the
    microphone is to be shut, also from the very start. `watch` is to be told every event and effect; MicShut follows
    when the microphone is shut and that is on the disk.
    """

    def __init__(
        self,
        settings: Settings,
        kept: Kept,
        post: Callable[[Event], None],
        is_shut: Callable[[float], bool] = lambda timeout_s: True,
    ) -> None:
        self._settings, self._kept, self._post, self._is_shut = settings, kept, post, is_shut
        self._switch: Any = None
        self._line: Any = None
        self._is_held = False
        self.is_on = self._is_kept = kept.get("muted") == "yes"
        self._written: Future[None] | None = None
        self._awaited: list[tuple[Event, asyncio.Future[None]]] = []
        self._telling: asyncio.Task[None] | None = None

    def __enter__(self) -> "Mute":
        table = self._settings
        self._switch = self._open(table.switch, lambda: pins.button(table.switch_pin, table.switch_pull, False, 20))
        if self._switch is not None:
            self._switch.when_pressed = lambda: self._post(Muted(BY, is_switch=True))
            self._switch.when_released = lambda: self._post(Unmuted(BY, is_switch=True))
        is_closed = self._switch is not None and bool(self._switch.is_pressed)
        if self.is_on:
            self._post(Muted("restart"))
        if is_closed:
            self._post(Muted(BY, is_switch=True))
        self.is_on = self.is_on or is_closed
        self._line = self._open(table.line, lambda: _line(table.line_pin, table.line_active_high, self.is_on))
        return self

    def __exit__(self, *_: object) -> None:
        for device in (self._switch, self._line):
            if device is not None:
                device.close()

    async def obey(self, wish: Muted | Unmuted) -> None:
        """Post it; returns when it is so and a restart keeps it. Raises NotSo."""
        wants_on = isinstance(wish, Muted)
        if self._is_held and not wants_on:
            raise NotSo("the switch on the speaker says mute, and only the switch can open the microphone then")
        awaited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.append((wish, awaited))
        self._post(wish)
        try:
            async with asyncio.timeout(LIMIT_S):
                await awaited
        except TimeoutError:
            raise NotSo("the speaker did not tell whether it was done") from None
        if self.is_on is not wants_on:
            raise NotSo("somebody else wanted the opposite at the same moment, and has it")
        await self._settle()
        if not self._kept.is_safe:
            how = "shut" if wants_on else "open"
            raise NotSo(f"the microphone is {how}, but a restart may change that: the disk can't be written to")

    def watch(self, now: float, item: Event | Effect) -> None:
        """Takes it before it is done."""
        match item:
            case Muted(is_switch=True):
                self._is_held = True
            case Muted():
                self._keep(is_on=True)
            case Unmuted(is_switch=True):
                self._is_held = False
            case Capture():
                self._show(is_on=not item.on)
        if isinstance(item, Muted | Unmuted):
            for wish, awaited in self._awaited:
                if wish is item and not awaited.done():
                    # Behind what the loop does now: the effects of the event.
                    awaited.get_loop().call_soon(_done, awaited)
            self._awaited = [each for each in self._awaited if each[0] is not item]

    def _show(self, *, is_on: bool) -> None:
        self.is_on = is_on
        if self._line is not None:
            self._line.value = is_on
        self._keep(is_on=is_on and (self._is_kept or not self._is_held))
        if self._telling:
            self._telling.cancel()
        if is_on:
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        try:
            await self._settle()
        except NotSo as fault:
            log.warning("%s", fault)
        else:
            self._post(MicShut())

    async def _settle(self) -> None:
        """Until the microphone is shut, if it is to be, and that is on the disk. Raises NotSo."""
        late = "the sound card does not let go of the microphone"
        try:
            async with asyncio.timeout(LIMIT_S):
                while self.is_on and not self._is_shut(0.0):  # noqa: ASYNC110 (it is a thread that shuts it)
                    await asyncio.sleep(POLL_S)
                late = "the disk does not say whether it has it, so a restart may change mute"
                if self._written:
                    await asyncio.wrap_future(self._written)
        except (TimeoutError, RuntimeError):
            raise NotSo(late) from None

    def _keep(self, *, is_on: bool) -> None:
        if is_on is not self._is_kept:
            self._is_kept = is_on
            self._written = self._kept.set("muted", "yes" if is_on else "", is_durable=True)

    def _open(self, kind: str, open_pin: Callable[[], Any]) -> Any:
        if kind == "none":
            return None
        try:
            return open_pin()
        except OSError as error:
            log.warning("[mute]: %s; the speaker goes on without it", error)
            return None


def _line(pin: int, active_high: bool, is_on: bool) -> Any:
    """Raises OSError."""
    import gpiozero

    with pins.sentences(pin):
        return gpiozero.OutputDevice(pin, active_high=active_high, initial_value=is_on)


def _done(awaited: asyncio.Future[None]) -> None:
    if not awaited.done():
        awaited.set_result(None)
