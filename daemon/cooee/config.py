"""The settings as a file, and every fault in it at once: where, what was found, what is allowed, did you mean.

A file with faults is refused as a whole. What a setting is and may be stands in `settings` and in the kinds' own files.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cooee import board, kinds, mute, toml_lines, wake
from cooee.faults import Fault, Faulty, allowed, place, shown, title, union_type
from cooee.settings import Button, Conversation, Mic, Mqtt, Persona, Pin, Service, Session, Speaker, Table, Wake

__all__ = ["Config", "Fault", "Faulty", "find", "load", "parse", "schema", "where"]

ROOMS: dict[str, type[Table]] = {
    "mic": Mic,
    "wake": Wake,
    "conversation": Conversation,
    "session": Session,
    "speaker": Speaker,
    "button": Button,
    "mute": mute.Settings,
    "mqtt": Mqtt,
    "service": Service,
}
KINDS = {"agent": "embedded", "lights": "none"}
"""Rooms whose `type` names a module, and the type where none is given."""
BUILT_IN = ("set_volume", "change_volume", "stop_listening", "forget_conversation", "change_persona")
PLACES = {
    "agent.think.prompt": ("agent", "prompt"),
    "agent.think.functions": ("actions",),
    "audio.output.sample_rate": ("agent", "output_rate_hz"),
}
"""Where settings of the agent's protocol stand, if not at the same place."""
ACTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Config:
    """A file without faults."""

    mic: Mic
    wake: Wake
    conversation: Conversation
    session: Session
    speaker: Speaker
    button: Button
    mute: mute.Settings
    mqtt: Mqtt
    service: Service
    agent: Any
    lights: Any
    actions: Mapping[str, Any]
    personas: Mapping[str, Persona]
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
        if path.exists() and not path.is_file():
            raise Faulty((Fault(str(path), 1, "the file", "", "can't be read: it is no regular file"),))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Faulty((Fault(str(path), 1, "the file", "", f"can't be read: {why}"),)) from error
    return parse(text, str(path))


def parse(text: str, file: str = "config.toml") -> Config:
    """Check the text of a file. Raises Faulty with every fault in it."""
    try:
        return _Reader(file, text).read(toml_lines.read(text))
    except toml_lines.NoToml as wrong:
        raise Faulty((Fault(file, wrong.line, wrong.table or "not TOML", "", str(wrong)),)) from None
    except RecursionError:
        line = toml_lines.first(r"([\[{]\s*){50}|(\.\s*\w+){50}", text)
        raise Faulty((Fault(file, line, "the file", "", "lists and tables are nested too deeply"),)) from None


def where(config: Config | str, place: str) -> str:
    """The setting for a place in the agent's protocol: "agent.think.provider.model" is "[agent.think] model, line 93".

    `config` is the file's text, or what was read from it. What isn't written is where its table is.
    """
    text, file = (config, "") if isinstance(config, str) else (_text_of(config.file), config.file)
    parts = [part for part in re.findall(r"\w+", place) if part != "provider"]
    plain = ".".join(part for part in parts if not part.isdecimal())
    known = next((path for begin, path in PLACES.items() if f"{plain}.".startswith(f"{begin}.")), tuple(parts))
    lines = toml_lines.lines(text)
    found = next((known[:n] for n in range(len(known), 0, -1) if known[:n] in lines), ())
    if not found:
        return ""
    is_table = len(found) < len(known) or any(path[:-1] == found for path in lines)
    return f"{title((*found, '') if is_table else found)}, line {lines[found]}" + (f" of {file}" if file else "")


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return ""


def schema() -> dict[str, Any]:
    """JSON schema of the whole file, for editors that complete and check TOML."""
    properties = {room: TypeAdapter(model).json_schema() for room, model in ROOMS.items()}
    for room in KINDS:
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


class _Reader:
    """Gathers what it reads and every fault on the way."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = toml_lines.lines(text)
        self._pins: dict[int, str] = {}
        self._faults: list[Fault] = []

    def read(self, tables: dict[str, Any]) -> Config:
        known = (*ROOMS, *KINDS, "actions", "personas")
        for name, value in tables.items():
            if name not in known:
                what = "table" if isinstance(value, dict) else "setting outside a table"
                hint = f"no such {what}; there are {', '.join(known)}{kinds.did_you_mean(name, known)}"
                self._fault((name,), None, hint)
        rooms: dict[str, Any] = {
            room: self._table((room,), model, tables.get(room, {})) for room, model in ROOMS.items()
        }
        for room in ("button", "mute"):
            read, table = rooms[room], _dict(tables.get(room))
            claimed = {name: pin for name, pin in table.items() if read is None or pin in read.pins()}
            self._own_pins((room,), read.pins() if read else (), ROOMS[room], claimed)
        for room, default in KINDS.items():
            rooms[room] = self._kind((room,), room, {"type": default, **_dict(tables.get(room))}, tables.get(room, {}))
        rooms["actions"] = self._actions(tables.get("actions", {}))
        rooms["personas"] = self._personas(tables.get("personas", {}), _dict(tables.get("wake")))
        self._words(_dict(tables.get("wake")).get("words", Wake().words))
        self._recording(_dict(tables.get("mic")))
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
        self._descriptions(tables)
        read = {name: self._kind(("actions", name), "actions", table, table) for name, table in tables.items()}
        for name, table in read.items():
            for setting, found, sentence in table.misfits(name, read, BUILT_IN) if hasattr(table, "misfits") else ():
                self._fault(("actions", name, *setting), found, sentence)
        return read

    def _personas(self, tables: Any, wake: dict[str, Any]) -> dict[str, Any]:
        """Each wake word calls one of them at most."""
        if not isinstance(tables, dict):
            self._fault(("personas",), tables, "must be tables: [personas.NAME]")
            return {}
        words = wake.get("words", Wake().words)
        called: dict[str, str] = {}
        for name, table in tables.items():
            word = _dict(table).get("wake_word", "")
            if not ACTION_NAME.fullmatch(name):
                self._fault(("personas", name), None, "a name is lower-case letters, digits and _, as in butler")
            if word and isinstance(word, str) and isinstance(words, list) and word not in words:
                known = tuple(filter(lambda each: isinstance(each, str), words))
                hint = f"is none of [wake] words: {', '.join(known)}{kinds.did_you_mean(word, known)}"
                self._fault(("personas", name, "wake_word"), word, hint)
            elif word and isinstance(word, str) and called.setdefault(word, name) != name:
                self._fault(("personas", name, "wake_word"), word, f"calls [personas.{called[word]}] already")
        return {name: self._table(("personas", name), Persona, table) for name, table in tables.items()}

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
        read = self._table(path, model, table)
        self._own_pins(path, read.pins() if hasattr(read, "pins") else (), model, table)
        return read

    def _table(self, path: tuple[str, ...], model: Any, table: Any) -> Any:
        if not isinstance(table, dict):
            return self._fault(path, table, f"must be a table: [{'.'.join(path)}]")
        try:
            return model.model_validate(table)
        except ValidationError as error:
            places: dict[tuple[str, ...], list[ErrorDetails]] = {}
            for each in map(union_type, error.errors(include_url=False)):
                places.setdefault((*path, *place(table, each["loc"])), []).append(each)
            for where, errors in places.items():
                # What stands where no setting is may be a key: it is not shown.
                hidden = errors[0]["type"] in ("missing", "extra_forbidden") or errors[0]["loc"][-1:] == ("[key]",)
                first, *others = dict.fromkeys(allowed(each, model, table) for each in errors)
                sentence = " or ".join([first, *(each.removeprefix("must be ") for each in others)])
                self._fault(where, None if hidden else errors[0]["input"], sentence)
        return None

    def _own_pins(self, path: tuple[str, ...], pins: tuple[int, ...], model: Any, table: dict[str, Any]) -> None:
        """Each pin has one owner. What a table with faults claims is seen all the same."""
        named = {table[name]: name for name in _pin_settings(model) if type(table.get(name)) is int}
        owner = ".".join(path)
        for pin in dict.fromkeys((*pins, *named)):
            if 0 <= pin <= 27 and (lacks := board.lacks(pin, board.model())):
                self._fault((*path, named.get(pin, "pin")), pin, lacks)
            if self._pins.setdefault(pin, owner) != owner:
                used = f"is used by [{self._pins[pin]}] already; each pin has one owner"
                self._fault((*path, named.get(pin, "pin")), pin, used)

    def _words(self, words: Any) -> None:
        """Each wake word has a model here."""
        for word in words if isinstance(words, list) else ():
            try:
                if isinstance(word, str):
                    wake.find(word)
            except (wake.UnknownWord, wake.BadModel) as unknown:
                self._fault(("wake", "words"), word, str(unknown).removeprefix("[wake] words: "))

    def _recording(self, mic: dict[str, Any]) -> None:
        """A microphone that is a file needs one."""
        file = mic.get("file")
        if mic.get("type") == "file" and isinstance(file, str) and file and not os.path.isfile(file):
            self._fault(("mic", "file"), file, "there is no such file, or it is no regular one")

    def _descriptions(self, tables: dict[str, Any]) -> None:
        """Each action says what it is, and no other says the same."""
        said: dict[str, str] = {}
        for name, table in tables.items():
            text = _dict(table).get("description")
            words = " ".join(text.casefold().split()) if isinstance(text, str) else None
            if words == "" and text:
                self._fault(("actions", name, "description"), text, "must say in words what it is")
            elif words and said.setdefault(words, name) != name:
                same = f"[actions.{said[words]}] has the same one; the agent could not tell them apart"
                self._fault(("actions", name, "description"), text, same)

    def _fault(self, path: tuple[str, ...], found: Any, sentence: str) -> None:
        line = next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), 1)
        self._faults.append(Fault(self._file, line, title(path), shown(path, found), sentence))


def _pin_settings(model: Any) -> Iterator[str]:
    """The names of the settings that are pins."""
    pin = FieldInfo.from_annotation(Pin)
    for name, field in model.model_fields.items():
        may_be_none = Pin in get_args(field.annotation)
        if may_be_none or (field.annotation, field.metadata) == (pin.annotation, pin.metadata):
            yield name


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
