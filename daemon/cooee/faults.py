"""What is wrong with a config file, in sentences for who wrote it, with nothing in them that may be a key."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cooee import kinds

HIDDEN = frozenset(
    {"headers", "body", "env", "command", "credentials", "password", "token"}
    | {"key_file", "token_command", "token_url", "token_headers"}
)
"""Settings in which a key may stand: their values are shown nowhere."""

NAMED = ("actions", "personas")
"""Tables of tables, whose names are up to who writes them."""

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
    "none_required": "can't be set for this type",
    "union_tag_not_found": "must be set",
    "recursion_depth_exceeded": "is nested too deeply",
    "invalid-json-value": "must be text, a number, true, false, a list or a table",
}
"""The library's errors, where it speaks of Python."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the file, or, as a warning, one that may be wrong on this machine."""

    file: str
    line: int
    setting: str
    found: str
    allowed: str
    is_warning: bool = False

    def __str__(self) -> str:
        warning = "warning: " if self.is_warning else ""
        found = f" = {self.found}" if self.found else ""
        return f"{self.file}:{self.line}: {warning}{self.setting}{found}: {self.allowed}"


class Faulty(Exception):
    """The file is refused; str() has a line for each fault and each warning."""

    def __init__(self, faults: tuple[Fault, ...], warnings: tuple[Fault, ...] = ()) -> None:
        super().__init__("\n".join(map(str, sorted((*faults, *warnings), key=lambda each: each.line))))
        self.faults = faults


def allowed(error: ErrorDetails, model: type[BaseModel], table: dict[str, Any]) -> str:
    """The library's error as a sentence; `table` is what was found."""
    sentence = _redacted(_sentence(error, model, table))
    for secret in _hidden(table):
        sentence = sentence.replace(repr(secret), "...")
    return sentence


def place(table: Any, loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The error's setting in the file. Entries of a list are none unless they are tables, nor are a union's branches,
    which the library names, nor the only entry of a list of tables that stands as one table.
    """
    found = []
    for part in loc:
        if isinstance(part, int) and isinstance(table, list) and part < len(table) and isinstance(table[part], dict):
            table = table[part]
        elif not isinstance(table, dict) or part == "[key]":
            break
        elif part in (*table, loc[-1]) and not isinstance(part, int):
            table = table.get(part)
        else:
            continue
        found.append(str(part))
    return tuple(found)


def union_type(error: ErrorDetails) -> ErrorDetails:
    """That a table is of no known type is said of its `type`."""
    if error["type"] != "union_tag_invalid":
        return error
    return {**error, "loc": (*error["loc"], "type"), "input": error["ctx"]["tag"]}


def parted(sentence: str, model: type[BaseModel]) -> list[str]:
    """Each thing that a kind says of its settings, if it says several."""
    parts = sentence.split("; ")
    return parts if all(part.split(" ")[0] in model.model_fields for part in parts) else [sentence]


def concerned(table: dict[str, Any], sentence: str) -> tuple[str, ...]:
    """The setting in the table that a sentence about the whole of it speaks of first; () if of none."""
    braced = re.search(r"\{\w+\}", sentence)
    texts = [(text, name) for name, value in table.items() for text in _texts(value) if text]
    if named := [(text, name) for text, name in texts if repr(text) in sentence or (braced and braced[0] in text)]:
        return (max(named, key=lambda each: len(each[0]))[1],)
    if (found := re.match(r"the parameter (\w+)", sentence)) and found[1] in table.get("parameters", {}):
        return ("parameters", found[1])
    return next(((word,) for word in re.findall(r"\w+", sentence) if word in table and word != "type"), ())


def title(path: tuple[str, ...]) -> str:
    """The setting as it is called: [agent.think] model. A thing that somebody named is a table: [actions.lamp]."""
    table, name = (path[:-1], path[-1]) if len(path) > 1 else (path, "")
    if name.isdecimal() or (name and len(path) == 2 and path[0] in NAMED):
        table, name = path, ""
    return f"[{'.'.join(part for part in table if not part.isdecimal())}] {name}".strip()


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
    return re.sub(r"(//[^\s?]*\?)\S*", r"\1...", re.sub(r"//.*@", "//...@", text))


def _hidden(table: Any) -> Iterator[str]:
    """The texts of all settings in which a key may stand."""
    if isinstance(table, list):
        for each in table:
            yield from _hidden(each)
    elif isinstance(table, dict):
        for name, value in table.items():
            yield from _texts(value) if name in HIDDEN else _hidden(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def settings(model: type[BaseModel], loc: tuple[int | str, ...], table: dict[str, Any]) -> tuple[str, ...]:
    """What can be set where `loc` stands, for a thing of that kind."""
    inner = _model(model, loc)
    of_its_kind = getattr(inner, "of_its_kind", None)
    return of_its_kind(table) if of_its_kind and len(loc) == 1 else tuple(inner.model_fields)


def _sentence(error: ErrorDetails, model: type[BaseModel], table: dict[str, Any]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = settings(model, error["loc"], table)
            near = difflib.get_close_matches(str(error["loc"][-1]), known, n=3)
            if near:
                meant = " or ".join(f'"{each}"' for each in near)
                return f"no such setting; did you mean {meant}?"
            if re.search(r"(?i)key|token|password|secret", str(error["loc"][-1])):
                return "no such setting; keys stand in no config file, but in the environment or in a credential"
            return f"no such setting; there are {_and(known)}"
        case "literal_error":
            options = options_of(model, error["loc"])
            return f"must be {context['expected']}{kinds.did_you_mean(error['input'], options)}"
        case "union_tag_invalid":
            known = tuple(re.findall(r"'([^']+)'", context["expected_tags"]))
            return f"must be one of {', '.join(known)}{kinds.did_you_mean(context['tag'], known)}"
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
    branches: tuple[type[BaseModel], ...] = ()
    for part in loc[:-1]:
        if chosen := [each for each in branches if _is_called(each, part)]:
            model, branches = chosen[0], ()
        elif field := model.model_fields.get(str(part)):
            branches = tuple(_models(field.annotation))
            model = branches[0] if branches else model
    return model


def _is_called(model: type[BaseModel], tag: int | str) -> bool:
    field = model.model_fields.get("type")
    return field is not None and tag in get_args(field.annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Those that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def options_of(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The words that the setting may be."""
    field = _model(model, loc).model_fields.get(str(loc[-1])) if loc else None
    return tuple(map(str, get_args(field.annotation))) if field else ()


def _and(words: tuple[str, ...]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
