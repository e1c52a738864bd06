from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin
from hypothesis import settings

from hass import hass as hass

# How long an example takes is the machine's affair.
settings.register_profile("cooee", deadline=None)
settings.load_profile("cooee")


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Pins that can do PWM and remember every state they had."""
    before, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before
