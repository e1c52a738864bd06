"""One line to an agent that speaks Deepgram's Voice Agent protocol: our own WebSocket in the SDK's client class.

The SDK's own connect can set neither pings nor timeouts and needs a minute to notice a dead peer; a `websockets`
connection with pings needs ten seconds, and the SDK's `AsyncV1SocketClient` is as happy with it.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from deepgram.agent.v1.socket_client import AsyncV1SocketClient
from deepgram.agent.v1.types import AgentV1SendFunctionCallResponse, AgentV1Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake, InvalidStatus, InvalidURI

from cooee.agent import Brief, Refused, Remembered, _wire
from cooee.effects import Answer
from cooee.events import Event

log = logging.getLogger("cooee.agent")

OPEN_TIMEOUT_S = 8
PING_S = 5
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

    async def welcome(self) -> str:
        """Wait for the Welcome; nothing may be sent before it."""
        async for message in self._iterate():
            if _wire.kind_of(message) == "Welcome":
                return str(getattr(message, "request_id", None) or "")
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
        raise ConnectionError("the agent closed the line instead of taking the settings")

    async def send(self, pcm: bytes) -> None:
        await self._try(self._client.send_media(pcm))

    async def keep_alive(self) -> None:
        await self._try(self._client.send_keep_alive())

    async def answer(self, answer: Answer) -> None:
        response = AgentV1SendFunctionCallResponse(id=answer.id, name=answer.name, content=answer.text)
        await self._try(self._client.send_function_call_response(response))

    async def events(self) -> AsyncIterator[Event | Remembered]:
        async for message in self._iterate():
            if _wire.kind_of(message) == "Warning":
                log.info("the agent warns: %s", str(getattr(message, "code", None) or "without a code")[:80])
            for event in _wire.meaning(message):
                yield event

    async def close(self) -> None:
        await self._socket.close()

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
            await sending
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
    try:
        socket = await connect(
            url,
            additional_headers=dict(headers),
            ssl=tls if url.startswith("wss:") else None,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_size=4 * 2**20,
            max_queue=None,
        )
    except InvalidStatus as refused:
        raise _refused(refused) from refused
    except (InvalidURI, ValueError) as error:
        raise Refused("[agent] url is not an address: it has to begin with ws:// or wss://", hopeless=True) from error
    except InvalidHandshake as error:
        raise ConnectionError("what answers at the agent's address does not speak WebSocket") from error
    line = Line(socket, settings)
    try:
        return line, await line.welcome()
    except BaseException:
        await socket.close()
        raise


def _refused(refused: InvalidStatus) -> Refused:
    status = refused.response.status_code
    reason, hopeless = REFUSALS.get(status, ("is in trouble" if status >= 500 else "refused the connection", False))
    after = refused.response.headers.get("Retry-After", "")
    request_id = refused.response.headers.get("dg-request-id", "")
    note = f"HTTP {status}" + (f", request {request_id[:80]}" if request_id else "")
    return Refused(
        f"The agent {reason} ({note}).", hopeless=hopeless, retry_after_s=float(after) if after.isdecimal() else None
    )


def _how_it_ended(closed: ConnectionClosed) -> str:
    if isinstance(closed, ConnectionClosedOK):
        return "the agent closed the line"
    code = closed.rcvd.code if closed.rcvd else closed.sent.code if closed.sent else 1006
    return f"the line to the agent broke (code {code})"
