"""Lights and what is switched on and off: how Home Assistant is asked, and how one sees that it was done. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from cooee.actions import Failed
from cooee.actions._dangers import is_dangerous
from cooee.actions._hass_home import Entity
from cooee.actions._hass_kind import Arguments, Home, Kind, Properties, Step, is_state, one_of, the, whole
from cooee.actions._hass_mirror import State
from cooee.actions._hass_words import HUES_DEG, PAINTED, WHITES, degrees_apart, percent

LEVEL_TOLERANCE = 5
"""Lamps round in steps of their own; what was read back is told anyway."""
HUE_TOLERANCE_DEG = 25
_FAN_SPEED = 1


def _modes(light: Entity) -> set[str]:
    return set(light.texts("supported_color_modes"))


def _dims(light: Entity) -> bool:
    return bool(_modes(light) - {"onoff"})


def _light_properties(lights: Sequence[Entity], home: Home) -> Properties:
    found: Properties = {"state": one_of("on", "off")}
    if any(_dims(light) for light in lights):
        found["level"] = whole(0, 100, "In percent; 0 is off.")
    painted = any(_modes(light).intersection(PAINTED) for light in lights)
    tinted = [light for light in lights if "color_temp" in _modes(light)]
    if painted or tinted:
        found["colour"] = one_of(*(HUES_DEG if painted else ()), *WHITES)
    if tinted:
        low = min(light.number("min_color_temp_kelvin", 2000) for light in tinted)
        high = max(light.number("max_color_temp_kelvin", 6500) for light in tinted)
        found["kelvin"] = whole(low, high, "How white: small is warm, large is cold.")
    return found


def _light(light: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    level, colour, kelvin = (arguments.get(key) for key in ("level", "colour", "kelvin"))
    if arguments.get("state") == "off" or level == 0:
        return Step("light", "turn_off", {}, is_state("off"))
    if not arguments.keys() & {"state", "level", "colour", "kelvin"}:
        raise Failed("it was not said what to do with the light.")
    data: dict[str, Any] = {}
    signs: list[Callable[[State], bool]] = []
    if level is not None:
        if not _dims(light):
            raise Failed(f"{the(light.names[0])} can't be dimmed.")
        data["brightness_pct"] = level
        signs.append(lambda now: abs((percent(now) or 0) - level) <= LEVEL_TOLERANCE)
    if kelvin is None and colour in WHITES and "color_temp" in _modes(light):
        low, high = light.number("min_color_temp_kelvin", 2000), light.number("max_color_temp_kelvin", 6500)
        kelvin = round(min(max(WHITES[colour], low), high))
        colour = None
    if kelvin is not None:
        data["color_temp_kelvin"] = _kelvin(light, kelvin)
        signs.append(lambda now: abs((now.number("color_temp_kelvin") or 0) - kelvin) <= kelvin / 20)
    elif colour is not None:
        if not _modes(light).intersection(PAINTED):
            raise Failed(f"{the(light.names[0])} can't be {colour}.")
        data["hs_color"] = [HUES_DEG[colour], 100] if colour in HUES_DEG else [0, 0]
        signs.append(lambda now: _looks(now, *data["hs_color"]))
    return Step("light", "turn_on", data, lambda now: now.value == "on" and all(sign(now) for sign in signs))


def _kelvin(light: Entity, kelvin: int) -> int:
    low, high = light.number("min_color_temp_kelvin", 2000), light.number("max_color_temp_kelvin", 6500)
    if "color_temp" not in _modes(light):
        raise Failed(f"{the(light.names[0])} has no colour temperature.")
    if not low <= kelvin <= high:
        raise Failed(f"{the(light.names[0])} takes {low:g} to {high:g} kelvin.")
    return kelvin


def _looks(state: State, hue_deg: float, saturation: float) -> bool:
    found = state.attributes.get("hs_color")
    if not isinstance(found, list | tuple) or len(found) != 2:
        return False
    if not saturation:
        return bool(found[1] <= 30)
    return bool(degrees_apart(found[0], hue_deg) <= HUE_TOLERANCE_DEG and found[1] > 20)


def _switch(switch: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    return Step(switch.domain, f"turn_{arguments['state']}", {}, is_state(arguments["state"]))


def _switches_danger(switch: Entity, state: State | None, arguments: Arguments, home: Home) -> bool:
    return any(is_dangerous(name, {arguments["state"]}) for name in switch.spoken)


def _fan_properties(fans: Sequence[Entity], home: Home) -> Properties:
    speed = {"level": whole(0, 100, "In percent; 0 is off.")}
    return {"state": one_of("on", "off"), **(speed if any(fan.has(_FAN_SPEED) for fan in fans) else {})}


def _fan(fan: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    level = arguments.get("level")
    if level is None and "state" not in arguments:
        raise Failed("it was not said what to do with the fan.")
    if arguments.get("state") == "off" or level == 0:
        return Step("fan", "turn_off", {}, is_state("off"))
    if level is None:
        return Step("fan", "turn_on", {}, is_state("on"))
    if not fan.has(_FAN_SPEED):
        raise Failed(f"{the(fan.names[0])} has no speeds.")

    def reached(now: State) -> bool:
        # A fan of three speeds takes the nearest.
        step = now.number("percentage_step") or 0
        return now.value == "on" and abs((now.number("percentage") or 0) - level) <= max(LEVEL_TOLERANCE, step)

    return Step("fan", "set_percentage", {"percentage": level}, reached)


LIGHT = Kind(
    "light",
    "Switches lights on or off, dims them or changes their colour",
    ("light",),
    _light_properties,
    _light,
    group="lights",
)
SWITCH = Kind(
    "switch",
    "Switches things on or off",
    ("switch", "input_boolean", "humidifier"),
    lambda switches, home: {"state": one_of("on", "off")},
    _switch,
    required=("state",),
    is_risky=_switches_danger,
    riskiest={"state": "on"},
    deed=lambda name, arguments, home: f"switch {arguments['state']} {the(name)}",
)
FAN = Kind("fan", "Switches fans on or off, or sets their speed", ("fan",), _fan_properties, _fan)
