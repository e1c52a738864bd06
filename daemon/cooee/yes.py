"""What is a yes: whether an answer agrees to a question. Pure.

Whatever is unclear is a no: beside a yes there is nothing but politeness and the question's own words.
"""

import re
from collections.abc import Collection, Sequence

from cooee.asking import deed, has_parts, in_digits, translated, unlocking, words

# fmt: off
_YES = tuple(words(yes) for yes in (
    "yes", "yeah", "yep", "yup", "sure", "absolutely", "definitely", "certainly", "affirmative", "confirm", "confirmed",
    "i confirm", "correct", "that's correct", "that is correct", "right", "that's right", "that is right", "exactly",
    "of course", "do it", "please do", "go ahead", "please go ahead", "go for it", "i am sure", "i'm sure",
    "ja", "jawohl", "jazeker", "klar", "na klar", "natürlich", "genau", "mach das", "mach es", "tu es", "doe maar",
    "oui", "bien sûr", "d'accord", "vas-y", "allez-y", "sí", "si", "claro", "claro que sí", "por supuesto", "hazlo",
    "sì", "certo", "fallo", "sim", "claro que sim", "pode",
))
_BESIDE_YES = frozenset(words(
    "yes yeah yep sure please thanks thank do it that go ahead now i i'm am really of course to"
    " absolutely definitely certainly correct exactly confirm confirmed sir ma'am madam"
    " the a an my our ja bitte danke gern gerne oui merci s'il te vous plaît sí si gracias por favor grazie per favore"
    " sim obrigado obrigada graag alsjeblieft natürlich genau klar mach tu das es vas allez y hazlo adelante fallo pode"
    " soll ich"
))
_GRANTED = re.compile(
    r"\b(?:i (?:do )?(?:really )?want(?: you to)?|(?:i'd|i would) (?:really )?like(?: you to)?|you (?:can|may)"
    r"|thank you|(?:^|go ahead )and(?= (?:do|open|close|lock|unlock|turn|switch|set|run|start|stop) )"
    r"|that(?:'s| is) (?:right|fine)|ich (?:will|möchte) (?:das|es))\b"
)
_SARCASM = frozenset(("you", "should", "would", "shall"))
"""What beside a yes is no yes, as in "sure you do"; unless it is granted."""
_NOT = frozenset(words(
    "no not nope nah never don't dont won't can't cannot cancel without instead unless but except only"
    " nein nicht kein keine nie ohne sondern aber nur non pas ne rien sauf sans mais nee niet geen zonder maar"
    " nunca sin pero sino mai senza ma não nao nem sem mas"
))
_HESITANT = frozenset(("oh", "ah", "um", "uh", "hm", "hmm", "well", "ok", "okay", "please"))
_SEPARATED = re.compile(r"\b(mach|schalt|schliess|sperr)e? (?:(.+) )?(auf|zu|an|aus|ein|ab)$")
"""A German verb in two pieces, "mach die Tür auf"."""
# fmt: on


def affirms(text: str) -> bool:
    """Whether it begins with a yes; what stands beside it is not judged."""
    return _after_yes(words(text)) is not None


def agrees(text: str, question: str, spoken: Collection[str], called: Sequence[str] = ()) -> bool:
    """A yes and nothing else, but perhaps words of the question.

    `spoken`: what the agent said itself, which may be its echo. `called`: the wake word, which may stand before.
    """
    said = words(text)
    if called and said[: len(called)] == tuple(called):
        said = said[len(called) :]
    beside = _after_yes(said)
    if beside is None or re.search("[?\uff1f\u061f]", text):
        return False
    yes = said[: len(said) - len(beside)]
    if set(spoken).issuperset(yes) and not set(spoken).isdisjoint(beside):
        return False
    granted = _GRANTED.sub("", " ".join(beside)).split()
    return _NOT.isdisjoint(beside) and _SARCASM.isdisjoint(granted) and _names_it(granted, question)


def _after_yes(said: tuple[str, ...]) -> tuple[str, ...] | None:
    """What stands behind the yes; None where there is none."""
    while said:
        yes = max((yes for yes in _YES if said[: len(yes)] == yes), key=len, default=None)
        if yes is not None:
            return said[len(yes) :]
        if said[0] not in _HESITANT:
            break
        said = said[1:]
    return None


def _names_it(beside: Sequence[str], question: str) -> bool:
    """Whether all this is of the question; and is all of it, where one could agree to a part."""
    joined = _SEPARATED.sub(r"\3\1en \2", " ".join(beside)).split()
    named, ours = ([word for word in in_digits(each) if word not in _BESIDE_YES] for each in (joined, deed(question)))
    if named and has_parts(question):
        return sorted(named) == sorted(ours)
    numbers = [[word for word in each if word.isdigit()] for each in (named, ours)]
    known = {*ours, *translated(ours)}
    is_named = any(set(unlocking(each, known)) <= known for each in (named, translated(named)))
    return is_named and (not numbers[0] or numbers[0] == numbers[1])
