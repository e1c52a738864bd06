"""What the agent understood, and which of its calls wait for the user's turn, run, or are owed a reply.

Each call is answered, and answered once. When the line breaks, what was understood is not lost, and nothing that was
done is done again.
"""

from cooee import effects as do
from cooee import events as on
from cooee.consent import Consent
from cooee.effects import Effect

HOLD_S = 8.0
"""A call waits for the end of the user's turn for so long at most."""
INTERRUPTED = "That was interrupted; it is not known whether it was done."
NOT_CONFIRMED = "Nothing was done: the user had not finished speaking."
EXACTLY = "(Say exactly this question.)"
"""For an agent whose own wording of it was none that a yes could be taken to."""
TOO_LATE = "Nothing was done: the conversation is over."


class Calls:
    """Pure. True while a call waits or runs, or the agent owes a reply to its result (`is_owed`).

    `is_confirmed`: the user's turn is over, and calls need not wait for that.

    `harmless`: names of functions that move nothing, so that they need not wait for the end of the user's turn.
    """

    def __init__(self, harmless: frozenset[str] = frozenset()) -> None:
        self.harmless = harmless
        self.consent = Consent()
        self.is_owed = self.is_confirmed = False
        self._understood = ""
        self._held: dict[str, tuple[on.Call, int, float]] = {}
        self._running: dict[str, tuple[on.Call, float]] = {}
        self._early: set[str] = set()
        self._orphans: set[str] = set()
        self._results: dict[str, str] = {}
        self._worded: set[str] = set()
        self._is_excused = False

    def __bool__(self) -> bool:
        return bool(self._held or self._running) or self.is_owed

    def ask(self, event: on.Asked, turn: int, now: float) -> list[Effect]:
        """Act, or hold what must wait. A call that runs already is not begun again, also when a new line repeats it."""
        effects: list[Effect] = []
        for call in event.calls:
            if call.id in self._running or call.id in self._held:
                self._orphans.discard(call.id)
            elif self.is_confirmed or call.name in self.harmless:
                self._running[call.id] = call, now
                if not self.is_confirmed:
                    self._early.add(call.id)
                effects.append(do.Act(turn, call, self.consent.covers(call, turn, now)))
            else:
                self._held[call.id] = call, turn, now
        return effects

    def refuse(self, event: on.Asked, turn: int) -> list[Effect]:
        """Nobody waits for these any more; the agent is told so in words."""
        return [do.Answer(call.id, call.name, TOO_LATE, turn) for call in event.calls]

    def confirm(self, text: str, turn: int, now: float) -> list[Effect]:
        """The user has finished: what waited for that is done, and said."""
        self._understood = text
        self.is_confirmed = True
        self._early.clear()
        said = self._say_what_was_done(turn)
        held, self._held = self._held, {}
        self._running |= {call_id: (call, now) for call_id, (call, _, _) in held.items()}
        return said + [do.Act(turn, call, self.consent.covers(call, turn, now)) for call, turn, _ in held.values()]

    def withdraw(self, event: on.Withdrawn) -> list[Effect]:
        for call_id in event.ids:
            self._held.pop(call_id, None)
        return [do.Drop(call_id) for call_id in event.ids if self._running.pop(call_id, None) is not None]

    def acted(self, event: on.Acted | on.Doubted, turn: int) -> list[Effect]:
        text = event.question if isinstance(event, on.Doubted) else event.text
        if self._running.pop(event.id, None) is None:
            return []
        self._results[event.id] = text
        if event.id in self._orphans:
            return self._say_what_was_done(turn)
        self.is_owed = True
        is_repeated = isinstance(event, on.Doubted) and self.consent.has_failed(text, event.turn)
        return [do.Answer(event.id, event.name, f"{text} {EXACTLY}" if is_repeated else text, event.turn)]

    def tick(self, now: float, turn: int, filler: str, filler_after_s: float) -> list[Effect]:
        """Answer what waited too long, and excuse, once a turn, what takes long."""
        late = [call_id for call_id, (_, _, since) in self._held.items() if now - since > HOLD_S]
        effects = [self._not_done(call_id) for call_id in late]
        slow = any(now - since > filler_after_s for _, since in self._running.values())
        if slow and filler and not self._is_excused and not self._orphans:
            self._is_excused = True
            effects.append(do.Say(turn, filler))
        return effects

    def begin(self, *, is_new: bool) -> list[Effect]:
        """A turn of the user's, `is_new` once he speaks in it: nothing of an earlier one may still begin."""
        self.is_confirmed = self.is_confirmed and not is_new
        self._is_excused = False
        self._understood = ""
        self._results = {call_id: text for call_id, text in self._results.items() if call_id in self._orphans}
        self._worded.clear()
        self._early &= self._running.keys()
        return [self._not_done(call_id) for call_id in tuple(self._held)]

    def go_on(self) -> None:
        """The user speaks: what comes speculatively has to wait again."""
        self.is_confirmed = False

    def replied(self) -> None:
        """The agent speaks; but what it says may have been on its way before it knew of a result."""
        self._understood = ""
        for call_id in self._worded:
            self._results.pop(call_id, None)
        self._worded.clear()

    def worded(self, text: str, filler: str) -> None:
        """The agent's words: no result is owed a reply any more, but none is heard before their sound comes."""
        if text.strip() != filler.strip():
            self.is_owed = False
            self._worded |= self._results.keys() - self._orphans

    def lose_the_line(self) -> None:
        """Who asked is gone: what runs goes on, and its result is kept to be said on the next line.

        Unless it was asked for early, in a sentence that is not understood yet: that is said again, and asks anew.
        """
        self._held.clear()
        self._worded.clear()
        self.is_owed = False
        for call_id in self._early:
            self._running.pop(call_id, None)
            self._results.pop(call_id, None)
        self._early.clear()
        self._orphans = {*self._running, *self._results}

    def recover(self, turn: int) -> list[Effect] | None:
        """What the next line is told for this turn; None if nothing was understood yet, and is said again as it was."""
        if self._orphans and self.is_confirmed:
            return self._say_what_was_done(turn)
        return [do.Ask(turn, self._understood)] if self._understood else None

    def _say_what_was_done(self, turn: int) -> list[Effect]:
        """Not before all of it is done, nor while the user speaks: nobody would hear it."""
        done = [text for call_id, text in self._results.items() if call_id in self._orphans]
        if not (done and self.is_confirmed) or self._orphans & self._running.keys():
            return []
        self._orphans.clear()
        self.is_owed = True
        return [do.Say(turn, " ".join(done))]

    def drop(self) -> list[Effect]:
        """The turn is over: stop what still runs. An agent whose line stays is not left waiting."""
        effects: list[Effect] = [self._not_done(call_id) for call_id in tuple(self._held)]
        for call, _ in self._running.values():
            effects += [do.Drop(call.id), do.Answer(call.id, call.name, INTERRUPTED)]
        for each in (self._held, self._running, self._early, self._orphans, self._results, self._worded):
            each.clear()
        self.is_owed = False
        self.consent.drop()
        return effects

    def _not_done(self, call_id: str) -> Effect:
        call, turn, _ = self._held.pop(call_id)
        return do.Answer(call.id, call.name, NOT_CONFIRMED, turn)
