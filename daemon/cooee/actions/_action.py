"""What an action is, and what every one of them has."""

import traceback
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, Field

from cooee.effects import Function
from cooee.events import Event
from cooee.settings import Table

Report = Callable[[Event], None]
Risk = Literal["safe", "confirm", "deny"]


def _asking(question: str) -> str:
    if question and not question.endswith("?"):
        raise ValueError("must be a question and end with ?")
    return question


class ActionTable(Table):
    """What every action has."""

    type: str
    """Which type of action: the name of a module of `cooee.actions`."""
    description: Annotated[str, Field(min_length=3, max_length=300)]
    """What it is, in the words of those who talk to it."""
    time_limit_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    """After so long the agent is told that it took too long."""
    risk: Risk | None = None
    """"confirm": only done after the user's yes to a question; "deny": never; left out: locks, doors, windows,
    gates, valves, alarms, heaters and ovens ask, as far as the description, the phrases or the type tell, and the rest
    is "safe"."""
    question: Annotated[str, AfterValidator(_asking), Field(max_length=200)] = ""
    """What is asked before it is done, such as "Shall I really open the garage?"; left out: it is made up."""
    rate_limit_per_min: Annotated[int, Field(ge=1, le=6000)] = 20
    """What moves something is done at most so often in a minute."""
    phrases: Annotated[list[Annotated[str, Field(pattern=r"^\w[\w' -]{1,79}$")]], Field(max_length=20)] = Field([])
    """What else it is asked for with, such as "movie time"."""

    def pins(self) -> tuple[int, ...]:
        """The GPIO pins that this action takes, so that nothing else is given them."""
        return ()


class Failed(Exception):
    """The action did not happen; str() is a sentence for the agent to say."""


class Unsure(Failed):
    """Whether the action happened is not known; str() is the whole of what the agent is to say."""


READ = "read"
"""The value of `state` with which something on pins only tells what it is."""


class Action(Protocol):
    @property
    def function(self) -> Function: ...

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Do it and say what is true now, as read back. The arguments fit the schema, defaults filled in.

        Raises Failed, Unsure. Cancelled at the time limit: then it has `CLEANUP_S` to leave nothing half done.
        """

    def close(self) -> None:
        """Put what it moves into its safe state."""


def where(error: BaseException) -> str:
    """What went wrong and where, without the message, which may hold what nobody should read in a log."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
