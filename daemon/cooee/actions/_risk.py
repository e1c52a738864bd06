"""What needs the user's yes before it is done, and in which words it is asked for. Pure.

A table's own `risk` decides; else the action itself, where it is `Risky`; else what its name and description speak of.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from cooee.actions._action import Action, ActionTable, Risk
from cooee.actions._dangers import is_dangerous
from cooee.actions._words import join, one_line, subject
from cooee.effects import Function

NOT_ALLOWED = "this speaker is not allowed to do that."
_RULE = (
    "The user has to agree first: when the result is a question, nothing has been done; ask the user exactly that "
    "question and nothing else, and only after a yes call this again with the same arguments."
)

_VERBS = frozenset(("open", "close", "lock", "unlock", "start", "stop", "arm", "disarm", "toggle"))
_IMPERATIVE = re.compile(
    r"(open|close|lock|unlock|start|stop|arm|disarm|run|ring|feed|launch|trigger|activate|fill|empty)s?"
    r" ((?:the|an?|my|our|your|all|both) .+)"
)


@runtime_checkable
class Risky(Protocol):
    """An `Action` that judges its calls itself, by their arguments."""

    def risk(self, arguments: Mapping[str, Any]) -> Risk: ...

    def question(self, arguments: Mapping[str, Any]) -> str:
        """What the user is asked before it is done: one sentence that names what will move, and how; ends in "?"."""


@runtime_checkable
class Telling(Protocol):
    """An `Action` that moves things, but has calls that only tell."""

    def only_tells(self, arguments: Mapping[str, Any]) -> bool: ...


def judged(action: Action, table: ActionTable | None, arguments: Mapping[str, Any]) -> Risk:
    """What to do with a call whose arguments fit. `table`: None for what is built in."""
    tells = isinstance(action, Telling) and action.only_tells(arguments)
    if table is not None and table.risk is not None and not (tells and table.risk == "confirm"):
        return table.risk
    if tells:
        return "safe"
    if isinstance(action, Risky):
        return action.risk(arguments)
    if table is None or not action.function.side_effect:
        return "safe"
    values = {value if isinstance(value, str) else "" for value in arguments.values()}
    return "confirm" if _is_dangerous(action.function, table, values) else "safe"


def question(action: Action, table: ActionTable | None, arguments: Mapping[str, Any]) -> str:
    if table is not None and table.question:
        return table.question
    if isinstance(action, Risky):
        return action.question(arguments)
    return f"Do you really want me to {_deed(table.description if table else action.function.name, arguments)}?"


def explained(action: Action, table: ActionTable | None) -> Function:
    """The function as the agent is told of it: also how it is asked for, and that a yes is needed."""
    return told(action.function, table, may_ask=isinstance(action, Risky))


def told(function: Function, table: ActionTable | None, *, may_ask: bool = False) -> Function:
    """The same while the action is not open."""
    if table is None:
        return function
    asks = table.risk == "confirm"
    asks = asks or (table.risk is None and function.side_effect and (may_ask or _is_dangerous(function, table, set())))
    phrases = [f'"{phrase}"' for phrase in table.phrases]
    said = [f"Also asked for as {join(phrases)}."] if phrases else []
    more = [*said, *([_RULE] if asks else [])]
    description = " ".join([f"{function.description.rstrip('. ')}.", *more]) if more else function.description
    return replace(function, description=description, phrases=(*function.phrases, *table.phrases))


def _is_dangerous(function: Function, table: ActionTable, values: set[str]) -> bool:
    """By what it is called."""
    return any(is_dangerous(name, values) for name in (table.description, function.name.replace("_", " ")))


def _deed(description: str, arguments: Mapping[str, Any]) -> str:
    """ "The front door", {"action": "unlock"} -> "unlock the front door"."""
    thing = subject(description)
    thing = thing[0].lower() + thing[1:]
    imperative = _IMPERATIVE.match(thing.removeprefix("the "))
    said = [_spoken(value) for value in arguments.values()]
    match said:
        case [] | ["pulse"] if imperative:
            return f"{imperative[1]} {imperative[2]}"
        case [] | ["pulse"]:
            return f"operate {thing}"
        case [verb] if verb in _VERBS:
            return f"{verb} {thing}"
        case ["on" | "off" as state]:
            return f"switch {state} {thing}"
    values = join(said, "and")
    return f"{imperative[1]} {imperative[2]}: {values}" if imperative else f"set {thing} to {values}"


def _spoken(value: Any) -> str:
    """A value in a question: nothing in it may end the sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(re.sub(r"[^\w'°%-]+|_", " ", one_line(f"{value}", 60)).split()) or "nothing"
