"""A line to the embedded agent on a real socket, with the SDK's own classes."""

import asyncio
import contextlib
import json
import subprocess
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from deepgram.agent.v1.socket_client import AsyncV1SocketClient
from deepgram.agent.v1.types import AgentV1SendFunctionCallResponse, AgentV1Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cooee.agent.embedded.server import serve

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
