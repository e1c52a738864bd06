"""What is wrong with a config file, in sentences for who wrote it, with nothing in them that may be a key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cooee import kinds

HIDDEN = frozenset({"headers", "body", "env", "command", "key_file"})
"""Settings in which a key may stand: their values are shown nowhere."""

PLAIN = {
    "missing": "must be set",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "string_type": "must be text in quotes",
    "list_type": "must be a list in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "recursion_depth_exceeded": "is nested too deeply",
    "invalid-json-value": "must be text, a number, true, false, a list or a table",
}
"""The library's errors, where it speaks of Python."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the file."""

    file: str
    line: int
    setting: str
    found: str
    allowed: str

    def __str__(self) -> str:
        found = f" = {self.found}" if self.found else ""
        return f"{self.file}:{self.line}: {self.setting}{found}: {self.allowed}"


class Faulty(Exception):
    """The file is refused; str() has a line for each fault."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def allowed(error: ErrorDetails, model: type[BaseModel], table: dict[str, Any]) -> str:
    """The library's error as a sentence; `table` is what was found."""
    sentence = _redacted(_sentence(error, model))
    for secret in _texts({name: table[name] for name in HIDDEN & table.keys()}):
        sentence = sentence.replace(repr(secret), "...")
    return sentence


def place(table: Any, loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The error's setting in the file. A list's entries are none, nor a union's branches, which the library names."""
    found = []
    for part in loc:
        if not isinstance(table, dict) or part not in (*table, loc[-1]) or part == "[key]":
            break
        table = table.get(part)
        found.append(str(part))
    return tuple(found)


def shown(path: tuple[str, ...], value: Any) -> str:
    """The value as written, near enough, and short; nothing where it may be a secret."""
    entries = value if isinstance(value, list) else [value]
    if value is None or HIDDEN & set(path[1:]) or any(isinstance(each, dict | list) for each in entries):
        return ""
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    except ValueError:  # Python prints no number of more than 4300 digits
        return "a number of thousands of digits"
    text = " ".join(_redacted(text).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _redacted(text: str) -> str:
    """Without user and password of an address."""
    return re.sub(r"//.*@", "//...@", text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = tuple(_model(model, error["loc"]).model_fields)
            return f"no such setting; there are {', '.join(known)}{kinds.did_you_mean(error['loc'][-1], known)}"
        case "literal_error":
            options = tuple(str(option) for option in _options(model, error["loc"]))
            return f"must be {context['expected']}{kinds.did_you_mean(error['input'], options)}"
        case "string_too_short" | "string_too_long":
            return _sized(context, "character")
        case "string_pattern_mismatch" if error["loc"][-1] == "[key]":
            return "a name is lower-case letters, digits and _, as in desk_lamp"
        case "too_short" | "too_long":
            return _sized(context, "entry")
        case "value_error":
            return str(context["error"])
    return PLAIN.get(error["type"]) or error["msg"].replace("Input should", "must").replace("Value should", "must")


def _sized(context: dict[str, Any], noun: str) -> str:
    if context.get("min_length") == 1:
        return "must not be empty"
    bound = "at least" if "min_length" in context else "at most"
    plural = {"character": "characters", "entry": "entries"}[noun]
    return f"must have {bound} {context.get('min_length', context.get('max_length'))} {plural}"


def _model(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of the table in which the setting `loc` stands."""
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        inner = (field.annotation, *get_args(field.annotation)) if field else ()
        model = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), model)
    return model


def _options(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[Any, ...]:
    field = _model(model, loc).model_fields.get(str(loc[-1])) if loc else None
    return get_args(field.annotation) if field else ()
