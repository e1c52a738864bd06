"""One line to an agent that speaks Deepgram's Voice Agent protocol: our own WebSocket in the SDK's client class.

The SDK's own connect can set neither pings nor timeouts and needs a minute to notice a dead peer; on a `websockets`
connection the session pings as it needs to, and the SDK's `AsyncV1SocketClient` is as happy with it.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from deepgram.agent.v1.socket_client import AsyncV1SocketClient
from deepgram.agent.v1.types import (
    AgentV1InjectAgentMessage,
    AgentV1InjectUserMessage,
    AgentV1SendFunctionCallResponse,
    AgentV1Settings,
    AgentV1UpdateListen,
    AgentV1UpdateSpeak,
    AgentV1UpdateThink,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.protocol import State

from cooee import address
from cooee.agent import Brief, Refused, Remembered, Toll, Unreachable, _refusals, _settings, _wire
from cooee.effects import Answer
from cooee.events import Event, Trouble

log = logging.getLogger("cooee.agent")
# At debug, websockets logs the request's headers, and the key with them.
wire_log = logging.getLogger("cooee.agent.wire")
wire_log.setLevel(logging.INFO)

OPEN_TIMEOUT_S = 8.0
HAPPY_EYEBALLS_S = 0.25
"""An address of the agent's name that is silent for so long gets company from the next (RFC 8305, 5)."""
WELCOME_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 2.5
CLOSE_TIMEOUT_S = 1.0


class Line:
    """See `agent.Link`. `settings` makes what is sent first of all from the brief; None: that needs another line."""

    def __init__(self, socket: ClientConnection, settings: Callable[[Brief], AgentV1Settings | None]) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        self._socket = socket
        self._client = AsyncV1SocketClient(websocket=socket)  # type: ignore[arg-type]
        self._settings = settings
        self._sent: AgentV1Settings | None = None
        self._messages = aiter(self._client)
        self._early: list[object] = []
        self._signatures: dict[str, str] = {}
        self._pinging: asyncio.Task[None] | None = None

    async def welcome(self) -> str:
        """Wait for the Welcome; nothing may be sent before it."""
        async for message in self._iterate():
            if _wire.kind_of(message) == "Welcome":
                return _wire.identifier(_wire.text(message, "request_id"))
        raise Unreachable("the agent closed the line before it said anything")

    async def settle(self, brief: Brief) -> None:
        self._sent = self._settings(brief)
        if self._sent is None:
            raise Unreachable("the settings changed while the line was opened")
        await self._try(self._client.send_settings(self._sent))
        async for message in self._iterate():
            if _wire.kind_of(message) == "SettingsApplied":
                return
            self._early.append(message)  # a greeting does not always wait for SettingsApplied
        raise Unreachable("the agent closed the line instead of taking the settings")

    async def send(self, pcm: bytes) -> None:
        await self._try(self._client.send_media(pcm))

    async def keep_alive(self) -> None:
        await self._try(self._client.send_keep_alive())

    async def ping(self) -> None:
        if self._socket.state is not State.OPEN:
            # After its close frame a peer may keep the connection open, and nothing would ever end it.
            self.abort()
            raise Unreachable("the agent closed the line")
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.create_task(self._ping())

    async def answer(self, answer: Answer) -> None:
        # Google's models want back what came with the call; the SDK passes on what its class does not name.
        signature = self._signatures.pop(answer.id, None)
        extra: dict[str, Any] = {"thought_signature": signature} if signature else {}
        response = AgentV1SendFunctionCallResponse(id=answer.id, name=answer.name, content=answer.text, **extra)
        await self._try(self._client.send_function_call_response(response))

    async def ask(self, text: str) -> None:
        await self._try(self._client.send_inject_user_message(AgentV1InjectUserMessage(content=text)))

    async def say(self, text: str) -> None:
        message = AgentV1InjectAgentMessage(message=text, behavior="queue")
        await self._try(self._client.send_inject_agent_message(message))

    async def end_turn(self) -> None:
        await self._try(self._client.send_force_end_turn())

    async def update(self, brief: Brief) -> bool:
        try:
            wanted = self._settings(brief)
        except Refused:  # a key is missing now; the next line will say so
            return False
        updates = _settings.updates(self._sent, wanted) if self._sent and wanted else None
        if updates is None:
            return False
        self._sent = wanted
        for each in updates:
            match each:
                case AgentV1UpdateThink():
                    await self._try(self._client.send_update_think(each))
                case AgentV1UpdateSpeak():
                    await self._try(self._client.send_update_speak(each))
                case AgentV1UpdateListen():
                    await self._try(self._client.send_update_listen(each))
        return True

    async def events(self) -> AsyncIterator[Event | Remembered]:
        async for message in self._since_settings():
            if _wire.kind_of(message) == "Warning" and _wire.code(message) != _wire.NOTHING_SAID:
                log.info("the agent warns: %s", _wire.code(message))
            self._signatures |= _wire.signatures(message)
            for event in _wire.meaning(message):
                yield event

    async def close(self) -> None:
        """In order where the other side still answers; at once after a second where it does not."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._socket.close()
        finally:
            self.abort()
            await self._socket.wait_closed()

    def abort(self) -> None:
        self._socket.transport.abort()

    async def _since_settings(self) -> AsyncIterator[object]:
        for message in self._early:
            yield message
        async for message in self._iterate():
            yield message

    async def _iterate(self) -> AsyncIterator[object]:
        """Messages until the line ends in order; Unreachable when it breaks, Refused for an Error."""
        while True:
            try:
                message = await anext(self._messages)
            except StopAsyncIteration:
                log.debug("the line ended in order (code %s)", self._socket.close_code)
                return
            except ConnectionClosed as closed:
                raise _refusals.ended(closed) from closed
            self.heard_at = asyncio.get_running_loop().time()
            if not isinstance(message, bytes) and _wire.kind_of(message) != "LatencyReport":
                log.debug("<- %s", _wire.identifier(_wire.kind_of(message)) or "something without a type")
            if _wire.kind_of(message) == "Error":
                raise _refusals.refusal(message)
            yield message

    async def _ping(self) -> None:
        """One ping at a time: its pong, however late, shows that the peer lives."""
        with suppress(ConnectionClosed):
            await (await self._socket.ping())
            self.heard_at = asyncio.get_running_loop().time()

    async def _try(self, sending: Awaitable[None]) -> None:
        if (name := getattr(sending, "__name__", "")) != "send_media":
            log.debug("-> %s", name.removeprefix("send_"))
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await sending
        except TimeoutError:
            # The buffer is full, and pings wait behind it: nobody else would notice.
            self.abort()
            raise Unreachable("the line to the agent is stuck") from None
        except ConnectionClosed as closed:
            raise _refusals.ended(closed) from closed


async def open_line(
    url: str,
    headers: Mapping[str, str],
    settings: Callable[[Brief], AgentV1Settings | None],
    *,
    tls: ssl.SSLContext | None = None,
    toll: Toll | None = None,
    token: str = "",
) -> tuple[Line, str]:
    """A welcomed line and its request id. Raises Refused or Unreachable; no sentence holds the address.

    `token` names the setting that the credential came from, if it is a short-lived token.
    """
    try:
        socket = await _connected(url, headers, tls, toll)
    except InvalidStatus as refused:
        raise _refusals.turned_away(refused, token) from refused
    if toll:
        toll.opened(socket.transport.get_extra_info("socket"))
    line = Line(socket, settings)
    try:
        async with asyncio.timeout(WELCOME_TIMEOUT_S):
            return line, await line.welcome()
    except BaseException as error:
        line.abort()
        await socket.wait_closed()
        if isinstance(error, TimeoutError):
            raise Unreachable("the agent did not answer in time") from None
        raise


def _watched(toll: Toll | None, *args: Any, **options: Any) -> ClientConnection:
    """Has the toll know its socket before the upgrade: the other side counts from when it answers, hangs who may."""
    connection = ClientConnection(*args, **options)
    made = connection.connection_made

    def connection_made(transport: asyncio.BaseTransport) -> None:
        made(transport)
        if toll:
            socket = transport.get_extra_info("socket")
            toll.dialled(socket)
            connection.connection_lost_waiter.add_done_callback(lambda _: toll.closed(socket))

    connection.connection_made = connection_made  # type: ignore[method-assign]
    return connection


async def _connected(
    url: str, headers: Mapping[str, str], tls: ssl.SSLContext | None, toll: Toll | None
) -> ClientConnection:
    secured: dict[str, Any] = {"ssl": tls} if tls and url.lower().startswith("wss:") else {}
    try:
        return await connect(
            url,
            additional_headers=dict(headers),
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            happy_eyeballs_delay=HAPPY_EYEBALLS_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # how often and how patiently is the session's to decide
            max_size=4 * 2**20,
            max_queue=None,
            logger=wire_log,
            create_connection=partial(_watched, toll),  # type: ignore[arg-type]
            proxy=None if address.is_here(urlsplit(url).hostname) else True,
            **secured,
        )
    except InvalidStatus:
        raise
    except (InvalidProxy, ProxyError) as error:
        raise _refusals.stopped_on_the_way(error) from error
    except OSError as error:  # before ValueError: a certificate's error is both
        raise _refusals.unreachable(error) from error
    except (InvalidURI, ValueError) as error:  # the config has seen to our own: it is where a redirect leads to
        raise Unreachable(_refusals.NOT_THE_AGENT) from error
    except WebSocketException as error:
        raise Unreachable("what answers at the agent's address does not speak WebSocket") from error
    except ImportError as error:  # websockets', for a SOCKS proxy
        why = "The proxy of this system is of a kind that is not supported: SOCKS"
        raise Refused(why, Trouble.SETTINGS) from error
