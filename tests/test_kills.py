"""kill -9 at random moments; begun with the tests, looked at when they are through.

COOEE_KILLS says how often, 100 times if nothing does.
"""

import pytest

from beside import Beside

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


def test_a_hundred_kills_lose_no_finished_turn_and_fire_nothing_twice(killing: Beside) -> None:
    found = killing.join()
    print(found)
    assert found["finished"] > found["kills"] / 4, "else nothing was tested"
