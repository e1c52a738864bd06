"""What is right by itself in the settings and will never work together; and, as warnings, what may not work here.

It goes by what settings are called, and so holds for every kind of thing.
"""

import ipaddress
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel

from cooee import kinds, wake
from cooee.secret import REFERENCE, Exposed, referred, secret
from cooee.settings import Wake

Finding = tuple[tuple[str, ...], Any, str]
"""A setting, what was found there (None where it is not to be shown), and a sentence."""
Rooms = Mapping[str, Any]
"""What was read, by table; None for what can't be read at all."""

_OF_A_KEY = re.compile(r"(?i)auth|cookie|token|secret|passw|pwd|api_?key|(?<![a-z])key(?![a-z])")


def named(tables: Mapping[str, Any]) -> Iterator[Finding]:
    """What is named twice, or is not there. `tables`: as they stand in the file, faults included."""
    mic, words = _dict(tables.get("mic")), _dict(tables.get("wake")).get("words", Wake().words)
    words = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
    for word in words:
        try:
            wake.find(word)
        except (wake.UnknownWord, wake.BadModel) as unknown:
            yield ("wake", "words"), word, str(unknown).removeprefix("[wake] words: ")
    file = mic.get("file")
    if mic.get("type") == "file" and isinstance(file, str) and file and not os.path.isfile(file):
        yield ("mic", "file"), file, "there is no such file, or it is no regular one"
    yield from _descriptions(_dict(tables.get("actions")))
    yield from _personas(_dict(tables.get("personas")), tuple(words))


def _descriptions(actions: Mapping[str, Any]) -> Iterator[Finding]:
    """Each action says what it is, and no other says the same."""
    said: dict[str, str] = {}
    for name, table in actions.items():
        text = _dict(table).get("description")
        words = " ".join(text.casefold().split()) if isinstance(text, str) else None
        if words == "" and text:
            yield ("actions", name, "description"), text, "must say in words what it is"
        elif words and said.setdefault(words, name) != name:
            same = f"[actions.{said[words]}] has the same one; the agent could not tell them apart"
            yield ("actions", name, "description"), text, same


def _personas(personas: Mapping[str, Any], words: tuple[str, ...]) -> Iterator[Finding]:
    """Each wake word calls one of them at most."""
    called: dict[str, str] = {}
    for name, table in personas.items():
        word = _dict(table).get("wake_word", "")
        if not word or not isinstance(word, str):
            continue
        if word not in words:
            hint = f"is none of [wake] words: {', '.join(words)}{kinds.did_you_mean(word, words)}"
            yield ("personas", name, "wake_word"), word, hint
        elif called.setdefault(word, name) != name:
            yield ("personas", name, "wake_word"), word, f"calls [personas.{called[word]}] already"


def misfits(actions: Mapping[str, Any], built_in: Collection[str]) -> Iterator[Finding]:
    """What the tables of [actions] say of each other. None for what can't be read."""
    for name, table in actions.items():
        for setting, found, sentence in table.misfits(name, actions, built_in) if hasattr(table, "misfits") else ():
            yield ("actions", name, *setting), found, sentence


def together(rooms: Rooms) -> Iterator[Finding]:
    """What will never work, wherever the file is used."""
    mqtt, agent = rooms.get("mqtt"), rooms.get("agent")
    for name, table in _actions(rooms):
        needs = getattr(kinds.module("actions", table.type), "NEEDS", ())
        if "broker" in needs and mqtt is not None and not mqtt.host:
            yield ("actions", name, "type"), table.type, "needs a broker: set [mqtt] host"
        address = _address(getattr(table, "url", ""))
        if address and address.is_global and not getattr(table, "allow_public", True):
            yield ("actions", name, "url"), None, "is outside the home network, which allow_public = true would permit"
    yield from _turns_without_end(agent, rooms.get("button"))
    for path, value in _settings(("agent",), agent) if agent and not agent.url else ():
        address = _address(value) if path[-2:] == ("endpoint", "url") else None
        if address and not address.is_global:
            yield path, None, "is an address in your home, where the agent's maker, who asks there, can't reach it"


def _turns_without_end(agent: Any, button: Any) -> Iterator[Finding]:
    listen = getattr(agent, "listen", None)
    if getattr(listen, "eot_threshold", None) == 1 and button and (button.type, button.talk) != ("gpio", "hold"):
        sentence = 'only a held button would end a turn: set [button] type = "gpio" and talk = "hold", or less than 1'
        yield ("agent", "listen", "eot_threshold"), 1, sentence


def here(rooms: Rooms) -> Iterator[Finding]:
    """What may not work on this machine, or be read by whoever reads the file."""
    yield from _no_way_in(rooms.get("agent"))
    tables = [((room,), table) for room, table in rooms.items() if isinstance(table, BaseModel)]
    for path, table in (*tables, *((("actions", name), table) for name, table in _actions(rooms))):
        for setting, value in _settings(path, table):
            for look in LOOKS:
                if sentence := look(setting, value):
                    yield setting, None, sentence


def _no_way_in(agent: Any) -> Iterator[Finding]:
    """Deepgram wants a key of some kind."""
    if not hasattr(agent, "key_file") or agent.token_command or agent.token_url:
        return
    try:
        is_there = secret("deepgram_api_key", agent.key_file)
    except Exposed as exposed:
        yield ("agent", "key_file"), None, str(exposed)
    else:
        if not is_there:
            yield ("agent", "type"), agent.type, "DEEPGRAM_API_KEY is not set, nor key_file; perhaps the service has it"


def _program(path: tuple[str, ...], value: Any) -> str:
    if path[-1] not in ("command", "token_command") or not isinstance(value, list) or not value:
        return ""
    if shutil.which(value[0]):
        return ""
    apart = '; each word is a string of its own, as in ["uptime", "-p"]' if " " in value[0].strip() else ""
    return f"there is no such program here{apart}"


def _reference(path: tuple[str, ...], value: Any) -> str:
    named = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if named is None:
        return ""
    try:
        if referred(named[2]):
            return ""
    except Exposed as exposed:
        return str(exposed)
    return "this key is not here: it has to be in the environment, or in a credential of the service"


def _open_key(path: tuple[str, ...], value: Any) -> str:
    """A key in a place where there may be one, and where it can't be told from what is none."""
    if not isinstance(value, str) or not value or REFERENCE.fullmatch(value) or "{" in value:
        return ""
    if len(path) > 1 and path[-2] in ("headers", "env", "token_headers") and _OF_A_KEY.search(path[-1]):
        return 'looks like a key, which everybody reads who reads this file; write "secret:NAME"'
    if path[-1] in ("url", "token_url") and any(_OF_A_KEY.search(name) for name, _ in _query(value)):
        return "looks like it holds a key, which everybody reads who reads this file; a header can name one instead"
    return ""


def _file(path: tuple[str, ...], value: Any) -> str:
    is_missing = path[-1] == "ca_file" and value and not os.path.isfile(value)
    return "there is no such file here" if is_missing else ""


LOOKS: tuple[Callable[[tuple[str, ...], Any], str], ...] = (_program, _reference, _open_key, _file)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _actions(rooms: Rooms) -> Iterator[tuple[str, Any]]:
    for name, table in (rooms.get("actions") or {}).items():
        if table is not None:
            yield name, table


def _settings(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each setting in a table and below it; a list is one setting, unless it is one of tables."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _settings((*path, str(name)), each)
    elif isinstance(value, list) and any(isinstance(each, BaseModel) for each in value):
        for number, each in enumerate(value):
            yield from _settings((*path, str(number)), each)
    else:
        yield path, value


def _address(url: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in a URL that names its host by one."""
    try:
        found = ipaddress.ip_address((urlsplit(url).hostname or "").partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query)
    except ValueError:
        return []
