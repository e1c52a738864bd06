"""Whose line is next, and when: the agent that is wanted, or its stand-in."""

from cooee import settings
from cooee.events import Trouble
from cooee.retry import Retry
from cooee.session.ending import Ending

PATIENCE_S = 8.0
"""A user who speaks is not kept waiting for longer without a word."""
ANOTHERS_TURN_S = 1.0
"""An agent that fails twice in one turn lets its stand-in try."""


class Route:
    """Pure. Agents are numbered, the wanted one first."""

    def __init__(self, settings: settings.Session, agents: int) -> None:
        self._agents = agents
        self.change(settings)

    def change(self, settings: settings.Session) -> None:
        """Go by these, and try anew what could not be had by the old ones."""
        self._keep_s = settings.keep_s
        self._retries = [Retry(settings.backoff_first_s, settings.backoff_most_s) for _ in range(self._agents)]

    @property
    def ready_at(self) -> float:
        """When the first of them may be tried."""
        return min(retry.ready_at for retry in self._retries)

    def next(self, now: float) -> int | None:
        """The first that may be tried."""
        return next((index for index in range(self._agents) if self.is_ready(index, now)), None)

    def is_ready(self, index: int, now: float) -> bool:
        return self._retries[index].ready_at <= now

    def hurry(self, now: float) -> None:
        """Somebody wants a line: the backoff of the only agent begins anew, and of all where none may be tried.

        Not for one that asked to be left alone.
        """
        if self._agents == 1 or self.next(now) is None:
            for retry in self._retries:
                retry.hurry()

    def is_closed(self, now: float) -> bool:
        """The only agent wants to be left alone for longer than a user waits."""
        retry = self._retries[0]
        return self._agents == 1 and retry.is_asked and retry.ready_at - now > PATIENCE_S

    @property
    def trouble(self) -> Trouble | None:
        """Of the wanted agent, when it failed last."""
        return self._retries[0].trouble

    def fail(self, index: int, ending: Ending, now: float, breaks: int = 0) -> None:
        """A line ended, or did not come. `breaks`: how many lines in use broke in this turn of the user's."""
        retry = self._retries[index]
        retry.fail(now, ending.trouble, held_s=ending.held_s or 0.0, asked_s=ending.asked_s)
        if ending.is_sudden and breaks == 1:
            retry.ready_at = now  # somebody speaks, and it was good until now
        elif breaks > 1:
            retry.ready_at = max(retry.ready_at, now + ANOTHERS_TURN_S)

    def is_dead_end(self, ending: Ending, now: float) -> bool:
        """Nothing can be had until somebody does something."""
        return ending.is_hopeless and self.next(now) is None

    def is_needless(self, ending: Ending) -> bool:
        """A line that was lost while nobody spoke is not worth its money, unless there is always to be one."""
        return ending.held_s is not None and self._keep_s is not None
