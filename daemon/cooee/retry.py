"""When something that failed may be tried again. Full jitter keeps many speakers from coming back at the same moment.

Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

import random
from collections.abc import Callable

from cooee.events import Trouble

STEADY_S = 30.0
"""A line that held for so long was a good one: the next wait starts from the beginning."""
HOPELESS_S = 600.0
"""What cannot succeed is tried this seldom, unless the user asks for it."""


class Retry:
    """Pure. `ready_at`: not before. `is_asked`: the agent itself named the time, and no hurry of the user's helps.

    `trouble`: why it failed last.
    """

    def __init__(self, first_s: float, most_s: float, jitter: Callable[[float, float], float] | None = None) -> None:
        self.ready_at = 0.0
        self.is_asked = False
        self.trouble: Trouble | None = None
        self._first_s, self._most_s = first_s, most_s
        self._jitter = jitter
        self._failures = 0

    def fail(
        self, now: float, trouble: Trouble | None = None, *, held_s: float = 0.0, asked_s: float | None = None
    ) -> None:
        """A line failed to come, or ended after `held_s`. `asked_s`: so long the agent wants to be left alone."""
        was_good = held_s > STEADY_S
        self._failures = 1 if was_good else self._failures + 1
        most_s = min(self._most_s, self._first_s * 2 ** min(self._failures - 1, 20))
        wait_s = (self._jitter or random.uniform)(0, most_s)
        self.trouble = trouble
        self.is_asked = asked_s is not None
        if asked_s is not None:
            wait_s = max(wait_s, asked_s)
        # Settings that a line lived by for long are not wrong: one more is tried as usual.
        elif trouble and trouble.is_hopeless and not (was_good and trouble is Trouble.SETTINGS):
            wait_s = HOPELESS_S
        self.ready_at = now + wait_s

    def hurry(self) -> None:
        """The user wants a line: begin anew, unless the agent asked us to wait."""
        self._failures = 0
        if not self.is_asked:
            self.ready_at = 0.0
