"""What opens, closes and is locked: the words for it, what they switch, and what is said afterwards."""

from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from cooee.actions import Actions, Failed, gpio
from cooee.actions._ways import LOCKING, OPENING, Way, moved
from cooee.actions.gpio import Settings
from cooee.effects import Act
from cooee.events import Acted, Call, Doubted, Event


def make(description: str, **settings: Any) -> Any:
    return gpio.open("it", Settings(description=description, **settings), lambda event: None)


@pytest.mark.parametrize(
    ("description", "way", "thing"),
    [
        ("The garden gate", OPENING, "garden gate"),
        ("Garage door", OPENING, "garage door"),
        ("My curtains", OPENING, "curtains"),
        ("The blinds in the bedroom", OPENING, "blinds in the bedroom"),
        ("The valve of the radiator. Use it in winter.", OPENING, "valve of the radiator"),
        ("The front door's opener", OPENING, "front door"),
        ("The opener of the front door", OPENING, "front door"),
        ("The garage door opener", OPENING, "garage door"),
        ("The motor for the shutters", OPENING, "shutters"),
        ("The lock of the front door", LOCKING, "lock of the front door"),
        ("The front door lock", LOCKING, "front door lock"),
    ],
)
def test_what_opens_is_known_by_its_name(description: str, way: Way, thing: str) -> None:
    found = moved(description)
    assert found and (found.way, found.thing) == (way, thing)


@pytest.mark.parametrize(
    "description",
    ["The lamp at the garden gate", "The garage door light", "The window fan", "The doorbell", "The pump", "The motor"],
)
def test_what_is_only_near_a_door_does_not_open(description: str) -> None:
    assert moved(description) is None


async def test_an_output_that_opens_is_opened_and_closed(pins: MockFactory) -> None:
    gate = make("The garden gate", pin=17)
    assert await gate.run({"state": "open"}) == "The garden gate is switched to open."
    assert pins.pin(17).state
    assert await gate.run({"state": "close"}) == "The garden gate is switched to closed."
    assert not pins.pin(17).state


async def test_a_lock_is_unlocked_by_being_on(pins: MockFactory) -> None:
    lock = make("The front door lock", pin=17)
    assert await lock.run({"state": "unlock"}) == "The front door lock is switched to unlocked."
    assert pins.pin(17).state
    assert await lock.run({"state": "lock"}) == "The front door lock is switched to locked."
    assert not pins.pin(17).state


async def test_an_opener_is_pressed_and_not_said_to_be_open(pins: MockFactory) -> None:
    opener = make("The front door's opener", pin=17, kind="pulse", pulse_s=0.01)
    garage = make("The garage door", pin=18, kind="pulse", pulse_s=0.01)
    assert await opener.run({}) == "The front door's opener was pressed for 0.01 seconds."
    assert await garage.run({}) == "The garage door's opener was pressed for 0.01 seconds."


def test_what_falls_to_by_itself_is_not_pressed_to_close_it() -> None:
    front, garage = (
        gpio.declare("it", Settings(pin=17, description=description, kind="pulse", pulse_s=0.5)).phrases
        for description in ("The front door's opener", "The garage door")
    )
    assert front == ("open the front door", "unlock the front door")
    assert "close the garage door" in garage and "open the garage door" in garage


@pytest.mark.parametrize(
    ("settings", "before", "set_to", "after"),
    [
        ({"pin": 17, "description": "The lamp"}, "The lamp is off.", {"state": "on"}, "The lamp is on."),
        ({"pin": 17, "description": "The gate"}, "The gate is switched to closed.", {"state": "open"},
         "The gate is switched to open."),
        ({"pin": 17, "description": "The fan", "kind": "pwm"}, "The fan is off.", {"level": 40},
         "The fan is at 40 percent."),
        ({"red": 5, "green": 6, "blue": 7, "description": "The strip", "kind": "rgb"}, "The strip is off.",
         {"colour": "red", "level": 40}, "The strip is red at 40 percent."),
    ],
)  # fmt: skip
async def test_an_output_tells_what_it_is_and_stays_so(
    pins: MockFactory, settings: dict[str, Any], before: str, set_to: dict[str, Any], after: str
) -> None:
    it = make(**settings)
    assert await it.run({"state": "read"}) == before
    await it.run(set_to)
    assert await it.run({"state": "read"}) == after
    assert await it.run({"state": "read"}) == after


async def test_nothing_is_read_and_set_at_once(pins: MockFactory) -> None:
    for settings in ({"pin": 17, "kind": "pwm"}, {"red": 5, "green": 6, "blue": 7, "kind": "rgb"}):
        with pytest.raises(Failed, match="read and set at once"):
            await make("The lamp", **settings).run({"state": "read", "level": 40})


@pytest.mark.parametrize("risk", [None, "confirm"])
async def test_nobody_has_to_agree_to_being_told(pins: MockFactory, risk: Any) -> None:
    posted: list[Event] = []
    actions = Actions({"gate": Settings(pin=17, description="The garden gate", risk=risk)}, posted.append)
    await actions.run(Act(1, Call("a", "gate", {"state": "read"})))
    (told,) = [event for event in posted if isinstance(event, Acted | Doubted)]
    assert told == Acted(1, "a", "gate", "The garden gate is switched to closed.", True, True)
    actions.close()


@pytest.mark.parametrize(
    ("description", "kind", "said"),
    [
        ("Motion in the hall", "motion", "There is no motion in the hall."),
        ("The motion sensor in the hall", "motion", "There is no motion in the hall."),
        ("The hall's motion sensor", "motion", "There is no motion in the hall."),
        ("Movement at the front door", "motion", "There is no motion at the front door."),
        ("The motion sensor", "motion", "There is no motion there."),
        ("The line sensor of the robot", "line", "The line sensor of the robot is off the line."),
    ],
)
async def test_an_input_is_told_as_people_say_it(pins: MockFactory, description: str, kind: str, said: str) -> None:
    assert await make(description, pin=17, kind=kind).run({}) == said
