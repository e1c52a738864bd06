"""One line to an agent that speaks Deepgram's Voice Agent protocol: our own WebSocket in the SDK's client class.

The SDK's own connect can set neither pings nor timeouts and needs a minute to notice a dead peer; a `websockets`
connection with pings needs ten seconds, and the SDK's `AsyncV1SocketClient` is as happy with it.
"""

import asyncio
import ipaddress
import logging
import socket as sockets
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from deepgram.agent.v1.socket_client import AsyncV1SocketClient
from deepgram.agent.v1.types import AgentV1SendFunctionCallResponse, AgentV1Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, InvalidURI, WebSocketException

from cooee.agent import Brief, Refused, Remembered, _wire
from cooee.effects import Answer
from cooee.events import Event

log = logging.getLogger("cooee.agent")
# At debug, websockets logs the request's headers, and the key with them.
wire_log = logging.getLogger("cooee.agent.wire")
wire_log.setLevel(logging.INFO)

OPEN_TIMEOUT_S = 8.0
WELCOME_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
PING_S = 5
TOO_MANY_S = 5.0
"""So long at least to wait after HTTP 429."""
LONGEST_WAIT_S = 600.0
REFUSALS = {
    401: ("does not accept the key. Check DEEPGRAM_API_KEY or the key's file", True),
    402: ("has no credit left on this account. Add credit in its console", True),
    403: ("does not allow this key to talk to an agent. Give the key that permission", True),
    404: ("is not at this address. Check [agent] url", True),
    429: ("has too many connections from this account just now", False),
}


class Line:
    """See `agent.Link`. `settings` makes what is sent first of all from the brief."""

    def __init__(self, socket: ClientConnection, settings: Callable[[Brief], AgentV1Settings]) -> None:
        self._socket = socket
        self._client = AsyncV1SocketClient(websocket=socket)  # type: ignore[arg-type]
        self._settings = settings
        self._messages = aiter(self._client)
        self._early: list[object] = []
        self._signatures: dict[str, str] = {}

    async def welcome(self) -> str:
        """Wait for the Welcome; nothing may be sent before it."""
        async for message in self._iterate():
            if _wire.kind_of(message) == "Welcome":
                return str(getattr(message, "request_id", None) or "")[:80]
            if _wire.kind_of(message) == "Error":
                raise _wire.refusal(message)
        raise ConnectionError("the agent closed the line before it said anything")

    async def settle(self, brief: Brief) -> None:
        await self._try(self._client.send_settings(self._settings(brief)))
        async for message in self._iterate():
            match _wire.kind_of(message):
                case "SettingsApplied":
                    return
                case "Error":
                    raise _wire.refusal(message)
                case _:
                    self._early.append(message)  # a greeting does not always wait for SettingsApplied
        raise ConnectionError("the agent closed the line instead of taking the settings")

    async def send(self, pcm: bytes) -> None:
        await self._try(self._client.send_media(pcm))

    async def keep_alive(self) -> None:
        await self._try(self._client.send_keep_alive())

    async def answer(self, answer: Answer) -> None:
        # Google's models want back what came with the call; the SDK passes on what its class does not name.
        signature = self._signatures.pop(answer.id, None)
        extra: dict[str, Any] = {"thought_signature": signature} if signature else {}
        response = AgentV1SendFunctionCallResponse(id=answer.id, name=answer.name, content=answer.text, **extra)
        await self._try(self._client.send_function_call_response(response))

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
            self._socket.transport.abort()

    async def _since_settings(self) -> AsyncIterator[object]:
        for message in self._early:
            yield message
        async for message in self._iterate():
            yield message

    async def _iterate(self) -> AsyncIterator[object]:
        """Messages until the line ends in order; ConnectionError when it breaks."""
        while True:
            try:
                message = await anext(self._messages)
            except StopAsyncIteration:
                return
            except ConnectionClosed as closed:
                raise ConnectionError(_how_it_ended(closed)) from closed
            yield message

    async def _try(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await sending
        except TimeoutError:
            # The buffer is full, and pings wait behind it: nobody else would notice.
            self._socket.transport.abort()
            raise ConnectionError("the line to the agent is stuck") from None
        except ConnectionClosed as closed:
            raise ConnectionError(_how_it_ended(closed)) from closed


async def open_line(
    url: str,
    headers: Mapping[str, str],
    settings: Callable[[Brief], AgentV1Settings],
    *,
    tls: ssl.SSLContext | None = None,
) -> tuple[Line, str]:
    """A welcomed line and its request id. Raises Refused, OSError or TimeoutError; no sentence holds the address."""
    secured: dict[str, Any] = {"ssl": tls} if tls and url.lower().startswith("wss:") else {}
    try:
        socket = await connect(
            url,
            additional_headers=dict(headers),
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_size=4 * 2**20,
            max_queue=None,
            logger=wire_log,
            proxy=None if _is_here(url) else True,
            **secured,
        )
    except InvalidStatus as refused:
        raise _refused(refused) from refused
    except OSError as error:  # before ValueError: a certificate's error is both
        raise ConnectionError(_why_unreachable(error)) from error
    except (InvalidURI, ValueError) as error:
        raise Refused("[agent] url is not an address: it has to begin with ws:// or wss://", hopeless=True) from error
    except WebSocketException as error:
        raise ConnectionError("what answers at the agent's address does not speak WebSocket") from error
    except ImportError as error:  # websockets', for a SOCKS proxy
        raise Refused("The proxy of this system is of a kind that is not supported: SOCKS", hopeless=True) from error
    line = Line(socket, settings)
    try:
        async with asyncio.timeout(WELCOME_TIMEOUT_S):
            return line, await line.welcome()
    except BaseException:
        await line.close()
        raise


def _is_here(url: str) -> bool:
    """Whether the address is on this machine, where no proxy helps."""
    host = urlsplit(url).hostname or ""
    with suppress(ValueError):
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    return False


def _why_unreachable(error: OSError) -> str:
    """Our own words: the system's hold the address."""
    match error:
        case ssl.SSLCertVerificationError():
            return "the agent's certificate can't be verified: is this machine's clock right?"
        case ssl.SSLError():
            return "what answers at the agent's address does not speak TLS"
        case sockets.gaierror():
            return "the agent's name can't be looked up: is this machine online?"
        case ConnectionRefusedError():
            return "nobody listens at the agent's address"
        case TimeoutError():
            return "the agent did not answer in time"
        case _:
            return f"the agent can't be reached ({type(error).__name__}): is this machine online?"


def _refused(refused: InvalidStatus) -> Refused:
    status, headers = refused.response.status_code, refused.response.headers
    reason, hopeless = REFUSALS.get(status, ("is in trouble" if status >= 500 else "refused the connection", False))
    request_id = "".join(headers.get_all("dg-request-id"))[:80]
    note = f"HTTP {status}" + (f", request {request_id}" if request_id else "")
    after_s = _seconds("".join(headers.get_all("Retry-After")[:1]))
    if status == 429 and after_s is None:
        after_s = TOO_MANY_S
    return Refused(f"The agent {reason} ({note}).", hopeless=hopeless, retry_after_s=after_s)


def _seconds(after: str) -> float | None:
    """What a Retry-After asks for (RFC 9110, 10.2.3): seconds or a date."""
    if after.isascii() and after.isdecimal():
        return min(float(after), LONGEST_WAIT_S)
    with suppress(ValueError, TypeError):
        wait_s = parsedate_to_datetime(after).timestamp() - time.time()
        return min(max(wait_s, 0.0), LONGEST_WAIT_S)
    return None


def _how_it_ended(closed: ConnectionClosed) -> str:
    if isinstance(closed, ConnectionClosedOK):
        return "the agent closed the line"
    code = closed.rcvd.code if closed.rcvd else closed.sent.code if closed.sent else 1006
    return f"the line to the agent broke (code {code})"
