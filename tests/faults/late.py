"""How late the loop is that all scenarios share: what a busy machine takes from it is no fault of the speaker's."""

import asyncio
import bisect

PULSE_S = 0.02
LEAST_S = 0.005


class Lateness:
    """Knows nothing while nobody watches. `worst_s`: at once."""

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._at = [0.0]
        self._total_s = [0.0]

    @property
    def total_s(self) -> float:
        return self._total_s[-1]

    def between(self, began_at: float, ended_at: float) -> float:
        """Of this time, on the loop's clock, how much the loop did not have."""
        first, last = (bisect.bisect(self._at, at) - 1 for at in (began_at - PULSE_S, ended_at + PULSE_S))
        return self._total_s[last] - self._total_s[max(0, first)]

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PULSE_S
            await asyncio.sleep(PULSE_S)
            late_s = loop.time() - due
            if late_s > LEAST_S:
                self._at.append(loop.time())
                self._total_s.append(self._total_s[-1] + late_s)
                self.worst_s = max(self.worst_s, late_s)


lateness = Lateness()
