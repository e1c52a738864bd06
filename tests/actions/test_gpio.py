import asyncio
import warnings
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin
from pydantic import ValidationError

from cooee.actions import Action, Failed, gpio
from cooee.actions.gpio import Settings
from cooee.events import Event, Switched


class Shorted(MockPWMPin):
    """A pin that something holds at ground."""

    def _set_state(self, value: float) -> None:
        super()._set_state(0)


class Percents(MockPWMPin):
    """A pin whose library keeps whole percents, rounded down, as lgpio does."""

    def _set_state(self, value: float) -> None:
        super()._set_state(int(value * 100) / 100)


def make(description: str = "The lamp on the desk", **settings: Any) -> tuple[Action, list[Event]]:
    seen: list[Event] = []
    return gpio.open("it", Settings(pin=17, description=description, **settings), seen.append), seen


async def test_a_lamp_needs_a_pin_and_a_description_only(pins: MockFactory) -> None:
    lamp, seen = make()
    assert await lamp.run({"state": "on"}) == "The lamp on the desk is on."
    assert pins.pin(17).state
    assert await lamp.run({"state": "toggle"}) == "The lamp on the desk is off."
    assert not pins.pin(17).state
    assert seen == [Switched("it", 1.0), Switched("it", 0.0)]
    assert lamp.function.side_effect
    assert lamp.function.parameters["properties"]["state"]["enum"] == ["on", "off", "toggle", "read"]


async def test_what_is_on_already_is_said_to_be_on_but_did_not_switch(pins: MockFactory) -> None:
    lamp, seen = make(initial="on")
    assert await lamp.run({"state": "on"}) == "The lamp on the desk is on."
    assert seen == []


async def test_a_relay_that_is_on_when_low(pins: MockFactory) -> None:
    relay, _ = make(active_high=False)
    assert pins.pin(17).state
    assert await relay.run({"state": "on"}) == "The lamp on the desk is on."
    assert not pins.pin(17).state


async def test_a_pin_that_does_not_follow_is_not_said_to_be_on(pins: MockFactory) -> None:
    pins.pin_class = Shorted
    lamp, seen = make()
    with pytest.raises(Failed, match="The lamp on the desk is still off"):
        await lamp.run({"state": "on"})
    assert seen == []


async def test_the_end_leaves_the_safe_state(pins: MockFactory) -> None:
    pins.pin_class = MockPin
    lamp, _ = make()
    await lamp.run({"state": "on"})
    lamp.close()
    assert pins.pin(17).state is False
    valve, _ = make(initial="on")
    await valve.run({"state": "off"})
    valve.close()
    assert [state.state for state in pins.pin(17).states][-3:] == [True, False, True]


async def test_a_door_opener_goes_on_for_a_moment_and_off_again(pins: MockFactory) -> None:
    door, seen = make("The front door's opener", kind="pulse", pulse_s=0.01)
    assert door.function.parameters["properties"] == {}
    assert await door.run({}) == "The front door's opener was pressed for 0.01 seconds."
    assert seen == [Switched("it", 1.0), Switched("it", 0.0)]


async def test_a_pulse_that_is_cancelled_ends_off(pins: MockFactory) -> None:
    door, seen = make(pulse_s=5.0)
    task = asyncio.create_task(door.run({"state": "pulse"}))
    while not seen:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not pins.pin(17).state
    assert seen == [Switched("it", 1.0), Switched("it", 0.0)]


async def test_a_dimmer_takes_a_level_or_a_state(pins: MockFactory) -> None:
    strip, seen = make("strip of lights over the desk", kind="pwm")
    assert await strip.run({"level": 30}) == "The strip of lights over the desk is at 30 percent."
    assert pins.pin(17).state == pytest.approx(0.3)
    assert await strip.run({"state": "on"}) == "The strip of lights over the desk is on."
    assert await strip.run({"level": 0}) == "The strip of lights over the desk is off."
    assert [event.value for event in seen if isinstance(event, Switched)] == [0.3, 1.0, 0.0]
    with pytest.raises(Failed, match="level is missing"):
        await strip.run({})
    with pytest.raises(Failed, match="off and at 20 percent"):
        await strip.run({"state": "off", "level": 20})
    assert pins.pin(17).state == 0


@pytest.mark.parametrize("active_high", [True, False])
async def test_every_level_holds_on_pins_that_round_down(pins: MockFactory, active_high: bool) -> None:
    pins.pin_class = Percents
    strip, _ = make(kind="pwm", active_high=active_high)
    for level in range(1, 100):
        assert await strip.run({"level": level}) == f"The lamp on the desk is at {level} percent."


async def test_a_contact_is_told_in_its_own_words(pins: MockFactory) -> None:
    door, seen = make("back door", kind="sensor", active_text="closed", inactive_text="open")
    assert not door.function.side_effect
    assert await door.run({}) == "The back door is open."
    pins.pin(17).drive_low()
    assert await door.run({}) == "The back door is closed."
    assert seen == [Switched("it", 0.0), Switched("it", 1.0)]
    door.close()


async def test_a_button_pulled_down_is_pressed_when_high(pins: MockFactory) -> None:
    bell, _ = make("The bell", kind="button", pull="down")
    assert await bell.run({}) == "The bell is not pressed."
    pins.pin(17).drive_high()
    assert await bell.run({}) == "The bell is pressed."


async def test_an_input_with_no_pull_goes_by_active_high(pins: MockFactory) -> None:
    sensor, _ = make("The motion sensor", kind="sensor", pull="none", active_high=False)
    assert await sensor.run({}) == "The motion sensor is on."


async def test_calls_of_one_pin_wait_for_each_other(pins: MockFactory) -> None:
    lamp, seen = make()
    texts = await asyncio.gather(*(lamp.run({"state": "toggle"}) for _ in range(10)))
    assert [text.split()[-1] for text in texts] == ["on.", "off."] * 5
    assert len(seen) == 10


def test_a_machine_without_pins_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    with warnings.catch_warnings(), pytest.raises(Failed, match="this machine has no GPIO pins"):
        make()


def test_a_pin_that_is_taken_says_so(pins: MockFactory) -> None:
    lamp, _ = make()
    with pytest.raises(Failed, match="pin 17 is in use already"):
        make()
    lamp.close()


def test_no_pwm_says_so(pins: MockFactory) -> None:
    pins.pin_class = MockPin
    with pytest.raises(Failed, match="pin 17 can't do PWM here"):
        make(kind="pwm")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "pulse"}, "needs pulse_s"),
        ({"kind": "sensor", "pulse_s": 1.0}, 'pulse_s means nothing for kind = "sensor", only for output and pulse'),
        ({"kind": "output", "pull": "down"}, 'pull means nothing for kind = "output"'),
        ({"kind": "button", "initial": "on"}, "initial means nothing"),
        ({"kind": "pulse", "pulse_s": 1.0, "min_on_s": 2.0}, 'min_on_s means nothing for kind = "pulse"'),
        ({"kind": "pwm", "max_on_s": 9.0}, 'max_on_s means nothing for kind = "pwm", only for output'),
        ({"kind": "rgb", "red": 5, "green": 6, "blue": 7}, 'pin means nothing for kind = "rgb"'),
        ({"pin": None, "kind": "rgb", "red": 5}, 'kind = "rgb" needs green and blue'),
        ({"pin": None, "kind": "rgb", "red": 5, "green": 6, "blue": 6}, "three different pins"),
        ({"pin": None, "kind": "distance", "trigger": 5}, 'kind = "distance" needs echo'),
        ({"pin": None, "kind": "distance", "trigger": 5, "echo": 5}, "two different pins"),
        ({"pin": None}, 'kind = "output" needs pin'),
        ({"pulse_s": 9.0}, "shorter than time_limit_s"),
        ({"min_on_s": 60.0, "max_on_s": 30.0}, "max_on_s must not be shorter"),
        ({"initial": "on", "max_on_s": 30.0}, "must be off at the start"),
        ({"initial": "on", "interlock": "other"}, "must be off at the start"),
        ({"kind": "pwm", "fade_s": 9.0}, "fade_s must be shorter"),
        ({"kind": "pwm", "min_percent": 80, "max_percent": 20}, "min_percent must be less"),
        ({"kind": "servo", "min_angle": 90, "max_angle": 30}, "min_angle must be less than max_angle"),
        ({"kind": "servo", "max_angle": 270}, "at most travel_deg"),
        ({"kind": "servo", "initial_angle": 5, "min_angle": 10}, "initial_angle must be from min_angle"),
        ({"kind": "servo", "min_pulse_ms": 2.0}, "min_pulse_ms must be less"),
        ({"kind": "buzzer", "tunes": {"ring": "H5"}}, '"H5" is no note'),
        ({"kind": "buzzer", "tunes": {"ring": "- -"}}, "there is no note in it"),
        ({"kind": "buzzer", "tunes": {"ring": "A5 " * 99}}, "must be shorter than 8 s"),
        ({"kind": "buzzer", "tunes": {"Ring!": "A5"}}, "lower-case words"),
        ({"kind": "buzzer", "tunes": {}}, "at least one tune"),
        ({"kind": "temperature", "unit": "cm"}, 'unit must be "celsius" or "fahrenheit"'),
        ({"kind": "temperature", "serial": "../../etc"}, "serial must be"),
        ({"kind": "temperature", "on_active": {"say": "Cold."}}, "need active_below or active_above"),
        ({"kind": "temperature", "active_below": 3.0}, "need one of them"),
        ({"kind": "button", "on_active": {}}, "needs say, a sentence, or call"),
        ({"kind": "button", "on_active": {"say": "Hm.", "arguments": {"state": "on"}}}, "has arguments, but no call"),
        ({"kind": "dimmer"}, "'output', 'pulse', 'pwm'"),
        ({"initial": True}, "'off' or 'on'"),
        ({"pinn": 3}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**{"pin": 17, "description": "The lamp", **settings})


def test_settings_tell_the_pins() -> None:
    assert Settings(pin=17, description="The lamp").pins() == (17,)
    assert Settings(red=5, green=6, blue=7, kind="rgb", description="The strip").pins() == (5, 6, 7)
    assert Settings(trigger=5, echo=6, kind="distance", description="The car").pins() == (5, 6)
    assert Settings(kind="temperature", description="The cellar").pins() == ()


async def test_what_is_closed_stays_as_it_is_however_late_a_call_comes(pins: MockFactory) -> None:
    for settings, arguments in (
        ({"pin": 17}, {"state": "on"}),
        ({"pin": 17, "kind": "pwm"}, {"level": 50}),
        ({"red": 17, "green": 18, "blue": 27, "kind": "rgb"}, {"state": "on"}),
        ({"pin": 17, "kind": "servo"}, {"angle": 50}),
        ({"pin": 17, "kind": "buzzer"}, {"tune": "ring"}),
    ):
        it = gpio.open("it", Settings(description="The thing", **settings), lambda _: None)
        it.close()
        it.close()
        with pytest.raises(Failed, match="not answer"):
            await it.run(arguments)
        assert not pins.pin(17).state
