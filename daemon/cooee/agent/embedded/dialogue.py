"""The embedded agent's conversation: text in, what to say and which functions to ask for out. No clock, no socket."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cooee.agent.embedded import sayings
from cooee.agent.embedded.abilities import abilities
from cooee.agent.embedded.grammar import Grammar
from cooee.agent.embedded.tidy import plain, tidy
from cooee.agent.embedded.understood import Ambiguous, Asked, Call, Calls, Dismissed, Nothing, OutOfRange, Understood
from cooee.yes import affirms

PENDING_S = 30.0
_NO = re.compile(r"^(?:no|nope|nah|don't|do not|better not|cancel|stop)(?: .*)?$")


@dataclass(frozen=True, slots=True)
class Request:
    """A function to be asked of the client; `arguments` as the protocol wants them, a JSON object in a string."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What to do next: speak (if there is anything to say) and ask for functions."""

    say: str = ""
    requests: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pending:
    """A question of ours: for a missing value (`call`), for one of several (`options`), or for a yes (`confirm`).

    The yes is for the first one of `confirm`; the others have to be asked about, too.
    """

    since_s: float
    call: Call | None = None
    options: tuple[tuple[str, Call], ...] = ()
    confirm: tuple[Call, ...] = ()


class Dialogue:
    """One conversation. `new_id` gives a fresh id for each function call."""

    def __init__(self, grammar: Grammar, new_id: Callable[[], str], history: Iterable[Mapping[str, Any]] = ()) -> None:
        self._grammar = grammar
        self._new_id = new_id
        self._pending: _Pending | None = None
        self._after: tuple[Call, ...] = ()
        self._first: tuple[str, ...] = ()
        self._open: dict[str, Call] = {}
        self._results: dict[str, str] = {}
        self._refusals = 0
        self._it: str | None = None
        self.history: deque[Mapping[str, Any]] = deque(maxlen=200)
        for message in history:
            self._recall(message)

    @property
    def waiting(self) -> tuple[Request, ...]:
        """The calls that have no result yet."""
        return tuple(_request(id_, call) for id_, call in self._open.items() if id_ not in self._results)

    def use(self, grammar: Grammar) -> None:
        """From now on these functions; a question about the old ones is dropped."""
        self._grammar, self._pending = grammar, None

    def understands(self, text: str) -> bool:
        """Whether the text is an answer to our question or something that can be done."""
        return self._answer(text) is not None or not isinstance(self._grammar.parse(text, self._it), Nothing)

    def heard(self, text: str, now_s: float, clock: datetime) -> Reply:
        """A turn of the user's. `now_s` is any steady time, `clock` what a clock on the wall shows."""
        if self._pending and now_s - self._pending.since_s > PENDING_S:
            self._pending = None
        found = self._answer(text) or self._grammar.parse(text, self._it)
        asked, self._pending = self._pending, None
        if isinstance(found, Dismissed) and asked:
            return self._declined(asked.confirm[1:], now_s)
        return self._acted(found, now_s, clock)

    def answered(self, id_: str, content: str, now_s: float) -> Reply | None:
        """A function's result; None for an unknown id and until all results of the turn are there."""
        if id_ not in self._open or id_ in self._results:
            return None
        self._results[id_] = content
        return None if self.waiting else self._concluded(now_s)

    def overdue(self, now_s: float) -> Reply | None:
        """Nobody answers any more: say so for each call that is still open."""
        for request in self.waiting:
            self._results[request.id] = f"{self._thing(request.name)} did not answer."
        return self._concluded(now_s) if self._open else None

    def said(self, role: str, content: str) -> Mapping[str, Any]:
        """Keep a sentence of either side's; the message to be sent as History."""
        self.history.append({"type": "History", "role": role, "content": content})
        return self.history[-1]

    def done(self, id_: str, content: str) -> Mapping[str, Any] | None:
        """Keep a call with its result; the message to be sent as History, None for an id that is not waited for."""
        request = next((request for request in self.waiting if request.id == id_), None)
        if request is None:
            return None
        call = {
            "id": id_,
            "name": request.name,
            "client_side": True,
            "arguments": request.arguments,
            "response": content,
        }
        self.history.append({"type": "History", "function_calls": [call]})
        return self.history[-1]

    def interrupted(self) -> tuple[Request, ...]:
        """The user speaks again: forget the calls under way, and say which they were."""
        waiting = self.waiting
        self._open.clear()
        self._results.clear()
        self._after = self._first = ()
        return waiting

    def _acted(self, found: Understood, now_s: float, clock: datetime) -> Reply:
        match found:
            case Calls(calls):
                return self._called(calls, now_s)
            case Ambiguous(options):
                self._pending = _Pending(now_s, options=options)
                return Reply(sayings.which_one(found))
            case OutOfRange(name=name):
                return Reply(sayings.out_of_range(self._grammar.skills[name], found))
            case Asked(about):
                return Reply(self._told(about, clock))
            case Dismissed(call):
                return self._called((call,), now_s) if call else Reply("Okay.")
            case Nothing():
                self._refusals += 1
                return Reply(sayings.unable(self._grammar.skills.values(), again=self._refusals > 1))

    def _told(self, about: str, clock: datetime) -> str:
        if about == "help":
            return abilities(self._grammar.skills.values())
        return sayings.time_of_day(clock) if about == "time" else sayings.date(clock)

    def _called(self, calls: tuple[Call, ...], now_s: float) -> Reply:
        """Ask for the complete ones now, and for what is missing in the first of the others."""
        complete = tuple(call for call in calls if not call.missing)
        wanting = tuple(call for call in calls if call.missing)
        self._it = calls[-1].name
        if not complete:
            return Reply(self._ask(wanting[0], now_s))
        self._after = wanting[:1]
        new = {self._new_id(): call for call in complete}
        self._open |= new
        return Reply(requests=tuple(_request(id_, call) for id_, call in new.items()))

    def _ask(self, call: Call, now_s: float) -> str:
        self._pending = _Pending(now_s, call=call)
        return sayings.question(self._grammar.skills[call.name], call.missing[0])

    def _answer(self, text: str) -> Understood | None:
        """What the text says to our question, unless it is a whole command of its own or no answer."""
        pending = self._pending
        if pending is None:
            return None
        if pending.confirm:
            said = self._grammar.unaddressed(text)
            return Calls(pending.confirm) if affirms(said) else Dismissed() if _NO.match(plain(tidy(said))) else None
        direct = self._grammar.parse(text, self._it)
        if isinstance(direct, Dismissed | Asked) or (isinstance(direct, Calls) and not direct.calls[0].missing):
            return direct
        if pending.options:
            chosen = self._grammar.choose(pending.options, text)
            if len(pending.options) == 1 and affirms(self._grammar.unaddressed(text)):
                chosen = pending.options[0][1]
            return Calls((chosen,)) if chosen else None
        filled = self._grammar.fill(pending.call, text) if pending.call else None
        return filled if filled is None or isinstance(filled, OutOfRange) else Calls((filled,))

    def _declined(self, others: tuple[Call, ...], now_s: float) -> Reply:
        """That one is not done; the others are asked about in their turn."""
        if not others:
            return Reply("All right.")
        self._first = ("All right.",)
        return self._called(others, now_s)

    def _concluded(self, now_s: float) -> Reply:
        """What was done, and then one question: the client's last one, for it takes a yes to no other."""
        unsure = [id_ for id_, content in self._results.items() if _is_question(content)]
        done = [id_ for id_ in self._open if id_ in self._results and id_ not in unsure]
        said = [*self._first, *(sayings.result(self._results[id_]) for id_ in (*done, *unsure[-1:]))]
        if unsure:
            call = self._open[unsure[-1]]
            others = (self._open[id_] for id_ in unsure[:-1])
            self._pending = _Pending(now_s, confirm=(call, *(other for other in others if other != call)))
        elif self._after:
            said.append(self._ask(self._after[0], now_s))
        self._open.clear()
        self._results.clear()
        self._after = self._first = ()
        return Reply(" ".join(dict.fromkeys(said)))

    def _thing(self, name: str) -> str:
        skill = self._grammar.skills.get(name)
        return f"The {skill.names.label}" if skill else "It"

    def _recall(self, message: Mapping[str, Any]) -> None:
        """Of an earlier line, keep the messages, and what was talked of last, for "turn it off"."""
        self.history.append(message)
        calls = message.get("function_calls")
        if isinstance(calls, list) and calls and isinstance(calls[-1], Mapping):
            self._it = str(calls[-1].get("name"))


def _request(id_: str, call: Call) -> Request:
    return Request(id_, call.name, json.dumps(dict(call.arguments)))


def _is_question(content: str) -> bool:
    return sayings.result(content).endswith("?")
