"""gpiozero, made ready."""

import warnings
from typing import Any


def gpiozero() -> Any:
    """The module gpiozero with its pins found. Raises OSError with a sentence where there are none."""
    import gpiozero

    # It tells on stderr of each pin library that it does not find, even if another one is there.
    warnings.filterwarnings("ignore", category=gpiozero.PinFactoryFallback)
    try:
        gpiozero.Device.ensure_pin_factory()
    except gpiozero.BadPinFactory as error:
        raise OSError("this machine has no GPIO pins, or no library for them such as lgpio") from error
    return gpiozero
