"""The settings as a file, and every fault in it at once: where, what was found, what is allowed, did you mean.

A file with faults is refused as a whole. What a setting is and may be stands in `settings` and in the kinds' own files.
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cooee import kinds, wake
from cooee.settings import Conversation, Mic, Service, Session, Speaker, Table, Wake

ROOMS: dict[str, type[Table]] = {
    "mic": Mic,
    "wake": Wake,
    "conversation": Conversation,
    "session": Session,
    "speaker": Speaker,
    "service": Service,
}
KINDS = {"agent": "embedded", "lights": "none"}
"""Rooms whose `type` names a module, and the type where none is given."""
BUILT_IN = ("set_volume", "change_volume", "stop_listening")
ACTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


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


@dataclass(frozen=True, slots=True)
class Config:
    """A file without faults."""

    mic: Mic
    wake: Wake
    conversation: Conversation
    session: Session
    speaker: Speaker
    service: Service
    agent: Any
    lights: Any
    actions: Mapping[str, Any]
    file: str = ""


def find() -> Path:
    """Where the config is when nobody says: $COOEE_CONFIG, /etc/cooee, the checkout, or the one installed with us."""
    named = os.environ.get("COOEE_CONFIG")
    places = [
        Path("/etc/cooee/config.toml"),
        Path(__file__).parents[2] / "config" / "config.toml",
        Path(sys.prefix) / "share" / "cooee" / "config.toml",
    ]
    return Path(named) if named else next((path for path in places if path.is_file()), places[0])


def load(path: Path) -> Config:
    """Read and check the file. Raises Faulty with every fault in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Faulty((Fault(str(path), 1, "the file", "", f"can't be read: {why}"),)) from error
    return parse(text, str(path))


def parse(text: str, file: str = "config.toml") -> Config:
    """Check the text of a file. Raises Faulty with every fault in it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+), column \d+\)", str(error))
        at = int(line[1]) if line else len(text.splitlines()) or 1
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise Faulty(
            (Fault(file, at, "not TOML", "", f"{what}; strings need quotes, true and false do not"),)
        ) from error
    return _Reader(file, text).read(tables)


def schema() -> dict[str, Any]:
    """JSON schema of the whole file, for editors that complete and check TOML."""
    properties = {room: TypeAdapter(model).json_schema() for room, model in ROOMS.items()}
    for room in KINDS:
        properties[room] = _any_kind(room)
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


class _Reader:
    """Gathers what it reads and every fault on the way."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines: dict[tuple[str, ...], int] = {}
        for path, line in _lines(text):
            self._lines.setdefault(path, line)
        self._faults: list[Fault] = []

    def read(self, tables: dict[str, Any]) -> Config:
        known = (*ROOMS, *KINDS, "actions")
        for name, value in tables.items():
            if name not in known:
                what = "table" if isinstance(value, dict) else "setting outside a table"
                allowed = f"no such {what}; there are {', '.join(known)}{kinds.did_you_mean(name, known)}"
                self._fault((name,), None, allowed)
        rooms: dict[str, Any] = {
            room: self._table((room,), model, tables.get(room, {})) for room, model in ROOMS.items()
        }
        for room, default in KINDS.items():
            rooms[room] = self._kind((room,), room, {"type": default, **_dict(tables.get(room))}, tables.get(room, {}))
        rooms["actions"] = self._actions(tables.get("actions", {}))
        self._pins(rooms)
        self._words(rooms["wake"])
        if self._faults:
            raise Faulty(tuple(sorted(self._faults, key=lambda fault: fault.line)))
        return Config(**rooms, file=self._file)

    def _actions(self, tables: Any) -> dict[str, Any]:
        if not isinstance(tables, dict):
            self._fault(("actions",), tables, "must be tables: [actions.NAME]")
            return {}
        for name in tables:
            if not ACTION_NAME.fullmatch(name):
                self._fault(("actions", name), None, "a name is lower-case letters, digits and _, as in desk_lamp")
            if name in BUILT_IN:
                self._fault(("actions", name), None, "this name is built in; choose another one")
        return {name: self._kind(("actions", name), "actions", table, table) for name, table in tables.items()}

    def _kind(self, path: tuple[str, ...], room: str, table: Any, written: Any) -> Any:
        """A table whose `type` names a module."""
        if not isinstance(written, dict) or not isinstance(table, dict):
            return self._fault(path, written, "must be a table")
        name = table.get("type")
        if not isinstance(name, str):
            return self._fault((*path, "type"), name, f"must be one of {', '.join(kinds.names(room))}")
        try:
            model = kinds.settings(room, name)
        except kinds.Unknown as unknown:
            return self._fault((*path, "type"), name, str(unknown))
        return self._table(path, model, table)

    def _table(self, path: tuple[str, ...], model: Any, table: Any) -> Any:
        if not isinstance(table, dict):
            return self._fault(path, table, f"must be a table: [{path[0]}]")
        try:
            return model.model_validate(table)
        except ValidationError as error:
            places: dict[tuple[str, ...], list[ErrorDetails]] = {}
            for each in error.errors(include_url=False):
                places.setdefault((*path, *_place(table, each["loc"])), []).append(each)
            for where, errors in places.items():
                # What stands where no setting is may be a key: it is not shown.
                hidden = errors[0]["type"] in ("missing", "extra_forbidden")
                allowed = " or ".join(_allowed(each, model) for each in errors)
                self._fault(where, None if hidden else errors[0]["input"], allowed)
        return None

    def _pins(self, rooms: Mapping[str, Any]) -> None:
        """Each pin has one owner."""
        owners: dict[int, str] = {}
        tables: dict[tuple[str, ...], Any] = {("lights",): rooms["lights"]}
        tables |= {("actions", name): table for name, table in rooms["actions"].items()}
        for path, table in tables.items():
            for pin in table.pins() if hasattr(table, "pins") else ():
                owner = owners.setdefault(pin, ".".join(path))
                if owner != ".".join(path):
                    self._fault((*path, "pin"), pin, f"is used by [{owner}] already; each pin has one owner")

    def _words(self, table: Wake | None) -> None:
        """Each wake word has a model here."""
        for word in table.words if table else ():
            try:
                wake.find(word)
            except (wake.UnknownWord, wake.BadModel) as unknown:
                self._fault(("wake", "words"), word, str(unknown).removeprefix("[wake] words: "))

    def _fault(self, path: tuple[str, ...], found: Any, allowed: str) -> None:
        line = next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), 1)
        table, name = (path[:-1], path[-1]) if len(path) > 1 else (path, "")
        shown = "" if found is None or isinstance(found, dict) else _toml(found)
        self._faults.append(Fault(self._file, line, f"[{'.'.join(table)}] {name}".strip(), shown, allowed))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _allowed(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The library's error as a sentence for who wrote the file."""
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "must be set"
        case "extra_forbidden":
            known = tuple(model.model_fields)
            return f"no such setting; there are {', '.join(known)}{kinds.did_you_mean(error['loc'][-1], known)}"
        case "literal_error":
            options = tuple(str(option) for option in _options(model, error["loc"]))
            wanted = f"must be {context['expected']}"
            return wanted + kinds.did_you_mean(error["input"], options)
        case "int_type" | "int_from_float":
            return "must be a whole number, without quotes"
        case "float_type":
            return "must be a number, without quotes"
        case "bool_type":
            return "must be true or false, without quotes"
        case "string_type":
            return "must be text in quotes"
        case "list_type":
            return "must be a list in square brackets"
        case "value_error":
            return str(context["error"])
    return error["msg"].replace("Input should", "must").replace("Value should", "must")


def _place(table: Any, loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The error's place in the file; a union's branches, which the library names too, are none."""
    place = []
    for part in loc:
        if isinstance(table, dict):
            table = table.get(part)
        elif isinstance(table, list) and isinstance(part, int):
            table = table[part]
        else:
            break
        place.append(str(part))
    return tuple(place)


def _options(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[Any, ...]:
    field = model.model_fields.get(str(loc[0])) if loc else None
    return get_args(field.annotation) if field else ()


def _toml(value: Any) -> str:
    """The value as written, near enough, and short; what may be a secret is nobody's business on a terminal."""
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Where each table and setting stands; tomllib does not say. Inside multi-line strings nothing is looked for."""
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        opens = re.findall(r'"""|\'\'\'', line)
        if fence or len(opens) % 2:
            fence = "" if fence and fence in line else fence or opens[0]
            if fence == "" or not opens:
                continue
        if header := re.match(r"\s*\[\[?([^]]+)\]\]?\s*(#.*)?$", line):
            table = _path(header[1])
            yield from ((table[:n], number) for n in range(1, len(table) + 1))
        elif setting := re.match(r'\s*((?:[\w-]+|"[^"]*"|\'[^\']*\')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=', line):
            path = (*table, *_path(setting[1]))
            yield from ((path[:n], number) for n in range(len(table) + 1, len(path) + 1))


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', dotted.strip()))
