"""Outputs that must not do everything they are asked for."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from cooee.actions import Action, Failed, _gpio_output, gpio
from cooee.actions.gpio import Settings
from cooee.events import Event, Switched


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_gpio_output, "time", clock)
    return clock


def make(name: str = "it", description: str = "The pump", **settings: Any) -> tuple[Action, list[Event]]:
    seen: list[Event] = []
    return gpio.open(name, Settings(description=description, **settings), seen.append), seen


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)


class Stubborn(MockPWMPin):
    """A pin that stays as it is while `is_stuck`."""

    is_stuck = False

    def _set_state(self, value: float) -> None:
        if self.is_stuck:
            raise RuntimeError("GPIO busy")
        super()._set_state(value)


async def test_a_compressor_has_to_rest_also_after_the_start(pins: MockFactory, clock: Clock) -> None:
    fridge, seen = make(pin=17, min_off_s=180.0)
    with pytest.raises(Failed, match=r"The pump has to rest for 3 minutes; it stays off and can go on in 3 minutes\."):
        await fridge.run({"state": "on"})
    clock.now_s += 100
    with pytest.raises(Failed, match="can go on in 80 seconds"):
        await fridge.run({"state": "toggle"})
    clock.now_s += 80
    assert await fridge.run({"state": "on"}) == "The pump is on."
    assert await fridge.run({"state": "off"}) == "The pump is off."
    with pytest.raises(Failed, match="can go on in 3 minutes"):
        await fridge.run({"state": "on"})
    assert await fridge.run({"state": "off"}) == "The pump is off.", "what it is already, it may be"
    assert seen == [Switched("it", 1.0), Switched("it", 0.0)]


async def test_a_pump_runs_its_time_but_not_beyond_the_end_of_the_speaker(pins: MockFactory, clock: Clock) -> None:
    pump, _ = make(pin=17, min_on_s=60.0)
    await pump.run({"state": "on"})
    clock.now_s += 10
    with pytest.raises(Failed, match=r"has to run for 60 seconds; it stays on and can go off in 50 seconds\."):
        await pump.run({"state": "off"})
    assert pins.pin(17).state
    pump.close()
    assert not pins.pin(17).state


async def test_saying_on_again_does_not_make_it_run_longer(pins: MockFactory, clock: Clock) -> None:
    pump, _ = make(pin=17, min_on_s=60.0)
    await pump.run({"state": "on"})
    clock.now_s += 40
    await pump.run({"state": "on"})
    clock.now_s += 20
    assert await pump.run({"state": "off"}) == "The pump is off."


async def test_a_heater_goes_off_by_itself_also_while_the_loop_hangs(pins: MockFactory) -> None:
    heater, seen = make(pin=17, max_on_s=0.05)
    assert "goes off by itself after 0.05 seconds" in heater.function.description
    await heater.run({"state": "on"})
    deadline_s = time.monotonic() + 5
    while pins.pin(17).state and time.monotonic() < deadline_s:
        time.sleep(0.005)
    assert not pins.pin(17).state
    await until(lambda: len(seen) == 2)
    assert seen == [Switched("it", 1.0), Switched("it", 0.0)]


async def test_a_heater_that_does_not_go_off_is_tried_again(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_gpio_output, "RETRY_S", 0.01)
    pins.pin_class = Stubborn
    heater, _ = make(pin=17, max_on_s=0.02)
    await heater.run({"state": "on"})
    pins.pin(17).is_stuck = True
    await until(lambda: "pin 17 could not be switched off after its time" in caplog.text)
    with pytest.raises(Failed, match="pin 17 does not answer"):
        await heater.run({"state": "off"})
    assert pins.pin(17).state
    pins.pin(17).is_stuck = False
    await until(lambda: not pins.pin(17).state)


class Alarm:
    """A timer that goes off when it is told to."""

    all: ClassVar[list["Alarm"]] = []

    def __init__(self, delay_s: float, ring: Callable[[], None]) -> None:
        self.delay_s, self.ring, self.is_set, self.daemon = delay_s, ring, False, False
        self.all.append(self)

    def start(self) -> None:
        self.is_set = True

    def cancel(self) -> None:
        self.is_set = False


async def test_its_time_begins_anew_when_it_is_asked_for_again(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Alarm, "all", [])
    monkeypatch.setattr(_gpio_output.threading, "Timer", Alarm)
    heater, _ = make(pin=17, max_on_s=60.0)
    await heater.run({"state": "on"})
    await heater.run({"state": "on"})
    assert [alarm.is_set for alarm in Alarm.all] == [False, True]
    await heater.run({"state": "off"})
    assert [alarm.is_set for alarm in Alarm.all] == [False, False]
    await heater.run({"state": "on"})
    heater.close()
    assert [(alarm.delay_s, alarm.is_set) for alarm in Alarm.all] == [(60, False)] * 3


def blind(**settings: Any) -> tuple[Action, Action]:
    up, _ = make("up", "The blind's motor up", pin=17, interlock="down", **settings)
    down, _ = make("down", "The blind's motor down", pin=18, interlock="up", **settings)
    return up, down


async def test_the_two_directions_of_a_motor_are_never_on_at_once(pins: MockFactory) -> None:
    up, down = blind()
    await up.run({"state": "on"})
    with pytest.raises(Failed, match=r"The blind's motor up is on, and both must never be on at once"):
        await down.run({"state": "on"})
    assert (pins.pin(17).state, pins.pin(18).state) == (1, 0)
    await up.run({"state": "off"})
    assert await down.run({"state": "on"}) == "The blind's motor down is on."


async def test_not_even_when_both_are_asked_for_in_the_same_moment(pins: MockFactory) -> None:
    both = []

    class Watched(MockPWMPin):
        def _set_state(self, value: float) -> None:
            super()._set_state(value)
            both.append(all(pin.state for pin in self.factory.pins.values()) and len(self.factory.pins) == 2)

    pins.pin_class = Watched
    up, down = blind()
    for _ in range(30):
        calls = [each.run({"state": "toggle"}) for each in (up, down, up, down)]
        await asyncio.gather(*calls, return_exceptions=True)
    assert both and not any(both)


async def test_one_whose_other_can_not_be_asked_stays_off(pins: MockFactory) -> None:
    up, _ = make("up", pin=17, interlock="nowhere")
    with pytest.raises(Failed, match="must never be on together with nowhere, which can't be asked"):
        await up.run({"state": "on"})
    assert not pins.pin(17).state


async def test_one_that_does_not_tell_counts_as_on(pins: MockFactory) -> None:
    pins.pin_class = Stubborn
    up, down = blind()
    pins.pin(17).is_stuck = True
    with pytest.raises(Failed, match="pin 17 does not answer"):
        await up.run({"state": "on"})
    with pytest.raises(Failed, match="both must never be on"):
        await down.run({"state": "on"})
