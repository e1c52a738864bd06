"""The settings as a file, and every fault in it at once: where, what was found, what is allowed, did you mean.

A file with faults is refused as a whole. What a setting is and may be stands in `settings` and in the kinds' own files.
"""

import contextlib
import difflib
import functools
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cooee import board, kinds, mute, review, toml_lines
from cooee.faults import NAMED, Fault, Faulty, allowed, concerned, parted, place, shown, title, union_type
from cooee.mended import lenient, mended
from cooee.settings import Button, Conversation, Mic, Mqtt, Persona, Service, Session, Speaker, Table, Wake

__all__ = ["Config", "Fault", "Faulty", "find", "load", "parse", "where"]

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
MENDED_TIMES = 4
"""A table with faults is read again without them so often, for what they hide."""
ACTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Config:
    """A file without faults. `warnings`: what may not work on this machine."""

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
    warnings: tuple[Fault, ...] = field(default=(), compare=False)


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
        tables, wrong = toml_lines.read_most(text)
        return _Reader(file, text, wrong).read(tables)
    except toml_lines.NoToml as last:
        raise Faulty(tuple(_no_toml(file, each) for each in (*last.others, last))) from None
    except RecursionError:
        line = toml_lines.first(r"([\[{]\s*){50}|(\.\s*\w+){50}", text)
        raise Faulty((Fault(file, line, "the file", "", "lists and tables are nested too deeply"),)) from None


def _no_toml(file: str, wrong: toml_lines.NoToml) -> Fault:
    return Fault(file, wrong.line, wrong.table or "not TOML", "", str(wrong))


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


class _Reader:
    """Gathers what it reads and every fault on the way."""

    def __init__(self, file: str, text: str, wrong: Sequence[toml_lines.NoToml]) -> None:
        self._file = file
        self._lines = toml_lines.lines(text)
        self._left_out = {toml_lines.section(text, each.line): each for each in wrong}
        self._section = functools.partial(toml_lines.section, text)
        self._owners = board.Owners(board.model())
        self._meant: dict[tuple[str, ...], Any] = {}
        self._faults: list[Fault] = []
        self._unreadable = [_no_toml(file, each) for each in wrong]

    def read(self, tables: dict[str, Any]) -> Config:
        known = (*ROOMS, *KINDS, *NAMED)
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
            self._own_pins((room,), read, ROOMS[room], claimed)
        for room, default in KINDS.items():
            rooms[room] = self._kind((room,), room, {"type": default, **_dict(tables.get(room))}, tables.get(room, {}))
        for room, read_all in (("actions", self._actions), ("personas", self._personas)):
            if isinstance(named := tables.get(room, {}), dict):
                rooms[room] = read_all(named)
            else:
                self._fault((room,), named, f"must be tables: [{room}.NAME]")
        warnings = self._review(tables, rooms)
        faults = [each for each in self._faults if not self._comes_of_a_gap(each)]
        if faults := sorted([*faults, *self._unreadable], key=lambda fault: fault.line):
            raise Faulty(tuple(faults), warnings)
        return Config(**rooms, file=self._file, warnings=warnings)

    def _comes_of_a_gap(self, fault: Fault) -> bool:
        """Whether it is about a table of which something was left out."""
        tables = tuple(each.table.removesuffix("]") for each in self._left_out.values() if each.table)
        return self._section(fault.line) in self._left_out or fault.setting.startswith(tables)

    def _review(self, tables: dict[str, Any], rooms: dict[str, Any]) -> tuple[Fault, ...]:
        """What each table says for itself is told; now what they say together. Returns the warnings."""
        meant = {room: self._meant.get((room,), read) for room, read in rooms.items()}
        meant["actions"] = {
            name: self._meant.get(("actions", name), table) for name, table in rooms.get("actions", {}).items()
        }
        told = [*review.named(tables), *review.misfits(meant["actions"], BUILT_IN)]
        # What could not be read is missing elsewhere: nobody is to be told that.
        for path, found, sentence in [*told, *(() if self._left_out else review.together(meant))]:
            self._fault(path, found, sentence)
        return tuple(self._noted(*each, is_warning=True) for each in review.here(meant))

    def _actions(self, tables: dict[str, Any]) -> dict[str, Any]:
        for name in tables:
            if not ACTION_NAME.fullmatch(name):
                self._fault(("actions", name), None, "a name is lower-case letters, digits and _, as in desk_lamp")
            if name in BUILT_IN:
                self._fault(("actions", name), None, "this name is built in; choose another one")
        return {name: self._kind(("actions", name), "actions", table, table) for name, table in tables.items()}

    def _personas(self, tables: dict[str, Any]) -> dict[str, Any]:
        for name in tables:
            if not ACTION_NAME.fullmatch(name):
                self._fault(("personas", name), None, "a name is lower-case letters, digits and _, as in butler")
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
            self._fault((*path, "type"), name, str(unknown))
            if near := difflib.get_close_matches(name, kinds.names(room), n=1):
                self._table(path, kinds.settings(room, near[0]), {**table, "type": near[0]})
            return None
        read = self._table(path, model, table)
        self._own_pins(path, read, model, table)
        return read

    def _own_pins(self, path: tuple[str, ...], read: Any, model: Any, table: dict[str, Any]) -> None:
        pins = read.pins() if hasattr(read, "pins") else ()
        for setting, pin, sentence in self._owners.claim(".".join(path), pins, model, table):
            self._fault((*path, setting), pin, sentence)

    def _table(self, path: tuple[str, ...], model: Any, table: Any) -> Any:
        if not isinstance(table, dict):
            return self._fault(path, table, f"must be a table: [{'.'.join(path)}]")
        told: set[tuple[str, ...]] = set()
        guessed: set[str] = set()
        for _ in range(MENDED_TIMES):
            try:
                self._meant[path] = read = model.model_validate(table)
                return None if told else read
            except ValidationError as error:
                errors = [*map(union_type, error.errors(include_url=False))]
            self._tell(path, model, table, errors, told, guessed)
            as_meant = mended(model, table, errors)
            guessed |= as_meant.guessed
            if as_meant.table is None:
                with contextlib.suppress(ValidationError):
                    self._meant[path] = lenient(model).model_validate(table)
                break
            table = as_meant.table
        return None

    def _tell(
        self, path: tuple[str, ...], model: Any, table: Any, errors: list[ErrorDetails],
        told: set[tuple[str, ...]], guessed: set[str],
    ) -> None:  # fmt: skip
        """What has not been told of the table yet, and does not come of a guess."""
        places: dict[tuple[str, ...], list[ErrorDetails]] = {}
        for each in errors:
            places.setdefault(place(table, each["loc"]), []).append(each)
        for where, of_it in places.items():
            if where in told or guessed & set(where):
                continue
            told.add(where)
            # What stands where no setting is may be a key: it is not shown.
            hidden = of_it[0]["type"] in ("missing", "extra_forbidden") or of_it[0]["loc"][-1:] == ("[key]",)
            found = of_it[0]["input"]
            first, *others = dict.fromkeys(allowed(each, model, table) for each in of_it)
            whole = " or ".join([first, *(each.removeprefix("must be ") for each in others)])
            for sentence in parted(whole, model):
                if guessed.isdisjoint(re.findall(r"\w+", sentence)):
                    said = sentence.replace("[actions.NAME", f"[{'.'.join(path)}")
                    at = () if hidden or not isinstance(found, dict) else concerned(found, sentence)
                    self._fault((*path, *where), None if hidden else found, said, at)

    def _fault(self, path: tuple[str, ...], found: Any, sentence: str, at: tuple[str, ...] = ()) -> None:
        self._faults.append(self._noted(path, found, sentence, at))

    def _noted(
        self, path: tuple[str, ...], found: Any, sentence: str, at: tuple[str, ...] = (), *, is_warning: bool = False
    ) -> Fault:
        """`at`: the setting in the table `path` on whose line it is mended."""
        line = toml_lines.nearest(self._lines, (*path, *at))
        is_setting = isinstance(found, str | int | float) and len(path) == 2
        name = f"[{path[0]}] {path[1]}" if is_setting else title((*path, "") if isinstance(found, dict) else path)
        return Fault(self._file, line, name, shown(path, found), sentence, is_warning)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
