"""How long a person is waited for, and waits. `now` is what the test says."""

from cooee.patience import Patience
from cooee.settings import Conversation as Settings

LIMITS = Settings(
    connect_timeout_s=10,
    no_speech_timeout_s=6,
    utterance_limit_s=30,
    thinking_timeout_s=20,
    room_tail_s=0.5,
)


def waits(patience: Patience, now: float) -> float:
    """How long from `now` on, in steps of half a second; 1000 for ever."""
    return next((half / 2 for half in range(2000) if patience.is_over(now + half / 2)), 1000.0)


def test_who_woke_it_has_the_whole_time_for_a_first_word_once_he_can_be_heard() -> None:
    patience = Patience(LIMITS)
    patience.listen(0, is_up=False)
    assert waits(patience, 0) == 10
    patience.expect_words(9)
    assert waits(patience, 9) == 6


def test_a_line_that_comes_and_goes_takes_no_more_time_than_one_that_comes_late() -> None:
    patience = Patience(LIMITS)
    patience.listen(0, is_up=False)
    for now in (5, 10, 15):
        patience.reconnect(now)
        patience.expect_words(now)
    assert patience.is_over(16) and not patience.is_over(15.9)


def test_the_wake_word_said_again_never_shortens_the_wait() -> None:
    patience = Patience(LIMITS)
    patience.listen(0, is_up=True)
    patience.hear_out(1)
    patience.begin_anew(2)
    assert waits(patience, 2) == 29


def test_a_line_that_breaks_in_a_long_sentence_is_waited_for_as_long_as_any_line() -> None:
    patience = Patience(LIMITS)
    patience.listen(0, is_up=True)
    patience.hear_out(10)
    patience.reconnect(20)
    assert waits(patience, 20) == 10


def test_while_the_agent_thinks_a_new_line_takes_nothing_from_the_time_for_the_answer() -> None:
    patience = Patience(LIMITS)
    patience.listen(0, is_up=True)
    patience.think(15)
    patience.reconnect(34)
    assert waits(patience, 34) == 1


def test_who_may_go_on_without_the_wake_word_has_the_whole_time_after_the_echo() -> None:
    patience = Patience(LIMITS)
    patience.follow_up(0, 5)
    assert patience.is_echoing(0.4) and not patience.is_echoing(0.5)
    assert waits(patience, 0) == 5.5


def test_the_echo_of_the_last_reply_makes_no_one_deaf_to_the_wake_word() -> None:
    patience = Patience(LIMITS)
    patience.follow_up(0, 5)
    patience.listen(0.1, is_up=True)
    assert not patience.is_echoing(0.1)


def test_asleep_it_waits_for_nobody() -> None:
    patience = Patience(LIMITS)
    patience.listen(0, is_up=True)
    patience.rest()
    assert waits(patience, 0) == 1000
