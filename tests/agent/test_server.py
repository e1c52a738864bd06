"""The embedded agent on a real socket, spoken to with the SDK's own classes."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agent_line import FAN, RATE_HZ, line, served, spoken
from cooee.agent.embedded.server import serve

pytestmark = pytest.mark.slow


async def test_a_typed_turn_becomes_a_call_and_its_result_is_spoken() -> None:
    async with line() as client:
        await client.settle()
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "Hey Jarvis, turn on the desk lamp"})
        request = await client.until("FunctionCallRequest")
        call = request["functions"][0]
        assert (call["name"], json.loads(call["arguments"]), call["client_side"]) == (
            "desk_lamp",
            {"state": "on"},
            True,
        )
        await client.answer(request, "The lamp on the desk is on. It was off before.")
        await client.until("LatencyReport")
        said = [m["content"] for m in client.came if m["type"] == "ConversationText" and m["role"] == "assistant"]
        assert said == ["The lamp on the desk is on.", "It was off before."]
        types = client.types()
        assert types.index("AgentStartedSpeaking") < types.index("audio") < types.index("AgentAudioDone")
        assert len(client.audio) > 24_000 * 2
        assert max(client.frames) <= 4800
        assert np.abs(np.frombuffer(bytes(client.audio), np.int16)).max() > 3000
        history = [m for m in client.came if m["type"] == "History"]
        assert [m.get("role") or m["function_calls"][0]["response"][:8] for m in history] == [
            "user",
            "The lamp",
            "assistant",
            "assistant",
        ]


async def test_speech_is_understood_and_acted_on(tmp_path: Path) -> None:
    async with line() as client:
        await client.settle()
        await client.stream(spoken("hey jarvis, turn on the lamp", tmp_path))
        request = await client.until("FunctionCallRequest")
        assert json.loads(request["functions"][0]["arguments"]) == {"state": "on"}
        assert "lamp" in client.said("user").lower()
        assert "jarvis" not in client.said("user").lower()
        assert client.types().index("UserStartedSpeaking") < client.types().index("ConversationText")


async def test_the_wake_phrase_alone_is_told_to_be_nothing(tmp_path: Path) -> None:
    async with line() as client:
        await client.settle()
        await client.stream(spoken("hey jarvis", tmp_path))
        warning = await client.until("Warning")
        assert warning["code"] == "NOTHING_SAID"
        assert "ConversationText" not in client.types()


async def test_zeros_are_silence_and_noise_is_no_turn() -> None:
    async with line() as client:
        await client.settle()
        noise = np.random.default_rng(1).normal(0, 300, RATE_HZ * 2).astype(np.int16).tobytes()
        await client.stream(bytes(RATE_HZ * 4) + noise + bytes(RATE_HZ * 2), pace_s=0.002)
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "what time is it"})
        await client.until("AgentAudioDone")
        assert client.said("user") == "what time is it"
        assert "UserStartedSpeaking" not in client.types()


async def test_who_speaks_while_the_agent_speaks_is_listened_to_at_once(tmp_path: Path) -> None:
    async with line() as client:
        await client.settle(greeting="This is a rather long greeting that goes on. " * 30)
        await client.until("audio")
        await client.stream(spoken("turn off the desk lamp", tmp_path), pace_s=0.002)
        await client.until("UserStartedSpeaking")
        await client.until("FunctionCallRequest")
        started = client.types().index("UserStartedSpeaking")
        assert "audio" not in client.types()[started:]
        assert "AgentAudioDone" not in client.types()


async def test_a_call_that_waits_is_taken_back_when_the_user_goes_on(tmp_path: Path) -> None:
    async with line() as client:
        await client.settle()
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "turn on the desk lamp"})
        first = await client.until("FunctionCallRequest")
        await client.stream(spoken("turn off the desk lamp", tmp_path))
        cancelled = await client.until("FunctionCallCancelled")
        assert cancelled["functions"] == [{"id": first["functions"][0]["id"], "name": "desk_lamp"}]
        await client.answer(first, "Too late.")
        place = client.came.index(cancelled)
        second = await client.until("FunctionCallRequest", after=place)
        await client.answer(second, "The lamp is off.")
        await client.until("AgentAudioDone", after=place)
        assert client.said("assistant") == "The lamp is off."


async def test_a_function_that_never_answers_is_said() -> None:
    async with line(answer_timeout_s=0.3) as client:
        await client.settle()
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "turn on the desk lamp"})
        await client.until("AgentAudioDone")
        assert client.said("assistant") == "The desk lamp did not answer."


async def test_a_missing_value_is_asked_for_over_the_line() -> None:
    async with line() as client:
        await client.settle()
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "set the fan"})
        await client.until("AgentAudioDone")
        assert client.said("assistant") == "To how many percent?"
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "forty"})
        request = await client.until("FunctionCallRequest")
        assert json.loads(request["functions"][0]["arguments"]) == {"level": 40}


async def test_injected_messages_wait_are_refused_or_cut_in() -> None:
    async with line() as client:
        await client.settle(greeting="Good morning. " * 40)
        await client.until("audio")
        await client.sdk.send_raw({"type": "InjectAgentMessage", "message": "Refused."})
        await client.until("InjectionRefused")
        await client.sdk.send_raw(
            {"type": "InjectAgentMessage", "message": "Your timer is up.", "behavior": "interrupt"}
        )
        await client.sdk.send_raw(
            {"type": "InjectAgentMessage", "message": "And the tea is ready.", "behavior": "queue"}
        )
        await client.until("AgentAudioDone")
        assert client.said("assistant").endswith("Your timer is up. And the tea is ready.")
        assert client.types().count("AgentAudioDone") == 1
        assert "Refused." not in client.said("assistant")
        assert client.said("assistant").count("Good morning.") < 40


async def test_updates_are_acknowledged_and_new_functions_count() -> None:
    async with line() as client:
        await client.settle()
        think = {
            "provider": {"type": "open_ai", "model": "x"},
            "functions": [{**FAN, "name": "heater", "description": "The heater"}],
        }
        await client.sdk.send_raw({"type": "UpdatePrompt", "prompt": "Be brief."})
        await client.sdk.send_raw({"type": "UpdateSpeak", "speak": {"provider": {"type": "deepgram", "model": "x"}}})
        await client.sdk.send_raw(
            {
                "type": "UpdateListen",
                "listen": {"provider": {"type": "deepgram", "version": "v1", "keyterms": ["computer"]}},
            }
        )
        await client.sdk.send_raw({"type": "UpdateThink", "think": think})
        for kind in ("PromptUpdated", "SpeakUpdated", "ListenUpdated", "ThinkUpdated"):
            await client.until(kind)
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "Computer, set the heater to 20"})
        assert (await client.until("FunctionCallRequest"))["functions"][0]["name"] == "heater"


async def test_a_turn_can_be_ended_by_the_client(tmp_path: Path) -> None:
    async with line() as client:
        await client.settle()
        await client.stream(spoken("turn on the desk lamp", tmp_path)[: -RATE_HZ * 2])
        await client.until("UserStartedSpeaking")
        await client.sdk.send_raw({"type": "ForceEndTurn"})
        assert (await client.until("FunctionCallRequest"))["functions"][0]["name"] == "desk_lamp"


async def test_the_earlier_conversation_is_remembered() -> None:
    call = {
        "id": "1",
        "name": "desk_lamp",
        "client_side": True,
        "arguments": '{"state": "on"}',
        "response": "It is on.",
    }
    messages = [
        {"type": "History", "role": "user", "content": "lamp on"},
        {"type": "History", "function_calls": [call]},
    ]
    async with line() as client:
        await client.settle(context={"messages": messages})
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "turn it off"})
        request = await client.until("FunctionCallRequest")
        assert json.loads(request["functions"][0]["arguments"]) == {"state": "off"}


async def test_silence_on_the_line_ends_it_and_keepalive_does_not() -> None:
    async with line(idle_timeout_s=2.0) as client:
        await client.settle()
        for _ in range(4):
            await asyncio.sleep(0.8)
            await client.sdk.send_keep_alive()
        assert "Error" not in client.types()
        error = await client.until("Error")
        assert error["code"] == "CLIENT_MESSAGE_TIMEOUT"
        await client.until("closed")


async def test_a_response_to_an_unknown_call_is_ignored() -> None:
    async with line() as client:
        await client.settle()
        await client.sdk.send_raw({"type": "FunctionCallResponse", "id": "nobody", "name": "x", "content": "y"})
        await client.sdk.send_raw({"type": "InjectUserMessage", "content": "thanks"})
        await client.until("AgentAudioDone")
        assert client.said("assistant") == "Okay."


async def test_only_who_has_the_token_may_enter() -> None:
    async with served(token="secret") as url:
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
        assert refused.value.response.status_code == 401
        with pytest.raises(InvalidStatus):
            await connect(url, additional_headers={"Authorization": "Token wrong"})
        async with connect(url, additional_headers={"Authorization": "Bearer secret"}) as socket:
            assert json.loads(await socket.recv())["type"] == "Welcome"


async def test_only_this_machine_is_served() -> None:
    with pytest.raises(ValueError, match="others can reach"):
        await serve("0.0.0.0", ready=print)


PROGRAM = "import sys; from cooee.agent.embedded.server import main; main(until_eof=sys.argv[1] == 'eof')"


@pytest.mark.parametrize("how", ["signal", "eof"])
async def test_the_process_says_its_port_and_ends_when_told(how: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, how, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin and process.stdout
    try:
        async with asyncio.timeout(30):
            port = json.loads(await process.stdout.readline())["port"]
            async with connect(f"ws://127.0.0.1:{port}/") as socket:
                assert json.loads(await socket.recv())["type"] == "Welcome"
                process.send_signal(signal.SIGTERM) if how == "signal" else process.stdin.close()
                assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
