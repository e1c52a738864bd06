"""Sentences: about devices, from their descriptions, and about arguments, from their schemas. Pure."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import ValidationError

_DETERMINERS = re.compile(
    r"(?i)(the|an?|my|our|your|his|her|its|their|this|that|these|those|all|both|every|each|der|die|das|meine?|unsere?)$"
)
PREPOSITIONS = re.compile(
    r" (?:in|on|of|at|for|by|over|under|above|below|behind|beside|near|next|outside|inside|with)\b"
)


def subject(description: str) -> str:
    """What a description speaks of: "desk lamp" -> "The desk lamp", "My bed" -> "Your bed"."""
    thing = re.split(r"[.,;:(!?\n]", description.strip(), maxsplit=1)[0].strip() or description.strip()
    first, _, rest = thing.partition(" ")
    if first.lower() in ("my", "our") and rest:
        return f"Your {rest}"
    if _DETERMINERS.match(first) or re.search(r"['\u2019]s?$", first):
        return thing[0].upper() + thing[1:]
    plain = thing if first != first.capitalize() else thing[0].lower() + thing[1:]
    return f"The {plain}"


def sentence(description: str, predicate: str) -> str:
    """ "The lamps on the desk", "on" -> "The lamps on the desk are on." """
    return clause(description, "is", "are", predicate)


def clause(description: str, one: str, several: str, predicate: str) -> str:
    """The same with another verb: "The vents", "was", "were", "sent to 90 degrees"."""
    who = subject(description)
    return f"{who} {several if _plural(who) else one} {predicate}."


def _plural(who: str) -> bool:
    head = PREPOSITIONS.split(who, maxsplit=1)[0]
    if re.search(r" and ", head) or who.lower().startswith(("these ", "those ", "all ", "both ")):
        return True
    return head.endswith("s") and not head.endswith(("ss", "us", "is", "'s", "s'", "gas", "lens"))


def join(words: list[str], last: str = "or") -> str:
    """["a", "b", "c"] -> "a, b or c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def one_line(text: object, most: int = 200) -> str:
    """Text fit for a sentence: one line, no control characters, at most so long."""
    line = "".join(c if c.isprintable() else " " for c in str(text)[: most * 4])
    line = re.sub(r"\s+", " ", line).strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"


def misfit(error: "ValidationError") -> str:
    """What is wrong with the arguments and what would be right: "level has to be a whole number from 0 to 100, ..."."""
    # The library's types are unions with values that do not come out of a validator.
    schema: Any = error.schema
    found: Any = error.instance
    properties: Mapping[str, Any] = schema.get("properties", {})
    if error.validator == "required":
        name = next(name for name in schema["required"] if name not in found)
        return f"{name} is missing; it has to be {wanted(properties[name])}."
    if error.validator == "additionalProperties":
        name = next(name for name in found if name not in properties)
        takes = join(list(properties), "and") if properties else "nothing"
        return f"there is no {one_line(name, 40)} to be set here, it takes {takes}."
    if not error.absolute_path:
        return "the arguments do not fit."
    return f"{error.absolute_path[0]} has to be {wanted(schema)}, not {shown(found)}."


def wanted(schema: Mapping[str, Any]) -> str:
    """What a value may be: "a whole number from 0 to 100"."""
    if "enum" in schema:
        return join([f"'{option}'" if isinstance(option, str) else shown(option) for option in schema["enum"]])
    match schema.get("type"):
        case "integer":
            return f"a whole number{_range(schema)}"
        case "number":
            return f"a number{_range(schema)}"
        case "boolean":
            return "true or false"
        case "string" if "pattern" in schema:
            return f"text of the form {schema['pattern']}"
        case "string" if "maxLength" in schema:
            return f"text of at most {schema['maxLength']} characters"
        case "string":
            return "text"
    return "something else"


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" from {low} on" if low is not None else f" up to {high}" if high is not None else ""


def shown(value: object) -> str:
    """A value as it can be said, and short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float() if abs(value) >= 10**20:
            return "a number as large as that"
        case int() | float():
            return str(value)
        case str():
            return f"'{one_line(value, 40)}'"
        case list():
            return "a list"
    return "an object"
