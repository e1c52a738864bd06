"""What becomes of the user's turn when the line to the agent comes, breaks, or never comes."""

from cooee import effects as do
from cooee import events as on
from cooee.effects import Phase
from cooee.floor import Floor
from cooee.outage import Outage

MOST_BREAKS = 3
"""A turn in which the line breaks more often than this is given up: the agent fails at this very sentence."""


class Rescue:
    """Pure. Moves the floor; the outage knows why there is no agent, and the sentence for it."""

    def __init__(self, floor: Floor, outage: Outage) -> None:
        self._floor, self._outage = floor, outage

    def line_is_up(self, now: float) -> None:
        floor = self._floor
        floor.lease.is_up = True
        if floor.phase is Phase.OFFLINE:
            floor.phase = Phase.ASLEEP
        elif floor.phase is Phase.LISTENING:
            floor.patience.expect_words(now)
        elif floor.phase is Phase.THINKING:
            floor.think(now)
        if not floor.is_awake:
            floor.lease.rest(now)

    def line_is_down(self, event: on.SessionDown, now: float) -> None:
        floor = self._floor
        was_up, floor.lease.is_up = floor.lease.is_up, False
        floor.calls.lose_the_line()
        if floor.phase is Phase.SPEAKING:
            floor.do(*(floor.calls.recover(floor.turn) or ()))
            floor.is_cut = event.trouble is not None and not floor.reply.is_complete
            floor.finish(now)
        elif floor.is_awake and event.is_final:
            self._give_up(self._outage.sentence(was_heard=False), now)
        elif was_up and floor.is_awake:
            self._recover(now)
        elif floor.phase is Phase.ASLEEP and event.trouble:
            floor.phase = Phase.OFFLINE

    def no_answer(self, now: float) -> None:
        """The user has waited long enough: for a line, or for an agent that has one and is silent."""
        if self._floor.lease.is_up:
            self._give_up("no_answer", now)
        else:
            self._give_up(self._outage.sentence(was_heard=self._floor.breaks > 0), now)

    def _give_up(self, clip: str, now: float) -> None:
        """Say once, in our own recorded voice, what is wrong; then rest."""
        floor, trouble = self._floor, self._outage.trouble
        floor.hush()
        floor.sleep(now)
        if clip != "no_answer":
            floor.phase = Phase.OFFLINE
            if not floor.lease.is_endless or (trouble and trouble.is_hopeless):
                floor.do(do.Disconnect(clip))
        floor.tell(clip)

    def _recover(self, now: float) -> None:
        """The line broke in the user's turn. What is not understood yet the session sends again by itself."""
        floor = self._floor
        floor.breaks += 1
        if floor.breaks > MOST_BREAKS:
            self._give_up(self._outage.sentence(was_heard=True), now)
            return
        floor.do(do.Connect())
        floor.patience.reconnect(now)
        if floor.phase is Phase.LISTENING or (told := floor.calls.recover(floor.turn)) is None:
            floor.phase = Phase.LISTENING
        else:
            floor.do(*told)
