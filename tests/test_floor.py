"""Who may speak and who is heard, as the floor passes. `now` is what the test says."""

import pytest

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Phase
from cooee.floor import YES_S, Floor
from cooee.settings import Conversation as Settings

VOICE = b"\x01\x02" * 1280
SILENCE = bytes(2560)
DOOR = on.Call("c1", "front_door")


def listening(**settings: object) -> Floor:
    """In a turn of the user's, on a line, with the gate open."""
    floor = Floor(Settings(**settings), 48_000, 60.0, frozenset())  # type: ignore[arg-type]
    floor.lease.is_up = True
    floor.listen(0, is_new=True)
    floor.gate.open()
    floor.out = []
    return floor


def speaking(**settings: object) -> Floor:
    floor = listening(**settings)
    floor.think(0)
    floor.speak(bytes(48_000), [], 0)
    floor.out = []
    return floor


def heard(floor: Floor, now: float = 0.0) -> list[Effect]:
    """What the agent gets of a word spoken in the room."""
    floor.out = []
    floor.hear(VOICE, now)
    return floor.out


def doubt(floor: Floor) -> None:
    floor.calls.confirm("open the front door", 1, 0)
    floor.calls.ask(on.Asked((DOOR,)), floor.turn, 0)
    doubted = on.Doubted(floor.turn, "c1", "front_door", "Do you really want the front door open?")
    floor.calls.consent.take(doubted, floor.turn, 0)
    floor.calls.acted(doubted, floor.turn)
    floor.calls.worded(doubted.question, "")


@pytest.mark.parametrize("follow_up_s", [0.0, 3.0])
def test_who_is_asked_for_a_yes_has_time_to_say_it_even_without_follow_ups(follow_up_s: float) -> None:
    floor = speaking(follow_up_s=follow_up_s, room_tail_s=0.0)
    doubt(floor)
    floor.finish(0)
    floor.pass_on(1)
    assert floor.phase is Phase.LISTENING
    assert not floor.patience.is_over(1 + YES_S - 0.1) and floor.patience.is_over(1 + YES_S)


def test_a_yes_takes_no_time_from_a_longer_follow_up() -> None:
    floor = speaking(follow_up_s=20.0, room_tail_s=0.0)
    doubt(floor)
    floor.finish(0)
    floor.pass_on(1)
    assert not floor.patience.is_over(20.9)


def test_nobody_is_listened_to_where_no_line_is_left() -> None:
    floor = speaking()
    floor.lease.is_up = False
    floor.finish(0)
    floor.pass_on(1)
    assert floor.phase is Phase.ASLEEP


def test_a_call_that_still_runs_is_waited_for_when_the_filler_has_been_heard() -> None:
    floor = speaking()
    floor.calls.confirm("turn on the lamp", 1, 0)
    floor.calls.ask(on.Asked((on.Call("c1", "lamp"),)), floor.turn, 0)
    floor.finish(0)
    floor.pass_on(1)
    assert floor.phase is Phase.THINKING


def test_a_second_stop_lets_nothing_through_of_what_the_first_one_cut() -> None:
    floor = speaking()
    floor.stop(0)
    floor.stop(0)
    assert floor.reply.is_stale


def test_the_end_of_a_cut_reply_lets_the_next_one_be_heard() -> None:
    floor = speaking()
    floor.stop(0)
    floor.finish(0)
    assert not floor.reply.is_stale
    assert not [effect for effect in floor.out if isinstance(effect, do.Finish)], "nothing is left to be finished"


def test_what_sounds_while_asleep_is_a_turn_of_its_own_and_cannot_end_the_last_one() -> None:
    floor = speaking(follow_up_s=0.0)
    floor.finish(0)
    floor.pass_on(1)
    last = floor.turn
    floor.speak(b"good evening", [], 5)
    floor.speak(b"everybody", [], 5)
    assert [effect.turn for effect in floor.out if isinstance(effect, do.Play)] == [last + 1, last + 1]


@pytest.mark.parametrize(
    ("barge_in", "gets"), [("wake", do.Send(1, SILENCE)), ("off", do.Send(1, SILENCE)), ("voice", do.Send(1, VOICE))]
)
def test_only_with_echo_cancellation_the_agent_hears_the_room_while_it_speaks(barge_in: str, gets: Effect) -> None:
    assert heard(speaking(barge_in=barge_in)) == [gets]


def test_who_has_let_go_of_the_button_is_heard_again_in_the_next_turn() -> None:
    floor = listening()
    floor.is_released = True
    assert heard(floor) == [do.Send(1, SILENCE)]
    floor.listen(1)
    assert heard(floor, 1) == [do.Send(2, VOICE)]


def test_changed_settings_hold_at_once_for_whoever_is_being_listened_to() -> None:
    floor = speaking(follow_up_s=5.0, room_tail_s=0.0)
    floor.change(Settings(follow_up_s=0.0), keep_s=None, harmless=frozenset({"thermometer"}))
    assert floor.lease.is_endless and floor.calls.harmless == {"thermometer"}
    floor.finish(0)
    floor.pass_on(1)
    assert floor.phase is Phase.ASLEEP


def test_asked_to_leave_it_says_its_last_word_and_listens_to_nobody_until_it_is_woken() -> None:
    floor = speaking()
    floor.is_leaving = True
    floor.finish(0)
    floor.pass_on(1)
    assert floor.phase is Phase.ASLEEP and heard(floor, 1) == []
    floor.listen(2, is_new=True)
    assert not floor.is_leaving


def test_nothing_is_unmuted_but_by_the_switch_that_mutes() -> None:
    floor = listening()
    floor.mute(0, is_switch=True)
    floor.mute(0)
    floor.unmute()
    assert [effect for effect in floor.out if isinstance(effect, do.Capture)] == [do.Capture(False)]
    floor.unmute(is_switch=True)
    assert floor.phase is Phase.ASLEEP and floor.out[-1] == do.Capture(True)
