"""The embedded agent after a line broke: what was held comes at once, the conversation is told again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent_line import FRAME, RATE_HZ, line, spoken
from cooee.agent import Brief, Persona, embedded
from cooee.agent.embedded.speech import Speech

pytestmark = pytest.mark.slow


def hold(pcm: bytes, seconds: float) -> bytes:
    """The speech behind so much of a quiet room that there are `seconds` of it all."""
    room = np.random.default_rng(7).normal(0, 20, round(seconds * RATE_HZ) - len(pcm) // 2).astype(np.int16)
    return room.tobytes() + pcm


@pytest.mark.parametrize("seconds", [15, 30])
async def test_what_was_held_is_understood_as_if_it_had_come_in_its_time(seconds: float, tmp_path: Path) -> None:
    async with line() as client:
        await client.settle()
        # In the first moment the voice detection is still loading.
        await client.stream(hold(spoken("hey jarvis, turn on the lamp", tmp_path), seconds), pace_s=0)
        request = await client.until("FunctionCallRequest")
        assert json.loads(request["functions"][0]["arguments"]) == {"state": "on"}
        assert client.types().count("FunctionCallRequest") == 1
        await client.answer(request, "The lamp is on.")
        await client.until("AgentAudioDone")
        before = len(client.came)
        await client.stream(hold(spoken("turn off the desk lamp", tmp_path), seconds), pace_s=0)
        request = await client.until("FunctionCallRequest", after=before)
        assert json.loads(request["functions"][0]["arguments"]) == {"state": "off"}


@pytest.mark.parametrize("ready_after_s", [0, 1])
async def test_the_talk_buttons_end_is_the_end_of_the_turn(
    ready_after_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it comes before the voice detection is ready."""
    real = Speech.endpointer

    async def late(self: Speech) -> Any:
        await asyncio.sleep(ready_after_s)
        return await real(self)

    monkeypatch.setattr(Speech, "endpointer", late)
    async with line() as client:
        await client.settle()
        if not ready_after_s:
            await client.stream(bytes(FRAME * 10) + hold(b"", 2), pace_s=0.05)
        said = spoken("turn on the desk lamp", tmp_path)[: -RATE_HZ * 2 + FRAME]  # no silence behind it
        await client.stream(said, pace_s=0)
        await client.sdk.send_force_end_turn()
        request = await client.until("FunctionCallRequest")
        assert json.loads(request["functions"][0]["arguments"]) == {"state": "on"}
        await client.sdk.send_force_end_turn()  # nothing is open: nothing happens
        await client.answer(request, "The lamp is on.")
        await client.until("AgentAudioDone")


async def test_a_conversation_that_ends_with_an_unanswered_user_goes_on() -> None:
    messages = [
        {"type": "History", "role": "user", "content": "Turn on the desk lamp."},
        {"type": "History", "role": "assistant", "content": "The lamp is on."},
        {"type": "History", "role": "user", "content": "Turn off the desk lamp."},
    ]
    async with line() as client:
        await client.settle(context={"messages": messages})
        await asyncio.sleep(0.3)
        assert "FunctionCallRequest" not in client.types(), "what was said on an earlier line is not done by itself"
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "Turn off the desk lamp."})
        request = await client.until("FunctionCallRequest")
        assert json.loads(request["functions"][0]["arguments"]) == {"state": "off"}
        await client.answer(request, "The lamp is off.")
        await client.until("AgentAudioDone")


async def test_a_persona_and_another_prompt_need_no_new_line() -> None:
    agent = embedded.open(embedded.Settings())
    try:
        link, _ = await agent.connect()
        await link.settle(Brief())
        assert await link.update(Brief(persona=Persona("Be rude.", "aura-2-zeus-en", "de")))
        agent.adopt(embedded.Settings(prompt="Be kind."))
        assert await link.update(Brief())
        await link.say("Still here.")
        events = link.events()
        async with asyncio.timeout(20):
            async for event in events:
                if getattr(event, "text", "") == "Still here.":
                    break
        agent.adopt(embedded.Settings(output_rate_hz=48000))
        assert not await link.update(Brief())
        await link.close()
    finally:
        await agent.close()
