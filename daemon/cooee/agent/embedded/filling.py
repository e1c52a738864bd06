"""From what a sentence matched to the arguments of a call, each checked against the function's schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cooee.agent.embedded.names import ARTICLES
from cooee.agent.embedded.phrases import MEASURES
from cooee.agent.embedded.skill import Number, Skill, fits
from cooee.agent.embedded.targets import Target
from cooee.agent.embedded.tidy import tidy, words_of
from cooee.agent.embedded.understood import Call, OutOfRange

_ANYTHING = frozenset(
    words_of(
        "is are it that this there away thing things something anything someone from me us to now here right in inside "
        "at wall object obstacle outside far set running"
    )
)
# What goes up or down opens and closes, as blinds do.
_MOVING = {"up": "open", "down": "close", "open": "up", "close": "down"}
# What a function without parameters is worked with.
_DOING = frozenset(("on", "pulse", "start", "do"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading of a sentence."""

    kind: str
    target: Target
    call: Call
    short: bool = False
    refused: OutOfRange | None = None

    @property
    def rank(self) -> tuple[int, bool, bool, bool, bool, bool, bool]:
        """Smaller is better: little taken at word, a full name, in range, complete, more than told, more than a name,
        its own verb."""
        wild = len(str(self.call.arguments)) if self.kind == "phrase_text" else 0
        own = self.target.skill.names.head == self.kind
        told = self.kind == "bare" and self.target.skill.reading
        missing = bool(self.call.missing)
        return (wild, self.short, self.refused is not None, missing, told, self.kind == "bare", not own)


def candidate(kind: str, target: Target, entities: Mapping[str, Any], *, short: bool = False) -> Candidate | None:
    """None if the function cannot be meant by a sentence of that kind."""
    skill = target.skill
    kind, is_how_far = _meant(kind, skill)
    given = _arguments(kind, skill, entities)
    if given is None or any(key in target.fixed for key in given):
        return None
    arguments = {**target.fixed, **given}
    refused = next((refused for key in given if (refused := _refused(skill, key, given[key]))), None)
    if refused is None and not all(fits(value, skill.properties.get(key, {})) for key, value in arguments.items()):
        return None
    arguments = _switched_on(skill, arguments)
    if is_how_far and skill.selector and not target.fixed:
        return None
    if is_how_far:
        return Candidate(kind, target, Call(skill.name, arguments, (skill.numbers[0].parameter,)), short)
    missing = skill.missing(arguments)
    if (
        not missing
        and kind in ("set", "bare")
        and not skill.only
        and not (kind == "bare" and skill.reading and not skill.verbs)
    ):
        missing = _unsaid(skill, arguments)
        if not missing:
            return None
    return Candidate(kind, target, Call(skill.name, arguments, missing), short, refused)


def measured(target: Target, entities: Mapping[str, Any], known: Mapping[str, str] = MEASURES) -> Candidate | None:
    """ "How warm is it": a reading of temperature; every other word must be one of the function's own, or, where it
    tells of several things, of the thing's."""
    skill = target.skill
    if not skill.reading:
        return None
    about = " ".join((target.label, *target.names)) if target.fixed else f"{skill.name} {skill.description}"
    own = set(tidy(about.replace("_", " ")).split())
    rest = set(str(entities.get("rest", "")).split()) - _ANYTHING - set(ARTICLES.split("|"))
    if not own & set(known.get(str(entities["measure"]), "").split()) or rest - own:
        return None
    return candidate("ask", target, {})


def _meant(kind: str, skill: Skill) -> tuple[str, bool]:
    """What it is for this function, and whether it has to be asked how far: "turn up the heater", "open the vent"."""
    if kind in skill.verbs or kind not in _MOVING:
        return kind, False
    if _MOVING[kind] in skill.verbs:
        return _MOVING[kind], False
    if skill.numbers and (kind in ("up", "down") or not skill.verbs):
        return "set", True
    return kind, False


def _arguments(kind: str, skill: Skill, entities: Mapping[str, Any]) -> dict[str, Any] | None:
    amount = _amount(skill, entities)
    if amount is None:
        return None
    if kind in ("number", "phrase_number"):
        return amount if kind == "number" or skill.names.phrases or skill.names.also else None
    if kind in ("value", "its_value", "phrase_value"):
        value = _value(skill, entities)
        return value and {**value, **amount}
    if kind == "phrase_text":
        return {skill.texts[0]: entities["text"]} if skill.texts and entities.get("text") else None
    if kind in ("start", "bare", "set", "choose") and skill.only:
        return dict(skill.only)
    if kind in ("set", "bare", "phrase"):
        return {}
    if kind == "ask":
        return dict(skill.verbs.get("ask", {})) if skill.reading else None
    return _verb(kind, skill, amount)


def _verb(kind: str, skill: Skill, amount: dict[str, Any]) -> dict[str, Any] | None:
    if kind in skill.verbs:
        return {**skill.verbs[kind], **amount}
    if not skill.properties and not skill.reading and kind in skill.names.pressed:
        return {}
    if kind in _DOING and not skill.properties and not skill.verbs and not skill.reading:
        return {}
    number = next(iter(skill.numbers), None)
    if skill.verbs or number is None:
        return None
    if kind == "off" and not amount and number.minimum == 0:
        return {number.parameter: 0}
    return amount if kind == "on" else None


def _amount(skill: Skill, entities: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameter for the number that was said: {} if none was, None if the function takes no such number."""
    unit, named = entities.get("unit"), entities.get("parameter")
    numbers = [number for number in skill.numbers if named in (None, number.parameter)]
    if "level" in entities:
        return next((_part(number, entities["level"]) for number in numbers if number.maximum is not None), None)
    if "number" not in entities:
        return {}
    exact = [number for number in numbers if unit and (unit in number.units or unit == number.parameter)]
    needed = [number for number in numbers if number.parameter in skill.required]
    for number in (*exact, *needed, *numbers):
        value = number.of(float(entities["number"]), unit)
        if value is not None:
            return {number.parameter: value}
    return None


def _part(number: Number, part: float) -> dict[str, Any]:
    low, high = number.minimum or 0, number.maximum or 0
    value = low + part * (high - low)
    return {number.parameter: int(value) if number.whole or float(value).is_integer() else value}


def _value(skill: Skill, entities: Mapping[str, Any]) -> dict[str, Any] | None:
    parameter, value = skill.values.get(str(entities.get("value")), (None, None))
    if parameter is None or entities.get("parameter") not in (None, parameter):
        return None
    return {parameter: value}


def _switched_on(skill: Skill, arguments: dict[str, Any]) -> dict[str, Any]:
    """A level or a colour for a thing that has to be told on or off as well means on."""
    on = skill.verbs.get("on", {})
    wanted = [key for key in on if key in skill.required and key not in arguments]
    told = any(arguments.get(number.parameter) for number in skill.numbers)
    told = told or any(parameter in arguments for parameter, _ in skill.values.values())
    return {**arguments, **on} if wanted and told else arguments


def _unsaid(skill: Skill, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """What to ask for when only the thing itself was named: its first number, state or value."""
    stated = [key for given in skill.verbs.values() for key in given]
    settable = [
        *stated,
        *(number.parameter for number in skill.numbers),
        *(key for key, _ in skill.values.values()),
        *skill.texts,
    ]
    return tuple(key for key in settable if key not in arguments)[:1]


def _refused(skill: Skill, parameter: str, value: Any) -> OutOfRange | None:
    number = next((number for number in skill.numbers if number.parameter == parameter), None)
    if number is None or isinstance(value, bool | str) or number.takes(value):
        return None
    return OutOfRange(skill.name, parameter, number.minimum, number.maximum)


def number_heard(skill: Skill, number: Number, words: str) -> float | int | OutOfRange | None:
    """A bare amount such as "40 percent" as that parameter."""
    from hassil import recognize_all

    from cooee.agent.embedded import phrases
    from cooee.agent.embedded.targets import amounts, lists

    for result in recognize_all(words, phrases.amounts(), slot_lists=lists((), (skill,)) | amounts(words)):
        entities = {name: entity.value for name, entity in result.entities.items()}
        found = _amount(skill, {**entities, "parameter": number.parameter}) or {}
        value = found.get(number.parameter)
        if value is not None:
            return _refused(skill, number.parameter, value) or (
                value if fits(value, skill.properties[number.parameter]) else None
            )
    return None
