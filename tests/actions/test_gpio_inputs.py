"""What is read from pins and thermometers, and what it sets off."""

import asyncio
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from cooee.actions import Action, Actions, Failed, _when, gpio
from cooee.actions.gpio import Settings
from cooee.effects import Act
from cooee.events import Acted, Doubted, Event, SayWanted, Switched, Triggered

WARM = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
FROST = "c8 ff 4b 46 7f ff 08 10 6c : crc=6c YES\nc8 ff 4b 46 7f ff 08 10 6c t=-3500\n"
WRONG_SUM = WARM.replace("YES", "NO")
SHORTED = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n"
FRESH = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_when, "time", clock)
    return clock


def make(description: str = "The bell", **settings: Any) -> tuple[Action, list[Event]]:
    seen: list[Event] = []
    return gpio.open("it", Settings(description=description, **settings), seen.append), seen


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)


def said(seen: list[Event]) -> list[str]:
    return [event.text for event in seen if isinstance(event, SayWanted)]


@pytest.mark.parametrize(
    ("kind", "level", "told"),
    [
        ("motion", True, "The hall is seeing somebody move."),
        ("motion", False, "The hall is seeing nobody."),
        ("line", True, "The hall is over the line."),
        ("sensor", False, "The hall is on."),
        ("button", True, "The hall is not pressed."),
    ],
)
async def test_each_input_has_its_own_wiring_and_words(pins: MockFactory, kind: str, level: bool, told: str) -> None:
    it, _ = make("The hall", pin=17, kind=kind)
    (pins.pin(17).drive_high if level else pins.pin(17).drive_low)()
    assert await it.run({}) == told
    assert not it.function.side_effect


async def test_a_press_makes_the_speaker_say_something(pins: MockFactory, clock: Clock) -> None:
    _, seen = make(pin=17, kind="button", on_active={"say": "Somebody is at the door.", "urgent": True})
    assert seen == [], "what is so from the start is no news"
    pins.pin(17).drive_low()
    (switched, wanted) = seen
    assert switched == Switched("it", 1.0)
    assert isinstance(wanted, SayWanted) and wanted.is_urgent and wanted.text == "Somebody is at the door."
    pins.pin(17).drive_high()
    clock.now_s += 9
    pins.pin(17).drive_low()
    assert len(said(seen)) == 1, "it has just been said"
    pins.pin(17).drive_high()
    clock.now_s += 2
    pins.pin(17).drive_low()
    assert len(said(seen)) == 2
    ids = [event.id for event in seen if isinstance(event, SayWanted)]
    assert len(set(ids)) == 2


async def test_a_closed_sensor_sets_off_nothing(pins: MockFactory) -> None:
    it, seen = make(pin=17, kind="sensor", on_active={"say": "Hello."})
    it.close()
    it.close()
    pins.pin(17).drive_low()
    assert seen == []


async def test_what_a_sensor_calls_is_done_as_if_somebody_had_asked_but_nothing_says_yes(pins: MockFactory) -> None:
    posted: list[Event] = []
    tables = {
        "hall": Settings(pin=17, description="The motion sensor", kind="motion",
                         on_active={"call": "lamp", "arguments": {"state": "on"}},
                         on_inactive={"call": "lamp", "arguments": {"state": "off"}}),
        "lamp": Settings(pin=18, description="The lamp in the hall"),
        "gate": Settings(pin=22, description="The gate", kind="pulse", pulse_s=0.01),
        "bell": Settings(pin=23, description="The bell", kind="button", on_active={"call": "gate"}),
    }  # fmt: skip
    actions = Actions(tables, posted.append)

    async def act_on_what_was_triggered() -> None:
        for event in [event for event in posted if isinstance(event, Triggered)]:
            posted.remove(event)
            await actions.run(Act(0, event.call))

    pins.pin(17).drive_high()
    await act_on_what_was_triggered()
    assert pins.pin(18).state
    pins.pin(17).drive_low()
    await act_on_what_was_triggered()
    assert not pins.pin(18).state
    assert [event.text for event in posted if isinstance(event, Acted)] == [
        "The lamp in the hall is on.",
        "The lamp in the hall is off.",
    ]
    pins.pin(23).drive_low()
    await act_on_what_was_triggered()
    assert any(isinstance(event, Doubted) for event in posted)
    assert not any(state.state for state in pins.pin(22).states)
    actions.close()


def test_what_a_home_can_do_is_not_known_before_it_is_there() -> None:
    others = {"home": SimpleNamespace(type="home_assistant"), "lamp": SimpleNamespace(type="gpio")}

    def misfits(call: str) -> list[_when.Misfit]:
        settings = Settings(pin=17, description="The bell", kind="button", on_active={"call": call})
        return list(settings.misfits("bell", {**others, "bell": settings}, ()))

    assert not misfits("home_lights")
    ((place, _, sentence),) = misfits("lamp_lights")
    assert place == ("on_active", "call") and "there is no [actions.lamp_lights]" in sentence


class Sender(MockPin):
    """Where the pulse goes out; the echo comes at once, as long as is set here."""

    echo: MockPin | None = None
    echo_s = 0.0
    _at_s = 0.0

    def _set_state(self, value: float) -> None:
        was, _ = self.state, super()._set_state(value)
        if was and not value and self.echo:
            noticed = self.echo.when_changed
            noticed(self._at_s, 1)
            noticed(self._at_s + self.echo_s, 0)
            self._at_s += 1


def sonar(pins: MockFactory, echo_s: float, **settings: Any) -> tuple[Action, list[Event]]:
    sender = pins.pin(23, pin_class=Sender)
    sender.echo, sender.echo_s = pins.pin(24), echo_s
    return make("The distance to the car", trigger=23, echo=24, kind="distance", **settings)


@pytest.fixture
def plain_pins(pins: MockFactory) -> MockFactory:
    pins.pin_class = MockPin
    return pins


async def test_a_distance_is_told_in_centimetres(plain_pins: MockFactory) -> None:
    car, _ = sonar(plain_pins, 0.0101)
    assert await car.run({}) == "The distance to the car is 173 centimetres."
    assert "centimetres: how far away" in car.function.description
    car.close()
    abroad, _ = sonar(plain_pins, 0.0101, unit="inches")
    assert await abroad.run({}) == "The distance to the car is 68 inches."


async def test_a_distance_is_unknown_where_no_echo_comes_also_after_one_did(plain_pins: MockFactory) -> None:
    car, _ = sonar(plain_pins, 0.005)
    await car.run({})
    plain_pins.pin(23).echo = None
    with pytest.raises(Failed, match="there is no echo, so it is not known"):
        await car.run({})


async def test_a_distance_that_can_not_be_is_not_believed(plain_pins: MockFactory) -> None:
    car, _ = sonar(plain_pins, 0.0101, highest=100.0)
    with pytest.raises(Failed, match="tells something that can't be, so it is not known"):
        await car.run({})


async def test_what_comes_near_is_told_of_once(plain_pins: MockFactory) -> None:
    car, seen = sonar(plain_pins, 0.0101, active_below=100.0, every_s=0.2, cooldown_s=0.0, on_active={"say": "Stop."})
    assert "173" in await car.run({})
    assert said(seen) == []
    plain_pins.pin(23).echo_s = 0.002
    await until(lambda: said(seen))
    assert "34" in await car.run({})
    assert said(seen) == ["Stop."]
    car.close()


def thermometer(folder: Path, text: str = WARM, serial: str = "28-0316a2797f21") -> Path:
    (folder / serial).mkdir(exist_ok=True)
    (folder / serial / "w1_slave").write_text(text)
    return folder


def greenhouse(folder: Path, **settings: Any) -> tuple[Action, list[Event]]:
    return make("The temperature in the greenhouse", kind="temperature", folder=str(folder), **settings)


async def test_a_temperature_is_told_with_its_unit(tmp_path: Path) -> None:
    warm, _ = greenhouse(thermometer(tmp_path))
    assert await warm.run({}) == "The temperature in the greenhouse is 23.1 degrees Celsius."
    thermometer(tmp_path, FROST)
    assert await warm.run({}) == "The temperature in the greenhouse is minus 3.5 degrees Celsius."
    abroad, _ = greenhouse(tmp_path, unit="fahrenheit")
    assert await abroad.run({}) == "The temperature in the greenhouse is 25.7 degrees Fahrenheit."


@pytest.mark.parametrize("text", [WRONG_SUM, SHORTED, FRESH, "", "\n", "nonsense", "t=23125"])
async def test_a_temperature_that_can_not_be_read_is_unknown(tmp_path: Path, text: str) -> None:
    broken, _ = greenhouse(thermometer(tmp_path, text))
    with pytest.raises(Failed, match="its thermometer can't be read, so it is not known"):
        await broken.run({})


async def test_a_thermometer_that_is_not_there_and_one_too_many(tmp_path: Path) -> None:
    none, _ = greenhouse(tmp_path)
    with pytest.raises(Failed, match="there is no thermometer"):
        await none.run({})
    thermometer(thermometer(tmp_path), FROST, "28-000000000001")
    with pytest.raises(Failed, match="several thermometers and no serial"):
        await none.run({})
    one, _ = greenhouse(tmp_path, serial="28-000000000001")
    assert "minus 3.5" in await one.run({})
    gone, _ = greenhouse(tmp_path, serial="28-000000000002")
    with pytest.raises(Failed, match="does not answer, so it is not known"):
        await gone.run({})


async def test_a_thermometer_that_takes_its_time_does_not_hold_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    read_text = Path.read_text

    def slowly(path: Path, encoding: str | None = None) -> str:
        assert free.wait(5)
        return read_text(path, encoding)

    monkeypatch.setattr(Path, "read_text", slowly)
    warm, _ = greenhouse(tmp_path, serial="28-000000000001")
    (tmp_path / "28-000000000001").mkdir()
    (tmp_path / "28-000000000001" / "w1_slave").write_text(WARM)
    task = asyncio.create_task(warm.run({}))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    free.set()
    assert "23.1" in await task


async def test_frost_is_told_also_if_it_was_there_from_the_start_and_again_after_a_thaw(tmp_path: Path) -> None:
    warn = {"say": "It is freezing in the greenhouse."}
    it, seen = greenhouse(
        thermometer(tmp_path, FROST), active_below=3.0, every_s=0.2, cooldown_s=0.0, on_active=warn,
        on_inactive={"say": "It has thawed."},
    )  # fmt: skip
    await until(lambda: said(seen))
    thermometer(tmp_path, WRONG_SUM)
    thermometer(tmp_path, WARM)
    await until(lambda: len(said(seen)) == 2)
    thermometer(tmp_path, FROST)
    await until(lambda: len(said(seen)) == 3)
    it.close()
    assert said(seen) == [warn["say"], "It has thawed.", warn["say"]]


async def test_a_temperature_at_the_border_does_not_flutter() -> None:
    from cooee.actions._gpio_reading import Reading
    from cooee.actions._when import Trigger

    settings = Settings(description="The cellar", kind="temperature", active_above=25.0, margin=0.5,
                        cooldown_s=0.0, on_active={"say": "Hot."}, on_inactive={"say": "Cool."})  # fmt: skip
    seen: list[Event] = []
    it = Reading(
        gpio.declare("it", settings), settings, "celsius", (-55, 125), lambda: 0.0, Trigger("it", settings, seen.append)
    )
    it.close()
    for value in (24.9, 25.1, 24.9, 24.6, 25.1, 24.4, 24.9, 25.1):
        it._compare(value)
    assert said(seen) == ["Hot.", "Cool.", "Hot."]


async def test_no_pin_library_is_touched_for_a_thermometer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpiozero import Device

    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    with warnings.catch_warnings():
        warm, _ = greenhouse(thermometer(tmp_path), pin=4)
        assert "23.1" in await warm.run({})
