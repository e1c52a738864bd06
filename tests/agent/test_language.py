"""Which language the agent speaks, as its settings tell."""

from typing import Any

import pytest

from cooee.agent import Persona, deepgram, embedded, spoken_by

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
