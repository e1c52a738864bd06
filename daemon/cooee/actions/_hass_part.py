"""One function of a home: works things of one kind by their names, and says what was read back."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cooee.actions import Failed, Risk, Unsure
from cooee.actions._hass_home import Entity
from cooee.actions._hass_kind import Arguments, Home, Kind, Step, the
from cooee.actions._hass_link import Denied, Gone
from cooee.actions._hass_mirror import Mirror, State
from cooee.actions._hass_target import Target, ambiguous, found, is_ambiguous
from cooee.actions._hass_words import predicate, told, told_together
from cooee.actions._words import join, one_line, sentence
from cooee.effects import Function

MARGIN_S = 0.5
"""What is not seen so long before the limit is told to be so."""
ON_THE_WAY_S = 1.5
"""A garage door takes longer than anybody listens: so long is waited for it to arrive."""
_DENIED = {
    "not_found": "Home Assistant does not know how to do that.",
    "unauthorized": "Home Assistant does not allow that to the user whose token this speaker has.",
    "invalid_format": "Home Assistant does not take these values.",
    "unknown_error": "something went wrong inside Home Assistant; its log says what.",
}
_PRIVATE = re.compile(r"\S*(?:://|\d+\.\d+\.\d+\.\d+|[\w.-]{40,})\S*")


class House(Protocol):
    """What a part needs of the whole."""

    away: str
    mirror: Mirror
    home: Home

    async def call(self, step: Step, ids: Sequence[str]) -> None:
        """Raises Denied, Gone, TimeoutError."""


class Part:
    """What the names mean (`aim`) may become another thing while the function stays the same."""

    def __init__(self, kind: Kind, function: Function, house: House, limit_s: float) -> None:
        self.kind = kind
        self.function = function
        self.targets: Mapping[str, Target] = {}
        self._house = house
        self._limit_s = limit_s

    def aim(self, targets: Mapping[str, Target]) -> None:
        self.targets = targets

    async def run(self, arguments: Arguments) -> str:
        deadline = asyncio.get_running_loop().time() + max(self._limit_s - MARGIN_S, self._limit_s / 2)
        if self._house.away:
            raise Failed(self._house.away)
        target = found(self.targets, arguments["name"])
        steps, cannot = self._steps(target, arguments)
        if not steps:
            raise Failed(cannot[0])
        await self._do(steps, deadline)
        await self._watch(steps, deadline)
        if self._house.away:
            raise Unsure("Home Assistant went away meanwhile; it is not known whether that was done.")
        if not target.is_group:
            ((entity, step),) = steps.items()
            return self._told(arguments["name"], entity, step)
        return self._told_together(arguments["name"], steps, cannot)

    def close(self) -> None:
        pass

    def troubles(self) -> list[str]:
        """Names that can't be used because they mean several things."""
        return [ambiguous(name, target) for name, target in self.targets.items() if is_ambiguous(target)]

    def _steps(self, target: Target, arguments: Arguments) -> tuple[dict[Entity, Step], list[str]]:
        """What is to be done with each, and why some can't."""
        steps: dict[Entity, Step] = {}
        cannot: list[str] = []
        for entity in target.entities:
            state = self._house.mirror.get(entity.id)
            try:
                if state is None:
                    raise Failed(f"{the(entity.names[0])} is no longer in Home Assistant.")
                if state.is_away:
                    raise Failed(f"{the(entity.names[0])} is unavailable: it does not answer Home Assistant.")
                steps[entity] = self.kind.step(entity, state, arguments, self._house.home)
            except Failed as failed:
                cannot.append(str(failed))
        return steps, cannot

    async def _do(self, steps: Mapping[Entity, Step], deadline: float) -> None:
        """Those of which the same is wanted are asked for in one go."""
        alike: dict[str, tuple[Step, list[str]]] = {}
        for entity, step in steps.items():
            alike.setdefault(json.dumps((step.domain, step.service, step.data)), (step, []))[1].append(entity.id)
        try:
            async with asyncio.timeout_at(deadline):
                asking = (self._house.call(step, ids) for step, ids in alike.values())
                answers = await asyncio.gather(*asking, return_exceptions=True)
        except TimeoutError as error:
            raise Unsure("Home Assistant does not answer; it is not known whether that was done.") from error
        for answer in answers:
            if isinstance(answer, Denied):
                raise Failed(_denied(answer)) from answer
            if isinstance(answer, Gone | TimeoutError):
                raise Unsure("Home Assistant went away meanwhile; it is not known whether that was done.") from answer
            if isinstance(answer, BaseException):
                raise answer

    async def _watch(self, steps: Mapping[Entity, Step], deadline: float) -> None:
        """Until each is where it was to be or on the way there, and those a little longer."""
        mirror, now = self._house.mirror, asyncio.get_running_loop().time

        def is_settled(entity: Entity, step: Step) -> bool:
            state = mirror.get(entity.id)
            return bool(self._house.away) or state is None or state.is_away or step.reached(state)

        def moves(entity: Entity, step: Step) -> bool:
            state = mirror.get(entity.id)
            return state is not None and state.value in step.moving

        each = tuple(steps.items())
        await mirror.until(lambda: all(is_settled(*one) or moves(*one) for one in each), deadline - now())
        rest_s = min(ON_THE_WAY_S, deadline - now())
        await mirror.until(lambda: all(is_settled(*one) for one in each), rest_s)

    def _told(self, name: str, entity: Entity, step: Step) -> str:
        state = self._house.mirror.get(entity.id)
        if state is not None and (step.reached(state) or state.value in step.moving):
            return step.said or told(name, entity, state)
        raise self._why(name, entity, step, state)

    def _why(self, name: str, entity: Entity, step: Step, state: State | None) -> Failed:
        if state is None or state.is_away:
            return Unsure(f"{sentence(name, predicate(entity, state))} It is not known whether that was done.")
        if not step.is_visible:
            return Unsure("Home Assistant has passed it on, but does not tell whether it was done.")
        did = "move" if entity.domain in ("cover", "valve", "lock") else "change"
        now = predicate(entity, state)
        pronoun = "they are" if sentence(name, now).endswith(f" are {now}.") else "it is"
        return Failed(f"{the(name)} did not {did}; {pronoun} still {now}.")

    def _told_together(self, name: str, steps: Mapping[Entity, Step], cannot: Sequence[str]) -> str:
        """What is true of all of them, or of each where not all did it."""
        states = {entity: self._house.mirror.get(entity.id) for entity in steps}
        done = {
            e: s for e, s in states.items() if s is not None and (steps[e].reached(s) or s.value in steps[e].moving)
        }
        if len(done) == len(states) and not cannot:
            return told_together(name, {entity.names[0]: (entity, state) for entity, state in states.items()})
        said = [told(entity.names[0], entity, state) for entity, state in done.items()]
        not_done = [str(self._why(e.names[0], e, steps[e], s)) for e, s in states.items() if e not in done]
        wrong = [f"{why[0].upper()}{why[1:]}" for why in (*not_done, *cannot)]
        if not done:
            raise Failed(f"none of them did it. {' '.join(wrong)}")
        return " ".join([*said, *wrong])


class AskingPart:
    """A part of which some calls need the user's yes, judged by what they would move."""

    def __init__(self, part: Part, house: House) -> None:
        self.part = part
        self.function = part.function
        self._house = house

    def aim(self, targets: Mapping[str, Target]) -> None:
        self.part.aim(targets)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        return await self.part.run(arguments)

    def close(self) -> None:
        pass

    def troubles(self) -> list[str]:
        return self.part.troubles()

    def risk(self, arguments: Mapping[str, Any]) -> Risk:
        judge = self.part.kind.is_risky
        target = self.part.targets.get(arguments["name"], Target(()))
        home, mirror = self._house.home, self._house.mirror
        is_risky = judge and any(judge(each, mirror.get(each.id), arguments, home) for each in target.entities)
        return "confirm" if is_risky else "safe"

    def question(self, arguments: Mapping[str, Any]) -> str:
        deed = self.part.kind.deed(arguments["name"], arguments, self._house.home)
        # Nothing in a name may end the sentence.
        return f"Do you really want me to {re.sub(r'[.!?;:]+', ' ', deed).strip()}?"


class Reading:
    """Tells what things are at this moment. Things that share a name are all told."""

    def __init__(self, function: Function, house: House) -> None:
        self.function = function
        self._targets: Mapping[str, Target] = {}
        self._house = house

    def aim(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets

    async def run(self, arguments: Arguments) -> str:
        name = arguments["name"]
        if self._house.away:
            raise Failed(self._house.away)
        target = found(self._targets, name, is_reading=True)
        read = {entity: self._house.mirror.get(entity.id) for entity in target.entities}
        if target.is_group:
            return told_together(name, {entity.names[0]: (entity, state) for entity, state in read.items()})
        said = dict.fromkeys(predicate(entity, state) for entity, state in read.items())
        return sentence(name, join(list(said), "and"))

    def close(self) -> None:
        pass

    def troubles(self) -> list[str]:
        return []


def _denied(denied: Denied) -> str:
    """What a device's own code says may hold addresses and keys."""
    if denied.code in _DENIED:
        return _DENIED[denied.code]
    message = one_line(_PRIVATE.sub("…", str(denied)), 160).rstrip(".")
    return f"Home Assistant refused it: {message}." if message else "Home Assistant refused it."
