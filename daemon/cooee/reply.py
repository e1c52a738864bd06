"""How far the agent's reply has come: it arrives faster than it plays, and goes on arriving after it was hushed."""

from cooee import effects as do
from cooee.effects import Effect

GAP_S = 3.0
"""A reply whose end was never announced is taken as over when nothing has come for so long after its last sample."""

MOST_S = 600.0
"""More than this is not kept waiting for the loudspeaker: no agent talks for so long."""
CLIP_S = 5.0
"""No recorded sentence of ours is longer."""


class Reply:
    """Pure. `is_complete`: its end was announced. `is_stale`: it was hushed, and what still comes of it is dropped.

    `is_telling`: one of our own recorded sentences is being said. The methods return what is to be done.
    """

    def __init__(self, bytes_per_s: int) -> None:
        self.is_complete = self.is_stale = self.is_telling = False
        self._bytes_per_s = bytes_per_s
        self._ends_at = 0.0

    @property
    def overdue_at(self) -> float:
        """When its end, announced or not, must have sounded."""
        return self._ends_at + GAP_S

    def is_full(self, now: float) -> bool:
        """Whether so much of it waits already that what comes now is let go."""
        return self._ends_at - now > MOST_S

    def add(self, size_bytes: int, now: float) -> bool:
        """Take a piece; true if it begins a second reply behind one that is complete."""
        is_another, self.is_complete, self.is_telling = self.is_complete, False, False
        self._ends_at = max(self._ends_at, now) + size_bytes / self._bytes_per_s
        return is_another

    def preface(self, turn: int, clips: list[str], now: float) -> list[Effect]:
        """Sentences of ours that are heard before it."""
        self._ends_at = max(self._ends_at, now) + CLIP_S * len(clips)
        return [do.Tell(turn, clip, is_preface=True) for clip in clips]

    def finish(self, turn: int, now: float) -> list[Effect]:
        """Its last piece has come, or must have."""
        self.is_complete = True
        self._ends_at = max(self._ends_at, now)
        return [do.Finish(turn)]

    def tell(self, turn: int, clip: str, *, is_preface: bool = False) -> list[Effect]:
        self.is_telling = True
        return [do.Tell(turn, clip, is_preface)]

    def hush(self, turn: int, *, is_speaking: bool) -> list[Effect]:
        """Stop whatever sounds; late pieces of a reply that `is_speaking` are stale."""
        if not (is_speaking or self.is_telling):
            return []
        if is_speaking:
            self.is_stale = not self.is_complete
            self.is_complete = False
            self._ends_at = 0.0
        self.is_telling = False
        return [do.Hush(turn)]

    def forget(self, *, is_owed: bool) -> None:
        """The turn is over; what comes of an owed one after all is no answer to the next turn."""
        self.is_complete = False
        self.is_stale = is_owed
