"""The embedded agent on a real socket, spoken to with the SDK's own classes."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from deepgram.agent.v1.socket_client import AsyncV1SocketClient
from deepgram.agent.v1.types import AgentV1SendFunctionCallResponse, AgentV1Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cooee.agent.embedded.server import serve

pytestmark = pytest.mark.slow

RATE_HZ = 16_000
FRAME = RATE_HZ * 2 * 80 // 1000
LAMP = {
    "name": "desk_lamp",
    "description": "The lamp on the desk",
    "parameters": {
        "type": "object",
        "properties": {"state": {"type": "string", "enum": ["on", "off", "toggle"]}},
        "required": ["state"],
    },
    "defer_until_eot": True,
}
FAN = {
    "name": "fan",
    "description": "The fan",
    "parameters": {
        "type": "object",
        "properties": {"level": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": ["level"],
    },
}


def settings(**agent: Any) -> dict[str, Any]:
    return {
        "type": "Settings",
        "audio": {
            "input": {"encoding": "linear16", "sample_rate": RATE_HZ},
            "output": {"encoding": "linear16", "sample_rate": 24_000, "container": "none"},
        },
        "agent": {
            "listen": {
                "provider": {"type": "deepgram", "version": "v1", "model": "tiny.en", "keyterms": ["hey_jarvis"]}
            },
            "think": {
                "provider": {"type": "open_ai", "model": "embedded"},
                "prompt": "Be kind.",
                "functions": [LAMP, FAN],
            },
            "speak": {"provider": {"type": "deepgram", "model": "embedded"}},
            **agent,
        },
    }


def spoken(text: str, tmp_path: Path) -> bytes:
    """The text in flite's voice, 16 kHz PCM, with a second of silence after it."""
    path = tmp_path / "said.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
    with wave.open(str(path)) as file:
        rate_hz, pcm = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return np.asarray(soxr.resample(pcm, rate_hz, RATE_HZ), np.int16).tobytes() + bytes(RATE_HZ * 2)


class Client:
    """A line to the server: everything that came, in order, "audio" for the binary frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sdk = AsyncV1SocketClient(websocket=socket)
        self.came: list[dict[str, Any]] = []
        self.audio = bytearray()
        self.frames: list[int] = []
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self.socket:
                if isinstance(message, bytes):
                    self.audio += message
                    self.frames.append(len(message))
                    self.came.append({"type": "audio"})
                else:
                    self.came.append(json.loads(message))
                self._news.set()
        self.came.append({"type": "closed", "code": self.socket.close_code})
        self._news.set()

    def types(self) -> list[str]:
        return [message["type"] for message in self.came]

    async def until(
        self, kind: str, *, after: int = 0, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first message of that kind from place `after` on."""
        async with asyncio.timeout(30):
            while True:
                self._news.clear()
                found = next((m for m in self.came[after:] if m["type"] == kind and where(m)), None)
                if found:
                    return found
                assert kind == "closed" or "closed" not in self.types(), self.came
                await self._news.wait()

    async def settle(self, **agent: Any) -> None:
        await self.until("Welcome")
        await self.sdk.send_settings(AgentV1Settings(**settings(**agent)))
        await self.until("SettingsApplied")

    async def answer(self, request: dict[str, Any], content: str) -> None:
        call = request["functions"][0]
        await self.sdk.send_function_call_response(
            AgentV1SendFunctionCallResponse(id=call["id"], name=call["name"], content=content)
        )

    async def stream(self, pcm: bytes, pace_s: float = 0.01) -> None:
        for at in range(0, len(pcm), FRAME):
            await self.sdk.send_media(pcm[at : at + FRAME])
            await asyncio.sleep(pace_s)

    def said(self, role: str) -> str:
        return " ".join(m["content"] for m in self.came if m["type"] == "ConversationText" and m["role"] == role)

    async def close(self) -> None:
        await self.socket.close()
        await self._reading


@contextlib.asynccontextmanager
async def served(**options: Any) -> AsyncIterator[str]:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(ready=port.set_result, **options))
    try:
        yield f"ws://127.0.0.1:{await port}/v1/agent/converse"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def line(**options: Any) -> AsyncIterator[Client]:
    async with served(**options) as url, connect(url, max_queue=None) as socket:
        client = Client(socket)
        try:
            yield client
        finally:
            await client.close()


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


def changed(path: str, value: Any) -> str:
    message = json.loads(json.dumps(settings()))
    *folders, last = path.split(".")
    place: Any = message
    for folder in folders:
        place = place[int(folder)] if folder.isdigit() else place[folder]
    place[last] = value
    return json.dumps(message)


FAULTS = [
    ("{oops", "UNPARSABLE_CLIENT_MESSAGE", "JSON"),
    ("[1, 2]", "UNPARSABLE_CLIENT_MESSAGE", "object"),
    ("[" * 50_000, "UNPARSABLE_CLIENT_MESSAGE", "JSON"),
    ('{"type": "Sing"}', "UNPARSABLE_CLIENT_MESSAGE", "type"),
    ('{"type": "KeepAlive"}', "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "KeepAlive"),
    (b"\0" * 320, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "Audio"),
    (" " * (2 << 20), "UNPARSABLE_CLIENT_MESSAGE", "at most"),
    (changed("agent.listen.endpointing", 300), "UNPARSABLE_CLIENT_MESSAGE", "agent.listen.endpointing"),
    (
        changed("agent.think.functions.0.parametres", {}),
        "UNPARSABLE_CLIENT_MESSAGE",
        "agent.think.functions[0].parametres",
    ),
    (changed("agent.greeting", None), "UNPARSABLE_CLIENT_MESSAGE", "agent.greeting"),
    (changed("agent.greeting", 7), "UNPARSABLE_CLIENT_MESSAGE", "a string"),
    (changed("audio.input.sample_rate", "fast"), "UNPARSABLE_CLIENT_MESSAGE", "audio.input.sample_rate"),
    (changed("audio.input.encoding", "opus"), "USER_AUDIO_FORMAT", "linear16"),
    (changed("audio.output.sample_rate", 96_000), "INVALID_SETTINGS", "48000"),
    (changed("audio.output.container", "wav"), "INVALID_SETTINGS", "container"),
    (changed("agent", "0b0e-a-stored-agent"), "INVALID_AGENT_ID", "stored"),
]


async def test_every_wrong_beginning_is_answered_and_the_server_lives_on() -> None:
    async with served() as url:
        for message, code, hint in FAULTS:
            async with connect(url) as socket:
                client = Client(socket)
                await client.until("Welcome")
                await socket.send(message)
                error = await client.until("Error")
                assert (error["code"], hint in error["description"]) == (code, True), (error, hint)
                await client.until("closed")


LATER = [
    (json.dumps(settings()), "SETTINGS_ALREADY_APPLIED"),
    ('{"type": "InjectUserMessage", "content": 7}', "UNPARSABLE_CLIENT_MESSAGE"),
    ('{"type": "InjectUserMessage"}', "UNPARSABLE_CLIENT_MESSAGE"),
    (
        '{"type": "UpdateThink", "think": {"provider": {"type": "open_ai", "model": "x"}, "tools": []}}',
        "UNPARSABLE_CLIENT_MESSAGE",
    ),
    ('{"type": "KeepAlive", "extra": 1}', "UNPARSABLE_CLIENT_MESSAGE"),
    (b"\1" * (2 << 20), "UNPARSABLE_CLIENT_MESSAGE"),
]


async def test_every_wrong_message_later_is_answered_and_the_server_lives_on() -> None:
    async with served() as url:
        for message, code in LATER:
            async with connect(url) as socket:
                client = Client(socket)
                await client.settle()
                await socket.send(message)
                assert (await client.until("Error"))["code"] == code
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
