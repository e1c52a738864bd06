"""A speaker with one home, for the tests of what works it through Home Assistant."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from cooee.actions import Actions, home_assistant
from cooee.effects import Act
from cooee.events import Acted, Call, Doubted, Event

LIMIT_S = 3.0


class Speaker:
    """Actions with one home, and what they post."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.posted: list[Event] = []
        self.changes = 0
        table = home_assistant.Settings(
            description="The home", url=url, **{"time_limit_s": LIMIT_S, "rate_limit_per_min": 1000, **settings}
        )
        self.actions = Actions({"home": table}, self.posted.append, changed=self._change)
        self._ids = map(str, count(1))

    def _change(self) -> None:
        self.changes += 1

    async def until(self, holds: Callable[[], bool], limit_s: float = 20) -> None:
        async with asyncio.timeout(limit_s):
            while not holds():
                await asyncio.sleep(0.02)

    async def call(self, function: str, *, is_confirmed: bool = False, **arguments: Any) -> Acted | Doubted:
        await self.actions.run(Act(3, Call(next(self._ids), function, arguments), is_confirmed))
        event = self.posted.pop()
        assert isinstance(event, Acted | Doubted)
        assert not self.posted
        return event

    async def said(self, function: str, **arguments: Any) -> str:
        event = await self.call(function, **arguments)
        return event.text if isinstance(event, Acted) else event.question

    def names(self, function: str) -> list[str]:
        found = [each for each in self.actions.functions if each.name == function]
        return list(found[0].parameters["properties"]["name"]["enum"]) if found else []

    async def until_told(self, text: str, limit_s: float = 20) -> None:
        """Until the home's own function tells this."""
        async with asyncio.timeout(limit_s):
            while text not in await self.said("home"):
                await asyncio.sleep(0.02)
