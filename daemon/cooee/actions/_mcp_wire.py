"""How a server of tools is reached: by HTTP, or as a program of ours. JSON-RPC 2.0 in messages of limited size.

Source: Model Context Protocol, revision 2025-06-18, "Transports".
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cooee.actions import Failed
from cooee.actions._at_home import asked, limited

MESSAGE_LIMIT = 2**20
END_S = 1.0
Message = dict[str, Any]


class Gone(Failed):
    """The server went away after it had been asked: what it has done is not known."""


class Wire(Protocol):
    """`news` is set when the line broke, or when the server has other tools than before."""

    news: asyncio.Event
    is_open: bool

    async def open(self) -> None:
        """Raises Failed."""

    def agree(self, revision: str) -> None:
        """This is the revision of the protocol that both sides speak."""

    async def ask(self, message: Message) -> Message:
        """The answer to a request; to a notification, whatever. Raises Failed, Gone."""

    def close(self) -> None:
        """May be called on any thread, and again."""

    async def ended(self) -> None:
        """Until nothing of it is left, once it is closed."""


class HttpWire:
    """Streamable HTTP, each message a POST of its own."""

    def __init__(self, url: str, headers: Mapping[str, str], *, allow_public: bool) -> None:
        self.news = asyncio.Event()
        self.is_open = False
        self._url, self._allow_public = url, allow_public
        self._headers = {**headers, "Accept": "application/json, text/event-stream"}
        self._session: dict[str, str] = {}

    async def open(self) -> None:
        self._session = {}
        self.is_open = True

    def agree(self, revision: str) -> None:
        self._session = {**self._session, "MCP-Protocol-Version": revision}

    async def ask(self, message: Message) -> Message:
        import aiohttp

        headers = {**self._headers, **self._session}
        try:
            async with asked("POST", self._url, headers, message, allow_public=self._allow_public) as response:
                return await self._answer(response, message.get("id"))
        except Failed as failed:
            self.is_open = False
            self.news.set()
            cause = failed.__cause__
            if isinstance(cause, aiohttp.ClientError) and not isinstance(cause, aiohttp.ClientConnectorError):
                raise Gone("the server went away meanwhile.") from failed
            raise

    async def _answer(self, response: Any, wanted: object) -> Message:
        if not 200 <= response.status < 300:
            why = (
                "it wants a key, and the one that it got is missing or wrong." if response.status in (401, 403) else ""
            )
            raise Failed(why or f"the server refused the request ({response.status}).")
        if session := response.headers.get("Mcp-Session-Id"):
            self._session = {**self._session, "Mcp-Session-Id": session}
        if wanted is None:
            return {}
        if response.content_type == "text/event-stream":
            return await _from_events(response.content, wanted)
        return _right_one(_messages(await limited(response.content, MESSAGE_LIMIT)), wanted) or _nonsense()

    def close(self) -> None:
        self.is_open = False

    async def ended(self) -> None:
        pass


class ProgramWire:
    """A program that is talked to line by line; it ends with its wire."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.news = asyncio.Event()
        self.is_open = False
        self._command, self._env = command, env
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[object, asyncio.Future[Message]] = {}

    async def open(self) -> None:
        self.close()
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=nothing,
                env=self._env,
                limit=MESSAGE_LIMIT,
                process_group=0,
            )
        except OSError as error:
            raise Failed("the program can't be started.") from error
        self.is_open = True
        self._reading = asyncio.create_task(self._read(self._process), name="mcp")

    def agree(self, revision: str) -> None:
        pass

    async def ask(self, message: Message) -> Message:
        wanted = message.get("id")
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if wanted is not None:
            self._waiting[wanted] = answer
        try:
            await self._send(message)
            return await answer if wanted is not None else {}
        finally:
            self._waiting.pop(wanted, None)

    async def _send(self, message: Message) -> None:
        stdin = self._process.stdin if self._process and self.is_open else None
        if stdin is None:
            raise Failed("its program has ended.")
        try:
            stdin.write(json.dumps(message).encode() + b"\n")
            await stdin.drain()
        except OSError as error:
            raise Failed("its program has ended.") from error

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        try:
            # A line that is too long ends in ValueError, and so does the program.
            while line := await process.stdout.readline():
                for message in _messages(line):
                    await self._take(message)
        except (ValueError, Failed):
            pass
        finally:
            self.is_open = False
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(Gone("its program has ended meanwhile."))
            _kill(process)
            if process.stdin:
                process.stdin.close()
            self.news.set()
        await process.wait()

    async def _take(self, message: Message) -> None:
        identity, method = message.get("id"), message.get("method")
        if method == "notifications/tools/list_changed":
            self.news.set()
        elif method == "ping":
            await self._send({"jsonrpc": "2.0", "id": identity, "result": {}})
        elif method and identity is not None:
            refused = {"code": -32601, "message": "not offered"}
            await self._send({"jsonrpc": "2.0", "id": identity, "error": refused})
        elif isinstance(identity, int) and (waiting := self._waiting.get(identity)) and not waiting.done():
            waiting.set_result(message)

    def close(self) -> None:
        self.is_open = False
        if self._process:
            _kill(self._process)

    async def ended(self) -> None:
        if self._reading:
            await asyncio.wait({self._reading}, timeout=END_S)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def _from_events(content: Any, wanted: object) -> Message:
    """The answer among server-sent events; the stream may go on behind it. Raises Failed."""
    size, line, data = 0, bytearray(), bytearray()
    async for chunk in content.iter_any():
        size += len(chunk)
        if size > MESSAGE_LIMIT:
            raise Failed(f"the answer was larger than {MESSAGE_LIMIT // 1024} kB.")
        *ended, rest = (line + chunk).split(b"\n")
        line = bytearray(rest)
        for each in (bytes(part).rstrip(b"\r") for part in ended):
            if each.startswith(b"data:"):
                data += each.removeprefix(b"data:").strip()
            elif not each:
                if found := _right_one(_messages(bytes(data)), wanted):
                    return found
                data.clear()
    return _nonsense()


def _messages(text: bytes) -> list[Message]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _right_one(messages: list[Message], wanted: object) -> Message | None:
    return next((each for each in messages if each.get("id") == wanted and "method" not in each), None)


def _nonsense() -> Message:
    raise Failed("the server gave an answer that can't be understood.")
