"""One line to Home Assistant's WebSocket API: questions with answers, and subscriptions.

Protocol: developers.home-assistant.io/docs/api/websocket.
"""

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

CONNECT_S = 5.0
ANSWER_S = 20.0
SIZE_LIMIT = 16 * 2**20
PING_S = 10.0

Take = Callable[[Any], None]
"""Is told of an event of a subscription."""

_quiet = logging.getLogger("cooee.actions.home_assistant.line")
_quiet.setLevel(logging.CRITICAL)  # websockets logs addresses and headers


class Gone(ConnectionError):
    """There is no line, or it broke; str() is a sentence without an address."""


class TokenRefused(Exception):
    """Home Assistant does not know the token."""


class Denied(Exception):
    """Home Assistant answered that it can't, won't or may not. `code` is its own word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def address(url: str) -> str:
    """http://host:8123 -> ws://host:8123/api/websocket"""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/api/websocket", "", ""))


class Link:
    """An authenticated line. What waits for an answer when it breaks is told so (`Gone`)."""

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection
        self._number = 0
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._takes: dict[int, Take] = {}

    async def ask(self, kind: str, **fields: Any) -> Any:
        """The result. Raises Denied, Gone, and TimeoutError after `ANSWER_S`."""
        return await self._ask(self._next(), kind, fields)

    async def subscribe(self, kind: str, take: Take, **fields: Any) -> int:
        """From now on `take` is told. Returns what `unsubscribe` wants. Raises what `ask` does."""
        number = self._next()
        self._takes[number] = take
        await self._ask(number, kind, fields)
        return number

    async def unsubscribe(self, number: int) -> None:
        self._takes.pop(number, None)
        await self.ask("unsubscribe_events", subscription=number)

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _ask(self, number: int, kind: str, fields: Mapping[str, Any]) -> Any:
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                await _send(self._connection, {"id": number, "type": kind, **fields})
                return await answer
        finally:
            del self._asked[number]

    async def read(self) -> None:
        """Hands out what comes. Raises Gone when the line ends."""
        try:
            while True:
                self._take(await _receive(self._connection))
        except Gone as gone:
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(Gone(str(gone)))
            raise

    def _take(self, message: Mapping[str, Any]) -> None:
        number, kind = message.get("id"), message.get("type")
        if not isinstance(number, int):
            return
        answer = self._asked.get(number)
        if kind == "event" and number in self._takes:
            self._takes[number](message.get("event"))
        elif kind == "result" and answer is not None and not answer.done():
            if message.get("success"):
                answer.set_result(message.get("result"))
            else:
                error = message.get("error")
                error = error if isinstance(error, dict) else {}
                answer.set_exception(Denied(str(error.get("code")), str(error.get("message") or "")))


@contextlib.asynccontextmanager
async def linked(url: str, token: str) -> AsyncIterator[Link]:
    """An authenticated line; `Link.read` is the caller's to run. Raises Gone, TokenRefused."""
    connection = await _connected(url)
    try:
        await _authenticate(connection, token)
        yield Link(connection)
    finally:
        await connection.close()


async def _connected(url: str) -> "ClientConnection":
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidHandshake

    try:
        return await connect(
            address(url),
            open_timeout=CONNECT_S,
            close_timeout=1,
            max_size=SIZE_LIMIT,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            proxy=None,
            logger=_quiet,
        )
    except ssl.SSLError as error:
        raise Gone("Home Assistant's certificate can't be trusted.") from error
    except (OSError, TimeoutError, EOFError) as error:
        raise Gone("Home Assistant can't be reached.") from error
    except InvalidHandshake as error:
        raise Gone("what answers at Home Assistant's address is not Home Assistant, or it is just starting.") from error


async def _authenticate(connection: "ClientConnection", token: str) -> None:
    try:
        async with asyncio.timeout(CONNECT_S):
            message = await _receive(connection)
            if message.get("type") == "auth_required":
                await _send(connection, {"type": "auth", "access_token": token})
                message = await _receive(connection)
    except TimeoutError as error:
        raise Gone("Home Assistant does not answer.") from error
    if message.get("type") == "auth_invalid":
        raise TokenRefused
    if message.get("type") != "auth_ok":
        raise Gone("what answers at Home Assistant's address is not Home Assistant.")


async def _send(connection: "ClientConnection", message: Mapping[str, Any]) -> None:
    from websockets.exceptions import ConnectionClosed

    try:
        await connection.send(json.dumps(message))
    except ConnectionClosed as error:
        raise Gone("Home Assistant has gone.") from error


async def _receive(connection: "ClientConnection") -> Mapping[str, Any]:
    from websockets.exceptions import ConnectionClosed

    while True:
        try:
            message = json.loads(await connection.recv())
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code == 1009:
                raise Gone(f"Home Assistant sent more than {SIZE_LIMIT // 2**20} MB at once.") from error
            raise Gone("Home Assistant has gone.") from error
        except (ValueError, RecursionError):
            continue
        if isinstance(message, dict):
            return message
