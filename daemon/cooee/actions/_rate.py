"""A runaway agent must not flap a relay."""

import math
from collections import deque

PERIOD_S = 60.0


class Rate:
    """Lets so many calls through in any minute."""

    def __init__(self, per_min: int) -> None:
        self._times: deque[float] = deque(maxlen=per_min)

    def wait_s(self, now: float) -> int:
        """0, and the call counts; or after how many seconds it may come again."""
        if len(self._times) == self._times.maxlen and now - self._times[0] < PERIOD_S:
            return max(1, math.ceil(self._times[0] + PERIOD_S - now))
        self._times.append(now)
        return 0
