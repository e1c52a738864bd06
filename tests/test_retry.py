"""When an agent is tried again, on a time line of the test's own."""

import pytest

from cooee.events import Trouble
from cooee.retry import HOPELESS_S, STEADY_S, Retry


def most(least: float, most: float) -> float:
    assert least == 0
    return most


def waits(retry: Retry, count: int, **failure: float) -> list[float]:
    found = []
    for _ in range(count):
        retry.fail(100.0, Trouble.NETWORK, **failure)
        found.append(retry.ready_at - 100.0)
    return found


def test_each_failure_doubles_the_wait_up_to_a_limit() -> None:
    assert waits(Retry(0.5, 4.0, most), 6) == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_a_thousand_failures_are_no_overflow() -> None:
    assert waits(Retry(0.5, 30.0, most), 2000)[-1] == 30.0


def test_a_line_that_held_begins_anew() -> None:
    retry = Retry(0.5, 30.0, most)
    waits(retry, 5)
    assert waits(retry, 1, held_s=STEADY_S + 1) == [0.5]


def test_the_jitter_is_full() -> None:
    found = {round(wait, 3) for wait in waits(Retry(10.0, 10.0), 200)}
    assert min(found) < 2 and max(found) > 8 and len(found) > 100


@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if trouble.is_hopeless])
def test_what_cannot_succeed_is_tried_seldom_unless_the_user_asks(trouble: Trouble) -> None:
    retry = Retry(0.5, 30.0, most)
    retry.fail(100.0, trouble)
    assert retry.ready_at == 100.0 + HOPELESS_S
    retry.hurry()
    assert retry.ready_at == 0.0


def test_no_hurry_of_the_users_cuts_short_what_the_agent_asked_for() -> None:
    retry = Retry(0.5, 30.0, most)
    retry.fail(100.0, Trouble.BUSY, asked_s=7.0)
    retry.hurry()
    assert retry.ready_at == 107.0
