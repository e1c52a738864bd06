"""Actions that have several functions, which may change while they are open."""

import asyncio
import logging
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Protocol, runtime_checkable

from cooee.actions._action import Action, ActionTable, where
from cooee.actions._arguments import Arguments
from cooee.actions._opened import Opened
from cooee.actions._rate import Rate

log = logging.getLogger("cooee.actions")


@runtime_checkable
class Several(Protocol):
    """An `Action` with further functions besides its own, such as one for each kind of thing in a home."""

    @property
    def parts(self) -> tuple[Action, ...]:
        """An action for each; the same object as before for as long as its function is the same."""

    async def attend(self, changed: Callable[[], None]) -> None:
        """Runs on the loop while the action is open. Call `changed` whenever `parts` are not what they were."""


class Parts:
    """The further functions of what is open, by their names. `changed` is told whenever they are others."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._tables: Mapping[str, Opened] = {}
        self._attending: dict[Several, asyncio.Task[None]] = {}
        self._parts: dict[str, tuple[str, Opened]] = {}

    def __iter__(self) -> Iterator[Opened]:
        return (each for _, each in self._parts.values())

    def get(self, name: str) -> Opened | None:
        return self._parts[name][1] if name in self._parts else None

    def names(self, tables: Container[str]) -> set[str]:
        """Those that belong to these tables."""
        return {name for name, (table, _) in self._parts.items() if table in tables}

    def follow(self, opened: Mapping[str, Opened]) -> None:
        """These are open from now on. What is gone is not attended any more."""
        self._tables = opened
        now = {each.action: name for name, each in opened.items() if isinstance(each.action, Several)}
        for action in [action for action in self._attending if action not in now]:
            self._attending.pop(action).cancel()
        for action, name in now.items():
            if action not in self._attending:
                self._attending[action] = asyncio.create_task(self._attend(name, action), name=f"actions.{name}")
        self._collect()

    async def _attend(self, name: str, action: Several) -> None:
        try:
            await action.attend(self._renew)
        except Exception as error:
            log.warning("[actions.%s] has ceased to follow what it works: %s", name, where(error))

    def _renew(self) -> None:
        self._collect()
        self._changed()

    def _collect(self) -> None:
        before, self._parts = self._parts, {}
        for table, each in self._tables.items():
            for action in each.action.parts if isinstance(each.action, Several) else ():
                name = action.function.name
                if name in self._tables or name in self._parts:
                    log.warning("[actions.%s] has a function %s, and so has another table: rename one", table, name)
                    continue
                known = before.get(name)
                self._parts[name] = known if known and known[1].action is action else (table, _part(action, each))


def _part(action: Action, whole: Opened) -> Opened:
    """It keeps to its table's limits, but is asked for and judged by what it is itself."""
    function = action.function
    table: ActionTable | None = whole.table
    if table is not None:
        # Nobody has to agree to being told something.
        risk = table.risk if function.side_effect or table.risk != "confirm" else None
        table = table.model_copy(update={"phrases": [], "description": function.description, "risk": risk})
    rate = Rate(table.rate_limit_per_min) if table else None
    return Opened(action, whole.limit_s, Arguments(function.parameters), table, rate)
