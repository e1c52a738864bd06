"""Every kind of thing in a real Home Assistant, worked through Actions and read back from there on a second line."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from at_home import LIMIT_S, Speaker
from cooee.effects import Act
from cooee.events import Acted, Call, Doubted
from hass import Hass

pytestmark = pytest.mark.slow


@pytest.fixture
async def speaker(hass: Hass, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Speaker]:
    monkeypatch.setenv("HOME_ASSISTANT_TOKEN", hass.token)
    for helper in ("lamp", "cooker", "ceiling", "plug", "oven", "fan", "garage", "heater", "radio", "night"):
        hass.put(f"input_boolean.{helper}", "off")
    hass.put("input_boolean.door", "on")
    it = Speaker(hass.url)
    await it.until(lambda: len(it.actions.functions) > 1)
    yield it
    it.actions.close()


def attribute(entity_id: str, name: str) -> tuple[str, str]:
    return entity_id, name


# The function, its arguments, the sentence, and what Home Assistant has then: an entity's state, or an attribute.
DONE: list[tuple[str, dict[str, Any], str, dict[Any, Any]]] = [
    ("light", {"name": "Ceiling light", "state": "on"}, "The ceiling light is on.", {"light.ceiling_light": "on"}),
    (
        "light",
        {"name": "Kitchen lamp", "level": 30},
        "The kitchen lamp is on at 30 percent",
        {attribute("light.kitchen_lamp", "brightness"): 76},
    ),
    (
        "light",
        {"name": "Kitchen lamp", "colour": "blue"},
        "blue.",
        {attribute("light.kitchen_lamp", "hs_color"): [240, 100]},
    ),
    (
        "light",
        {"name": "Kitchen lamp", "colour": "warm white"},
        "warm white.",
        {attribute("light.kitchen_lamp", "color_mode"): "color_temp"},
    ),
    (
        "light",
        {"name": "Kitchen lamp", "kelvin": 6000},
        "cold white.",
        {attribute("light.kitchen_lamp", "color_temp"): 166},
    ),
    (
        "light",
        {"name": "Kitchen lights", "state": "on"},
        "The cooker light is on. The kitchen lamp is on",
        {"light.cooker_light": "on", "light.kitchen_lamp": "on"},
    ),
    ("light", {"name": "Lounge lights", "state": "on"}, "The lounge lights are on.", {"light.ceiling_light": "on"}),
    ("light", {"name": "hob light", "state": "on"}, "The hob light is on.", {"light.cooker_light": "on"}),
    ("switch", {"name": "Coffee machine", "state": "on"}, "The coffee machine is on.", {"switch.coffee_machine": "on"}),
    ("switch", {"name": "Oven", "state": "off"}, "The oven is off.", {"switch.oven": "off"}),
    ("fan", {"name": "Bedroom fan", "state": "on"}, "The bedroom fan is on", {"fan.bedroom_fan": "on"}),
    (
        "fan",
        {"name": "Bedroom fan", "level": 80},
        "The bedroom fan is on at 80 percent.",
        {attribute("fan.bedroom_fan", "percentage"): 80},
    ),
    ("cover", {"name": "Garage door", "action": "close"}, "is closed.", {"cover.garage_door": "closed"}),
    (
        "cover",
        {"name": "Big blind", "position": 40},
        "The big blind is open at 40 percent.",
        {attribute("cover.blinds", "current_position"): 40},
    ),
    ("cover", {"name": "Living Room blinds", "action": "close"}, "are closed.", {"cover.blinds": "closed"}),
    ("lock", {"name": "Front door", "action": "lock"}, "The front door is locked.", {"lock.front_door": "locked"}),
    (
        "climate",
        {"name": "Bedroom heating", "temperature": 21},
        "set to 21 degrees and measures 19.5 degrees.",
        {attribute("climate.bedroom_heating", "temperature"): 21},
    ),
    ("climate", {"name": "Bedroom heating", "state": "on"}, "is heating", {"climate.bedroom_heating": "heat"}),
    ("climate", {"name": "Bedroom heating", "state": "off"}, "is off", {"climate.bedroom_heating": "off"}),
    (
        "scene",
        {"name": "Movie night", "action": "activate"},
        "The scene Movie night is activated.",
        {"light.cooker_light": "on", "light.ceiling_light": "off"},
    ),
    ("media", {"name": "Radio", "action": "play"}, "The radio is playing", {"media_player.radio": "playing"}),
    ("media", {"name": "Radio", "action": "pause"}, "The radio is paused", {"media_player.radio": "paused"}),
    (
        "media",
        {"name": "Radio", "volume": 25},
        "with the volume at 25 percent.",
        {attribute("media_player.radio", "volume_level"): 0.25},
    ),
]


@pytest.mark.parametrize(("function", "arguments", "says", "then"), DONE)
async def test_it_is_done_and_said_as_it_was_read_back(
    hass: Hass, speaker: Speaker, function: str, arguments: dict[str, Any], says: str, then: dict[Any, Any]
) -> None:
    acted = await speaker.call(f"home_{function}", **arguments)
    assert isinstance(acted, Acted)
    assert acted.ok, acted.text
    assert says in acted.text
    for place, value in then.items():
        entity_id, name = place if isinstance(place, tuple) else (place, "")
        found = hass.whole_state(entity_id)
        assert (found["attributes"][name] if name else found["state"]) == value, place


ASKED: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("lock", {"name": "Front door", "action": "unlock"}, "unlock the front door", "lock.front_door", "unlocked"),
    ("cover", {"name": "Garage door", "action": "open"}, "open the garage door", "cover.garage_door", "open"),
    ("switch", {"name": "Oven", "state": "on"}, "switch on the oven", "switch.oven", "on"),
    ("scene", {"name": "Open house"}, "activate the scene Open house", "lock.front_door", "unlocked"),
    ("script", {"name": "Good night", "action": "run"}, "run Good night", "input_boolean.night", "on"),
]


@pytest.mark.parametrize(("function", "arguments", "deed", "entity_id", "state"), ASKED)
async def test_what_is_risky_moves_nothing_without_a_yes(
    hass: Hass, speaker: Speaker, function: str, arguments: dict[str, Any], deed: str, entity_id: str, state: str
) -> None:
    before = hass.state(entity_id)
    doubted = await speaker.call(f"home_{function}", **arguments)
    assert isinstance(doubted, Doubted)
    assert doubted.question == f"Do you really want me to {deed}?"
    assert hass.state(entity_id) == before != state
    acted = await speaker.call(f"home_{function}", is_confirmed=True, **arguments)
    assert isinstance(acted, Acted)
    assert acted.ok, acted.text
    assert hass.state(entity_id) == state


async def test_much_heat_asks_and_a_warm_room_does_not(speaker: Speaker) -> None:
    assert "28 degrees?" in await speaker.said("home_climate", name="Bedroom heating", temperature=28)
    assert "set to 22 degrees" in await speaker.said("home_climate", name="Bedroom heating", temperature=22)
    assert "has to be a number" in await speaker.said("home_climate", name="Bedroom heating", temperature=31)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Bedroom temperature", "The bedroom temperature is 19.5 °C."),
        ("Bedroom window", "The bedroom window is closed."),
        ("Front door", "The front door is locked."),
        ("Kitchen lights", "The kitchen lights are off."),
        ("Dead light", "The dead light is unavailable."),
        ("Bedroom heating", "The bedroom heating is off"),
    ],
)
async def test_what_is_read(speaker: Speaker, name: str, says: str) -> None:
    assert (await speaker.said("home_state", name=name)).startswith(says)


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        (
            "cover",
            {"name": "Side gate", "action": "open"},
            "That did not work: the side gate did not move; it is still closed.",
        ),
        (
            "light",
            {"name": "Dead light", "state": "on"},
            "That did not work: the dead light is unavailable: it does not answer Home Assistant.",
        ),
        (
            "light",
            {"name": "Ceiling light", "level": 20},
            "That did not work: the ceiling light can't be dimmed.",
        ),
        (
            "light",
            {"name": "Kitchen lamp"},
            "That did not work: it was not said what to do with the light.",
        ),
        (
            "switch",
            {"name": "Garden pump", "state": "on"},
            "That did not work: the garden pump did not change; it is still off.",
        ),
        (
            "switch",
            {"name": "Slow kettle", "state": "on"},
            "Home Assistant does not answer; it is not known whether that was done.",
        ),
    ],
)
async def test_what_was_not_done_is_said_within_the_limit(
    speaker: Speaker, function: str, arguments: dict[str, Any], says: str
) -> None:
    began = asyncio.get_running_loop().time()
    acted = await speaker.call(f"home_{function}", is_confirmed=True, **arguments)
    assert acted == Acted(3, acted.id, acted.name, says, False)
    assert asyncio.get_running_loop().time() - began < LIMIT_S


async def test_part_of_a_group_that_can_not_is_named(speaker: Speaker) -> None:
    said = await speaker.said("home_light", name="Kitchen lights", level=50)
    assert "The kitchen lamp is on at 50 percent" in said
    assert "The cooker light can't be dimmed." in said


async def test_several_at_once(speaker: Speaker) -> None:
    wanted = {"light": "Kitchen lamp", "switch": "Coffee machine", "fan": "Bedroom fan"}
    calls = [Call(kind, f"home_{kind}", {"name": name, "state": "on"}) for kind, name in wanted.items()]
    await asyncio.gather(*(speaker.actions.run(Act(1, call)) for call in calls))
    assert sorted(event.id for event in speaker.posted if isinstance(event, Acted) and event.ok) == sorted(wanted)


async def test_what_is_no_longer_exposed_is_no_longer_offered(hass: Hass, speaker: Speaker) -> None:
    changes = speaker.changes
    hass.expose("switch.coffee_machine", should=False)
    try:
        await speaker.until(lambda: "Coffee machine" not in speaker.names("home_switch"))
        assert speaker.changes > changes
        said = await speaker.said("home_switch", name="Coffee machine", state="on")
        assert said.startswith("That did not work: name has to be")
    finally:
        hass.expose("switch.coffee_machine")
    await speaker.until(lambda: "Coffee machine" in speaker.names("home_switch"))


async def test_a_new_alias_is_a_name_and_one_that_is_used_twice_a_fault(
    hass: Hass, speaker: Speaker, caplog: pytest.LogCaptureFixture
) -> None:
    def rename(entity_id: str, *aliases: str) -> None:
        hass.ask("config/entity_registry/update", entity_id=entity_id, aliases=list(aliases))

    with caplog.at_level(logging.WARNING):
        rename("switch.oven", "Herbert")
        await speaker.until(lambda: "Herbert" in speaker.names("home_switch"))
        assert await speaker.said("home_switch", name="Herbert", state="off") == "The herbert is off."
        rename("switch.jammed_pump", "Herbert")
        # The one is in the kitchen and the other nowhere: no area tells them apart.
        await speaker.until(lambda: "the name of several things" in caplog.text)
        said = await speaker.said("home_switch", name="Herbert", state="off", is_confirmed=True)
    assert "Herbert is the name of several things in Home Assistant, switch.jammed_pump and switch.oven" in said
    assert "Herbert is the name of several things" in await speaker.said("home")
    rename("switch.oven")
    rename("switch.jammed_pump")
    await speaker.until(lambda: "Herbert" not in speaker.names("home_switch"))


async def test_only_what_the_config_allows(hass: Hass, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_ASSISTANT_TOKEN", hass.token)
    speaker = Speaker(
        hass.url, allow=["Kitchen", "lock", "script.good_night", "input_boolean.plug", "nowhere"], deny=["switch.oven"]
    )
    try:
        await speaker.until(lambda: len(speaker.actions.functions) > 1)
        assert sorted(speaker.names("home_switch")) == ["Coffee machine", "Plug state", "espresso machine"]
        assert speaker.names("home_lock") == ["Front door"]
        assert speaker.names("home_cover") == []
        assert 'no entity, domain or area "nowhere"' in await speaker.said("home")
        assert await speaker.said("home_script", name="Good night") == "The script Good night has been started."
    finally:
        speaker.actions.close()


async def test_where_everything_asks_reading_does_not(hass: Hass, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_ASSISTANT_TOKEN", hass.token)
    speaker = Speaker(hass.url, risk="confirm", allow=["light.ceiling_light"])
    try:
        await speaker.until(lambda: bool(speaker.names("home_light")))
        assert isinstance(await speaker.call("home_light", name="Ceiling light", state="on"), Doubted)
        assert isinstance(await speaker.call("home_state", name="Ceiling light"), Acted)
    finally:
        speaker.actions.close()
