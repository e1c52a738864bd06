"""One pin factory for all rooms: lights, button and actions open on threads of their own and could make one each."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

log = logging.getLogger("cooee.pins")


def open_factory() -> None:
    """Have gpiozero choose its pin library now, if there is one."""
    import gpiozero

    try:
        with warnings.catch_warnings():
            # One for each library that is not here; whoever needs a pin says in a sentence that there is none.
            warnings.simplefilter("ignore", gpiozero.PinFactoryFallback)
            gpiozero.Device.ensure_pin_factory()
    except gpiozero.BadPinFactory:
        log.debug("no GPIO pins here")


@contextlib.contextmanager
def sentences(pin: int) -> Iterator[None]:
    """Whatever the pin library raises for the pin is an OSError with a sentence."""
    import gpiozero

    # It tells on stderr of each pin library that it does not find, even if another one is there.
    warnings.filterwarnings("ignore", category=gpiozero.PinFactoryFallback)
    try:
        yield
    except gpiozero.BadPinFactory as error:
        raise OSError("this machine has no GPIO pins, or no library for them such as lgpio") from error
    except gpiozero.GPIOPinInUse as error:
        raise OSError(f"pin {pin} is in use already") from error
    # lgpio's own error is a bare Exception.
    except Exception as error:
        raise OSError(f"pin {pin} can't be used: {error}") from error


def button(pin: int, pull: str, active_high: bool, debounce_ms: int, hold_s: float = 1.0) -> Any:
    """gpiozero's button. Raises OSError with a sentence."""
    import gpiozero

    pull_up = {"up": True, "down": False, "none": None}[pull]
    with sentences(pin):
        return gpiozero.Button(
            pin,
            pull_up=pull_up,
            active_state=active_high if pull_up is None else None,
            bounce_time=debounce_ms / 1000,
            hold_time=hold_s,
        )
