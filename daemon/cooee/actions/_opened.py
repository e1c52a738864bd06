"""An action as it is at work: opened, or declared all the same and saying why it can't be done."""

import asyncio
import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cooee import kinds
from cooee.actions._action import Action, ActionTable, Failed, Report, where
from cooee.actions._arguments import Arguments
from cooee.actions._rate import Rate
from cooee.actions._risk import NOT_ALLOWED, explained, judged, question
from cooee.actions._thread import on_a_thread
from cooee.effects import Function

log = logging.getLogger("cooee.actions")

OPEN_LIMIT_S = 5.0
"""A device that takes longer to be opened or closed is left alone."""

Means = Mapping[str, Any]
"""What the speaker has for its actions, by name; a type's module is given what its `NEEDS` names, or None."""
NO_MEANS: Means = {}


class Broken:
    """An action that can't be done, and why."""

    def __init__(self, function: Function, why: str) -> None:
        self.function = function
        self.away = why

    async def run(self, arguments: Mapping[str, Any]) -> str:
        raise Failed(self.away)

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Opened:
    """`table`: None for what is built in."""

    action: Action
    limit_s: float
    arguments: Arguments
    table: ActionTable | None = None
    rate: Rate | None = None

    @property
    def function(self) -> Function:
        """As the agent is told of it."""
        return explained(self.action, self.table)

    def question(self, arguments: Mapping[str, Any], *, is_confirmed: bool, language: str = "") -> str:
        """What the user has to say yes to first, if anything. Raises Failed for what is not allowed at all."""
        risk = "safe" if self.is_broken else judged(self.action, self.table, arguments)
        if risk == "deny":
            raise Failed(NOT_ALLOWED)
        return "" if risk == "safe" or is_confirmed else question(self.action, self.table, arguments, language)

    def limit_rate(self, now: float) -> None:
        """Raises Failed where it moves something and was asked for too often."""
        if self.rate and self.action.function.side_effect and (wait_s := self.rate.wait_s(now)):
            raise Failed(f"it was asked for too often; it can be done again in {wait_s} seconds.")

    @property
    def is_broken(self) -> bool:
        return isinstance(self.action, Broken)

    @property
    def away(self) -> str:
        """Why it can't be done just now, in a sentence; "" where nothing is known to be in the way."""
        return str(getattr(self.action, "away", ""))

    def suspended(self) -> "Opened":
        """What stands in its place while it is closed and opened anew."""
        why = "it is being set up anew; it can be done in a moment."
        return Opened(Broken(self.action.function, why), self.limit_s, self.arguments, self.table)

    def close(self, name: str) -> None:
        """Into its safe state. Never raises."""
        try:
            self.action.close()
        except Exception as error:
            log.warning("%s could not be closed: %s", name, where(error))

    async def close_in_time(self, name: str) -> None:
        """The same without blocking the loop."""
        try:
            await asyncio.wait_for(on_a_thread(functools.partial(self.close, name)), OPEN_LIMIT_S)
        except TimeoutError:
            log.warning("%s could not be closed: its device does not answer", name)


def built_in(action: Action, limit_s: float) -> Opened:
    return Opened(action, limit_s, Arguments(action.function.parameters))


def opened(name: str, table: ActionTable, report: Report, means: Means = NO_MEANS) -> Opened:
    """May block. Raises kinds.Unknown; a device that is missing is said by the action itself."""
    action = _open(name, table, report, means)
    rate = Rate(table.rate_limit_per_min)
    return Opened(action, table.time_limit_s, Arguments(action.function.parameters), table, rate)


async def opened_in_time(name: str, table: ActionTable, report: Report, means: Means = NO_MEANS) -> Opened | None:
    """The same without blocking the loop; None where there is no such type."""
    try:
        return await asyncio.wait_for(on_a_thread(functools.partial(opened, name, table, report, means)), OPEN_LIMIT_S)
    except kinds.Unknown as unknown:
        log.warning("[actions.%s] type: %s", name, unknown)
        return None
    except TimeoutError:
        log.warning("[actions.%s]: its device does not answer", name)
    function = kinds.module("actions", table.type).declare(name, table)
    broken = Broken(function, "its device does not answer.")
    return Opened(broken, table.time_limit_s, Arguments(function.parameters), table)


def _open(name: str, table: ActionTable, report: Report, means: Means) -> Action:
    module = kinds.module("actions", table.type)
    try:
        needs = {need: means.get(need) for need in getattr(module, "NEEDS", ())}
        action: Action = module.open(name, table, report, **needs)
        return action
    except Failed as failed:
        why = str(failed)
        log.warning("[actions.%s]: %s", name, why)
    except ModuleNotFoundError as error:
        why = f'it needs the Python package "{error.name}", which is not installed.'
        log.warning("[actions.%s]: %s", name, why)
    except Exception as error:
        why = "it could not be set up; the speaker's log says where."
        log.warning("[actions.%s] could not be set up: %s", name, where(error))
    return Broken(module.declare(name, table), why)
