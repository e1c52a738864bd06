"""What a server of tools offers, as far as it may be told on, and what its tools answer. Pure.

Source: Model Context Protocol, revision 2025-06-18, "Tools".
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cooee.actions import Failed
from cooee.actions._words import one_line

SCHEMA_LIMIT = 8000
ABOUT_LIMIT = 500
_UNWANTED = ("pattern", "patternProperties", "$ref", "$dynamicRef", "$schema", "$id", "$defs", "definitions", "format")
"""What a schema can do without, and what a stranger could use to make us compute or fetch for long."""


MOST_DEPTH, MOST_PARTS = 40, 5000


class Unfit(Exception):
    """The tool can't be offered; str() is a clause."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool. `is_read_only`: by the server's own word."""

    name: str
    about: str
    schema: Mapping[str, Any]
    is_read_only: bool


def offer(tool: Mapping[str, Any]) -> Offer:
    """Raises Unfit."""
    import jsonschema

    name, schema = str(tool.get("name")), tool.get("inputSchema") or {"type": "object"}
    if not isinstance(schema, Mapping) or schema.get("type", "object") != "object":
        raise Unfit("takes no arguments by name")
    if len(json.dumps(schema)) > SCHEMA_LIMIT:
        raise Unfit("has too long a description of its arguments")
    schema = _resolved(schema, schema.get("$defs", {}), iter(range(MOST_PARTS)))
    plain = {"properties": {}, "additionalProperties": False, **_plain(schema), "type": "object"}
    try:
        jsonschema.Draft202012Validator.check_schema(plain)
    except jsonschema.SchemaError as error:
        raise Unfit("describes its arguments by no JSON schema") from error
    hints = tool.get("annotations")
    is_read_only = isinstance(hints, Mapping) and hints.get("readOnlyHint") is True
    about = one_line(tool.get("description") or name.replace("_", " "), ABOUT_LIMIT)
    return Offer(name, about, plain, is_read_only)


def answer(result: Mapping[str, Any]) -> str:
    """What the tool says. Raises Failed where it says that it failed."""
    content = result.get("content")
    parts = [each for each in content if isinstance(each, Mapping)] if isinstance(content, list) else []
    text = one_line(" ".join(str(each.get("text", "")) for each in parts if each.get("type") == "text"), 2000)
    if result.get("isError"):
        raise Failed(f"the tool says: {one_line(text, 300)}" if text else "the tool says no more than that it failed.")
    if not text and result.get("structuredContent"):
        text = one_line(json.dumps(result["structuredContent"], ensure_ascii=False), 2000)
    return text


def function_name(table: str, tool: str) -> str:
    """ "notes", "addNote" -> "notes_add_note"."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", tool).lower()
    return f"{table}_{re.sub(r'[^a-z0-9]+', '_', words).strip('_')}"[:63]


def _resolved(schema: Any, definitions: Any, left: Iterator[int], depth: int = 0) -> Any:
    """With the schema's own definitions in place of references to them. Raises Unfit for any other reference.

    `left` runs out where little text stands for a schema without end.
    """
    if depth > MOST_DEPTH or next(left, None) is None:
        raise Unfit("describes its arguments in circles, or at too great length")
    match schema:
        case {"$ref": str(reference)}:
            name = reference.removeprefix("#/$defs/")
            if not isinstance(definitions, Mapping) or name not in definitions:
                raise Unfit("describes its arguments elsewhere")
            return _resolved(definitions[name], definitions, left, depth + 1)
        case Mapping():
            return {
                key: _resolved(each, definitions, left, depth + 1) for key, each in schema.items() if key != "$defs"
            }
        case list():
            return [_resolved(each, definitions, left, depth + 1) for each in schema]
    return schema


def _plain(schema: Any) -> Any:
    match schema:
        case {"properties": dict() as properties}:
            rest = {key: value for key, value in schema.items() if key != "properties"}
            return {**_plain(rest), "properties": {name: _plain(each) for name, each in properties.items()}}
        case Mapping():
            return {key: _plain(value) for key, value in schema.items() if key not in _UNWANTED}
        case list():
            return [_plain(each) for each in schema]
    return schema
