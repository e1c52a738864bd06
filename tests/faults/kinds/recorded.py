"""An action for the bench: moves nothing, and writes down each time it was asked to."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

from cooee.actions import ActionTable
from cooee.effects import Function

RECORDS: dict[str, list[Mapping[str, Any]]] = {}


class Settings(ActionTable):
    """Written down and not done."""

    type: Literal["recorded"] = "recorded"
    """Written down and not done."""
    book: str
    """In which of RECORDS."""
    takes_s: float = 0.0
    """So long it takes; it is written down at the start."""


def declare(name: str, settings: Settings) -> Function:
    lit = {"on": {"type": "boolean"}}
    schema = {"type": "object", "properties": lit, "required": ["on"], "additionalProperties": False}
    return Function(name, settings.description, schema)


def open(name: str, settings: Settings, report: Callable[[Any], None]) -> "Recorded":
    return Recorded(name, settings)


class Recorded:
    def __init__(self, name: str, settings: Settings) -> None:
        self.function = declare(name, settings)
        self._settings = settings

    async def run(self, arguments: Mapping[str, Any]) -> str:
        RECORDS.setdefault(self._settings.book, []).append(arguments)
        await asyncio.sleep(self._settings.takes_s)
        return "The lamp is on."

    def close(self) -> None: ...
