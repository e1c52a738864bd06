"""The user's yes to one risky call: to a question that was put into words, in the user's own next turn, and once.

Nothing that the agent says or does stands for it, and whatever is unclear is a no: then the question is asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cooee import events as on

VALID_S = 30.0
"""The call has to come again within so long."""
UNHEARD_S = 1.0
"""A question that was cut off by more than this was not heard."""
REMEMBERED = 64


def _words(text: str) -> tuple[str, ...]:
    plain = text.casefold().replace("\u2019", "'")
    return tuple("".join(letter if letter.isalnum() or letter == "'" else " " for letter in plain).split())


# fmt: off
_YES = tuple(_words(yes) for yes in (
    "yes", "yeah", "yep", "yup", "sure", "absolutely", "definitely", "certainly", "affirmative", "confirmed",
    "of course", "do it", "please do", "go ahead", "please go ahead", "go for it", "i am sure", "i'm sure",
    "ja", "jawohl", "oui", "sí", "si", "sì",
))
_BESIDE_YES = frozenset(_words(
    "yes yeah yep sure please thanks thank you do it that go ahead now i i'm am really of course"
    " the a an my our bitte danke merci gracias grazie"
))
_NOT = frozenset(_words(
    "no not nope nah never don't dont won't can't cannot cancel without instead unless"
    " nein nicht kein keine non pas nee niet geen"
))
_HESITANT = frozenset(("oh", "ah", "um", "uh", "hm", "hmm", "well", "ok", "okay"))
_EITHER = frozenset(("or", "oder"))
_EMPTY = frozenset(_words(
    "do does you your yours i me my our we us it its this that these those really sure want wants would like should"
    " shall may can will is are be to the a an of in at by for with and please now use operate set turn switch"
    " der die das den dem des ein eine einen ich soll sie du wirklich zu im am"
))
# fmt: on


@dataclass(slots=True)
class _Doubt:
    """A call that waits for a yes. `spoken`: the agent's last words since, if they were this question."""

    call: on.Call
    question: str
    turn: int
    at: float
    spoken: frozenset[str] | None = None
    confirmed_in: int | None = None


class Consent:
    """Pure. `take` sees every event before it is dealt with; each call is shown to `covers` when it is to be done.

    True while a question waits for its yes: the user should be listened to. At most one does.
    """

    def __init__(self) -> None:
        self._begun: dict[str, on.Call] = {}
        self._doubt: _Doubt | None = None
        self._called: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self._doubt is not None

    def covers(self, call: on.Call, turn: int, now: float) -> bool:
        """Whether the user has said yes to just this; it is spent by asking."""
        is_meant = self._is_meant(call, turn, now)
        if is_meant:
            self._doubt = None
        self._begun.pop(call.id, None)
        self._begun[call.id] = call
        if len(self._begun) > REMEMBERED:
            del self._begun[next(iter(self._begun))]
        return is_meant

    def take(self, event: on.Event, turn: int, now: float) -> None:
        """`turn` is the one in which it happened. Never raises."""
        match event:
            case on.Heard(wake=str(word)):
                self._called = _words(word)
            case on.Acted():
                self._begun.pop(event.id, None)
            case on.Doubted():
                if call := self._begun.pop(event.id, None):
                    self._doubt = _Doubt(call, event.question, event.turn, now)
            case on.Withdrawn():
                self._withdraw(event.ids)
            case on.SessionUp() | on.SessionDown() | on.Muted() | on.Dismissed() | on.Forgotten() | on.PersonaChosen():
                self.drop()
            case _ if self._doubt is not None:
                self._weigh(event, self._doubt, turn, now)

    def drop(self) -> None:
        """The conversation is over, or another one: no yes in it counts for what was asked before."""
        self._begun.clear()
        self._doubt = None

    def _weigh(self, event: on.Event, doubt: _Doubt, turn: int, now: float) -> None:
        match event:
            case on.AgentText() if doubt.confirmed_in is None and event.text.strip():
                doubt.spoken = frozenset(_words(event.text)) if _asks(event.text, doubt.question) else None
            case on.Hushed() if event.dropped_s > UNHEARD_S and doubt.confirmed_in is None:
                self._doubt = None
            case on.UserStarted() if doubt.confirmed_in is not None:
                self._doubt = None
            case on.UserText():
                is_first = doubt.confirmed_in is None and turn > doubt.turn and now - doubt.at <= VALID_S
                is_yes = is_first and doubt.spoken is not None and self._is_yes(event.text, doubt, doubt.spoken)
                doubt.confirmed_in = turn
                self._doubt = doubt if is_yes else None

    def _withdraw(self, ids: tuple[str, ...]) -> None:
        for call_id in ids:
            self._begun.pop(call_id, None)
        if self._doubt is not None and self._doubt.call.id in ids:
            self._doubt = None

    def _is_meant(self, call: on.Call, turn: int, now: float) -> bool:
        doubt = self._doubt
        if doubt is None or doubt.confirmed_in != turn or now - doubt.at > VALID_S or call.arguments is None:
            return False
        return call.name == doubt.call.name and _same(call.arguments, doubt.call.arguments)

    def _is_yes(self, text: str, doubt: _Doubt, spoken: frozenset[str]) -> bool:
        """A yes and nothing else, but perhaps words of the question. What the agent said itself may be its echo."""
        words = _words(text)
        if self._called and words[: len(self._called)] == self._called:
            words = words[len(self._called) :]
        while words and words[0] in _HESITANT:
            words = words[1:]
        yes = max((yes for yes in _YES if words[: len(yes)] == yes), key=len, default=None)
        if yes is None or "?" in text:
            return False
        allowed = (_BESIDE_YES | frozenset(_words(doubt.question))) - _NOT
        if spoken.issuperset(yes):
            allowed -= spoken
        return allowed.issuperset(words[len(yes) :])


def _asks(text: str, question: str) -> bool:
    """Whether the last question in the text is about all that this one is about, and leaves nothing open."""
    sentence, about = _last_question(text), frozenset(_words(question))
    numbers = {word for word in about if _is_number(word)}
    named = about - numbers - _EMPTY
    if (sentence - about) & (_NOT | _EITHER):
        return False
    return bool(named) and named <= sentence and {word for word in sentence if _is_number(word)} <= numbers


def _last_question(text: str) -> frozenset[str]:
    sentence: list[str] = []
    found: list[str] = []
    for word in text.split():
        sentence.append(word)
        if word.rstrip("\"')»\u201d\u2019").endswith((".", "!", "?", "…")):
            found = sentence if "?" in word else found
            sentence = []
    return frozenset(_words(" ".join(found)))


def _is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON is: true is not 1. Without recursion, for an agent may nest as deep as it likes."""
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            if a.keys() != b.keys():
                return False
            pairs += [(a[key], b[key]) for key in a]
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pairs += zip(a, b, strict=True)
        elif isinstance(a, bool) is not isinstance(b, bool) or a != b:
            return False
    return True
