"""Covers, valves, locks, heating and cooling: how Home Assistant is asked, and how one sees that it was done. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cooee.actions import Failed
from cooee.actions._dangers import is_dangerous
from cooee.actions._hass_home import Entity
from cooee.actions._hass_kind import Arguments, Home, Kind, Properties, Step, is_state, one_of, the, whole
from cooee.actions._hass_mirror import State
from cooee.actions._hass_words import number

_FEATURES = {"open": 1, "close": 2, "position": 4, "stop": 8}
_DONE = {"open": "opened", "close": "closed", "position": "moved to a position", "stop": "stopped"}
_HARMLESS_COVERS = ("awning", "blind", "curtain", "damper", "shade", "shutter")
_SHADE = re.compile(
    r"blind|shutter|shade|curtain|awning|damper|roll?laden|rolll?äden|jalousie|raffstore|markise|vorhang|gardine|store"
    r"|volet|rideau|persiana|cortina|toldo|tapparell|tenda|rolluik|gordijn|estore"
    r"|window|fenster|fenêtre|ventana|finestr|raam|janela"
)
POSITION_TOLERANCE = 3
WARM_C, HOT_WATER_C = 25.0, 60.0
"""Up to here nobody is asked before a heating is turned up."""
_ON_MODES = ("heat", "auto", "heat_cool", "cool", "dry", "fan_only")


def _cover_properties(covers: Sequence[Entity], home: Home) -> Properties:
    stop = ["stop"] if any(cover.has(_FEATURES["stop"]) for cover in covers) else []
    found: Properties = {"action": one_of("open", "close", *stop)}
    if any(cover.has(_FEATURES["position"]) for cover in covers):
        found["position"] = whole(0, 100, "In percent; 0 is closed, 100 is open.")
    return found


def _cover(cover: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    action, position = arguments.get("action"), arguments.get("position")
    wanted = "position" if position is not None else action
    if wanted is None:
        raise Failed(f"it was not said whether to open or to close {the(cover.names[0])}.")
    if not cover.has(_FEATURES[wanted]):
        raise Failed(f"{the(cover.names[0])} can't be {_DONE[wanted]}.")
    on_the_way = ("opening", "closing")
    if position is not None:
        service, data = f"set_{cover.domain}_position", {"position": position}
        return Step(cover.domain, service, data, lambda now: _is_at(now, position), on_the_way)
    match wanted:
        case "open":
            return Step(cover.domain, f"open_{cover.domain}", {}, _is_open, ("opening",))
        case "close":
            return Step(cover.domain, f"close_{cover.domain}", {}, is_state("closed"), ("closing",))
    return Step(cover.domain, f"stop_{cover.domain}", {}, lambda now: now.value not in on_the_way)


def _is_open(state: State) -> bool:
    position = state.number("current_position")
    return state.value == "open" and (position is None or position >= 100 - POSITION_TOLERANCE)


def _is_at(state: State, wanted: float) -> bool:
    position = state.number("current_position")
    return position is not None and abs(position - wanted) <= POSITION_TOLERANCE


def lets_in(cover: Entity) -> bool:
    """Whether one that opens lets somebody or something in: doors, gates and valves, by class or by name."""
    if cover.domain == "valve":
        return True
    # A relay for shutters calls whatever hangs on it a shutter, also a roller door.
    is_shade = cover.device_class in _HARMLESS_COVERS
    if any(_is_door(name, is_shade=is_shade) for name in cover.spoken):
        return True
    return not is_shade and (cover.device_class in ("door", "garage", "gate") or _mixed(cover))


def _is_door(name: str, *, is_shade: bool) -> bool:
    """By its name; a shutter that is called one may be named after its door, but not after its garage or its gate."""
    if is_shade and _SHADE.search(name.lower()):
        return is_dangerous(name, {"close"})
    return is_dangerous(name, {"open"})


def _mixed(cover: Entity) -> bool:
    """A group of covers may hold a garage door."""
    return not cover.device_class and bool(cover.texts("entity_id"))


def _opens_danger(cover: Entity, state: State | None, arguments: Arguments, home: Home) -> bool:
    return lets_in(cover) and (arguments.get("action") == "open" or arguments.get("position", 0) > 0)


def _cover_deed(name: str, arguments: Arguments, home: Home) -> str:
    if "position" in arguments:
        return f"move {the(name)} to {arguments['position']} percent"
    return f"{arguments.get('action', 'move')} {the(name)}"


def _lock(lock: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    action = arguments["action"]
    if lock.abilities.get("code_format"):
        raise Failed(f"{the(lock.names[0])} wants a code, which this speaker does not have.")
    return Step("lock", action, {}, is_state(f"{action}ed"), (f"{action}ing",))


def _climate_properties(things: Sequence[Entity], home: Home) -> Properties:
    modes = dict.fromkeys(mode for thing in things for mode in thing.texts("hvac_modes") if mode in _ON_MODES)
    low = min(thing.number("min_temp", home.degrees(7)) for thing in things)
    high = max(thing.number("max_temp", home.degrees(35)) for thing in things)
    unit = "Celsius" if home.celsius else "Fahrenheit"
    return {
        "state": one_of("on", "off", *modes),
        "temperature": {"type": "number", "minimum": low, "maximum": high, "description": f"In degrees {unit}."},
    }


def _climate(thing: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    wanted, degrees = arguments.get("state"), arguments.get("temperature")
    if degrees is not None and wanted != "off":
        low, high = thing.number("min_temp", home.degrees(7)), thing.number("max_temp", home.degrees(35))
        if not low <= degrees <= high:
            raise Failed(f"{the(thing.names[0])} takes {number(low)} to {number(high)} degrees.")
        mode = _mode(thing, wanted) if wanted else ""
        data: Mapping[str, Any] = {"temperature": degrees, **({"hvac_mode": mode} if mode else {})}
        return Step(thing.domain, "set_temperature", data, lambda now: _is_set(now, degrees, mode))
    if wanted is None:
        raise Failed(f"it was not said what to do with {the(thing.names[0])}.")
    if thing.domain == "water_heater":
        is_off = wanted == "off"
        return Step(thing.domain, f"turn_{wanted}", {}, lambda now: (now.value == "off") is is_off)
    mode = _mode(thing, wanted)
    return Step("climate", "set_hvac_mode", {"hvac_mode": mode}, is_state(mode))


def _mode(thing: Entity, wanted: str) -> str:
    if thing.domain == "water_heater":
        return ""
    modes = thing.texts("hvac_modes")
    mode = next((mode for mode in _ON_MODES if mode in modes), wanted) if wanted == "on" else wanted
    if mode not in modes:
        raise Failed(f"{the(thing.names[0])} can't be set to {wanted.replace('_', ' ')}.")
    return mode


def _is_set(state: State, degrees: float, mode: str) -> bool:
    found = state.number("temperature")
    return found is not None and abs(found - degrees) <= 0.5 and (not mode or state.value == mode)


def _heats_much(thing: Entity, state: State | None, arguments: Arguments, home: Home) -> bool:
    """Turned off, down, or to what people live in, nobody is asked. What will come of turning it on is not known
    where its target is not."""
    limit = home.degrees(HOT_WATER_C if thing.domain == "water_heater" else WARM_C)
    if arguments.get("state") in ("off", "cool", "dry", "fan_only"):
        return False
    degrees = arguments.get("temperature", state.number("temperature") if state else None)
    return degrees is None or degrees > limit


def _climate_deed(name: str, arguments: Arguments, home: Home) -> str:
    if "temperature" in arguments:
        return f"set {the(name)} to {number(arguments['temperature'])} degrees"
    return f"switch {arguments.get('state', 'on').replace('_', ' ')} {the(name)}"


COVER = Kind(
    "cover",
    "Opens, closes or stops blinds, curtains, doors and gates",
    ("cover", "valve"),
    _cover_properties,
    _cover,
    group="blinds",
    is_risky=_opens_danger,
    riskiest={"action": "open"},
    deed=_cover_deed,
    groups=lambda cover: not lets_in(cover),
)
LOCK = Kind(
    "lock",
    "Locks or unlocks doors",
    ("lock",),
    lambda locks, home: {"action": one_of("lock", "unlock")},
    _lock,
    required=("action",),
    is_risky=lambda lock, state, arguments, home: arguments["action"] != "lock",
    riskiest={"action": "unlock"},
    deed=lambda name, arguments, home: f"{arguments['action']} {the(name)}",
)
CLIMATE = Kind(
    "climate",
    "Sets heating and cooling",
    ("climate", "water_heater"),
    _climate_properties,
    _climate,
    group="heating",
    is_risky=_heats_much,
    riskiest={"temperature": 100},
    deed=_climate_deed,
    groups=lambda thing: thing.domain == "climate",
)
