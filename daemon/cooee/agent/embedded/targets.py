"""What can be named in a sentence: a function, or a function with its device parameter already filled in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cooee.agent.embedded import phrases
from cooee.agent.embedded.skill import UNIT_OF, Skill
from cooee.agent.embedded.names import ARTICLES, split


@dataclass(frozen=True, slots=True)
class Target:
    """`names` are what it answers to; `short` are those of them that others may share ("lamp")."""

    skill: Skill
    label: str
    names: tuple[str, ...]
    short: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return (self.skill.name, repr(sorted(self.fixed.items())))


def targets(skills: Iterable[Skill]) -> tuple[Target, ...]:
    found = [target for skill in skills for target in _of(skill)]
    full = {name for target in found for name in target.names}
    return tuple(
        Target(t.skill, t.label, (*t.names, *(s for s in t.short if s not in full)), tuple(s for s in t.short if s not in full), t.fixed)
        for t in found
    )


def _of(skill: Skill) -> list[Target]:
    names = skill.names
    found = [Target(skill, names.label, names.full, names.short)] if names.full or not skill.selector else []
    if not skill.selector:
        return found
    for word, value in skill.spoken(skill.selector).items():
        nouns = (*names.full, *names.short)
        made = [form for noun in nouns for form in (f"{word} {noun}", *(f"{noun} {at} the {word}" for at in ("in", "on", "at", "of")))]
        last = word.split()[-1]
        short = (last,) if last != word and not last.isdigit() else ()
        found.append(Target(skill, word, tuple(dict.fromkeys((word, *made))), short, {skill.selector: value}))
    return found


def lists(found: Sequence[Target], skills: Iterable[Skill]) -> dict[str, Any]:
    """The hassil lists name, phrase, parameter, unit and value for these targets; names and phrases give indices."""
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
        "value": TextSlotList.from_tuples(((word, word) for word in sorted(values)), allow_template=False, name="value"),
    }


def _named(found: Sequence[Target]) -> list[tuple[str, int, dict[str, str]]]:
    """Each name once for every domain of Home Assistant's that the function belongs to; our own sentences mind no domain."""
    return [
        (name, index, {"domain": domain})
        for index, target in enumerate(found)
        for domain in _domains(target.skill) or ("none",)
        for name in target.names
    ]


def _domains(skill: Skill) -> tuple[str, ...]:
    kinds = [*skill.verbs, *(["number"] if skill.numbers else []), *(["ask"] if skill.reading else [])]
    return tuple(dict.fromkeys(domain for kind in kinds for domain in phrases.DOMAINS.get(kind, ())))


def _phrased(found: Sequence[Target]) -> list[tuple[str, int]]:
    """Phrases to be said with articles or without: "start [the] coffee [the] machine"."""
    article, articles = f"[({ARTICLES})]", set(ARTICLES.split("|"))
    phrased = []
    for index, target in enumerate(found):
        for phrase in target.skill.names.phrases if not target.fixed else ():
            words = [word for word in phrase.split() if word not in articles]
            phrased.append((f" {article} ".join(words), index))
    return phrased
