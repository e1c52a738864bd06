"""What the embedded agent makes of sentences about things on pins."""

from typing import Any

import pytest

from cooee import actions
from cooee.actions.gpio import Settings
from cooee.agent._settings import function
from cooee.agent.embedded.grammar import Grammar
from cooee.agent.embedded.understood import Calls

HOUSE = {
    "pump": Settings(pin=17, description="The pump", max_on_s=600.0),
    "reading_light": Settings(pin=12, description="The reading light", kind="pwm"),
    "shelf": Settings(red=5, green=6, blue=13, description="The strip on the shelf", kind="rgb"),
    "vent": Settings(pin=19, description="The servo of the vent", kind="servo"),
    "gong": Settings(pin=16, description="The gong", kind="buzzer"),
    "back_door": Settings(pin=21, description="The back door", kind="sensor", active_text="closed"),
    "hall": Settings(pin=26, description="The motion sensor in the hall", kind="motion"),
    "track": Settings(pin=7, description="The line sensor of the robot", kind="line"),
    "car": Settings(trigger=23, echo=24, description="The distance to the car", kind="distance"),
    "greenhouse": Settings(description="The temperature in the greenhouse", kind="temperature"),
    "front_door": Settings(pin=27, description="The front door's opener", kind="pulse", pulse_s=0.5),
}


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar([function(each, has_grammar=True).dict() for each in actions.declare(HOUSE)])


@pytest.mark.parametrize(
    ("sentence", "name", "arguments"),
    [
        ("Turn on the pump.", "pump", {"state": "on"}),
        ("Set the reading light to forty percent.", "reading_light", {"level": 40}),
        ("Turn the reading light off.", "reading_light", {"state": "off"}),
        ("Set the strip to blue.", "shelf", {"colour": "blue"}),
        ("Make the strip on the shelf warm white.", "shelf", {"colour": "warm white"}),
        ("Turn off the strip.", "shelf", {"state": "off"}),
        ("Dim the strip to 20 percent.", "shelf", {"level": 20}),
        ("Set the servo to forty five degrees.", "vent", {"angle": 45}),
        ("Turn the vent to 90 degrees.", "vent", {"angle": 90}),
        ("Ring the gong.", "gong", {"tune": "ring"}),
        ("Play the alarm on the gong.", "gong", {"tune": "alarm"}),
        ("Is the back door open?", "back_door", {}),
        ("Is anybody there?", "hall", {}),
        ("Is anybody in the hall?", "hall", {}),
        ("Is there any motion in the hall?", "hall", {}),
        ("What is the line sensor?", "track", {}),
        ("How far away is the car?", "car", {}),
        ("What is the distance to the car?", "car", {}),
        ("How warm is it?", "greenhouse", {}),
        ("What's the temperature in the greenhouse?", "greenhouse", {}),
        ("Open the front door.", "front_door", {}),
    ],
)
def test_a_sentence_becomes_a_call(grammar: Grammar, sentence: str, name: str, arguments: dict[str, Any]) -> None:
    understood = grammar.parse(sentence)
    assert isinstance(understood, Calls), understood
    assert [(call.name, call.arguments, call.missing) for call in understood.calls] == [(name, arguments, ())]
