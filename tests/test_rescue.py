"""What a user in the middle of a turn notices of a line that breaks. `now` is what the test says."""

import pytest

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Phase
from cooee.events import Trouble
from cooee.floor import Floor
from cooee.outage import Outage
from cooee.rescue import MOST_BREAKS, Rescue
from cooee.settings import Conversation as Settings

RESET = on.SessionDown("reset", Trouble.NETWORK)


class Turn:
    """A floor with a line, in a turn of the user's at time 0."""

    def __init__(self, keep_s: float | None = 60.0) -> None:
        self.floor = Floor(Settings(connect_timeout_s=10, thinking_timeout_s=20), 48_000, keep_s, frozenset())
        self.outage = Outage()
        self.rescue = Rescue(self.floor, self.outage)
        self.rescue.line_is_up(0)
        self.floor.listen(0, is_new=True)
        self.floor.out.clear()

    def breaks(self, event: on.SessionDown = RESET, now: float = 0.0) -> list[Effect]:
        self.floor.out = []
        self.outage.take(event, now)
        self.rescue.line_is_down(event, now)
        return self.floor.out


def test_asleep_nobody_is_bothered_with_a_line_that_breaks() -> None:
    turn = Turn()
    turn.floor.sleep(0)
    assert turn.breaks() == []
    assert turn.floor.phase is Phase.OFFLINE


def test_a_line_that_was_let_go_is_no_outage() -> None:
    turn = Turn()
    turn.floor.sleep(0)
    assert turn.breaks(on.SessionDown("idle")) == []
    assert turn.floor.phase is Phase.ASLEEP


def test_what_was_said_is_not_given_up_before_the_line_broke_again_and_again() -> None:
    turn = Turn()
    for _ in range(MOST_BREAKS):
        assert turn.breaks() == [do.Connect()]
        turn.rescue.line_is_up(0)
    assert do.Tell(2, "lost") in turn.breaks()
    assert turn.floor.phase is Phase.OFFLINE


def test_breaks_that_were_overcome_are_not_held_against_the_next_turn() -> None:
    turn = Turn()
    for _ in range(MOST_BREAKS):
        turn.breaks()
        turn.rescue.line_is_up(0)
    turn.floor.listen(0, is_new=True)
    assert turn.breaks() == [do.Connect()]


def test_half_a_reply_is_owned_up_to_but_a_whole_one_is_not() -> None:
    for is_whole, said in ((False, [do.Tell(2, "lost")]), (True, [])):
        turn = Turn()
        turn.floor.speak(bytes(48_000), [], 0)
        if is_whole:
            turn.floor.finish(0)
        turn.breaks()
        turn.floor.out = []
        turn.floor.pass_on(1)
        assert [effect for effect in turn.floor.out if isinstance(effect, do.Tell)] == said


@pytest.mark.parametrize(
    ("keep_s", "trouble", "is_left"),
    [(60.0, Trouble.NETWORK, True), (None, Trouble.NETWORK, False), (None, Trouble.KEY, True)],
)
def test_an_endless_line_is_tried_on_unless_that_cannot_help(
    keep_s: float | None, trouble: Trouble, is_left: bool
) -> None:
    effects = Turn(keep_s).breaks(on.SessionDown("x", trouble, is_final=True))
    assert any(isinstance(effect, do.Disconnect) for effect in effects) is is_left


def test_an_agent_that_is_silent_is_told_from_one_that_is_out_of_reach() -> None:
    turn = Turn()
    turn.floor.think(0)
    turn.rescue.no_answer(20)
    assert do.Tell(turn.floor.turn, "no_answer") in turn.floor.out
    assert turn.floor.phase is Phase.ASLEEP and turn.floor.lease.is_up
    turn = Turn()
    turn.breaks()
    turn.rescue.no_answer(20)
    assert do.Tell(turn.floor.turn, "lost") in turn.floor.out
    assert turn.floor.phase is Phase.OFFLINE


def test_a_new_line_has_the_whole_time_to_think_again() -> None:
    turn = Turn()
    turn.floor.calls.confirm("what time is it", 1, 0)
    turn.floor.think(0)
    assert turn.breaks(now=19) == [do.Connect(), do.Ask(1, "what time is it")]
    turn.rescue.line_is_up(19.5)
    assert not turn.floor.patience.is_over(39) and turn.floor.patience.is_over(39.5)


def test_a_line_that_came_too_late_for_its_turn_is_not_paid_for_ever() -> None:
    turn = Turn(keep_s=60)
    turn.breaks()
    turn.rescue.no_answer(10)
    turn.rescue.line_is_up(20)
    assert turn.floor.phase is Phase.ASLEEP
    assert not turn.floor.lease.has_run_out(69) and turn.floor.lease.has_run_out(70)
