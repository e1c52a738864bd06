"""A server of the Voice Agent protocol on loopback that keeps to a script and holds its client to the contract."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import jsonschema
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

MOST_SILENT_S = 8.0
"""The longest that the vendor lets a client be silent."""


def _table(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_DEEPGRAM = {"const": "deepgram"}
_CALL = _table(
    "id name client_side arguments response",
    id=_STRING,
    name=_STRING,
    client_side={"type": "boolean"},
    arguments=_STRING,
    response=_STRING,
    thought_signature=_STRING,
)
SETTINGS = _table(
    "type audio agent",
    type={"const": "Settings"},
    flags=_table(history={"type": "boolean"}),
    mip_opt_out={"type": "boolean"},
    tags=_STRINGS,
    audio=_table(
        "input output",
        input=_table("encoding sample_rate", encoding={"const": "linear16"}, sample_rate={"const": 16000}),
        output=_table(
            "encoding sample_rate container",
            encoding={"const": "linear16"},
            sample_rate={"enum": [8000, 16000, 24000, 32000, 48000]},
            container={"const": "none"},
        ),
    ),
    agent=_table(
        "listen think speak",
        greeting={"type": "string", "minLength": 1},
        context=_table(
            "messages",
            messages={
                "type": "array",
                "items": {
                    "oneOf": [
                        _table(
                            "type role content",
                            type={"const": "History"},
                            role={"enum": ["user", "assistant"]},
                            content=_STRING,
                        ),
                        _table(
                            "type function_calls",
                            type={"const": "History"},
                            function_calls={"type": "array", "items": _CALL, "minItems": 1},
                        ),
                    ]
                },
            },
        ),
        listen=_table(
            "provider",
            provider={
                "oneOf": [
                    _table(
                        "version type model",
                        version={"const": version},
                        type=_DEEPGRAM,
                        model={"type": "string", "pattern": f"^{family}-"},
                        keyterms=_STRINGS,
                    )
                    for version, family in (("v1", "nova"), ("v2", "flux"))
                ]
            },
        ),
        think=_table(
            "provider prompt",
            provider=_table("type model", type={"enum": ["open_ai", "anthropic", "google", "deepgram"]}, model=_STRING),
            prompt=_STRING,
            functions={
                "type": "array",
                "items": _table(
                    "name description parameters",
                    name={"type": "string", "pattern": r"^[\w-]{1,64}$"},
                    description=_STRING,
                    parameters={"type": "object", "properties": {"type": {"const": "object"}}, "required": ["type"]},
                    defer_until_eot={"type": "boolean"},
                ),
            },
        ),
        speak=_table("provider", provider=_table("type model", type=_DEEPGRAM, model=_STRING)),
    ),
)
CLIENT_MESSAGES = ("Settings", "KeepAlive", "FunctionCallResponse", "InjectUserMessage", "InjectAgentMessage")
CLIENT_MESSAGES += ("ForceEndTurn", "UpdateThink", "UpdateSpeak", "UpdateListen")


@dataclass
class Refusal:
    """An answer to the upgrade other than a WebSocket."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass
class Peer:
    """The server's end of one line: what came, when, and what can be done to the client."""

    socket: ServerConnection
    faults: list[str]
    opened_at: float
    settings: dict[str, Any] | None = None
    applied_at: float | None = None
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    ended_at: float | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _is_welcomed: bool = False

    @property
    def audio(self) -> bytes:
        return b"".join(frame for _, frame in self.frames)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for _, message in self.messages if message["type"] == kind]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until what came from the client makes it true."""
        async with asyncio.timeout(10):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def say(self, *messages: Any) -> None:
        """Send objects as JSON, bytes as audio, and strings as they are."""
        for message in messages:
            await self.socket.send(message if isinstance(message, (bytes, str)) else json.dumps(message))

    async def welcome(self) -> None:
        self._is_welcomed = True
        await self.say({"type": "Welcome", "request_id": "rid-1"})

    async def apply(self, *before: Any) -> None:
        """From the Welcome to SettingsApplied, with messages between the two."""
        await self.welcome()
        await self.until(lambda: self.settings)
        await self.say(*before)
        self.applied_at = _now()
        await self.say({"type": "SettingsApplied"})

    async def error(self, code: str, description: str = "") -> None:
        await self.say({"type": "Error", "code": code, "description": description})
        await self.socket.close(1011)

    def abort(self) -> None:
        """Reset the connection, without a close frame."""
        sock = self.socket.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.transport.abort()

    def fin(self) -> None:
        self.socket.transport.write_eof()  # type: ignore[attr-defined]

    def freeze(self) -> None:
        """Read nothing any more: no pong, no answer to a close frame."""
        self.socket.transport.pause_reading()  # type: ignore[attr-defined]

    async def read(self) -> None:
        """Record what comes, and fault what the vendor would."""
        with suppress(ConnectionClosed):
            async for raw in self.socket:
                self._take(raw)
                self._news.set()
        self.ended_at = _now()
        self._news.set()

    def _take(self, raw: str | bytes) -> None:
        last_s = max((at for at, _ in (*self.frames, *self.messages)), default=self.opened_at)
        if self.applied_at and _now() - max(last_s, self.applied_at) > MOST_SILENT_S:
            self.faults.append(f"silent for {_now() - last_s:.1f} s")
        if not self._is_welcomed:
            self.faults.append("spoke before Welcome")
        if isinstance(raw, bytes):
            self.frames.append((_now(), raw))
            if self.applied_at is None:
                self.faults.append("audio before SettingsApplied")
            return
        message = json.loads(raw)
        self.messages.append((_now(), message))
        if message["type"] not in CLIENT_MESSAGES:
            self.faults.append(f"unknown message {message['type']}")
        if (message["type"] == "Settings") is (self.settings is not None):
            self.faults.append(f"{message['type']} where Settings come first and once")
        if message["type"] == "Settings":
            self.settings = message
            self.faults += [str(fault) for fault in jsonschema.Draft202012Validator(SETTINGS).iter_errors(message)]
            if "null" in raw:
                self.faults.append("a null in the settings")


Script = Callable[[Peer], Awaitable[None]] | Refusal


async def hold(peer: Peer) -> None:
    """A script: the settings are applied, and the line stays until the client ends it."""
    await peer.apply()


class Server:
    """What came in, line by line; the nth upgrade meets the nth script, and the last one from then on."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.url = ""
        self.requests: list[tuple[float, Request]] = []
        self.peers: list[Peer] = []
        self.faults: list[str] = []

    def meet(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append((_now(), request))
        script = self._script(len(self.requests))
        connection.script = script  # type: ignore[attr-defined]
        if isinstance(script, Refusal):
            phrase = HTTPStatus(script.status).phrase
            return Response(script.status, phrase, Headers({"Connection": "close", **script.headers}), script.body)
        return None

    async def attend(self, connection: ServerConnection) -> None:
        peer = Peer(connection, self.faults, _now())
        self.peers.append(peer)
        playing = asyncio.create_task(connection.script(peer))  # type: ignore[attr-defined]
        await peer.read()
        playing.cancel()
        with suppress(ConnectionClosed, asyncio.CancelledError):
            await playing

    def _script(self, number: int) -> Script:
        return self.scripts[min(number, len(self.scripts)) - 1]


@asynccontextmanager
async def server(*scripts: Script, **options: Any) -> AsyncIterator[Server]:
    """Serves meanwhile; at the end the client must have kept to the contract. `options` are `websockets`' own."""
    it = Server(*(scripts or (hold,)))
    listening = await serve(
        it.attend, "127.0.0.1", 0, process_request=it.meet, ping_interval=None, close_timeout=1, **options
    )
    it.url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/agent/converse"
    try:
        yield it
    finally:
        for peer in it.peers:
            peer.socket.transport.abort()
        listening.close()
        await listening.wait_closed()
    assert it.faults == []


def _now() -> float:
    return asyncio.get_running_loop().time()
