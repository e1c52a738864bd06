"""What can be said to a function, taken from the JSON schema of its parameters."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cooee.agent.embedded.names import GENERIC, Names, also_said, names, split
from cooee.agent.embedded.tidy import tidy, words_of

# What a value of an enum, or the verb of a name, is said with. Opposites never share a verb.
_VERBS = {
    "on": "on on enable enabled activate active",
    "off": "off off disable disabled deactivate inactive",
    "toggle": "toggle flip invert",
    "pulse": "pulse press push trigger ring buzz tap click momentary",
    "open": "open open opened",
    "close": "close closed shut",
    "lock": "lock locked",
    "unlock": "unlock unlocked",
    "start": "start run begin launch started running",
    "stop": "stop stopped end halt",
    "pause": "pause paused",
    "resume": "resume continue unpause",
    "play": "play playing",
    "next": "next skip",
    "previous": "previous back",
    "up": "up raise increase louder higher",
    "down": "down lower decrease quieter",
    "mute": "mute muted",
    "unmute": "unmute unmuted",
    "ask": "status state query check read get",
}
VERB_OF = {value: verb for verb, values in _VERBS.items() for value in values.split()}
_OPPOSITE = {
    "on": "off",
    "open": "close",
    "lock": "unlock",
    "start": "stop",
    "up": "down",
    "mute": "unmute",
    "pause": "resume",
}
_SELECTORS = frozenset(
    words_of(
        "name device room area light lamp which target entity zone place location door window item id where appliance "
        "switch"
    )
)
_UNITS = {
    "percent": "percent percentage brightness volume",
    "degrees": "degrees degree temperature thermostat celsius fahrenheit heating heater oven",
    "seconds": "seconds second sec secs s",
    "minutes": "minutes minute min mins",
    "hours": "hours hour h",
}
UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter that takes a number; `units` are those that its name, range or description speak of."""

    parameter: str
    minimum: float | None
    maximum: float | None
    whole: bool
    units: frozenset[str]

    def of(self, value: float, unit: str | None) -> float | int | None:
        """The argument for so many of the unit; None if this parameter does not count in such units."""
        if unit in SECONDS and unit not in self.units:
            own = [known for known in self.units if known in SECONDS]
            if len(own) != 1 or unit is None:
                return None
            value = value * SECONDS[unit] / SECONDS[own[0]]
        elif unit == "percent" and "percent" not in self.units and not self.units and not self.minimum and self.maximum:
            value = value / 100 * self.maximum
            value = round(value) if self.whole else round(value, 4)
        elif unit and unit not in self.units and unit != self.parameter:
            return None
        if self.whole:
            return int(value) if float(value).is_integer() else None
        return int(value) if float(value).is_integer() else value

    def takes(self, value: float) -> bool:
        return not (
            (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum)
        )


@dataclass(frozen=True, slots=True)
class Skill:
    """A declared function as something to be talked to."""

    name: str
    description: str
    names: Names
    properties: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]
    reading: bool
    verbs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()
    values: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    selector: str | None = None

    def missing(self, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(parameter for parameter in self.required if parameter not in arguments)

    @property
    def only(self) -> Mapping[str, Any]:
        """Its one parameter besides the thing, where that can be one value only: scenes are activated."""
        rest = [key for key in self.properties if key != self.selector]
        options = self.properties[rest[0]].get("enum") if len(rest) == 1 else None
        return {rest[0]: options[0]} if self.selector and isinstance(options, list) and len(options) == 1 else {}

    def spoken(self, parameter: str) -> Mapping[str, Any]:
        """The values of an enum, each by the words for it."""
        return _spoken(self.properties.get(parameter, {}))


def skill(function: Mapping[str, Any]) -> Skill | None:
    """None for a function that speech cannot fill in: a required list or object, or a broken schema."""
    schema = function.get("parameters")
    schema = schema if isinstance(schema, Mapping) else {}
    declared = schema.get("properties")
    declared = declared if isinstance(declared, Mapping) else {}
    properties = {key: value for key, value in declared.items() if isinstance(value, Mapping)}
    wanted = schema.get("required")
    required = tuple(key for key in (wanted if isinstance(wanted, list) else ()) if isinstance(key, str))
    if any(_kind(properties.get(key, {})) is None for key in required):
        return None
    name, description = str(function.get("name") or ""), str(function.get("description") or "")
    found = _assembled(name, description, properties, required, function.get("defer_until_eot") is not True)
    return replace(found, names=also_said(found.names, schema.get("phrases")))


def _assembled(
    name: str, description: str, properties: Mapping[str, Mapping[str, Any]], required: tuple[str, ...], early: bool
) -> Skill:
    states = {key: _states(key, schema) for key, schema in properties.items()}
    named = names(name, description, has_states=any(states.values()))
    verbs = {verb: {key: value} for key, found in states.items() for verb, value in found.items()}
    verbs = _verbs_of_name(name, verbs)
    context = f"{name} {description}"
    numbers = tuple(_number(key, properties[key], context) for key in properties if _kind(properties[key]) == "number")
    enums = [key for key in properties if _kind(properties[key]) == "enum"]
    selector = next(
        (key for key in enums if _selects(key) and not states[key] and (verbs or numbers or early or len(enums) > 1)),
        None,
    )
    texts = tuple(key for key in properties if _kind(properties[key]) == "text")
    values = {
        word: (key, value) for key in enums if key != selector for word, value in _spoken(properties[key]).items()
    }
    needed = set(required) - {selector}
    reading = (not needed and early) or ("ask" in verbs and needed <= verbs["ask"].keys())
    return Skill(name, description, named, properties, required, reading, verbs, numbers, values, texts, selector)


def _selects(parameter: str) -> bool:
    return any(word in _SELECTORS for word in split(parameter))


def _verbs_of_name(name: str, verbs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """ "open_gate" and "turn_on_lamp" say themselves what they do."""
    words = split(name)
    turned = words[:1] in (["turn"], ["switch"], ["power"]) and next((w for w in words[1:] if w in ("on", "off")), None)
    verb = turned or (VERB_OF.get(words[0]) if words and words[0] not in GENERIC else None)
    if verb and not verbs and (len(words) > 1 or turned):
        verbs = {verb: {}}
        if verb == "start":
            verbs["on"] = {}
        if verb == "stop":
            verbs["off"] = {}
    return verbs


def _kind(schema: Mapping[str, Any]) -> str | None:
    """enum, number, text, switch (a boolean), or None for what cannot be said."""
    if isinstance(schema.get("enum"), list):
        return "enum"
    types = schema.get("type")
    type_ = next((t for t in types if t != "null"), None) if isinstance(types, list) else types
    return {"boolean": "switch", "integer": "number", "number": "number", "string": "text"}.get(str(type_))


def _states(parameter: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The verbs that set a parameter: {"on": "on", ...}; none for a number or a text."""
    if _kind(schema) == "switch":
        verb = next((VERB_OF[word] for word in split(parameter) if VERB_OF.get(word) in _OPPOSITE), "on")
        return {verb: True, _OPPOSITE[verb]: False}
    if _kind(schema) != "enum":
        return {}
    verbs: dict[str, Any] = {}
    for word, value in _spoken(schema).items():
        if word in VERB_OF:
            verbs.setdefault(VERB_OF[word], value)
    return verbs


def _spoken(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = schema.get("enum")
    pairs = [(tidy(str(value).replace("_", " ")), value) for value in (found if isinstance(found, Sequence) else ())]
    return {word: value for word, value in pairs if word and not isinstance(value, dict | list)}


def _number(parameter: str, schema: Mapping[str, Any], context: str) -> Number:
    low, high = (_bound(schema, "minimum", "exclusiveMinimum"), _bound(schema, "maximum", "exclusiveMaximum"))
    own = {UNIT_OF[word] for word in _words(f"{parameter} {schema.get('description') or ''}") if word in UNIT_OF}
    about = {UNIT_OF[word] for word in _words(context) if word in UNIT_OF and UNIT_OF[word] not in SECONDS}
    units = own or about or ({"percent"} if (low, high) == (0, 100) else set())
    types = schema.get("type")
    return Number(
        parameter, low, high, types == "integer" or (isinstance(types, list) and "integer" in types), frozenset(units)
    )


def _words(text: str) -> list[str]:
    return tidy(re.sub(r"[_-]", " ", text)).split()


def _bound(schema: Mapping[str, Any], *keys: str) -> float | None:
    found = next((schema[key] for key in keys if key in schema), None)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value that was heard is one that the schema allows."""
    found = schema.get("enum")
    if isinstance(found, list):
        return any(value is known or (type(value) is type(known) and value == known) for known in found)
    kind = _kind(schema)
    if kind == "switch":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str) and _long_enough(value, schema)
    return kind == "number" and _counts(value, schema)


def _long_enough(value: str, schema: Mapping[str, Any]) -> bool:
    least, most, pattern = schema.get("minLength", 0), schema.get("maxLength", 10_000), schema.get("pattern")
    try:
        return least <= len(value) <= most and (not pattern or re.search(pattern, value) is not None)
    except (re.error, TypeError):
        return False


def _counts(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    whole = schema.get("type") == "integer" or (isinstance(schema.get("type"), list) and "integer" in schema["type"])
    if whole and not isinstance(value, int):
        return False
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return all(
        (
            not isinstance(low, int | float) or value >= low,
            not isinstance(high, int | float) or value <= high,
            not isinstance(above, int | float) or value > above,
            not isinstance(below, int | float) or value < below,
            not isinstance(step, int | float) or not step or abs(value / step - round(value / step)) < 1e-9,
        )
    )
