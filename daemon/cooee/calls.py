"""Which of the agent's calls are under way. A call id fires once, whatever the agent repeats."""

from collections import deque

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect

REMEMBERED = 500


class Calls:
    """Pure. True while a call is under way, or the agent owes a reply to its result (`is_owed`)."""

    def __init__(self) -> None:
        self.is_owed = False
        self._pending: dict[str, None] = {}
        self._fired: deque[str] = deque(maxlen=REMEMBERED)

    def __bool__(self) -> bool:
        return bool(self._pending) or self.is_owed

    def ask(self, event: on.Asked, turn: int) -> list[Effect]:
        new = []
        for call in event.calls:
            if call.id not in self._fired:
                self._fired.append(call.id)
                self._pending[call.id] = None
                new.append(call)
        return [do.Act(turn, call) for call in new]

    def refuse(self, event: on.Asked) -> list[Effect]:
        """Nobody waits for these any more; the agent is told so in words."""
        sorry = "Nothing was done: the conversation is over."
        return [do.Answer(call.id, call.name, sorry) for call in event.calls]

    def withdraw(self, event: on.Withdrawn) -> list[Effect]:
        return [do.Drop(call_id) for call_id in event.ids if self._end(call_id)]

    def acted(self, event: on.Acted) -> list[Effect]:
        if not self._end(event.id):
            return []
        self.is_owed = True
        return [do.Answer(event.id, event.name, event.text)]

    def drop(self) -> list[Effect]:
        """The turn is over: stop what still runs."""
        ids = list(self._pending)
        self.forget()
        return [do.Drop(call_id) for call_id in ids]

    def forget(self) -> None:
        """The line that asked is gone: let them run, but nobody can be told."""
        self._pending.clear()
        self.is_owed = False

    def _end(self, call_id: str) -> bool:
        if call_id not in self._pending:
            return False
        del self._pending[call_id]
        return True
