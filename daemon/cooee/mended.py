"""A table with faults as it was probably meant, so that what else is wrong with it is told at the same time. Pure."""

import copy
import difflib
import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, model_validator
from pydantic_core import ErrorDetails

from cooee.faults import options_of, place, settings

APART = {"description", "question", "phrases", "risk", "time_limit_s", "rate_limit_per_min"}
APART |= {"password", "token", "headers", "token_headers", "env"}
"""Settings that nothing else in their table depends on."""
QUOTED = re.compile(r"(0|[1-9]\d{0,8})(\.\d{1,9})?|true|false")
BOUNDS = {"greater_than_equal": "ge", "less_than_equal": "le"}


@dataclass(slots=True)
class Mended:
    """`table`: None if nothing could be mended. `guessed`: settings whose value is not what anybody meant."""

    table: dict[str, Any] | None
    guessed: set[str] = field(default_factory=set)


def mended(model: type[BaseModel], table: dict[str, Any], errors: Sequence[ErrorDetails]) -> Mended:
    """Names and words are read as the nearest that there are, numbers brought into their limits."""
    result = Mended(copy.deepcopy(table))
    if not any([_mend(result, model, error) for error in errors]):
        result.table = None
    return result


@functools.cache
def lenient(model: type[BaseModel]) -> type[BaseModel]:
    """The same without what it says of the table as a whole, which is told already."""
    silent = {name: model_validator(mode="after")(_fine) for name in model.__pydantic_decorators__.model_validators}
    return type(model.__name__, (model,), {"__module__": model.__module__, **silent})


def _fine(table: BaseModel) -> BaseModel:
    return table


def _mend(result: Mended, model: type[BaseModel], error: ErrorDetails) -> bool:
    path = place(result.table, error["loc"])
    if len(path) > 1 and path[0] == "parameters":
        path, error = path[:2], {**error, "type": "parameter"}
    inner: Any = result.table
    for part in path[:-1]:
        inner = inner.get(part) if isinstance(inner, dict) else inner[int(part)] if isinstance(inner, list) else None
    if not path or not isinstance(inner, dict):
        return False
    return _mend_setting(result, inner, path[-1], error, model)


def _mend_setting(
    result: Mended, table: dict[str, Any], name: str, error: ErrorDetails, model: type[BaseModel]
) -> bool:
    found, kind = table.get(name), error["type"]
    if kind == "parameter":
        table[name] = {"type": "string"}
    elif kind == "extra_forbidden":
        known = [each for each in settings(model, error["loc"], table) if each not in table]
        near = difflib.get_close_matches(name, known, n=1)
        table.pop(name, None)
        table.update({near[0]: found} if near else {})
        result.guessed |= set(near)
    elif kind == "literal_error" and (
        near := difflib.get_close_matches(str(found), options_of(model, error["loc"]), 1)
    ):
        table[name] = near[0]
    elif kind in ("int_type", "float_type", "bool_type") and isinstance(found, str) and QUOTED.fullmatch(found):
        table[name] = json.loads(found)
    elif kind in BOUNDS and isinstance(found, int | float):
        table[name] = type(found)(error["ctx"][BOUNDS[kind]])
        result.guessed.add(name)
    elif name in APART:
        table[name] = "The thing" if name == "description" else None
        if table[name] is None:
            del table[name]
        result.guessed.add(name)
    else:
        return False
    return True
