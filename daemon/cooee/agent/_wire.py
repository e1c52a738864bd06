"""What the agent's messages mean to us.

Deepgram Voice Agent v1, deepgram-sdk 7.17.0. Known messages are not validated by the SDK, so any field may be missing;
unknown ones arrive as plain dicts. None of that may end a conversation.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cooee.agent import Remembered
from cooee.events import (
    AgentDone,
    AgentSpeech,
    AgentText,
    AgentThought,
    Asked,
    Call,
    Event,
    InjectionRefused,
    LatencyReported,
    NothingSaid,
    UserStarted,
    UserText,
    Warned,
    Withdrawn,
)

NOTHING_SAID = "NOTHING_SAID"
"""A warning of the embedded agent's; the vendor's never says that what began as speech was none."""
LATENCIES = (
    "stt_latency",
    "ttt_token_latency",
    "ttt_text_latency",
    "ttt_tool_latency",
    "ttt_thinking_latency",
    "tts_latency",
    "total_latency",
)
MOST_LATENCY_S = 3600


def meaning(message: object) -> Iterator[Event | Remembered]:  # noqa: C901 (one match, one place to read)
    """What a message of the server's means to us; nothing for what we do not know, or for an Error."""
    if isinstance(message, bytes):
        yield AgentSpeech(message)
        return
    match kind_of(message):
        case "UserStartedSpeaking":
            yield UserStarted()
        case "AgentThinking":
            yield AgentThought()
        case "ConversationText":
            if content := text(message, "content"):
                yield UserText(content) if text(message, "role") == "user" else AgentText(content)
        case "Warning" if code(message) == NOTHING_SAID:
            yield NothingSaid()
        case "Warning":
            yield Warned(code(message))
        case "LatencyReport":
            if seconds := _latencies(message):
                yield LatencyReported(seconds)
        case "InjectionRefused":
            yield InjectionRefused()
        case "AgentAudioDone":
            yield AgentDone()
        case "FunctionCallRequest":
            if calls := tuple(_calls(message)):
                yield Asked(calls)
        case "FunctionCallCancelled":
            if ids := tuple(id for each in _list(message) if (id := text(each, "id"))):
                yield Withdrawn(ids)
        case "History":
            if kept := remembered(message):
                yield Remembered(kept)


def code(message: object) -> str:
    """The code of an Error or Warning, as far as it is one."""
    found = text(message, "code")
    return found if re.fullmatch(r"\w{1,60}", found, re.ASCII) else "without a code"


def signatures(message: object) -> dict[str, str]:
    """What has to go back unchanged with the answers, by the calls' ids."""
    if kind_of(message) != "FunctionCallRequest":
        return {}
    return {text(each, "id"): found for each in _list(message) if (found := text(each, "thought_signature"))}


def identifier(found: str) -> str:
    """What the agent calls an id, as far as it is one: it goes into the log."""
    return found if re.fullmatch(r"[\w.:-]{1,80}", found, re.ASCII) else ""


def kind_of(message: object) -> str:
    return text(message, "type")


def text(message: object, name: str) -> str:
    value = _field(message, name)
    return value if isinstance(value, str) else ""


def _latencies(message: object) -> dict[str, float]:
    """Only real numbers: a figure that could not be taken may come as null, or as anything."""
    found = ((name, _field(message, name)) for name in LATENCIES)
    return {
        name: float(value)
        for name, value in found
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_LATENCY_S
    }


def remembered(message: object) -> dict[str, Any] | None:
    """A History message as the settings take it: whole and without anything else, or a new line is refused for it."""
    role, content = text(message, "role"), text(message, "content")
    if role in ("user", "assistant") and content:
        return {"type": "History", "role": role, "content": content}
    calls = [_remembered_call(each) for each in _list(message, "function_calls")]
    return {"type": "History", "function_calls": calls} if calls and all(calls) else None


def _remembered_call(call: object) -> dict[str, Any] | None:
    texts = {name: _field(call, name) for name in ("id", "name", "arguments", "response")}
    if not all(isinstance(each, str) for each in texts.values()):
        return None
    signature = text(call, "thought_signature")
    kept = {**texts, "client_side": _field(call, "client_side") is not False}
    return {**kept, "thought_signature": signature} if signature else kept


def _calls(message: object) -> Iterator[Call]:
    for each in _list(message):
        if _field(each, "client_side") is not False and text(each, "id") and text(each, "name"):
            yield Call(text(each, "id"), text(each, "name"), _arguments(_field(each, "arguments")))


def _arguments(raw: object) -> Mapping[str, Any] | None:
    try:
        arguments = json.loads(raw) if isinstance(raw, str) and raw.strip() else raw or {}
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def _list(message: object, name: str = "functions") -> list[object]:
    found = _field(message, name)
    return found if isinstance(found, list) else []


def _field(message: object, name: str) -> object:
    return message.get(name) if isinstance(message, dict) else getattr(message, name, None)
