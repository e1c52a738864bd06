"""What config.toml may hold as a JSON schema, for editors that complete and check TOML."""

from typing import Any

from pydantic import TypeAdapter

from cooee import config, kinds
from cooee.settings import Persona


def schema() -> dict[str, Any]:
    """Of the whole file."""
    properties = {room: TypeAdapter(model).json_schema() for room, model in config.ROOMS.items()}
    for room in config.KINDS:
        properties[room] = _any_kind(room)
    properties["personas"] = {"type": "object", "additionalProperties": TypeAdapter(Persona).json_schema()}
    properties["actions"] = {"type": "object", "additionalProperties": _any_kind("actions")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cooee",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _any_kind(room: str) -> dict[str, Any]:
    return {"anyOf": [TypeAdapter(kinds.settings(room, name)).json_schema() for name in kinds.names(room)]}
