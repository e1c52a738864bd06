"""Home Assistant's states in words. Pure."""

from collections.abc import Mapping

from cooee.actions._hass_home import Entity
from cooee.actions._hass_mirror import State
from cooee.actions._words import join, one_line, sentence

_OPEN = ("open", "closed")
_FOUND = ("detected", "not detected")
_BINARY: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("door", "garage_door", "opening", "window"), _OPEN),
    **dict.fromkeys(("gas", "smoke", "carbon_monoxide", "motion", "occupancy", "sound", "tamper", "vibration"), _FOUND),
    "moisture": ("wet", "dry"),
    "lock": ("unlocked", "locked"),
    "battery": ("low", "not low"),
    "battery_charging": ("charging", "not charging"),
    "presence": ("home", "away"),
    "connectivity": ("connected", "disconnected"),
    "plug": ("plugged in", "unplugged"),
    "problem": ("reporting a problem", "fine"),
    "safety": ("unsafe", "safe"),
    "cold": ("cold", "not cold"),
    "heat": ("hot", "not hot"),
    "moving": ("moving", "still"),
    "running": ("running", "not running"),
}
_MODES = {
    "heat": "heating", "cool": "cooling", "heat_cool": "on automatic", "auto": "on automatic", "dry": "drying",
    "fan_only": "only ventilating",
}  # fmt: skip
PAINTED = ("hs", "xy", "rgb", "rgbw", "rgbww")
"""The colour modes of Home Assistant in which a light has any colour."""
HUES_DEG = {
    "red": 0, "orange": 30, "yellow": 52, "green": 120, "cyan": 180, "blue": 240, "purple": 271, "pink": 323,
}  # fmt: skip
WHITES = {"warm white": 2700, "white": 4000, "cold white": 6000}
"""In kelvin."""


def told(name: str, entity: Entity, state: State | None) -> str:
    """A sentence: what it is at this moment."""
    return sentence(name, predicate(entity, state))


def told_together(name: str, found: Mapping[str, tuple[Entity, State | None]]) -> str:
    """What several are, which have a common name. `found`: by the name of each."""
    said = {one: predicate(*each) for one, each in found.items()}
    if len(set(said.values())) == 1:
        return sentence(name, next(iter(said.values())))
    return " ".join(sentence(one, words) for one, words in list(said.items())[:12])


def predicate(entity: Entity, state: State | None) -> str:
    """ "on at 40 percent", "closed", "21.5 °C"; what nobody knows is said to be so."""
    if state is None:
        return "no longer in Home Assistant"
    if state.is_away:
        return "unavailable"
    if state.value == "unknown" and entity.domain not in ("scene", "button", "input_button"):
        return "in a state that Home Assistant does not know"
    match entity.domain:
        case "light":
            return _light(state)
        case "fan":
            return _with(state.value, "at", state.number("percentage") if state.value == "on" else None, "percent")
        case "cover" | "valve":
            position = state.number("current_position")
            return _with(state.value, "at", position if position not in (None, 0, 100) else None, "percent")
        case "climate" | "water_heater":
            return _climate(state)
        case "media_player":
            return _media(state)
        case "binary_sensor":
            on, off = _binary(entity)
            return on if state.value == "on" else off
        case "script":
            return "running" if state.value == "on" else "not running"
        case "scene" | "button" | "input_button":
            return "ready to be used"
    unit = one_line(state.attributes.get("unit_of_measurement") or "", 20)
    return f"{one_line(state.value, 200).replace('_', ' ')} {unit}".strip()


def _binary(entity: Entity) -> tuple[str, str]:
    """The motion in the hall is detected; the sensor in the hall detects it."""
    words = _BINARY.get(entity.device_class, ("on", "off"))
    if words != _FOUND or not entity.names[0].lower().endswith(("sensor", "detector", "alarm")):
        return words
    return f"detecting {entity.device_class.replace('_', ' ')}", "detecting nothing"


def number(value: float) -> str:
    """21.0 -> "21", 21.46 -> "21.5"."""
    return f"{round(value, 1):g}" if abs(value) < 1e6 else str(value)


def _with(word: str, at: str, value: float | None, unit: str) -> str:
    return word if value is None else f"{word} {at} {number(value)} {unit}"


def percent(state: State) -> int | None:
    """How bright a light is."""
    brightness = state.number("brightness")
    return None if brightness is None else max(1, round(brightness / 255 * 100))


def _light(state: State) -> str:
    if state.value != "on":
        return state.value
    colour = _colour(state)
    return _with("on", "at", percent(state), "percent") + (f", {colour}" if colour else "")


def _colour(state: State) -> str:
    """The name that comes nearest to its colour, "" for a light that has none."""
    kelvin, painted = state.number("color_temp_kelvin"), state.attributes.get("hs_color")
    if state.attributes.get("color_mode") == "color_temp" and kelvin:
        return min(WHITES, key=lambda white: abs(WHITES[white] - kelvin))
    if state.attributes.get("color_mode") not in PAINTED or not isinstance(painted, list | tuple) or len(painted) != 2:
        return ""
    hue, saturation = painted
    return "white" if saturation < 20 else min(HUES_DEG, key=lambda colour: degrees_apart(HUES_DEG[colour], hue))


def degrees_apart(one: float, other: float) -> float:
    """Of two hues, which are angles."""
    away = abs(one - other) % 360
    return min(away, 360 - away)


def _climate(state: State) -> str:
    said = [_MODES.get(state.value, state.value.replace("_", " "))]
    wanted, found = state.number("temperature"), state.number("current_temperature")
    if wanted is not None:
        said.append(f"set to {number(wanted)} degrees")
    if found is not None:
        said.append(f"measures {number(found)} degrees")
    return join(said, "and")


def _media(state: State) -> str:
    title = one_line(state.attributes.get("media_title") or "", 80)
    said = f"{state.value} {title}".strip() if state.value in ("playing", "paused") else state.value
    volume = state.number("volume_level")
    if state.attributes.get("is_volume_muted") is True:
        return f"{said}, muted"
    return f"{said}, with the volume at {round(volume * 100)} percent" if volume is not None else said
