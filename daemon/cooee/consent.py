"""The user's yes to one risky call: to a question that was put into words, in the user's own next turn, and once.

Nothing that the agent says or does stands for it, and whatever is unclear is a no: then the question is asked again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cooee import events as on
from cooee.asking import asks, words
from cooee.yes import agrees

VALID_S = 30.0
"""The call has to come again within so long."""
UNHEARD_S = 1.0
"""A question that was cut off by more than this was not heard."""
REMEMBERED = 64
_MODEL = re.compile(r"^.*/(?=[^/]+$)|(?:_v\d+(?:\.\d+)*)?\.onnx$")
"""What a wake word of one's own has around its name: "/home/me/hey_house_v0.1.onnx"."""
SPOKEN_MOST = 2000
"""Who says more than so many characters does not ask."""


@dataclass(slots=True)
class _Doubt:
    """A call that waits for a yes. `spoken`: all that the agent has said since; `others`: asked in the same turn."""

    call: on.Call
    question: str
    turn: int
    at: float
    others: tuple[str, ...] = ()
    spoken: str = ""
    confirmed_in: int | None = None

    @property
    def is_asked(self) -> bool:
        return len(self.spoken) <= SPOKEN_MOST and asks(self.spoken, self.question, self.others)

    def agrees(self, text: str, called: tuple[str, ...]) -> bool:
        return self.is_asked and agrees(text, self.question, words(self.spoken), called)


class Consent:
    """Pure. `take` sees every event before it is dealt with; each call is shown to `covers` when it is to be done.

    True while a question waits for its yes: the user should be listened to. At most one does.
    """

    def __init__(self) -> None:
        self._begun: dict[str, on.Call] = {}
        self._doubt: _Doubt | None = None
        self._called: tuple[str, ...] = ()
        self._put: dict[str, int] = {}

    def __bool__(self) -> bool:
        return self._doubt is not None

    def covers(self, call: on.Call, turn: int, now: float) -> bool:
        """Whether the user has said yes to just this; it is spent by asking."""
        is_meant = self._is_meant(call, turn, now)
        if is_meant and self._doubt:
            self._put.pop(self._doubt.question, None)
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
                self._called = words(_MODEL.sub("", word))
            case on.Acted():
                self._begun.pop(event.id, None)
            case on.Doubted():
                if len(self._put) < REMEMBERED:
                    self._put.setdefault(event.question, event.turn)
                if call := self._begun.pop(event.id, None):
                    self._doubt = _Doubt(call, event.question, event.turn, now, self._others(event.turn))
            case on.Withdrawn():
                self._withdraw(event.ids)
            case on.SessionUp() | on.SessionDown() | on.Muted() | on.Dismissed() | on.Forgotten() | on.PersonaChosen():
                self.drop()
            case _ if self._doubt is not None:
                self._weigh(event, self._doubt, turn, now)

    def drop(self) -> None:
        """The conversation is over, or another one: no yes in it counts for what was asked before."""
        self._begun.clear()
        self._put.clear()
        self._doubt = None

    def has_failed(self, question: str, turn: int) -> bool:
        """Whether the same was to be asked before this turn, and no yes came of it."""
        return self._put.get(question, turn) < turn

    def _weigh(self, event: on.Event, doubt: _Doubt, turn: int, now: float) -> None:
        match event:
            case on.AgentText() if doubt.confirmed_in is None and event.text.strip():
                doubt.spoken = f"{doubt.spoken} {event.text}"[: SPOKEN_MOST + 1]
            case on.Hushed() if event.dropped_s > UNHEARD_S and doubt.confirmed_in is None:
                self._doubt = None
            case on.UserStarted() if doubt.confirmed_in is not None:
                self._doubt = None
            case on.UserText():
                is_first = doubt.confirmed_in is None and turn > doubt.turn and now - doubt.at <= VALID_S
                is_yes = is_first and doubt.agrees(event.text, self._called)
                doubt.confirmed_in = turn
                self._doubt = doubt if is_yes else None

    def _withdraw(self, ids: tuple[str, ...]) -> None:
        for call_id in ids:
            self._begun.pop(call_id, None)
        if self._doubt is not None and self._doubt.call.id in ids:
            self._doubt = None

    def _others(self, turn: int) -> tuple[str, ...]:
        doubt = self._doubt
        return (*doubt.others, doubt.question)[-REMEMBERED:] if doubt is not None and doubt.turn == turn else ()

    def _is_meant(self, call: on.Call, turn: int, now: float) -> bool:
        doubt = self._doubt
        if doubt is None or doubt.confirmed_in != turn or now - doubt.at > VALID_S or call.arguments is None:
            return False
        return call.name == doubt.call.name and _same(call.arguments, doubt.call.arguments)


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
