"""Sentences that the grammar understands, written out for a language model."""

from collections.abc import Iterable, Iterator

from cooee.agent.embedded.skill import SECONDS, VERB_OF, Number, Skill
from cooee.agent.embedded.targets import Target
from cooee.agent.embedded.words import normalise

_VERBS = {
    "on": ("turn on {n}", "turn {n} on", "switch on {n}", "switch {n} on"),
    "off": ("turn off {n}", "turn {n} off", "switch off {n}", "switch {n} off"),
    "toggle": ("toggle {n}",),
    "pulse": ("pulse {n}", "press {n}", "ring {n}", "trigger {n}"),
    "open": ("open {n}",),
    "close": ("close {n}", "shut {n}"),
    "lock": ("lock {n}",),
    "unlock": ("unlock {n}",),
    "start": ("start {n}", "run {n}"),
    "stop": ("stop {n}",),
    "pause": ("pause {n}",),
    "resume": ("resume {n}",),
    "up": ("turn up {n}", "turn {n} up", "raise {n}"),
    "down": ("turn down {n}", "turn {n} down", "lower {n}"),
    "mute": ("mute {n}",),
    "unmute": ("unmute {n}",),
}
_ASKING = ("what is {n}", "what's {n}", "check {n}", "is {n} on", "is {n} off", "is {n} open", "is {n} closed")
_ALWAYS = (
    *("what time is it", "what's the date today", "what day is it", "what can you do"),
    *("never mind", "stop", "thank you", "that's all", "stop listening"),
    *("yes", "no", "louder", "quieter"),
)


def in_words(number: int) -> str:
    """21 -> "twenty one"."""
    return normalise(str(number))


def samples(targets: Iterable[Target], skills: Iterable[Skill]) -> Iterator[str]:
    yield from _ALWAYS
    for target in targets:
        for name in (*target.names, *target.short):
            yield from _about(target.skill, f"the {name}")
    for skill in skills:
        yield from (*skill.names.phrases, *skill.names.also)


def _about(skill: Skill, n: str) -> Iterator[str]:
    for verb in skill.verbs:
        yield from (template.format(n=n) for template in _VERBS.get(verb, ()))
    for number in skill.numbers:
        for amount in _amounts(number):
            if number.units & SECONDS.keys():
                yield f"set a {n.removeprefix('the ')} for {amount}"
            yield from (f"set {n} to {amount}", f"turn {n} to {amount}", f"{n.removeprefix('the ')} {amount}")
    for value in skill.values.keys() - VERB_OF.keys():
        yield from (f"set {n} to {value}", f"put {n} on {value}", f"make {n} {value}")
    if skill.reading:
        yield from (template.format(n=n) for template in _ASKING)
    if not skill.properties and not skill.verbs and not skill.reading:
        yield from (f"{verb} {n}" for verb in ("ring", "press", "start", "run", "activate"))


def _amounts(number: Number) -> Iterator[str]:
    low = int(number.minimum) if number.minimum is not None else 0
    high = int(number.maximum) if number.maximum is not None else low + 100
    step = 1 if high - low <= 30 else 5 if high - low <= 150 else max(1, (high - low) // 30)
    unit = f" {min(number.units)}" if number.units else ""
    yield from (f"{in_words(amount)}{unit}" for amount in range(low, high + 1, step))
