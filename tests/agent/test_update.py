"""What of changed settings an open line is told, and when only a new line will do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cooee.agent import Brief, Link, Persona, deepgram
from cooee.effects import Function
from fakes import Peer, hold, server

LAMP = Function("lamp", "The lamp", {"type": "object", "properties": {}})
FLUX = {"model": "flux-general-multi", "eot_threshold": 0.8, "language_hints": ["en"]}
NOVA = {"model": "nova-3", "language": "en-US", "keyterms": ["Zigbee"]}
WAKE = Brief(wake_words=("hey jarvis",), functions=(LAMP,))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")


class Open:
    """A line that is open, and the agent that opened it."""

    def __init__(self, agent: deepgram.Deepgram, link: Link, peer: Peer, table: dict[str, Any]) -> None:
        self.agent, self.link, self.peer, self.table = agent, link, peer, table

    async def adopt(self, brief: Brief = WAKE, **changes: Any) -> bool:
        self.table |= changes
        self.agent.adopt(deepgram.Settings.model_validate(self.table))
        return await self.link.update(brief)

    async def told(self) -> list[str]:
        """The kinds of updates that came since last asked."""
        await self.link.keep_alive()
        await self.peer.until(lambda: self.peer.of("KeepAlive"))
        kinds = [message["type"] for _, message in self.peer.messages]
        self.peer.messages.clear()
        return [kind for kind in kinds if kind.startswith("Update")]


@asynccontextmanager
async def settled(**table: Any) -> AsyncIterator[Open]:
    async with server(hold) as it:
        table = {"url": it.url, **table}
        agent = deepgram.open(deepgram.Settings.model_validate(table))
        link, _ = await agent.connect()
        await link.settle(WAKE)
        try:
            yield Open(agent, link, it.peers[0], table)
        finally:
            await link.close()


async def test_what_did_not_change_is_not_told() -> None:
    async with settled() as line:
        assert await line.adopt() and await line.adopt(greeting="Only at the start of a conversation")
        assert await line.adopt(
            Brief(
                WAKE.wake_words,
                WAKE.functions,
                history=({"type": "History", "role": "user", "content": "Hi"},),
                greet=False,
            )
        )
        assert await line.told() == []


async def test_prompt_model_and_functions_are_replaced_as_a_whole() -> None:
    async with settled() as line:
        assert await line.adopt(prompt="Be brief.")
        assert await line.told() == ["UpdateThink"]
        assert await line.adopt(think=[{"model": "gpt-5"}, {"type": "google", "model": "gemini"}])
        assert await line.adopt(Brief(wake_words=WAKE.wake_words))
        assert await line.told() == ["UpdateThink", "UpdateThink"]
        first, second = line.peer.agent["think"]
        assert first == {"provider": {"type": "open_ai", "model": "gpt-5"}, "prompt": "Be brief."}
        assert second["provider"] == {"type": "google", "model": "gemini"}
        assert await line.adopt(Brief(wake_words=WAKE.wake_words)) and await line.told() == []


async def test_a_persona_changes_prompt_voice_and_language_and_leaves_again() -> None:
    async with settled() as line:
        usual = line.peer.agent
        butler = Persona("You are a butler.", "flux-bruce-en", "de")
        assert await line.adopt(Brief(WAKE.wake_words, WAKE.functions, persona=butler))
        assert await line.told() == ["UpdateThink", "UpdateSpeak", "UpdateListen"]
        agent = line.peer.agent
        assert agent["think"]["prompt"] == "You are a butler."
        assert agent["speak"]["provider"] == {"type": "deepgram", "version": "v2", "model": "flux-bruce-en"}
        assert agent["listen"]["provider"]["model"] == "flux-general-multi"
        assert agent["listen"]["provider"]["language_hints"] == ["de"]
        assert await line.adopt()
        assert line.peer.agent != usual
        assert await line.told() == ["UpdateThink", "UpdateSpeak", "UpdateListen"]
        assert line.peer.agent == usual


async def test_an_aura_voice_in_place_of_a_flux_voice_loses_what_only_flux_has() -> None:
    async with settled(speak={"model": "flux-kit-en", "expressivity": 2, "speed": 0.5}) as line:
        assert await line.adopt(Brief(WAKE.wake_words, WAKE.functions, persona=Persona(voice="aura-2-zeus-en")))
        await line.told()
        assert line.peer.agent["speak"]["provider"] == {"type": "deepgram", "model": "aura-2-zeus-en"}


@pytest.mark.parametrize(
    ("speak", "place", "voice"),
    [
        ({"type": "cartesia", "model_id": "m", "voice": {"id": "a"}}, ("provider", "voice", "id"), "b"),
        ({"type": "open_ai", "voice": "a"}, ("provider", "voice"), "b"),
        ({"type": "eleven_labs", "model_id": "m", "voice": "a"}, ("endpoint", "url"), "https://x.example/b/v"),
    ],
)
async def test_every_maker_has_its_own_place_for_the_voice(speak: Any, place: tuple[str, ...], voice: str) -> None:
    table = {**speak, "endpoint": {"url": "https://x.example/{voice}/v"}}
    async with settled(speak=table) as line:
        assert await line.adopt(Brief(WAKE.wake_words, WAKE.functions, persona=Persona(voice="b")))
        assert await line.told() == ["UpdateSpeak"]
        found = line.peer.agent["speak"]
        for part in place:
            found = found[part]
        assert found == voice


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (FLUX, {**FLUX, "eot_threshold": 0.6}, True),
        (FLUX, {**FLUX, "keyterms": ["Zigbee"]}, True),
        (FLUX, {**FLUX, "language_hints": []}, True),  # which forgets them
        (FLUX, {"model": "flux-general-multi", "language_hints": ["en"]}, False),  # the threshold would stay
        (FLUX, NOVA, False),
        (NOVA, FLUX, False),
        (NOVA, {**NOVA, "language": "de"}, True),
        (NOVA, {**NOVA, "keyterms": ["Matter"]}, False),
    ],
)
async def test_a_listener_is_told_what_it_can_be_told(before: Any, after: Any, told: bool) -> None:
    async with settled(listen=before) as line:
        assert await line.adopt(listen=after) is told
        assert await line.told() == (["UpdateListen"] if told else [])
        if told and after["model"] == "nova-3":
            assert line.peer.agent["listen"]["provider"] == {
                "type": "deepgram",
                "version": "v1",
                "model": "nova-3",
                "language": "de",
            }


@pytest.mark.parametrize(
    "changes",
    [
        {"output_rate_hz": 48000},
        {"tags": ["home"]},
        {"mip_opt_out": True},
        {"url": "ws://127.0.0.1:9/"},
        {"region": "eu"},
        {"key_file": "/another"},
        {"token_command": ["get"]},
        {"id": "12345678-90ab-cdef-1234-567890abcdef"},
    ],
)
async def test_what_only_a_new_line_can_have_is_told_to_nobody(changes: dict[str, Any]) -> None:
    async with settled() as line:
        assert not await line.adopt(prompt="Be brief.", **changes)
        assert await line.told() == []


async def test_a_key_that_is_missing_now_is_for_the_next_line_to_tell() -> None:
    async with settled() as line:
        endpoint = {"url": "https://x.example", "headers": {"Authorization": "Bearer secret:NOT_THERE"}}
        assert not await line.adopt(think={"model": "mine", "endpoint": endpoint})


async def test_an_agent_that_the_vendor_keeps_is_named_and_nothing_else_is_told() -> None:
    stored = "12345678-90ab-cdef-1234-567890abcdef"
    async with settled(id=stored, tags=["home"]) as line:
        assert line.peer.settings == {
            "type": "Settings",
            "tags": ["home"],
            "flags": {"history": True},
            "audio": line.peer.settings["audio"],
            "agent": stored,
        }
        assert await line.adopt(prompt="Not yours.") and await line.told() == []
