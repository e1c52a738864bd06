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

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

import voice_agent_schema

MOST_SILENT_S = 8.0
"""The longest that the vendor lets a client be silent."""


@dataclass
class Refusal:
    """An answer to the upgrade other than a WebSocket."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass
class Peer:
    """The server's end of one line: what came, when, and what can be done to the client.

    `settings` are those that came first, `agent` its agent as updates have left it.
    """

    socket: ServerConnection
    faults: list[str]
    opened_at: float
    settings: dict[str, Any] | None = None
    agent: Any = None
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

    @property
    def connected_s(self) -> float:
        """From the upgrade to the end, or to now, as the vendor bills it."""
        return (self.ended_at or _now()) - self.opened_at

    async def until(self, holds: Callable[[], object], *, within_s: float = 10.0) -> None:
        """Wait until what came from the client makes it true."""
        async with asyncio.timeout(within_s):
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
        self.faults += voice_agent_schema.faults(message)
        if (message["type"] == "Settings") is (self.settings is not None):
            self.faults.append(f"{message['type']} where Settings come first and once")
        if message["type"] == "Settings":
            self.settings, self.agent = message, message["agent"]
        elif message["type"].startswith("Update") and isinstance(self.agent, dict):
            self.agent = {**self.agent, **{name: block for name, block in message.items() if name != "type"}}


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
