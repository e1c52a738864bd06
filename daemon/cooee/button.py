"""A button to talk with, on a GPIO pin: pressed to begin, or held while one talks."""

import logging
import warnings
from collections.abc import Callable
from typing import Any

from cooee import settings
from cooee.events import Event, Released, Summoned

log = logging.getLogger("cooee.button")

BY = "button"


class Button:
    """Tells when the button is pressed (`Summoned`) and, where it is held to talk, when it is let go (`Released`).

    A context manager. `post` is called on the pin library's thread, once for each press however it bounces. A button
    that can't be used is one warning.
    """

    def __init__(self, settings: settings.Button, post: Callable[[Event], None]) -> None:
        self._settings = settings
        self._post = post
        self._device: Any = None
        self._is_held = False

    def __enter__(self) -> "Button":
        if self._settings.type == "gpio":
            try:
                self._device = _device(self._settings)
            except OSError as error:
                log.warning("[button]: %s; the speaker goes on without it", error)
            else:
                self._device.when_pressed = self._press
                self._device.when_released = self._release
        return self

    def __exit__(self, *_: object) -> None:
        if self._device is not None:
            self._device.close()

    def _press(self) -> None:
        self._is_held = True
        self._post(Summoned(BY))

    def _release(self) -> None:
        # One that was down already when we came has begun nothing.
        if self._is_held and self._settings.talk == "hold":
            self._post(Released(BY))
        self._is_held = False


def _device(settings: settings.Button) -> Any:
    """Raises OSError with a sentence."""
    import gpiozero

    # It tells on stderr of each pin library that it does not find, even if another one is there.
    warnings.filterwarnings("ignore", category=gpiozero.PinFactoryFallback)
    pull_up = {"up": True, "down": False, "none": None}[settings.pull]
    active_state = settings.active_high if pull_up is None else None
    try:
        return gpiozero.Button(
            settings.pin, pull_up=pull_up, active_state=active_state, bounce_time=settings.debounce_ms / 1000
        )
    except gpiozero.BadPinFactory as error:
        raise OSError("this machine has no GPIO pins, or no library for them such as lgpio") from error
    except gpiozero.GPIOPinInUse as error:
        raise OSError(f"pin {settings.pin} is in use already") from error
    # lgpio's own error is a bare Exception.
    except Exception as error:
        raise OSError(f"pin {settings.pin} can't be used: {error}") from error
