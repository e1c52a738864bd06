from typing import Any

import pytest
from pydantic import ValidationError

from cooee.actions import Failed, command
from cooee.actions._arguments import Arguments
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
        ({"type": "string", "pattern": "a)|(b"}, "no regular expression"),
        ({"type": "string", "pattern": r"(a)\1"}, "backreferences are not supported"),
        ({"type": "string", "pattern": "(?!a)b"}, "look-around"),
        ({"type": "string", "pattern": "[a-z]+", "default": "A"}, "not allowed by the parameter's own"),
        ({"type": "string", "required": False}, "needs a default"),
        ({"type": "integer", "default": 1.5}, "not allowed by the parameter's own"),
        ({"type": "integer", "default": True}, "not allowed by the parameter's own"),
        ({"type": "integer", "maximum": 5, "default": 6}, "not allowed by the parameter's own"),
        ({"type": "string", "enum": ["a"], "default": "b"}, "not allowed by the parameter's own"),
        ({"type": "number", "minimum": float("nan")}, "not nan or inf"),
        ({"type": "number", "maximum": float("inf")}, "not nan or inf"),
        ({"type": "number", "default": float("nan")}, "not nan or inf"),
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


def nested(around: type) -> Any:
    deep: Any = around()
    for _ in range(100_000):
        deep = [deep] if around is list else {"n": deep}
    return deep


NUMBERS = [float("inf"), float("-inf"), float("nan"), 10**400, 10**5000, -(10**5000), 1e300, True, False, None]
WORDS = ["NaN", "1e309", "\u0663", "\u00bd", "\uff15", "5", "", " ", "five", "0x5", "5\n", "x" * 1_000_000]
DEEP = [[], {}, [5], nested(list), nested(dict)]
LIMITS: dict[str, Any] = {"minimum": 1, "maximum": 12}


@pytest.mark.parametrize("limits", [{}, LIMITS])
@pytest.mark.parametrize("type_", ["integer", "number"])
@pytest.mark.parametrize("found", [*NUMBERS, *WORDS, *DEEP], ids=lambda found: f"{type(found).__name__}")
def test_what_is_no_number_that_can_be_meant_is_refused_in_words(type_: Any, limits: Any, found: Any) -> None:
    schema = {"type": "object", "properties": {"n": Parameter(type=type_, **limits).schema_of()}}
    with pytest.raises(Failed, match=r"n has to be a (whole )?number|too large or too deeply nested") as failed:
        Arguments(schema).fitting({"n": found})
    assert len(str(failed.value)) < 150


@pytest.mark.parametrize("found", [0, 13, 0.999, 12.0001, -1, -0.0, 12.000000000000002])
def test_a_limit_is_a_limit(found: Any) -> None:
    for type_ in ("integer", "number"):
        schema = {"type": "object", "properties": {"n": Parameter(type=type_, **LIMITS).schema_of()}}  # type: ignore[arg-type]
        with pytest.raises(Failed, match="n has to be a"):
            Arguments(schema).fitting({"n": found})


def test_a_whole_number_is_one_however_it_is_written_and_nothing_is_less_than_nothing() -> None:
    whole = {"type": "object", "properties": {"n": Parameter(type="integer").schema_of()}}
    assert repr(Arguments(whole).fitting({"n": 1.0})) == "{'n': 1}"
    assert repr(Arguments(whole).fitting({"n": -0.0})) == "{'n': 0}"
    number = {"type": "object", "properties": {"n": Parameter(type="number").schema_of()}}
    assert repr(Arguments(number).fitting({"n": -0.0})) == "{'n': 0.0}"


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\uffff", "\ufffe", "\ufdd0", "\U0010ffff"])
def test_what_is_no_character_is_refused(text: str) -> None:
    with pytest.raises(Failed, match="can't be used"):
        fill("{a}", {"a": text})


@pytest.mark.parametrize("text", ["Zoë", "日本語", "👩\u200d🍳", "\ufffd", "½", "\u202eabc", "a\u00a0b"])
def test_what_people_write_is_text(text: str) -> None:
    assert fill("{a}", {"a": text}) == text


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+", r"(.*)*x"])
async def test_no_text_keeps_a_pattern_busy(pattern: str) -> None:
    # With backtracking this would take longer than the universe is old.
    fitting = Arguments({"type": "object", "properties": {"a": Parameter(type="string", pattern=pattern).schema_of()}})
    with pytest.raises(Failed, match="text of the form"):
        fitting.fitting({"a": "a" * 199 + "!"})


@pytest.mark.parametrize(("text", "fits"), [("kitchen", True), ("Küche", True), ("kitchen\n", False), ("9", False)])
def test_a_pattern_is_matched_by_the_whole_string(text: str, fits: bool) -> None:
    schema = Parameter(type="string", pattern=r"[^\W\d]+").schema_of()
    arguments = Arguments({"type": "object", "properties": {"a": schema}})
    if fits:
        assert arguments.fitting({"a": text}) == {"a": text}
    else:
        with pytest.raises(Failed, match="text of the form"):
            arguments.fitting({"a": text})
