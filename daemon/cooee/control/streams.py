"""What happens in the speaker, as lines of JSON for those who watch."""

import asyncio
import contextlib
import dataclasses
import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect
from cooee.events import Event

if TYPE_CHECKING:
    from aiohttp import web

MOST_WATCHERS = 32
MOST_WAITING = 500
"""Lines; who is so far behind is dropped."""
WRITE_S = 5.0
ALIVE_S = 20.0
"""An empty line goes out so often, to notice who has left."""
TOO_MANY = '{"error": "too many watch already"}\n'

UNTOLD = (on.Ticked, on.AgentSpeech, do.Play, do.Send)
"""They come many times a second and say nothing to a watcher."""
OPEN = frozenset({"wake", "word", "by", "clip", "code", "scope", "device", "room", "request_id"})
"""Texts that hold nothing of what anybody said, meant or was given."""


class Streams:
    """Those who watch. One that reads too slowly is dropped, and nobody waits for it."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[str | None], bool] = {}

    def tell(self, now: float, item: Event | Effect) -> None:
        """Pass on an event or an effect."""
        if not self._queues or isinstance(item, UNTOLD) or (isinstance(item, on.Heard) and item.wake is None):
            return
        lines = {texts: _line(now, item, with_texts=texts) for texts in set(self._queues.values())}
        for queue, with_texts in list(self._queues.items()):
            if queue.qsize() < MOST_WAITING:
                queue.put_nowait(lines[with_texts])
            else:
                self._drop(queue)

    def close(self) -> None:
        for queue in list(self._queues):
            self._drop(queue)

    async def serve(self, request: "web.Request", *, with_texts: bool) -> "web.StreamResponse":
        """Lines until the watcher leaves or is dropped."""
        from aiohttp import web

        if len(self._queues) >= MOST_WATCHERS:
            return web.Response(text=TOO_MANY, status=503, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._queues[queue] = with_texts
        try:
            with contextlib.suppress(ConnectionError):
                while (line := await _next(queue)) is not None:
                    async with asyncio.timeout(WRITE_S):
                        await response.write(line.encode())
                return response
        except TimeoutError:
            pass
        finally:
            self._queues.pop(queue, None)
        if request.transport:
            request.transport.abort()
        return response

    def _drop(self, queue: asyncio.Queue[str | None]) -> None:
        self._queues.pop(queue, None)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


async def _next(queue: asyncio.Queue[str | None]) -> str | None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ALIVE_S):
            return await queue.get()
    return "\n"


def _line(now: float, item: Event | Effect, *, with_texts: bool) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(item).__name__).lower()
    kind = "event" if isinstance(item, Event) else "effect"
    fields = {
        field.name: _plain(value)
        for field in dataclasses.fields(item)
        if _may_be_told(field.name, value := getattr(item, field.name), with_texts=with_texts)
    }
    return json.dumps({"now_s": round(now, 3), kind: name, **fields}) + "\n"


def _may_be_told(name: str, value: Any, *, with_texts: bool) -> bool:
    if isinstance(value, bytes):
        return False
    return with_texts or name in OPEN or isinstance(value, bool | int | float | Enum)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    match value:
        case Enum():
            return value.value
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case tuple() | list():
            return [_plain(each) for each in value]
        case on.Call():
            return {"id": value.id, "name": value.name, "arguments": _plain(value.arguments)}
        case str() | int() | float() | None:
            return value
    return str(value)
