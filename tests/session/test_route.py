"""Whose line a user gets next. `now` is what the test says."""

from cooee import settings
from cooee.agent import Refused
from cooee.events import Trouble
from cooee.retry import HOPELESS_S, STEADY_S
from cooee.session.ending import Ending
from cooee.session.route import Route

REFUSED = Refused("NON_EXISTENT_FUNCTION_CALLED", Trouble.SETTINGS)


def test_an_agent_that_took_its_settings_for_long_is_not_left_to_its_stand_in_for_one_refusal_of_them() -> None:
    config = settings.Session()
    route = Route(config, agents=2)
    now = 1000.0
    route.fail(0, Ending(REFUSED, held_s=STEADY_S + 1), now, breaks=1)
    assert route.next(now + config.backoff_first_s) == 0
    route.fail(0, Ending(REFUSED), now, breaks=1)
    assert route.next(now + HOPELESS_S - 1) == 1, "that was no accident"


def test_a_limit_that_is_reached_is_not_tried_again_however_long_the_line_held() -> None:
    route = Route(settings.Session(), agents=2)
    route.fail(0, Ending(Refused("used up", Trouble.LIMIT), held_s=3600.0), 0.0, breaks=1)
    assert route.next(HOPELESS_S - 1) == 1
