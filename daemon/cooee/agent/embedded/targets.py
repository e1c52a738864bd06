"""What can be named in a sentence: a function, or a function with its device parameter already filled in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cooee.agent.embedded import phrases
from cooee.agent.embedded.names import ARTICLES, nicknames, other_number, placed_forms, split, swapped
from cooee.agent.embedded.skill import UNIT_OF, Skill

# Parameters that have no meaning without the thing; others, such as "temperature", name it too.
_COUNTED = frozenset(
    ("level", "value", "amount", "number", "target", "percent", "count", "duration", "time", "state", "speed")
) | {
    "seconds",
    "minutes",
    "hours",
    "degrees",
}

# Parameters whose values are whole names, as things in a home have them; those of others, such as "room", need a noun.
_NAMING = frozenset(("name", "device", "entity", "item", "thing"))


@dataclass(frozen=True, slots=True)
class Target:
    """`names` are what it is called; `short` are what it is called where nothing else is called so ("lamp")."""

    skill: Skill
    label: str
    names: tuple[str, ...]
    short: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return (self.skill.name, repr(sorted(self.fixed.items())))


def targets(skills: Iterable[Skill]) -> tuple[Target, ...]:
    return tuple(target for skill in skills for target in _of(skill))


def _of(skill: Skill) -> list[Target]:
    names = skill.names
    counted = tuple(noun for number in skill.numbers if (noun := " ".join(split(number.parameter))) not in _COUNTED)
    short = tuple(dict.fromkeys((*names.short, *(noun for noun in counted if noun not in names.full))))
    if skill.selector in _NAMING:
        return _named_themselves(skill, short)
    found = [Target(skill, names.label, names.full, short)] if names.full or not skill.selector else []
    if not skill.selector:
        return found
    for word, value in skill.spoken(skill.selector).items():
        last = word.split()[-1]
        label = f"{word} {names.label}" if names.full and last != names.label.split()[-1] else word
        nouns = (*names.full, *names.short)
        found.append(Target(skill, label, _combined(word, nouns), _last(word), {skill.selector: value}))
    return found


def _named_themselves(skill: Skill, short: tuple[str, ...]) -> list[Target]:
    """What has a name of its own is called by it, perhaps with what it is ("kitchen light"); "home_light" says only
    that. More forms would be mistaken for other names, and their thousands of sentences mislead who listens."""
    label = skill.names.label
    noun = label.split()[-1]
    found = [Target(skill, noun, (label,), short)]
    values = skill.spoken(str(skill.selector))
    taken = {*values, *other_number(tuple(values))}
    for word, value in values.items():
        is_said = skill.reading or noun in word.split() or f"{noun}s" in word.split()
        names = (*_combined(word, () if is_said else (noun,)), *nicknames(word))
        short = (*_last(word), *other_number((word,)), *(name for name in swapped((word,)) if name not in taken))
        found.append(Target(skill, word, names, short, {str(skill.selector): value}))
    return found


def _last(word: str) -> tuple[str, ...]:
    last = word.split()[-1]
    return (last,) if last != word and not last.isdigit() else ()


def _combined(word: str, nouns: Iterable[str]) -> tuple[str, ...]:
    """From "kitchen" and "light" -> "kitchen", "kitchen light", "light in the kitchen", ..."""
    placed = [f"{noun} {at} the {word}" for noun in nouns for at in ("in", "on", "at", "of")]
    every = (f"all the {word[4:]}",) if word.startswith("all ") else placed_forms(word)
    return tuple(dict.fromkeys((word, *every, *(f"{word} {noun}" for noun in nouns), *placed)))


def lists(found: Sequence[Target], skills: Iterable[Skill]) -> dict[str, Any]:
    """The hassil lists of these targets. A name or phrase gives the target's index, and whether it is a short name."""
    from hassil.intents import TextSlotList

    skills = list(skills)
    parameters = {" ".join(split(key)): key for skill in skills for key in skill.properties}
    values = {word for skill in skills for word in skill.values}
    units = {**UNIT_OF, **{word: key for word, key in parameters.items()}}
    return {
        "name": TextSlotList.from_tuples(_named(found), allow_template=False, name="name"),
        "phrase": TextSlotList.from_tuples(_phrased(found), name="phrase"),
        "parameter": TextSlotList.from_tuples(parameters.items(), allow_template=False, name="parameter"),
        "unit": TextSlotList.from_tuples(units.items(), allow_template=False, name="unit"),
        "value": TextSlotList.from_tuples(
            ((word, word) for word in sorted(values)), allow_template=False, name="value"
        ),
    }


def amounts(words: str) -> dict[str, Any]:
    """The hassil list number for one sentence: only the numbers that are in it, which is far quicker than a range."""
    from hassil.intents import TextSlotList

    found = {word for word in words.split() if re.fullmatch(r"-?\d{1,9}(?:\.\d{1,4})?", word)}
    return {
        "number": TextSlotList.from_tuples(((word, float(word)) for word in found), allow_template=False, name="number")
    }


def _named(found: Sequence[Target]) -> list[tuple[str, tuple[int, bool], dict[str, str]]]:
    """Each name once for every domain of Home Assistant's that it belongs to; our own sentences mind no domain."""
    return [
        (name, (index, is_short), {"domain": domain})
        for index, target in enumerate(found)
        for domain in _domains(target.skill) or ("none",)
        for is_short, names in ((False, target.names), (True, target.short))
        for name in names
    ]


def _domains(skill: Skill) -> tuple[str, ...]:
    kinds = [*skill.verbs, *(["number"] if skill.numbers else []), *(["ask"] if skill.reading else [])]
    return tuple(dict.fromkeys(domain for kind in kinds for domain in phrases.DOMAINS.get(kind, ())))


def _phrased(found: Sequence[Target]) -> list[tuple[str, tuple[int, bool]]]:
    """Phrases to be said with articles or without: "start [the] coffee [the] machine"."""
    article, articles = f"[({ARTICLES})]", set(ARTICLES.split("|"))
    phrased = []
    for index, target in enumerate(found):
        names = target.skill.names
        alone = (names.head,) if target.skill.texts and names.phrases else ()
        for phrase in (*names.phrases, *names.also, *alone) if not target.fixed else ():
            words = [word for word in phrase.split() if word not in articles]
            phrased.append((f" {article} ".join(words), (index, phrase in alone)))
    return phrased
