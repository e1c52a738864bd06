"""One pin factory for all rooms: lights, button and actions open on threads of their own and could make one each."""

import logging
import warnings

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
