"""A button on a GPIO pin: held while one talks, or pressed once, twice or long for what the config says."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from cooee import pins, settings
from cooee.events import Event, LoudnessWanted, MuteToggled, Released, Stopped, Summoned

log = logging.getLogger("cooee.button")

BY = "button"
STEP_PERCENT = 10
WISHES: dict[str, tuple[Event, ...]] = {
    "talk": (Summoned(BY),),
    "stop": (Stopped(BY),),
    "mute": (MuteToggled(BY),),
    "volume_up": (LoudnessWanted(BY, STEP_PERCENT),),
    "volume_down": (LoudnessWanted(BY, -STEP_PERCENT),),
    "none": (),
}


class Button:
    """Tells what the button's presses mean; where it is held to talk, when it is pressed (`Summoned`) and let go
    (`Released`).

    A context manager. `post` is called on the pin library's thread or a timer's, once however the contacts bounce. A
    button that can't be used is one warning.
    """

    def __init__(self, settings: settings.Button, post: Callable[[Event], None]) -> None:
        self._settings = settings
        self._post = post
        self._device: Any = None
        self._is_held = False
        self._presses = 0
        self._waiting: threading.Timer | None = None
        self._changing = threading.Lock()

    def __enter__(self) -> "Button":
        table = self._settings
        if table.type == "gpio":
            try:
                self._device = pins.button(table.pin, table.pull, table.active_high, table.debounce_ms, table.long_s)
            except OSError as error:
                log.warning("[button]: %s; the speaker goes on without it", error)
            else:
                is_held = table.talk == "hold"
                self._device.when_pressed = self._hold if is_held else self._press
                self._device.when_released = self._let_go if is_held else self._release
                if not is_held and table.long != "none":
                    self._device.when_held = self._long
        return self

    def __exit__(self, *_: object) -> None:
        if self._device is not None:
            self._device.close()
        with self._changing:
            self._forget()

    def _hold(self) -> None:
        self._is_held = True
        self._post(Summoned(BY))

    def _let_go(self) -> None:
        # One that was down already when we came has begun nothing.
        if self._is_held:
            self._post(Released(BY))
        self._is_held = False

    def _press(self) -> None:
        table = self._settings
        if table.double == table.long == "none":
            self._wish(table.short)
            return
        with self._changing:
            if self._waiting:
                self._waiting.cancel()
            self._presses += 1

    def _release(self) -> None:
        with self._changing:
            if self._presses == 1 and self._settings.double != "none":
                self._waiting = threading.Timer(self._settings.double_s, self._lapse)
                self._waiting.daemon = True
                self._waiting.start()
                return
            presses = self._forget()
        if presses:
            self._wish(self._settings.short if presses == 1 else self._settings.double)

    def _lapse(self) -> None:
        """No second press has come, unless it has just now."""
        with self._changing:
            presses = self._forget() if self._presses == 1 else 0
        if presses:
            self._wish(self._settings.short)

    def _long(self) -> None:
        with self._changing:
            presses = self._forget()
        if presses:
            self._wish(self._settings.long)

    def _forget(self) -> int:
        """How many presses there were."""
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        presses, self._presses = self._presses, 0
        return presses

    def _wish(self, name: str) -> None:
        for event in WISHES[name]:
            self._post(event)
