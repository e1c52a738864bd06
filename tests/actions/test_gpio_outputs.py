"""Outputs that must not do everything they are asked for, and all that is more than on and off."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from cooee.actions import Action, Failed, _gpio_output, gpio
from cooee.actions._gpio_rgb import COLOURS
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


async def test_a_fade_passes_by_the_levels_between_and_ends_where_it_was_asked_to(pins: MockFactory) -> None:
    lamp, seen = make(description="The lamp", pin=17, kind="pwm", fade_s=0.3)
    assert await lamp.run({"level": 60}) == "The lamp is at 60 percent."
    states = [state.state for state in pins.pin(17).states]
    assert states == sorted(states) and len(states) >= 6 and states[-1] == pytest.approx(0.6)
    assert seen == [Switched("it", 0.6)]


async def test_a_fade_that_is_cancelled_goes_back(pins: MockFactory) -> None:
    lamp, _ = make(description="The lamp", pin=17, kind="pwm", fade_s=5.0)
    task = asyncio.create_task(lamp.run({"level": 100}))
    await until(lambda: pins.pin(17).state > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pins.pin(17).state == 0


async def test_a_motor_turns_from_its_least_duty_cycle_to_its_most(pins: MockFactory) -> None:
    fan, seen = make(description="The fan", pin=17, kind="pwm", min_percent=30, max_percent=80)
    for level, duty in ((1, 0.305), (50, 0.55), (100, 0.8), (0, 0.0)):
        await fan.run({"level": level})
        assert pins.pin(17).state == pytest.approx(duty)
    assert await fan.run({"level": 50}) == "The fan is at 50 percent."
    assert [event.value for event in seen if isinstance(event, Switched)] == [0.01, 0.5, 1.0, 0.0, 0.5]


async def test_a_strip_keeps_what_is_not_spoken_of(pins: MockFactory) -> None:
    strip, _ = make(description="The strip on the shelf", kind="rgb", red=5, green=6, blue=13)

    def shines() -> tuple[float, ...]:
        return tuple(round(pins.pin(pin).state, 2) for pin in (5, 6, 13))

    assert shines() == (0, 0, 0)
    assert await strip.run({"colour": "blue"}) == "The strip on the shelf is blue."
    assert shines() == (0, 0, 1)
    assert await strip.run({"level": 40}) == "The strip on the shelf is blue at 40 percent."
    assert shines() == (0, 0, 0.4)
    assert await strip.run({"state": "off"}) == "The strip on the shelf is off."
    assert shines() == (0, 0, 0)
    assert await strip.run({"state": "on"}) == "The strip on the shelf is blue at 40 percent."
    assert await strip.run({"colour": "red", "level": 100}) == "The strip on the shelf is red."
    assert shines() == (1, 0, 0)
    for wrong in ({}, {"state": "off", "colour": "red"}, {"level": 0, "colour": "red"}):
        with pytest.raises(Failed):
            await strip.run(wrong)
    assert shines() == (1, 0, 0)
    strip.close()
    assert shines() == (0, 0, 0)


@pytest.mark.parametrize("active_high", [True, False])
async def test_every_colour_and_level_holds_on_pins_that_round_down(pins: MockFactory, active_high: bool) -> None:
    class Percents(MockPWMPin):
        def _set_state(self, value: float) -> None:
            super()._set_state(int(value * 100) / 100)

    pins.pin_class = Percents
    strip, _ = make(description="The strip", kind="rgb", red=5, green=6, blue=13, active_high=active_high)
    for colour in COLOURS:
        for level in (1, 33, 99):
            assert await strip.run({"colour": colour, "level": level}) == f"The strip is {colour} at {level} percent."


async def test_a_servo_turns_to_its_angle_and_is_let_go(pins: MockFactory) -> None:
    vent, _ = make(description="The vent", pin=17, kind="servo", move_s=0.02)
    assert await vent.run({"angle": 45}) == "The vent is sent to 45 degrees."
    widths_ms = [round(state.state * 20, 3) for state in pins.pin(17).states]
    assert widths_ms == [0, 1.25, 0]
    assert pins.pin(17).frequency == 50


async def test_a_servo_can_not_be_asked_for_more_than_it_may(pins: MockFactory) -> None:
    vent, _ = make(description="The vent", pin=17, kind="servo", min_angle=30, max_angle=90)
    angle = vent.function.parameters["properties"]["angle"]
    assert (angle["minimum"], angle["maximum"]) == (30, 90)


async def test_a_servo_goes_home_at_start_and_at_the_end(pins: MockFactory) -> None:
    vent, _ = make(description="The vent", pin=17, kind="servo", initial_angle=90, move_s=0.02)
    await until(lambda: [round(state.state * 20, 3) for state in pins.pin(17).states] == [0, 1.5, 0])
    await vent.run({"angle": 180})
    vent.close()
    vent.close()
    assert [round(state.state * 20, 3) for state in pins.pin(17).states] == [0, 1.5, 0, 2, 0, 1.5, 0]


async def test_a_servo_that_holds_something_is_not_let_go(pins: MockFactory) -> None:
    arm, _ = make(description="The arm", pin=17, kind="servo", move_s=0.02, detach=False)
    await arm.run({"angle": 180})
    assert pins.pin(17).state * 20 == pytest.approx(2)
    arm.close()
    assert not pins.pin(17).state


async def test_a_buzzer_plays_its_notes_and_is_silent_afterwards(pins: MockFactory) -> None:
    heard: list[float | None] = []

    class Listened(MockPWMPin):
        def _set_frequency(self, value: float | None) -> None:
            super()._set_frequency(value)
            heard.append(value and round(value))

    pins.pin_class = Listened
    gong, _ = make(description="The gong", pin=17, kind="buzzer", note_s=0.02, tunes={"ring": "A4 - A5"})
    heard.clear()
    assert await gong.run({"tune": "ring"}) == "The gong played ring."
    assert heard == [440, None, 880, None]


async def test_a_tune_that_is_cancelled_is_silent(pins: MockFactory) -> None:
    gong, _ = make(description="The gong", pin=17, kind="buzzer", note_s=0.9)
    task = asyncio.create_task(gong.run({"tune": "ring"}))
    await until(lambda: pins.pin(17).frequency)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pins.pin(17).frequency is None
