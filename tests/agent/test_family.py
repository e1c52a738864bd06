"""What a family says to things on pins, and to a home that Home Assistant keeps, and what the grammar makes of it."""

from typing import Any

import pytest

from cooee import actions
from cooee.actions import ActionTable, command
from cooee.actions.gpio import Settings
from cooee.agent._settings import function
from cooee.agent.embedded.grammar import Grammar
from cooee.agent.embedded.understood import Ambiguous, Asked, Calls, Nothing
from household import CHANGE_VOLUME, HOUSE, SET_VOLUME, STOP_LISTENING, number, one_of, reading
from household import function as declared

PINS: dict[str, ActionTable] = {
    "kitchen_lamp": Settings(pin=17, description="The lamp in the kitchen"),
    "hall_light": Settings(pin=25, description="The light in the hall"),
    "front_door": Settings(pin=27, description="The front door's opener", kind="pulse", pulse_s=0.5),
    "garage": Settings(pin=11, description="The garage door", kind="pulse", pulse_s=0.5),
    "fan": Settings(pin=18, description="The fan in the bedroom", kind="pwm"),
    "shelf": Settings(red=12, green=13, blue=6, description="The strip on the shelf", kind="rgb"),
    "vent": Settings(pin=19, description="The vent", kind="servo"),
    "gong": Settings(pin=16, description="The gong", kind="buzzer"),
    "hall": Settings(pin=20, description="Motion in the hall", kind="motion"),
    "greenhouse": Settings(description="The temperature in the greenhouse", kind="temperature"),
    "garden_gate": Settings(pin=21, description="The garden gate"),
    "cellar": Settings(pin=26, description="The lock of the cellar door"),
    "car": Settings(trigger=23, echo=24, description="The distance to the car", kind="distance"),
    "uptime": command.Settings(description="How long the speaker has been running", command=["uptime", "-p"]),
}


def of_home(key: str, about: str, names: tuple[str, ...], /, *required: str, **more: Any) -> dict[str, Any]:
    return declared(f"home_{key}", about, ["name", *required], name=one_of(*names), **more)


LIGHTS = ("Kitchen lamp", "Porch lamp", "Ceiling light", "Kitchen lights", "Lounge lights", "all lights")
COVERS = ("Garage door", "Big blind", "Living Room blinds", "all blinds")
ON_OFF, PERCENT = one_of("on", "off"), number(0, 100, description="In percent.")
REST = ("Bedroom fan", "Bedroom heating", "Front door", "Movie night", "Good night", "Oven")
HOME = [
    of_home("light", "Switches lights on or off, or dims them.", LIGHTS, state=ON_OFF, level=PERCENT),
    of_home("switch", "Switches things on or off.", ("Oven",), "state", state=ON_OFF),
    of_home("fan", "Switches fans on or off.", ("Bedroom fan",), state=ON_OFF, level=PERCENT),
    of_home("climate", "Sets heating and cooling.", ("Bedroom heating",), state=ON_OFF,
            temperature=number(7, 30, "number", description="In degrees Celsius.")),
    of_home("cover", "Opens, closes or stops blinds.", COVERS, action=one_of("open", "close", "stop"),
            position=PERCENT),
    of_home("lock", "Locks or unlocks doors.", ("Front door",), "action", action=one_of("lock", "unlock")),
    of_home("scene", "Activates scenes.", ("Movie night",), action=one_of("activate")),
    of_home("script", "Runs scripts and presses buttons.", ("Good night",), action=one_of("run")),
    {**of_home("state", "Tells what something in the home is just now: on or off, open or closed.",
               (*LIGHTS, *COVERS, *REST, "Bedroom temperature")), "defer_until_eot": False},
    reading("home", "The home. Tells whether Home Assistant can be reached."),
]  # fmt: skip


@pytest.fixture(scope="module")
def pins() -> Grammar:
    functions = [function(each, has_grammar=True).dict() for each in actions.declare(PINS)]
    return Grammar([*functions, SET_VOLUME, CHANGE_VOLUME, STOP_LISTENING])


@pytest.fixture(scope="module")
def home() -> Grammar:
    return Grammar([*HOME, SET_VOLUME, CHANGE_VOLUME, STOP_LISTENING])


def calls(grammar: Grammar, sentence: str) -> list[tuple[str, str]]:
    """Each with its arguments as "state=on"; what is missing as "level=?"."""
    found = grammar.parse(sentence)
    assert isinstance(found, Calls), (sentence, found)
    return [
        (call.name, " ".join([*(f"{key}={value}" for key, value in call.arguments.items()),
                              *(f"{key}=?" for key in call.missing)]))
        for call in found.calls
    ]  # fmt: skip


TO_PINS = """
open the garden gate                        | garden_gate  | state=open
close the garden gate, please               | garden_gate  | state=close
shut the gate                               | garden_gate  | state=close
turn on the garden gate                     | garden_gate  | state=on
is the garden gate open                     | garden_gate  | state=read
tell me whether the garden gate is closed   | garden_gate  | state=read
did I close the garden gate                 | garden_gate  | state=read
open the front door                         | front_door   |
unlock the front door                       | front_door   |
open the garage                             | garage       |
close the garage door                       | garage       |
unlock the cellar door                      | cellar       | state=unlock
lock the cellar door                        | cellar       | state=lock
is the cellar door locked                   | cellar       | state=read
is the lamp in the kitchen on               | kitchen_lamp | state=read
is the kitchen light still on               | kitchen_lamp | state=read
did I leave the kitchen lamp on             | kitchen_lamp | state=read
check if the kitchen lamp is on             | kitchen_lamp | state=read
turn the light off in the hall              | hall_light   | state=off
how fast is the fan                         | fan          | state=read
is the fan running                          | fan          | state=read
fan at full speed                           | fan          | level=100
make the fan faster                         | fan          | level=?
what is the fan speed                       | fan          | state=read
make the strip warm white at thirty percent | shelf        | colour=warm white level=30
how bright is the shelf                     | shelf        | state=read
what colour is the strip                    | shelf        | state=read
open the vent                               | vent         | angle=?
sound the alarm                             | gong         | tune=alarm
sound the gong                              | gong         | tune=?
is somebody in the hall                     | hall         |
is there anyone in the hall                 | hall         |
how warm is it in the greenhouse            | greenhouse   |
is it hot in the greenhouse                 | greenhouse   |
what temperature is it in the greenhouse    | greenhouse   |
how far away is the car                     | car          |
how long has the speaker been running       | uptime       |
how long have you been running              | uptime       |
"""
TO_HOME = """
movie night                                 | home_scene   | name=Movie night action=activate
movie night scene                           | home_scene   | name=Movie night action=activate
turn on movie night                         | home_scene   | name=Movie night action=activate
start movie night                           | home_scene   | name=Movie night action=activate
set the scene to movie night                | home_scene   | name=Movie night action=activate
it's movie night                            | home_scene   | name=Movie night action=activate
good night                                  | home_script  | name=Good night action=run
kitchen light on                            | home_light   | name=Kitchen lights state=on
porch light on                              | home_light   | name=Porch lamp state=on
turn the lights off                         | home_light   | name=all lights state=off
lights off in the kitchen                   | home_light   | name=Kitchen lights state=off
are any lights on                           | home_state   | name=all lights
is the kitchen lamp on                      | home_state   | name=Kitchen lamp
how bright is the kitchen lamp              | home_state   | name=Kitchen lamp
did I leave the oven on                     | home_state   | name=Oven
have I turned off the oven                  | home_state   | name=Oven
is the garage open                          | home_state   | name=Garage door
open the garage                             | home_cover   | name=Garage door action=open
close the blinds                            | home_cover   | name=all blinds action=close
put the blinds up                           | home_cover   | name=all blinds action=open
open the big blind half way                 | home_cover   | name=Big blind position=50
how far open is the big blind               | home_state   | name=Big blind
did I lock the front door                   | home_state   | name=Front door
how warm is it in the bedroom               | home_state   | name=Bedroom temperature
how warm is it                              | home_state   | name=Bedroom temperature
what temperature is it in the bedroom       | home_state   | name=Bedroom temperature
how fast is the bedroom fan                 | home_state   | name=Bedroom fan
turn the heating up                         | home_climate | name=Bedroom heating temperature=?
"""
TO_HOUSE = """
start a timer for an hour                   | set_timer    | minutes=60
set a timer for half an hour                | set_timer    | minutes=30
ten minute timer                            | set_timer    | minutes=10
I'd like a coffee                           | start_coffee |
play some jazz                              | radio        | station=jazz
turn it down a bit                          | change_volume| direction=down
turn up the heater                          | heater       | target=?
"""


def rows(text: str) -> list[tuple[str, str, str]]:
    return [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]  # type: ignore[misc]


@pytest.mark.parametrize(("sentence", "name", "given"), rows(TO_PINS))
def test_to_things_on_pins(pins: Grammar, sentence: str, name: str, given: str) -> None:
    assert calls(pins, sentence) == [(name, given)]


@pytest.mark.parametrize(("sentence", "name", "given"), rows(TO_HOME))
def test_to_a_home(home: Grammar, sentence: str, name: str, given: str) -> None:
    assert calls(home, sentence) == [(name, given)]


@pytest.mark.parametrize(("sentence", "name", "given"), rows(TO_HOUSE))
def test_to_whatever_there_is(sentence: str, name: str, given: str) -> None:
    assert calls(Grammar(HOUSE), sentence) == [(name, given)]


def test_the_lights_are_all_of_them(pins: Grammar) -> None:
    both = [("kitchen_lamp", "state=off"), ("hall_light", "state=off")]
    assert calls(pins, "turn the lights off") == calls(pins, "turn off all the lights") == both


def test_a_thing_and_then_another_that_is_called_like_a_verb() -> None:
    sentence = "turn off the desk lamp and lock the front door"
    assert calls(Grammar(HOUSE), sentence) == [("desk_lamp", "state=off"), ("front_door_lock", "action=lock")]


def test_what_is_opened_short_is_asked_about_where_several_open() -> None:
    assert isinstance(Grammar(HOUSE).parse("unlock the door"), Ambiguous)


@pytest.mark.parametrize(
    "sentence",
    [
        "close the front door", "lock the front door", "lock the garage door", "is it", "how",
        "don't open the garden gate", "open the garden gate if it rains", "did I tell you about the gate",
    ],
)  # fmt: skip
def test_what_nobody_can_do_is_not_done(pins: Grammar, sentence: str) -> None:
    assert isinstance(pins.parse(sentence), Nothing)


@pytest.mark.parametrize("sentence", ["what can you do", "help", "which devices are there", "who are you"])
def test_there_is_help(pins: Grammar, sentence: str) -> None:
    assert pins.parse(sentence) == Asked("help")
