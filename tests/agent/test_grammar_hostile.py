import string
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cooee.agent.embedded.grammar import Grammar
from cooee.agent.embedded.understood import Ambiguous, Call, Calls
from household import DESK_LAMP, HOUSE, LEVEL, OPEN_GATE, ROOMS, function, one_of

BROKEN = [
    {},
    {"name": "a"},
    {"name": "b", "parameters": None},
    {"name": "c", "description": None, "parameters": {"properties": {"x": 3, "y": {"enum": "no"}}, "required": "x"}},
    function("d", "Needs a list", items={"type": "array"}),
    function("e", "!!!", state=one_of("on", None, 3, {}, [])),
    function("x_{}[]()|<>", "The {odd} [one] (of) <them>|", state=one_of("on", "off")),
]


def test_odd_declarations_are_survived() -> None:
    odd = Grammar([*BROKEN, DESK_LAMP])
    assert odd.parse("turn on the lamp") == Calls((Call("desk_lamp", {"state": "on"}),))
    assert "d" not in odd.skills


def allowed(value: Any, schema: dict[str, Any]) -> bool:
    kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
    right = isinstance(value, kinds[schema["type"]]) and (schema["type"] == "boolean" or not isinstance(value, bool))
    in_range = right and schema.get("minimum", -1e9) <= (value if isinstance(value, int | float) else 0) <= schema.get(
        "maximum", 1e9
    )
    return in_range and value in schema.get("enum", [value])


VOCABULARY = """
turn switch set on off the a desk lamp fan gate open close lock unlock front door to 40 percent -3 0.5 1e9 and don't it
volume up down ring red radio jazz heater degrees for minutes timer add milk what is time never mind jarvis hey , . ?
"""
WORDS = st.sampled_from(VOCABULARY.split())
GRAMMAR = Grammar([*HOUSE, ROOMS, LEVEL, OPEN_GATE], ["hey jarvis"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.lists(WORDS, max_size=9).map(" ".join),
        st.text(st.sampled_from(string.printable), max_size=40),
        st.text(max_size=20),
    )
)
@example("set the fan to " + "9" * 400)
@example("set the heater to 1.e5")
@example("add {x} [y] (z)")
def test_no_sentence_raises_and_every_call_fits_its_schema(sentence: str) -> None:
    found = GRAMMAR.parse(sentence)
    options = [call for _, call in found.options] if isinstance(found, Ambiguous) else []
    for call in (*(found.calls if isinstance(found, Calls) else ()), *options):
        schema = next(f["parameters"] for f in [*HOUSE, ROOMS, LEVEL, OPEN_GATE] if f["name"] == call.name)
        assert all(allowed(value, schema["properties"][key]) for key, value in call.arguments.items())
        assert set(schema["required"]) <= {*call.arguments, *call.missing}
