"""What the speaker can do for the agent: each [actions.NAME] is a function; its `type` is a module here.

A type's module has `Settings` (an `ActionTable`) and `open(name, settings, report) -> Action`.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field

from cooee.effects import Function
from cooee.events import Event
from cooee.settings import Table

Report = Callable[[Event], None]


class ActionTable(Table):
    """What every action has."""

    description: Annotated[str, Field(min_length=3, max_length=300)]
    """What it is, in the words of those who talk to it."""
    time_limit_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    """After so long the agent is told that it took too long."""


class Failed(Exception):
    """The action did not happen; str() is a sentence for the agent to say."""


class Action(Protocol):
    function: Function

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Do it and say what is true now, as read back. The arguments fit the schema. Raises Failed."""

    def close(self) -> None: ...
