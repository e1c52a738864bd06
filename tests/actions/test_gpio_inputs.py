"""What is read from pins, and what it sets off."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from cooee.actions import Action, Actions, Unsure, _when, gpio
from cooee.actions.gpio import Settings
from cooee.config import BUILT_IN
from cooee.effects import Act
from cooee.events import Acted, Doubted, Event, SayWanted, Switched, Triggered


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
        ("motion", True, "There is motion in the hall."),
        ("motion", False, "There is no motion in the hall."),
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


@pytest.mark.parametrize(
    ("description", "more", "closed", "apart"),
    [
        ("The front door", {}, "The front door is closed.", "The front door is open."),
        ("Whether the front door is open", {}, "The front door is closed.", "The front door is open."),
        ("The lock of the front door", {}, "The lock of the front door is locked.", "... is unlocked."),
        ("The blinds", {"active_text": "open"}, "The blinds are open.", "The blinds are closed."),
        ("The back door", {"inactive_text": "wide open"}, "The back door is closed.", "The back door is wide open."),
        ("front door's contact", {}, "The front door is closed.", "The front door is open."),
        ("The garage door sensor", {}, "The garage door is closed.", "The garage door is open."),
        ("The sensor of the gate", {}, "The gate is closed.", "The gate is open."),
        ("Whether or not the gate is open or closed", {}, "The gate is closed.", "The gate is open."),
        ("Window sensor in the hall", {}, "The window sensor in the hall is on.", "... is off."),
        ("Whether the tank is full", {}, "The tank is full.", "The tank is not full."),
        ("Tells whether my door is jammed", {}, "Your door is jammed.", "Your door is not jammed."),
        ("The lamp at the gate", {}, "The lamp at the gate is on.", "The lamp at the gate is off."),
    ],
)
async def test_a_contact_at_what_opens_tells_whether_it_is_open(
    pins: MockFactory, description: str, more: dict[str, str], closed: str, apart: str
) -> None:
    contact, _ = make(description, pin=17, kind="sensor", **more)
    pins.pin(17).drive_low()
    assert await contact.run({}) == closed
    pins.pin(17).drive_high()
    assert (await contact.run({})).endswith(apart.removeprefix("..."))


def test_the_agent_is_told_that_it_can_ask_whether_a_door_is_open(pins: MockFactory) -> None:
    door, _ = make("The front door", pin=17, kind="sensor")
    assert "Tells whether it is closed or open." in door.function.description


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
    others = {"home": SimpleNamespace(type="home_assistant", risk=None), "lamp": SimpleNamespace(type="gpio")}

    def misfits(call: str) -> list[_when.Misfit]:
        settings = Settings(pin=17, description="The bell", kind="button", on_active={"call": call})
        return list(settings.misfits("bell", {**others, "bell": settings}, ()))

    assert not misfits("home_lights")
    ((place, _, sentence),) = misfits("lamp_lights")
    assert place == ("on_active", "call") and "there is no [actions.lamp_lights]" in sentence


@pytest.mark.parametrize(
    ("call", "arguments", "wrong"),
    [
        ("set_volume", {"level": "x"}, "level has to be a whole number from 0 to 100, not 'x'"),
        ("set_volume", {}, "level is missing"),
        ("change_volume", {"direction": "sideways"}, "'up' or 'down'"),
        ("stop_listening", {"now": True}, "there is no now to be set here"),
        ("set_volume", {"level": 30}, ""),
        ("change_volume", {"direction": "up"}, ""),
        ("stop_listening", {}, ""),
        ("forget_conversation", {}, ""),
        ("change_persona", {"persona": "pirate"}, ""),
    ],
)
def test_what_every_speaker_can_do_is_called_with_what_it_takes(call: str, arguments: Any, wrong: str) -> None:
    settings = Settings(pin=17, description="The bell", kind="button", on_active={"call": call, "arguments": arguments})
    found = list(settings.misfits("bell", {"bell": settings}, BUILT_IN))
    assert [place for place, _, _ in found] == ([("on_active", "arguments")] if wrong else [])
    assert all(wrong in sentence for _, _, sentence in found)


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
    with pytest.raises(Unsure, match=r"^The distance to the car is not known: there is no echo\.$"):
        await car.run({})


async def test_a_distance_that_can_not_be_is_not_believed(plain_pins: MockFactory) -> None:
    car, _ = sonar(plain_pins, 0.0101, highest=100.0)
    with pytest.raises(Unsure, match="is not known: its sensor tells something that can't be"):
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
