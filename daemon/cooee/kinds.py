"""Kinds of devices are modules found by their name in the config: a new light, action or agent is a new file."""

import difflib
import importlib
import pkgutil
from types import ModuleType
from typing import Any


class Unknown(Exception):
    """There is no such kind, or its library is not installed; str() is a sentence that says what there is."""


def names(room: str) -> tuple[str, ...]:
    """The kinds in a room ("lights" -> ("led", "none", "rgb")); a module with an underscore is none."""
    package = importlib.import_module(f"cooee.{room}")
    return tuple(sorted(each.name for each in pkgutil.iter_modules(package.__path__) if each.name[0] != "_"))


def module(room: str, name: str) -> ModuleType:
    """The kind's module; no other of the room is imported. Raises Unknown."""
    known = names(room)
    if name not in known:
        raise Unknown(f"there is no such kind; there are {', '.join(known)}{did_you_mean(name, known)}")
    try:
        return importlib.import_module(f"cooee.{room}.{name}")
    except ModuleNotFoundError as error:
        raise Unknown(f'needs the Python package "{error.name}", which is not installed') from error


def settings(room: str, name: str) -> Any:
    """The kind's settings model. Raises Unknown."""
    return module(room, name).Settings


def did_you_mean(found: object, known: tuple[str, ...]) -> str:
    """A clause for the end of a sentence, or nothing."""
    near = difflib.get_close_matches(str(found), known, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
