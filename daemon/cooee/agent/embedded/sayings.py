"""What the embedded agent says, as plain sentences to be spoken."""

import json
import re
from collections.abc import Iterable
from datetime import datetime

from cooee.agent.embedded.abilities import briefly, listed, spoken_name
from cooee.agent.embedded.samples import in_words
from cooee.agent.embedded.skill import Skill
from cooee.agent.embedded.tidy import words_of
from cooee.agent.embedded.understood import Ambiguous, OutOfRange

_ORDINALS = words_of(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)

_PAIRS = (("open", "close"), ("lock", "unlock"))
# What is there, but is not what was meant by who said no more than the thing.
_UNOFFERED = ("ask", "read", "toggle", "pulse")


def time_of_day(now: datetime) -> str:
    """As people say it: "It is twenty past four"."""
    hour, minute = now.hour % 12 or 12, now.minute
    after = hour % 12 + 1
    if minute == 0:
        return f"It is {in_words(hour)} o'clock."
    if minute == 30:
        return f"It is half past {in_words(hour)}."
    if minute in (15, 45):
        return f"It is a quarter {'past' if minute == 15 else 'to'} {in_words(hour if minute == 15 else after)}."
    if minute % 5 == 0:
        if minute < 30:
            return f"It is {in_words(minute)} past {in_words(hour)}."
        return f"It is {in_words(60 - minute)} to {in_words(after)}."
    return f"It is {in_words(hour)} {'oh ' if minute < 10 else ''}{in_words(minute)}."


def date(now: datetime) -> str:
    """As people say it: "It is Monday, the twenty third of November"."""
    day = now.day
    tens = {2: "twenty", 3: "thirty"}
    spoken = (
        _ORDINALS[day - 1]
        if day <= 20
        else "thirtieth"
        if day == 30
        else f"{tens[day // 10]} {_ORDINALS[day % 10 - 1]}"
    )
    return f"It is {now:%A}, the {spoken} of {now:%B}."


def unable(skills: Iterable[Skill], *, again: bool) -> str:
    """Honest and, the second time, short."""
    return "Sorry, I can't do that." if again else f"I can't do that. {briefly(skills)}"


def which_one(found: Ambiguous) -> str:
    if len(found.options) == 1:
        return f"Do you mean the {found.options[0][0]}?"
    return f"Which one, {listed([f'the {label}' for label, _ in found.options[:5]], 'or')}?"


def out_of_range(skill: Skill, found: OutOfRange) -> str:
    thing, low, high = skill.names.label, found.minimum, found.maximum
    if low is not None and high is not None:
        return f"The {thing} goes from {_count(low)} to {_count(high)}."
    return f"The {thing} goes {'from ' + _count(low) + ' up' if low is not None else 'up to ' + _count(high or 0)}."


def question(skill: Skill, parameter: str) -> str:
    """What to ask when a value is missing: "To how many percent?"."""
    number = next((number for number in skill.numbers if number.parameter == parameter), None)
    if number:
        unit = next(iter(sorted(number.units)), "")
        if unit in ("seconds", "minutes", "hours"):
            return f"For how many {unit}?"
        return f"To how many {unit}?" if unit else f"{_range(number.minimum, number.maximum)}?"
    verbs = [verb for verb, given in skill.verbs.items() if parameter in given]
    spoken = [word for word in skill.spoken(parameter) or verbs if word not in _UNOFFERED]
    named = parameter.replace("_", " ")
    if not spoken:
        return f"What {named}?"
    if parameter == skill.selector:
        return f"Which {named}, {listed(spoken[:6], 'or')}?"
    pair = next((pair for pair in _PAIRS if set(pair) <= set(spoken)), None)
    if pair:
        return f"Shall I {pair[0]} or {pair[1]} {spoken_name(skill)}?"
    if {"on", "off"} <= set(spoken):
        return f"Shall I turn {spoken_name(skill)} on or off?"
    return f"The {skill.names.label}: {listed(spoken[:6], 'or')}?"


def _range(low: float | None, high: float | None) -> str:
    return "To what value" if low is None or high is None else f"To what, from {_count(low)} to {_count(high)}"


def _count(value: float) -> str:
    return in_words(int(value)) if float(value).is_integer() else f"{value:g}"


def result(content: str) -> str:
    """A function's result in its own words: a sentence, or JSON that has one. What stands in brackets behind a question
    is not for the ear."""
    try:
        found = json.loads(content)
    except ValueError:
        found = content
    if isinstance(found, dict):
        keys = ("say", "error", "text", "message", "result", "state", "value")
        found = next(
            (found[key] for key in keys if isinstance(found.get(key), str | int | float) and found[key] != ""), ""
        )
    if isinstance(found, bool) or found is None or isinstance(found, list):
        found = ""
    text = re.sub(r"\s+", " ", str(found)).strip() or "Done."
    text = re.sub(r"(?<=\?) \([^()]*\)$", "", text)
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."
