import pytest

from cooee.actions._pointer import check, pick
from cooee.actions._words import one_line, sentence


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("The lamp on the desk", "The lamp on the desk is on."),
        ("the lamp", "The lamp is on."),
        ("desk lamp", "The desk lamp is on."),
        ("Desk lamp", "The desk lamp is on."),
        ("LED strip", "The LED strip is on."),
        ("My bedside lamp", "Your bedside lamp is on."),
        ("Our heating", "Your heating is on."),
        ("Anna's lamp", "Anna's lamp is on."),
        ("A fan in the attic", "A fan in the attic is on."),
        ("The lights in the hall", "The lights in the hall are on."),
        ("kitchen lights", "The kitchen lights are on."),
        ("The lamp by the stairs", "The lamp by the stairs is on."),
        ("All lamps on this floor", "All lamps on this floor are on."),
        ("The lamp and the fan", "The lamp and the fan are on."),
        ("The gas", "The gas is on."),
        ("The lamp on the desk. Use it when someone wants to read.", "The lamp on the desk is on."),
        ("The pump (in the garden)", "The pump is on."),
    ],
)
def test_a_description_becomes_a_sentence(description: str, said: str) -> None:
    assert sentence(description, "on") == said


def test_one_line_has_no_control_characters_and_an_end() -> None:
    assert one_line("a\n\x1b[31mb\x00 c") == "a [31mb c"
    assert len(one_line("x" * 1_000_000)) == 200


DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "k": {"l": None}}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/m~0n", 8),
        ("/ ", 7),
        ("/k/l", None),
    ],
)
def test_pointers_point_as_rfc_6901_says(pointer: str, value: object) -> None:
    check(pointer)
    assert pick(DOCUMENT, pointer) == value


@pytest.mark.parametrize("pointer", ["/foo/2", "/foo/-1", "/foo/01", "/foo/-", "/nowhere", "/k/l/m"])
def test_a_pointer_to_nowhere(pointer: str) -> None:
    with pytest.raises(LookupError):
        pick(DOCUMENT, pointer)


@pytest.mark.parametrize("pointer", ["foo", "/~2", "/a~", "#/foo"])
def test_what_is_no_pointer(pointer: str) -> None:
    with pytest.raises(ValueError, match="must be empty or begin with"):
        check(pointer)
