"""Client messages of the Voice Agent protocol, taken apart strictly: the SDK's types say what may stand where."""

import json
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic

MOST_BYTES = 1 << 20
# Passed through by the SDK without being in its types.
_EXTRA = frozenset(("thought_signature",))


class Fault(Exception):
    """A message that the protocol does not allow; `code` is the protocol's, str() names the field."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


@cache
def _messages() -> Mapping[str, type[pydantic.BaseModel]]:
    from deepgram.agent.v1 import types as sdk

    models: tuple[type[pydantic.BaseModel], ...] = (
        sdk.AgentV1Settings,
        sdk.AgentV1UpdateListen,
        sdk.AgentV1UpdateThink,
        sdk.AgentV1UpdateSpeak,
        sdk.AgentV1UpdatePrompt,
        sdk.AgentV1InjectUserMessage,
        sdk.AgentV1InjectAgentMessage,
        sdk.AgentV1SendFunctionCallResponse,
        sdk.AgentV1KeepAlive,
        sdk.AgentV1ForceEndTurn,
    )
    return {str(model.model_fields["type"].default): model for model in models}


def parse(text: str) -> dict[str, Any]:
    """A client's text frame as the message that it is. Raises Fault."""
    if len(text) > MOST_BYTES:
        raise Fault(
            "UNPARSABLE_CLIENT_MESSAGE", f"The message has {len(text)} characters; at most {MOST_BYTES} are allowed."
        )
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Fault("UNPARSABLE_CLIENT_MESSAGE", "The message is not valid JSON.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Fault("UNPARSABLE_CLIENT_MESSAGE", 'The message must be a JSON object with a "type".')
    model = _messages().get(message["type"])
    if model is None:
        raise Fault("UNPARSABLE_CLIENT_MESSAGE", f"Unknown message type. Known types: {', '.join(_messages())}.")
    fault = next(_faults(message, model, ""), None)
    if fault:
        field, _, found = fault.partition(": ")
        raise Fault(
            "UNPARSABLE_CLIENT_MESSAGE", f"Check the {field} field against the API spec: it {_VERBS.get(found, found)}."
        )
    return message


def _faults(value: Any, annotation: Any, path: str) -> Iterator[str]:
    """What is wrong with a JSON value for a type of the SDK's, field by field."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return
    if origin is Annotated:
        yield from _faults(value, inner[0], path)
    elif origin in (Union, types.UnionType):
        yield from _faults_in_union(value, inner, path)
    elif origin is Literal:
        if value not in inner:
            yield f"{path}: must be {' or '.join(map(json.dumps, inner))}"
    elif origin is list:
        yield from _faults_in_list(value, inner, path)
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{path}: must be an object"
    elif isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield from _faults_in_object(value, annotation, path)
    elif not _is_a(value, annotation):
        yield f"{path}: must be {_CALLED.get(annotation, 'something else')}"


_VERBS = {"missing": "is missing", "not known": "is not known"}
_CALLED = {str: "a string", bool: "true or false", int: "a whole number", float: "a number", type(None): "left out"}


def _is_a(value: Any, annotation: Any) -> bool:
    if annotation in (int, float):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return not isinstance(value, bool) and (whole or (annotation is float and isinstance(value, float)))
    return annotation not in _CALLED or isinstance(value, annotation)


def _faults_in_union(value: Any, variants: tuple[Any, ...], path: str) -> Iterator[str]:
    """Those of the variant that fits best: the one whose type or version is named, else the one with the fewest."""
    if value is None:
        # The service refuses an explicit null, though the SDK sends one for a field set to None.
        yield f"{path}: must not be null"
        return
    tried = [list(_faults(value, variant, path)) for variant in variants if variant is not type(None)]

    def badness(faults: list[str]) -> tuple[bool, bool, int]:
        other = any(fault.startswith((f"{path}.type:", f"{path}.version:")) for fault in faults)
        return any(fault.startswith(f"{path}:") for fault in faults), other, len(faults)

    yield from min(tried, key=badness)


def _faults_in_list(value: Any, inner: tuple[Any, ...], path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: must be a list"
        return
    for index, item in enumerate(value):
        yield from _faults(item, inner[0], f"{path}[{index}]")


def _faults_in_object(value: Any, model: type[pydantic.BaseModel], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'message'}: must be an object"
        return
    dot = f"{path}." if path else ""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name in value:
        if name not in fields and name not in _EXTRA:
            yield f"{dot}{name}: not known"
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.annotation, f"{dot}{name}")
        elif field.is_required():
            yield f"{dot}{name}: missing"
