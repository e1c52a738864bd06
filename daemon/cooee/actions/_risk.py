"""What needs the user's yes before it is done, and in which words it is asked for. Pure.

A table's own `risk` decides; else the action itself, where it is `Risky`; else what its name and description speak of.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from cooee.actions._action import Action, ActionTable, Risk
from cooee.actions._dangers import is_dangerous
from cooee.actions._gpio_pins import Wired
from cooee.actions._questions import in_language
from cooee.actions._ways import moved
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

_NOTHING = ("off", "false", "0")


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
    return "confirm" if _is_dangerous(action.function, table, set(_states(table, arguments))) else "safe"


def question(action: Action, table: ActionTable | None, arguments: Mapping[str, Any], language: str = "") -> str:
    """`language`: what the agent speaks, such as "de"; empty: English."""
    if table is not None and table.question:
        return table.question
    if isinstance(action, Risky):
        return in_language(action.question(arguments), language)
    return in_language(f"Do you really want me to {_deed(action.function, table, arguments)}?", language)


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
    """By what it is called, and by what it is asked for with."""
    return any(
        is_dangerous(name, values) for name in (table.description, function.name.replace("_", " "), *table.phrases)
    )


def _states(table: ActionTable, arguments: Mapping[str, Any]) -> Iterator[str]:
    """The values as words for what they do; "" for one that tells nothing of that."""
    for value in arguments.values():
        match value:
            case str():
                state = value.casefold().strip()
                yield _switched(table, "off" if state in _NOTHING else state)
            case 0 if isinstance(table, Wired) and not isinstance(value, bool) and "level" in arguments:
                yield _switched(table, "off")
            case _:
                yield ""


def _switched(table: ActionTable, state: str) -> str:
    """On pins, what opens is open when it is on; what is described by a deed does that then."""
    is_thing = isinstance(table, Wired) and not _IMPERATIVE.match(table.description.lower())
    what = moved(table.description) if is_thing else None
    return {"on": what.way.on, "off": what.way.off}.get(state, state) if what else state


def _deed(function: Function, table: ActionTable | None, arguments: Mapping[str, Any]) -> str:
    """ "The front door", {"action": "unlock"} -> "unlock the front door"."""
    name, said = _named(function, table, arguments), [_spoken(value) for value in arguments.values()]
    what, thing = moved(name), _thing(name)
    imperative = _IMPERATIVE.match(thing.removeprefix("the "))
    match [_switched(table, value.casefold()) if table else value for value in said]:
        case [] | ["pulse"] if imperative:
            return f"{imperative[1]} {imperative[2]}"
        case [] | ["pulse"]:
            return f"{what.way.on if what else 'operate'} {thing}"
        case [verb] if verb in _VERBS:
            return f"{verb} {thing}"
        case ["on" | "off" as state]:
            return f"switch {state} {thing}"
    values = join(said, "and")
    return f"{imperative[1]} {imperative[2]}: {values}" if imperative else f"set {thing} to {values}"


def _named(function: Function, table: ActionTable | None, arguments: Mapping[str, Any]) -> str:
    """The words that tell what will move: a thing that is just called Otto is known by what it is asked for with."""
    if table is None:
        return function.name
    asked = [phrase for phrase in table.phrases if is_dangerous(phrase, set())]
    return asked[0] if asked and not arguments and not is_dangerous(table.description, set()) else table.description


def _thing(name: str) -> str:
    """What is moved, within a sentence; that of an opener is what it opens."""
    what = moved(name)
    thing = f"the {what.thing}" if what and what.is_part else subject(name)
    return thing[0].lower() + thing[1:]


def _spoken(value: Any) -> str:
    """A value in a question: nothing in it may end the sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(re.sub(r"[^\w'°%-]+|_", " ", one_line(f"{value}", 60)).split()) or "nothing"
