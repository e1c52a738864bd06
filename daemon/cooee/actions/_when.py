"""What a sensor sets off by itself: something is said, or a function is called, as somebody could have asked for it."""

import math
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from cooee import kinds
from cooee.actions import _builtin
from cooee.actions._action import ActionTable, Failed, Report
from cooee.actions._arguments import Arguments
from cooee.actions._opened import Broken
from cooee.actions._risk import judged
from cooee.effects import Function
from cooee.events import Call, SayWanted, Triggered
from cooee.settings import Table

PATIENCE_S = 60.0
"""What could not be said within so long is not true any more."""

OPEN_ENDED = ("home_assistant", "mcp")
"""Types whose functions, NAME_..., are known only while they are open."""

_FORBIDS = {
    "confirm": 'asks for a yes, and nobody is there to say it; with risk = "safe" it is done at once',
    "deny": 'has risk = "deny": it is never done',
}

Misfit = tuple[tuple[str, ...], Any, str]
"""A setting below the action's table, what was found there, and a sentence."""


class Then(Table):
    """Something to say, something to call, or both."""

    say: Annotated[str, Field(max_length=300)] = ""
    """Said in the room when nothing else is being said."""
    urgent: bool = False
    """Whether that may cut what is being said."""
    call: str = ""
    """The name of another action; one that asks for a yes is not done, for nobody said it."""
    arguments: dict[str, Any] = Field({})
    """What it is called with, such as { state = "on" }."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.say and not self.call:
            raise ValueError("needs say, a sentence, or call, the name of an action")
        if self.arguments and not self.call:
            raise ValueError("has arguments, but no call")
        return self


class When(ActionTable):
    """An action that can set off others."""

    on_active: Then | None = None
    """What happens when it becomes active."""
    on_inactive: Then | None = None
    """What happens when it is not active any more."""
    cooldown_s: Annotated[float, Field(ge=0, le=86400)] = 10.0
    """After that, the same does not happen again for so long."""


class Trigger:
    """Sets it off. `report` is called on whatever thread the sensor is noticed."""

    def __init__(self, name: str, settings: When, report: Report) -> None:
        self._name = name
        self._thens = {True: settings.on_active, False: settings.on_inactive}
        self._cooldown_s = settings.cooldown_s
        self._report = report
        self._fired_s = dict.fromkeys(self._thens, -math.inf)

    @property
    def is_set(self) -> bool:
        return any(self._thens.values())

    def fire(self, is_active: bool) -> None:
        then, now = self._thens[is_active], time.monotonic()
        if then is None or now - self._fired_s[is_active] < self._cooldown_s:
            return
        self._fired_s[is_active] = now
        # Receipts outlive the process, so an id must never come twice.
        identity = f"{self._name}-{uuid.uuid4().hex}"
        if then.say:
            self._report(SayWanted(identity, then.say, is_urgent=then.urgent, patience_s=PATIENCE_S))
        if then.call:
            self._report(Triggered(self._name, Call(identity, then.call, then.arguments)))


def misfits(settings: When, name: str, others: Mapping[str, Any], built_in: Collection[str]) -> Iterator[Misfit]:
    """What can't be called. `others`: every table of [actions], None where it has faults itself."""
    for setting, then in (("on_active", settings.on_active), ("on_inactive", settings.on_inactive)):
        if then is None or not then.call:
            continue
        if then.call in built_in:
            yield from _unfit(setting, then, _builtin.declared().get(then.call))
            continue
        if server := _server(then.call, others):
            if forbids := _FORBIDS.get(others[server].risk):
                yield (setting, "call"), then.call, f"[actions.{server}] {forbids}"
            continue
        if then.call == name:
            yield (setting, "call"), then.call, "can't be this action itself"
        elif then.call not in others:
            known = tuple(each for each in others if each != name)
            there = f"; there are {', '.join(known)}" if known else ""
            sentence = f"there is no [actions.{then.call}]{there}{kinds.did_you_mean(then.call, known)}"
            yield (setting, "call"), then.call, sentence
        elif other := others[then.call]:
            function = kinds.module("actions", other.type).declare(then.call, other)
            if unfit := list(_unfit(setting, then, function)):
                yield from unfit
                continue
            arguments = Arguments(function.parameters).fitting(then.arguments)
            if forbids := _FORBIDS.get(judged(Broken(function, ""), other, arguments)):
                yield (setting, "call"), then.call, f"[actions.{then.call}] {forbids}"


def _unfit(setting: str, then: Then, function: Function | None) -> Iterator[Misfit]:
    """What is wrong with the arguments of its call, if anything."""
    try:
        Arguments(function.parameters if function else {}).fitting(then.arguments)
    except Failed as misfit:
        yield (setting, "arguments"), None, str(misfit).rstrip(".")


def _server(call: str, others: Mapping[str, Any]) -> str:
    """The one of which it may turn out to be a function; "" if there is none."""
    of_it = (name for name, table in others.items() if table and table.type in OPEN_ENDED)
    return "" if call in others else next((name for name in of_it if call.startswith(f"{name}_")), "")
