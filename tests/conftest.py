import os
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin
from hypothesis import settings

from beside import Beside
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


BESIDE = pytest.StashKey[dict[str, Beside]]()


def soak() -> Beside:
    seconds = float(os.environ.get("COOEE_SOAK_S", "600"))
    return Beside("faults.soak", seconds, seconds + 180)


def kills() -> Beside:
    return Beside("kills", int(os.environ.get("COOEE_KILLS", "100")), 900, is_patient=True)


LONG = {"soaking": soak, "killing": kills}


def long(item: pytest.Item) -> set[str]:
    return LONG.keys() & set(getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes beside all other tests is looked at last of all."""
    items.sort(key=lambda item: bool(long(item)))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    is_wanted = not session.config.option.collectonly
    names = {name for item in session.items for name in long(item)} if is_wanted else set()
    running = session.stash[BESIDE] = {name: LONG[name]() for name in names}
    try:
        return (yield)
    finally:
        for each in running.values():
            each.stop()


@pytest.fixture
def soaking(request: pytest.FixtureRequest) -> Beside:
    return request.session.stash[BESIDE]["soaking"]


@pytest.fixture
def killing(request: pytest.FixtureRequest) -> Beside:
    return request.session.stash[BESIDE]["killing"]
