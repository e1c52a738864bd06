"""Which things of a home may be worked, what they are called, and what asks first: the rules alone."""

from typing import Any

import pytest

from cooee.actions._hass_home import Area, Entity, Registry, by_name, chosen, entities
from cooee.actions._hass_kind import Home, Kind
from cooee.actions._hass_lights import SWITCH
from cooee.actions._hass_mirror import State
from cooee.actions._hass_moves import CLIMATE, COVER
from cooee.actions._hass_runs import SCENE, SCRIPT
from cooee.actions._hass_words import predicate

KITCHEN, HALL = Area("kitchen", ("Kitchen",)), Area("hall", ("Hall",))


def thing(its_id: str, /, *names: str, area: Area | None = None, named: bool = False, **abilities: Any) -> Entity:
    return Entity(its_id, names or (its_id.partition(".")[2],), area, abilities, named)


def registry(*ids: str, exposed: tuple[str, ...] = (), **placed: str) -> Registry:
    entries = [{"entity_id": each, "device_id": "box" if each == "light.box" else None} for each in ids]
    areas = [{"area_id": "k", "name": "Kitchen", "aliases": ["Cookery"]}]
    devices = [{"id": "box", "area_id": "k"}]
    return Registry(entries, areas, devices, {each: {"conversation": True} for each in exposed})


@pytest.mark.parametrize(
    ("allow", "deny", "ids", "unknown"),
    [
        ([], [], ("light.box", "lock.door"), ()),
        ([], ["lock"], ("light.box",), ()),
        ([], ["Kitchen"], ("lock.door",), ()),
        (["light"], [], ("light.attic", "light.box"), ()),
        (["cookery"], [], ("light.box",), ()),
        (["light.attic", "light.gone"], [], ("light.attic",), ("light.gone",)),
        (["camera.front"], [], (), ()),
    ],
)
def test_what_is_allowed(allow: list[str], deny: list[str], ids: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    found = registry("light.attic", "light.box", "lock.door", "camera.front", exposed=("light.box", "lock.door"))
    choice = chosen(found, allow, deny, ("light", "lock"))
    assert (choice.ids, choice.unknown) == (ids, unknown)


def test_what_is_disabled_is_not_worked() -> None:
    found = Registry([{"entity_id": "light.one", "disabled_by": "user"}], [], [], {"light.one": {"conversation": True}})
    assert chosen(found, [], [], ("light",)).ids == ()


def test_a_thing_is_called_by_its_id_where_it_has_no_name() -> None:
    choice = chosen(registry("light.box", exposed=("light.box",)), [], [], ("light",))
    (found,) = entities(choice, registry("light.box"), {"light.box": ["Crate", "crate"]}, lambda name: {})
    assert found.names == ("Crate",)
    (found,) = entities(choice, registry("light.box"), {}, lambda name: {})
    assert found.names == ("box",)


def test_things_that_share_a_name_are_told_apart_by_their_areas_or_not_at_all() -> None:
    one, other = thing("light.a", "Lamp", area=KITCHEN), thing("light.b", "lamp", area=HALL)
    assert by_name((one, other)) == {"Kitchen Lamp": (one,), "Hall Lamp": (other,)}
    third = thing("light.c", "LAMP", area=HALL)
    assert by_name((one, other, third)) == {"Lamp": (one, other, third)}


COVERS = {
    "cover.garage": thing("cover.garage", "Garage", device_class="garage"),
    "cover.blind": thing("cover.blind", "Blind by the gate", device_class="blind"),
}


@pytest.mark.parametrize(
    ("kind", "entity", "arguments", "asks"),
    [
        (COVER, COVERS["cover.garage"], {"action": "open"}, True),
        (COVER, COVERS["cover.garage"], {"position": 1}, True),
        (COVER, COVERS["cover.garage"], {"action": "close", "position": 90}, True),
        (COVER, COVERS["cover.garage"], {"action": "close"}, False),
        (COVER, COVERS["cover.garage"], {"position": 0}, False),
        (COVER, COVERS["cover.blind"], {"action": "open"}, False),
        (COVER, thing("cover.x", "Einfahrtstor"), {"action": "open"}, True),
        (COVER, thing("cover.x", "Garage door", device_class="shutter"), {"action": "open"}, True),
        (COVER, thing("cover.x", "Sectional door", device_class="blind"), {"action": "open"}, True),
        (COVER, thing("cover.garage", "Otto", device_class="shutter"), {"action": "open"}, True),
        (COVER, thing("cover.x", "Garage roller shutter", device_class="shutter"), {"action": "open"}, True),
        (COVER, thing("cover.x", "Rolladen Garagentor", device_class="shutter"), {"action": "open"}, True),
        (COVER, thing("cover.x", "Front door", device_class="shade"), {"action": "open"}, True),
        (COVER, thing("cover.x", "Rollladen Terrassentür", device_class="shutter"), {"action": "open"}, False),
        (COVER, thing("cover.x", "Kitchen", device_class="shutter"), {"action": "open"}, False),
        (COVER, thing("cover.x", "All", device_class="shutter", entity_id=["cover.y"]), {"action": "open"}, False),
        (COVER, thing("cover.front_gate", "Otto"), {"action": "open"}, True),
        (COVER, thing("cover.all", "Everything", entity_id=["cover.garage"]), {"action": "open"}, True),
        (COVER, thing("valve.water", "Water"), {"action": "open"}, True),
        (COVER, thing("valve.water", "Water"), {"action": "close"}, False),
        (SWITCH, thing("switch.a", "Sauna"), {"state": "on"}, True),
        (SWITCH, thing("switch.a", "Sauna"), {"state": "off"}, False),
        (SWITCH, thing("switch.sauna", "Otto"), {"state": "on"}, True),
        (SWITCH, thing("switch.a", "Garage light"), {"state": "on"}, False),
        (SWITCH, thing("switch.garage_freezer", "Freezer"), {"state": "on"}, False),
        (SWITCH, thing("switch.boiler_room", "Boiler room lamp"), {"state": "on"}, False),
        (SWITCH, thing("switch.a", "Heater outlet"), {"state": "on"}, True),
        (COVER, thing("cover.a", "Kitchen window", device_class="blind"), {"action": "open"}, False),
        (CLIMATE, thing("climate.a"), {"temperature": 25}, False),
        (CLIMATE, thing("climate.a"), {"temperature": 25.5}, True),
        (CLIMATE, thing("climate.a"), {"state": "on"}, True),
        (CLIMATE, thing("climate.a"), {"state": "off"}, False),
        (CLIMATE, thing("water_heater.a"), {"temperature": 55}, False),
        (CLIMATE, thing("water_heater.a"), {"temperature": 70}, True),
        (SCENE, thing("scene.a", "Evening", entity_id=["light.a", "cover.blind"]), {}, False),
        (SCENE, thing("scene.a", "Evening", entity_id=["cover.garage"]), {}, True),
        (SCENE, thing("scene.a", "Evening", entity_id=["cover.nobody_knows"]), {}, True),
        (SCENE, thing("scene.a", "Evening", entity_id=["lock.front"]), {}, True),
        (SCENE, thing("scene.a", "Open the gate"), {}, True),
        (SCRIPT, thing("script.a"), {"action": "run"}, True),
        (SCRIPT, thing("script.a", named=True), {"action": "run"}, False),
    ],
)
def test_what_asks_first(kind: Kind, entity: Entity, arguments: dict[str, Any], asks: bool) -> None:
    assert kind.is_risky is not None
    assert kind.is_risky(entity, None, arguments, Home(COVERS)) is asks


def test_warm_is_not_the_same_in_fahrenheit() -> None:
    assert CLIMATE.is_risky is not None
    assert not CLIMATE.is_risky(thing("climate.a"), None, {"temperature": 70}, Home(celsius=False))
    assert CLIMATE.is_risky(thing("climate.a"), None, {"temperature": 80}, Home(celsius=False))


@pytest.mark.parametrize(
    ("entity", "state", "said"),
    [
        (thing("light.a"), State("on", {"brightness": 1}), "on at 1 percent"),
        (thing("light.a"), State("unavailable"), "unavailable"),
        (thing("light.a"), None, "no longer in Home Assistant"),
        (thing("binary_sensor.a", "Hall motion", device_class="motion"), State("off"), "not detected"),
        (thing("binary_sensor.a", "Hall sensor", device_class="motion"), State("on"), "detecting motion"),
        (thing("binary_sensor.a", "Smoke detector", device_class="smoke"), State("off"), "detecting nothing"),
        (thing("sensor.a"), State("unknown"), "in a state that Home Assistant does not know"),
        (thing("sensor.a"), State("21.5", {"unit_of_measurement": "°C"}), "21.5 °C"),
        (thing("sensor.a"), State("x\n\x00y" * 999), f"{'x y' * 66}x…"),
        (thing("binary_sensor.a", device_class="moisture"), State("on"), "wet"),
        (thing("binary_sensor.a", device_class="new one"), State("off"), "off"),
        (thing("cover.a"), State("open", {"current_position": 40}), "open at 40 percent"),
        (thing("cover.a"), State("open", {"current_position": 100}), "open"),
        (thing("climate.a"), State("heat", {"temperature": 21, "current_temperature": 19.55}),
         "heating, set to 21 degrees and measures 19.6 degrees"),
        (thing("media_player.a"), State("playing", {"media_title": "A\nB", "volume_level": 0.3}),
         "playing A B, with the volume at 30 percent"),
        (thing("alarm_control_panel.a"), State("armed_away"), "armed away"),
    ],
)  # fmt: skip
def test_what_a_state_is_in_words(entity: Entity, state: State | None, said: str) -> None:
    assert predicate(entity, state) == said
