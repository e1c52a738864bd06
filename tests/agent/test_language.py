"""Which language the agent speaks, as its settings tell."""

from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from cooee.agent import Persona, deepgram, embedded, spoken_by
from cooee.app import App
from cooee.config import parse
from cooee.effects import Act
from cooee.events import Call, Doubted, Event

HOUSE = """
[agent]
type = "deepgram"
[agent.speak]
model = "aura-2-viktoria-de"
[actions.gate]
type = "gpio"
kind = "pulse"
pulse_s = 0.5
pin = 17
description = "Das Hoftor"
"""

POLLY = {
    "type": "aws_polly",
    "voice": "Vicki",
    "language": "de-DE",
    "engine": "neural",
    "endpoint": {"url": "https://polly.example"},
    "credentials": {"type": "iam", "region": "eu", "access_key_id": "secret:ID", "secret_access_key": "secret:KEY"},
}
OPEN_AI = {"type": "open_ai", "model": "tts-1", "endpoint": {"url": "https://voice.example"}}
GERMAN = Persona(language="de-AT")


@pytest.mark.parametrize(
    ("settings", "persona", "language"),
    [
        ({}, Persona(), "en"),
        ({"speak": {"model": "aura-2-viktoria-de"}}, Persona(), "de"),
        ({}, Persona(voice="aura-2-agathe-fr"), "fr"),
        ({}, GERMAN, "de"),
        ({"speak": POLLY}, Persona(), "de"),
        ({"speak": OPEN_AI}, Persona(), ""),
        ({"speak": OPEN_AI, "listen": {"model": "nova-3", "language": "nl"}}, Persona(), "nl"),
        ({"speak": OPEN_AI, "listen": {"model": "nova-3", "language": "multi"}}, Persona(), ""),
        ({"speak": OPEN_AI, "listen": {"model": "flux-general-multi", "language_hints": ["it"]}}, Persona(), "it"),
        ({"speak": OPEN_AI, "listen": {"model": "flux-general-multi", "language_hints": ["it", "de"]}}, Persona(), ""),
        ({"id": "12345678-90ab-cdef-1234-567890abcdef"}, Persona(), ""),
    ],
)
def test_the_voice_tells_it_and_a_persona_before_it(settings: dict[str, Any], persona: Persona, language: str) -> None:
    assert spoken_by(deepgram.Settings(type="deepgram", **settings), persona) == language


def test_the_embedded_agent_has_one_language_whoever_it_is() -> None:
    assert spoken_by(embedded.Settings(), GERMAN) == ""


async def test_the_speaker_asks_in_it_and_in_the_next_personas(pins: MockFactory) -> None:
    app = App(parse(HOUSE))
    asked: list[Event] = []
    app.rooms.actions._post = asked.append
    for id, persona in enumerate((Persona(), Persona(language="fr-CA"))):
        app.rooms.session.become(persona)
        await app.rooms.actions.run(Act(1, Call(str(id), "gate", {})))
    app.rooms.actions.close()
    assert [event.question for event in asked if isinstance(event, Doubted)] == [
        "Das Hoftor: wirklich öffnen?",
        "Das Hoftor : vraiment actionner ?",
    ]
