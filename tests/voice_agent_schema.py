"""What a client of the Voice Agent may send, as JSON schemas by the message's type.

From the AsyncAPI document of the vendor (AgentV1_*, ThinkSettingsV1, SpeakSettingsV1, DeepgramListenProviderV1 and V2)
and, for what is newer, its pages on Settings, End-of-Turn Detection, TTS Controls, Update Listen, Force End Turn and
Functions. Stricter than these where a server is: no unknown key, no null, models of the right family.
"""

from typing import Any

import jsonschema


def _table(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _of(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


def _named(family: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{family}"}


def _from(least: float, most: float, kind: str = "number") -> dict[str, Any]:
    return {"type": kind, "minimum": least, "maximum": most}


def _one_or_more(block: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [block, {"type": "array", "items": block, "minItems": 1}]}


TEXT = {"type": "string", "minLength": 1}
STRING = {"type": "string"}
STRINGS = {"type": "array", "items": TEXT}
BOOLEAN = {"type": "boolean"}
ENDPOINT = _table("url headers", url=TEXT, headers={"type": "object", "additionalProperties": STRING})
REASONING = _of("none", "minimal", "low", "medium", "high")
CREDENTIALS = _table(
    "type region access_key_id secret_access_key",
    type=_of("sts", "iam"),
    region=TEXT,
    access_key_id=TEXT,
    secret_access_key=TEXT,
    session_token=TEXT,
)

LISTEN = {
    "oneOf": [
        _table(
            "version type model",
            version=_of("v1"),
            type=_of("deepgram"),
            model=_named("nova-"),
            language=TEXT,
            keyterms=STRINGS,
            smart_format=BOOLEAN,
        ),
        _table(
            "version type model",
            version=_of("v2"),
            type=_of("deepgram"),
            model=_named("flux-"),
            language_hints={**STRINGS, "minItems": 1},
            eot_threshold=_from(0.5, 1),
            eager_eot_threshold=_from(0.3, 0.9),
            eot_timeout_ms=_from(500, 60_000, "integer"),
            keyterms=STRINGS,
        ),
    ]
}

FUNCTION = _table(
    "name description parameters",
    name={"type": "string", "pattern": r"^[\w-]{1,64}$"},
    description=STRING,
    parameters={"type": "object", "properties": {"type": {"const": "object"}}, "required": ["type"]},
    defer_until_eot=BOOLEAN,
)


def _think(provider: dict[str, Any], endpoint: str = "may be") -> dict[str, Any]:
    fields = {"prompt": STRING, "functions": {"type": "array", "items": FUNCTION}}
    if endpoint != "none":
        length = {"oneOf": [{"const": "max"}, {"type": "number", "exclusiveMinimum": 0}]}
        fields |= {"endpoint": ENDPOINT, "context_length": length}
    block = _table("provider endpoint" if endpoint == "must be" else "provider", provider=provider, **fields)
    return {**block, "dependentRequired": {"context_length": ["endpoint"]}}


THINK = {
    "oneOf": [
        _think(
            _table(
                "type model",
                type=_of("open_ai"),
                model=TEXT,
                version=_of("v1"),
                temperature=_from(0, 2),
                reasoning_mode=REASONING,
            )
        ),
        _think(
            _table("type model", type=_of("anthropic"), model=TEXT, version=_of("v1"), temperature=_from(0, 1)),
        ),
        _think(
            _table(
                "type model",
                type=_of("google"),
                model=TEXT,
                version=_of("v1beta", "ai-studio-v1beta", "gemini-enterprise-agent-v1"),
                temperature=_from(0, 2),
            )
        ),
        _think(
            _table(
                "type model",
                type=_of("groq"),
                model=TEXT,
                version=_of("v1"),
                temperature=_from(0, 2),
                reasoning_mode=REASONING,
            ),
            endpoint="must be",
        ),
        _think(
            _table("type model", type=_of("aws_bedrock"), model=TEXT, temperature=_from(0, 2), credentials=CREDENTIALS),
            endpoint="must be",
        ),
        _think(
            _table(
                "type model",
                type=_of("deepgram"),
                model=TEXT,
                version=_of("v1"),
                temperature=_from(0, 2),
                reasoning_mode=REASONING,
                voice_prompt_opt_out=BOOLEAN,
            ),
            endpoint="none",
        ),
    ]
}


def _speak(provider: dict[str, Any], required: str = "provider endpoint") -> dict[str, Any]:
    return _table(required, provider=provider, endpoint=ENDPOINT)


SPEAK = {
    "oneOf": [
        _speak(
            _table(
                "type model",
                type=_of("deepgram"),
                version=_of("v1"),
                model={"type": "string", "pattern": "^(aura-|embedded$)"},
                speed=_from(0.7, 1.5),
            ),
            "provider",
        ),
        _speak(
            _table(
                "type version model",
                type=_of("deepgram"),
                version=_of("v2"),
                model=_named("flux-"),
                speed=_from(0.5, 1.5),
                expressivity=_from(-2, 2, "integer"),
            ),
            "provider",
        ),
        _speak(_table("type model_id", type=_of("eleven_labs"), version=_of("v1"), model_id=TEXT, language=TEXT)),
        _speak(
            _table(
                "type model_id voice",
                type=_of("cartesia"),
                version=_of("2025-03-17"),
                model_id=TEXT,
                voice=_table("mode id", mode=TEXT, id=TEXT),
                language=TEXT,
                volume=_from(0.5, 2),
            )
        ),
        _speak(_table("type model voice", type=_of("open_ai"), version=_of("v1"), model=TEXT, voice=TEXT)),
        _speak(
            _table(
                "type voice language engine credentials",
                type=_of("aws_polly"),
                voice=TEXT,
                language=TEXT,
                engine=_of("generative", "long-form", "standard", "neural"),
                credentials=CREDENTIALS,
            )
        ),
    ]
}

CALL = _table(
    "id name client_side arguments response",
    id=STRING,
    name=STRING,
    client_side=BOOLEAN,
    arguments=STRING,
    response=STRING,
    thought_signature=STRING,
)
HISTORY = {
    "oneOf": [
        _table("type role content", type=_of("History"), role=_of("user", "assistant"), content=STRING),
        _table(
            "type function_calls",
            type=_of("History"),
            function_calls={"type": "array", "items": CALL, "minItems": 1},
        ),
    ]
}
AGENT = _table(
    "listen think speak",
    greeting=TEXT,
    context=_table("messages", messages={"type": "array", "items": HISTORY}),
    listen=_table("provider", provider=LISTEN),
    think=_one_or_more(THINK),
    speak=_one_or_more(SPEAK),
)
STORED = {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
AUDIO = _table(
    "input output",
    input=_table("encoding sample_rate", encoding=_of("linear16"), sample_rate={"const": 16000}),
    output=_table(
        "encoding sample_rate container",
        encoding=_of("linear16"),
        sample_rate={"enum": [8000, 16000, 24000, 32000, 48000]},
        container=_of("none"),
    ),
)


def _message(kind: str, required: str = "", **fields: Any) -> dict[str, Any]:
    return _table(f"type {required}", type={"const": kind}, **fields)


MESSAGES = {
    "Settings": _message(
        "Settings",
        "audio agent",
        flags=_table(history=BOOLEAN),
        mip_opt_out=BOOLEAN,
        tags=STRINGS,
        audio=AUDIO,
        agent={"oneOf": [AGENT, STORED]},
    ),
    "UpdateThink": _message("UpdateThink", "think", think=_one_or_more(THINK)),
    "UpdateSpeak": _message("UpdateSpeak", "speak", speak=_one_or_more(SPEAK)),
    "UpdateListen": _message("UpdateListen", "listen", listen=_table("provider", provider=LISTEN)),
    "InjectUserMessage": _message("InjectUserMessage", "content", content=TEXT),
    "InjectAgentMessage": _message(
        "InjectAgentMessage", "message", message=TEXT, behavior=_of("default", "queue", "interrupt")
    ),
    "FunctionCallResponse": _message(
        "FunctionCallResponse", "id name content", id=TEXT, name=TEXT, content=STRING, thought_signature=STRING
    ),
    "KeepAlive": _message("KeepAlive"),
    "ForceEndTurn": _message("ForceEndTurn"),
}


def faults(message: Any) -> list[str]:
    """What a strict server would object to."""
    kind = message.get("type") if isinstance(message, dict) else None
    if kind not in MESSAGES:
        return [f"unknown message {kind}"]
    found = [str(fault) for fault in jsonschema.Draft202012Validator(MESSAGES[kind]).iter_errors(message)]
    return [*found, f"a null in {kind}"] if _has_null(message) else found


def _has_null(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(_has_null, inner))
