"""A session under way on a real line: the vendor's agent class and its SDK against the server of `fakes`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from cooee import settings
from cooee.agent import Agent, Brief, deepgram
from cooee.effects import Function
from cooee.events import Event
from cooee.session import Session
from cooee.store import Store
from fakes import Script, Server, server

FRAME = 2560
LAMP = Function("lamp", "The lamp", {"type": "object", "properties": {"on": {"type": "boolean"}}})
QUICK = {"keepalive_s": 0.2, "backoff_first_s": 0.02, "backoff_most_s": 0.05, "apply_timeout_s": 1.0}


class Talk:
    """A session under way, and what it has told so far."""

    def __init__(self, it: Server, *stand_ins: Agent, **options: Any) -> None:
        table = deepgram.Settings(url=it.url, greeting="Hello there")
        self.store = Store(None)
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self.session = Session(
            settings.Session.model_construct(**{**QUICK, **options}),
            (deepgram.open(table), *stand_ins),
            Brief(wake_words=("hey jarvis",), functions=(LAMP,)),
            self._post,
            store=self.store,
        )

    def _post(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type, count: int = 1) -> Any:
        async with asyncio.timeout(10):
            while len(self.of(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return self.of(kind)[count - 1]


@asynccontextmanager
async def talking(
    *scripts: Script, stand_ins: tuple[Agent, ...] = (), **options: Any
) -> AsyncIterator[tuple[Talk, Server]]:
    async with server(*scripts) as it:
        talk = Talk(it, *stand_ins, **options)
        running = asyncio.create_task(talk.session.run())
        try:
            yield talk, it
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            talk.store.close()


def frames(count: int) -> list[bytes]:
    return [bytes([number]) * FRAME for number in range(count)]
