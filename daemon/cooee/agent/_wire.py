"""The protocol's words and ours: settings to be sent, and what its messages mean, in the SDK's types.

Deepgram Voice Agent v1, deepgram-sdk 7.17.0. Known messages are not validated by the SDK, so any field may be missing;
unknown ones arrive as plain dicts. None of that may end a conversation.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deepgram.agent.v1.types import AgentV1Settings

from cooee.agent import AgentTable, Brief, Refused, Remembered
from cooee.effects import Function
from cooee.events import (
    AgentDone,
    AgentSpeech,
    AgentText,
    AgentThought,
    Asked,
    Call,
    Event,
    NothingSaid,
    UserStarted,
    UserText,
    Withdrawn,
)

log = logging.getLogger("cooee.agent")

MICROPHONE_RATE_HZ = 16_000
NOTHING_SAID = "NOTHING_SAID"
"""A warning of the embedded agent's; the vendor's never says that what began as speech was none."""

# Deepgram's documentation of the Voice Agent's errors: these come again however often one connects.
HOPELESS = {
    "UNPARSABLE_CLIENT_MESSAGE",
    "INVALID_SETTINGS",
    "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS",
    "SETTINGS_ALREADY_APPLIED",
    "USER_AUDIO_FORMAT",
    "NON_EXISTENT_FUNCTION_CALLED",
    "INVALID_AGENT_ID",
    "AGENT_ID_NOT_SUPPORTED",
}


def settings(
    table: AgentTable, brief: Brief, *, listen: Mapping[str, Any], think: Mapping[str, Any], speak: Mapping[str, Any]
) -> AgentV1Settings:
    """The settings of a line; `listen`, `think` and `speak` are provider objects. No field is ever null."""
    agent: dict[str, Any] = {
        "listen": {"provider": dict(listen)},
        "think": {"provider": dict(think), "prompt": table.prompt},
        "speak": {"provider": dict(speak)},
    }
    if brief.functions:
        agent["think"]["functions"] = [function(each) for each in brief.functions]
    if brief.history:
        agent["context"] = {"messages": list(brief.history)}
    if table.greeting and brief.greet:
        agent["greeting"] = table.greeting
    return AgentV1Settings.model_validate(
        {
            "flags": {"history": True},
            "audio": {
                "input": {"encoding": "linear16", "sample_rate": MICROPHONE_RATE_HZ},
                # Any other container begins with a header, which would be played as a click.
                "output": {"encoding": "linear16", "sample_rate": table.output_rate_hz, "container": "none"},
            },
            "agent": agent,
        }
    )


def function(each: Function) -> dict[str, Any]:
    declared = {"name": each.name, "description": each.description, "parameters": dict(each.parameters)}
    # Calls come speculatively, before the user has finished; what moves something has to wait.
    return {**declared, "defer_until_eot": True} if each.side_effect else declared


def meaning(message: object) -> Iterator[Event | Remembered]:  # noqa: C901 (one match, one place to read)
    """What a message of the server's means to us; nothing for what we do not know. Raises Refused for an Error."""
    if isinstance(message, bytes):
        yield AgentSpeech(message)
        return
    match kind_of(message):
        case "UserStartedSpeaking":
            yield UserStarted()
        case "AgentThinking":
            yield AgentThought()
        case "ConversationText":
            if text := _text(message, "content"):
                yield UserText(text) if _text(message, "role") == "user" else AgentText(text)
        case "Warning" if code(message) == NOTHING_SAID:
            yield NothingSaid()
        case "AgentAudioDone":
            yield AgentDone()
        case "FunctionCallRequest":
            if calls := tuple(_calls(message)):
                yield Asked(calls)
        case "FunctionCallCancelled":
            if ids := tuple(id for each in _list(message) if (id := _text(each, "id"))):
                yield Withdrawn(ids)
        case "History":
            if remembered := _remembered(message):
                yield Remembered(remembered)
        case "Error":
            raise refusal(message)


def refusal(message: object) -> Refused:
    """The description may quote what was said; of it, only the names of settings are for everybody."""
    log.debug("the agent's error: %s", _text(message, "description"))
    fields = re.findall(r"\b(?:agent|audio|flags)(?:\.\w{1,40})+", _text(message, "description"))
    where = f" It names {fields[0]}." if fields else ""
    return Refused(f"The agent reported an error ({code(message)}).{where}", hopeless=code(message) in HOPELESS)


def code(message: object) -> str:
    """The code of an Error or Warning, as far as it is one."""
    found = _text(message, "code")
    return found if re.fullmatch(r"\w{1,60}", found, re.ASCII) else "without a code"


def signatures(message: object) -> dict[str, str]:
    """What has to go back unchanged with the answers, by the calls' ids."""
    if kind_of(message) != "FunctionCallRequest":
        return {}
    return {_text(each, "id"): found for each in _list(message) if (found := _text(each, "thought_signature"))}


def kind_of(message: object) -> str:
    return _text(message, "type")


def _remembered(message: object) -> dict[str, Any] | None:
    """A History message as the settings take it: whole and without anything else, or a new line is refused for it."""
    role, content = _text(message, "role"), _text(message, "content")
    if role in ("user", "assistant") and content:
        return {"type": "History", "role": role, "content": content}
    calls = [_remembered_call(each) for each in _list(message, "function_calls")]
    return {"type": "History", "function_calls": calls} if calls and all(calls) else None


def _remembered_call(call: object) -> dict[str, Any] | None:
    texts = {name: _field(call, name) for name in ("id", "name", "arguments", "response")}
    if not all(isinstance(text, str) for text in texts.values()):
        return None
    signature = _text(call, "thought_signature")
    kept = {**texts, "client_side": _field(call, "client_side") is not False}
    return {**kept, "thought_signature": signature} if signature else kept


def _calls(message: object) -> Iterator[Call]:
    for each in _list(message):
        if _field(each, "client_side") is not False and _text(each, "id") and _text(each, "name"):
            yield Call(_text(each, "id"), _text(each, "name"), _arguments(_field(each, "arguments")))


def _arguments(raw: object) -> Mapping[str, Any] | None:
    try:
        arguments = json.loads(raw) if isinstance(raw, str) and raw.strip() else raw or {}
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def _list(message: object, name: str = "functions") -> list[object]:
    found = _field(message, name)
    return found if isinstance(found, list) else []


def _text(message: object, name: str) -> str:
    value = _field(message, name)
    return value if isinstance(value, str) else ""


def _field(message: object, name: str) -> object:
    return message.get(name) if isinstance(message, dict) else getattr(message, name, None)
