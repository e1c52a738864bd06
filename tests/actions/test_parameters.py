from typing import Any

import pytest
from pydantic import ValidationError

from cooee.actions import Failed, command
from cooee.actions._parameters import Parameter, fill, placeholders


def test_a_parameter_becomes_a_json_schema() -> None:
    level = Parameter(type="integer", minimum=0, maximum=100, description="How bright.")
    assert level.schema_of() == {"type": "integer", "description": "How bright.", "minimum": 0, "maximum": 100}
    room = Parameter(type="string", enum=["hall", "attic"], required=False, default="hall")
    assert room.schema_of() == {"type": "string", "enum": ["hall", "attic"], "default": "hall"}
    name = Parameter(type="string", pattern="[a-z]+|[0-9]+", max_length=9)
    assert name.schema_of() == {"type": "string", "maxLength": 9, "pattern": "^(?:[a-z]+|[0-9]+)$"}


def test_required_ones_are_required_and_nothing_else_may_be_given() -> None:
    settings = command.Settings(
        description="Say it.",
        command=["echo", "{a}", "{b}"],
        parameters={"a": Parameter(type="string"), "b": Parameter(type="boolean", required=False, default=True)},
    )
    schema = command.declare("say", settings).parameters
    assert schema["required"] == ["a"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"type": "text"}, "'string', 'integer', 'number' or 'boolean'"),
        ({"type": "string", "minimum": 1}, "only for integer and number"),
        ({"type": "integer", "minimum": 5, "maximum": 1}, "larger than maximum"),
        ({"type": "integer", "enum": ["a"]}, "only for string"),
        ({"type": "string", "pattern": "("}, "no regular expression"),
        ({"type": "string", "required": False}, "needs a default"),
        ({"type": "integer", "default": 1.5}, "not allowed by the parameter's own"),
        ({"type": "integer", "default": True}, "not allowed by the parameter's own"),
        ({"type": "integer", "maximum": 5, "default": 6}, "not allowed by the parameter's own"),
        ({"type": "string", "enum": ["a"], "default": "b"}, "not allowed by the parameter's own"),
        ({"type": "integer", "minimun": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Parameter(**settings)


@pytest.mark.parametrize(
    ("words", "parameters", "said"),
    [
        (["echo", "{level}"], {}, r"\{level\} is no parameter"),
        (["echo"], {"level": {"type": "integer"}}, "level is used nowhere"),
        (["{level}"], {"level": {"type": "integer"}}, "program itself"),
        (["echo", "{level!r}"], {"level": {"type": "integer"}}, "hold the name of a parameter"),
        (["echo", "{level.real}"], {"level": {"type": "integer"}}, "hold the name of a parameter"),
        (["echo", "{0}"], {}, "hold the name of a parameter"),
        (["echo", "{"], {}, "is doubled"),
        (["echo", "{output}"], {}, "can only stand in answer"),
        (["echo", "{output}"], {"output": {"type": "string"}}, "can't be called"),
        (["echo", "{A}"], {"A": {"type": "string"}}, "match pattern"),
        ([], {}, "at least 1 item"),
    ],
)
def test_placeholders_and_parameters_have_to_match(words: list[str], parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        command.Settings.model_validate({"description": "Say it.", "command": words, "parameters": parameters})


def test_a_value_is_never_read_as_a_template() -> None:
    assert fill("{{{a}}} {b}", {"a": "{b}", "b": "{a.__class__}"}) == "{{b}} {a.__class__}"
    assert placeholders("{{x}} {a}{b}") == ("a", "b")


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\r", "\x1b[2J", "\x7f", "a\x85", "a\x9b2J", "a\u2028b", "\u2029"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(Failed, match="can't be used"):
        fill("{a}", {"a": text})


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\uffff", "\ufffe", "\ufdd0", "\U0010ffff"])
def test_what_is_no_character_is_refused(text: str) -> None:
    with pytest.raises(Failed, match="can't be used"):
        fill("{a}", {"a": text})


@pytest.mark.parametrize("text", ["Zoë", "日本語", "👩\u200d🍳", "\ufffd", "½", "\u202eabc", "a\u00a0b"])
def test_what_people_write_is_text(text: str) -> None:
    assert fill("{a}", {"a": text}) == text
