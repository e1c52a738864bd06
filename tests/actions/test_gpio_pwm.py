"""Levels, colours, angles and tunes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from cooee.actions import Action, Failed, gpio
from cooee.actions._gpio_rgb import COLOURS
from cooee.actions.gpio import Settings
from cooee.events import Event, Switched


def make(description: str, **settings: Any) -> tuple[Action, list[Event]]:
    seen: list[Event] = []
    return gpio.open("it", Settings(description=description, **settings), seen.append), seen


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)


async def test_a_fade_passes_by_the_levels_between_and_ends_where_it_was_asked_to(pins: MockFactory) -> None:
    lamp, seen = make("The lamp", pin=17, kind="pwm", fade_s=0.3)
    assert await lamp.run({"level": 60}) == "The lamp is at 60 percent."
    states = [state.state for state in pins.pin(17).states]
    assert states == sorted(states) and len(states) >= 6 and states[-1] == pytest.approx(0.6)
    assert seen == [Switched("it", 0.6)]


async def test_a_fade_that_is_cancelled_goes_back(pins: MockFactory) -> None:
    lamp, _ = make("The lamp", pin=17, kind="pwm", fade_s=5.0)
    task = asyncio.create_task(lamp.run({"level": 100}))
    await until(lambda: pins.pin(17).state > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pins.pin(17).state == 0


async def test_a_motor_turns_from_its_least_duty_cycle_to_its_most(pins: MockFactory) -> None:
    fan, seen = make("The fan", pin=17, kind="pwm", min_percent=30, max_percent=80)
    for level, duty in ((1, 0.305), (50, 0.55), (100, 0.8), (0, 0.0)):
        await fan.run({"level": level})
        assert pins.pin(17).state == pytest.approx(duty)
    assert await fan.run({"level": 50}) == "The fan is at 50 percent."
    assert [event.value for event in seen if isinstance(event, Switched)] == [0.01, 0.5, 1.0, 0.0, 0.5]


async def test_a_strip_keeps_what_is_not_spoken_of(pins: MockFactory) -> None:
    strip, _ = make("The strip on the shelf", kind="rgb", red=5, green=6, blue=13)

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
    strip, _ = make("The strip", kind="rgb", red=5, green=6, blue=13, active_high=active_high)
    for colour in COLOURS:
        for level in (1, 33, 99):
            assert await strip.run({"colour": colour, "level": level}) == f"The strip is {colour} at {level} percent."


async def test_a_servo_turns_to_its_angle_and_is_let_go(pins: MockFactory) -> None:
    vent, _ = make("The vent", pin=17, kind="servo", move_s=0.02)
    assert await vent.run({"angle": 45}) == "The vent was sent to 45 degrees."
    widths_ms = [round(state.state * 20, 3) for state in pins.pin(17).states]
    assert widths_ms == [0, 1.25, 0]
    assert pins.pin(17).frequency == 50


async def test_a_servo_can_not_be_asked_for_more_than_it_may(pins: MockFactory) -> None:
    vent, _ = make("The vent", pin=17, kind="servo", min_angle=30, max_angle=90)
    angle = vent.function.parameters["properties"]["angle"]
    assert (angle["minimum"], angle["maximum"]) == (30, 90)


async def test_a_servo_goes_home_at_start_and_at_the_end(pins: MockFactory) -> None:
    vent, _ = make("The vent", pin=17, kind="servo", initial_angle=90, move_s=0.02)
    await until(lambda: [round(state.state * 20, 3) for state in pins.pin(17).states] == [0, 1.5, 0])
    await vent.run({"angle": 180})
    vent.close()
    vent.close()
    assert [round(state.state * 20, 3) for state in pins.pin(17).states] == [0, 1.5, 0, 2, 0, 1.5, 0]


async def test_a_servo_that_holds_something_is_not_let_go(pins: MockFactory) -> None:
    arm, _ = make("The arm", pin=17, kind="servo", move_s=0.02, detach=False)
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
    gong, _ = make("The gong", pin=17, kind="buzzer", note_s=0.02, tunes={"ring": "A4 - A5"})
    heard.clear()
    assert await gong.run({"tune": "ring"}) == "The gong played the tune ring."
    assert heard == [440, None, 880, None]


async def test_a_tune_that_is_cancelled_is_silent(pins: MockFactory) -> None:
    gong, _ = make("The gong", pin=17, kind="buzzer", note_s=0.9)
    task = asyncio.create_task(gong.run({"tune": "ring"}))
    await until(lambda: pins.pin(17).frequency)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pins.pin(17).frequency is None
