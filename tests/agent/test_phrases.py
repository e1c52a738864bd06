"""What else a function is asked for with: told to the agent that goes by grammar, and to no other."""

from typing import Any

import pytest

from cooee.agent import Brief, deepgram, embedded
from cooee.effects import Function

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
BRIEF = Brief(functions=(Function("film", "Dims the lights", SCHEMA, phrases=("movie time",)),))


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (deepgram.open(deepgram.Settings()), SCHEMA),
        (embedded.open(embedded.Settings()), {**SCHEMA, "phrases": ["movie time"]}),
    ],
    ids=("deepgram", "embedded"),
)
def test_only_who_understands_phrases_is_told_of_them(agent: Any, told: dict[str, Any]) -> None:
    think = agent._brief(BRIEF).dict()["agent"]["think"]
    (function,) = (think[0] if isinstance(think, list) else think)["functions"]
    assert function["parameters"] == told
