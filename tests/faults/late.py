"""How late the loop is that all scenarios share: what a busy machine takes from it is no fault of the speaker's."""

import asyncio

PULSE_S = 0.02
LEAST_S = 0.005


class Lateness:
    """`total_s` so far, `worst_s` at once. Zero while nobody watches."""

    def __init__(self) -> None:
        self.total_s = self.worst_s = 0.0

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PULSE_S
            await asyncio.sleep(PULSE_S)
            late_s = loop.time() - due
            if late_s > LEAST_S:
                self.total_s += late_s
                self.worst_s = max(self.worst_s, late_s)


lateness = Lateness()
