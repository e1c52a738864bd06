"""What the user is told of an outage, and how often."""

import pytest

from cooee import events as on
from cooee.events import Trouble
from cooee.outage import Outage


def after(*events: on.Event) -> Outage:
    outage = Outage()
    for event in events:
        outage.take(event, 0)
    return outage


STAND_IN = (on.SessionUp("r", is_fallback=True), on.SettingsApplied())
BACK = (on.SessionUp("r"), on.SettingsApplied())


def test_everything_that_is_missing_is_shown_until_it_is_found() -> None:
    outage = after(on.MicLost("No microphone."), on.SpeakerLost("No loudspeaker."))
    assert outage.fault == "No microphone. No loudspeaker."
    outage.take(on.MicFound("usb"), 0)
    assert outage.fault == "No loudspeaker."


def test_of_a_stand_in_the_user_hears_once_however_often_its_line_breaks() -> None:
    outage = after(on.SessionDown("x", Trouble.NETWORK), *STAND_IN)
    assert outage.preface(0) == ["fallback"]
    for event in (on.SessionDown("x", Trouble.NETWORK), *STAND_IN):
        outage.take(event, 0)
    assert outage.preface(0) == []


def test_of_the_next_outage_he_hears_again() -> None:
    outage = after(on.SessionDown("x", Trouble.NETWORK), *STAND_IN)
    outage.preface(0)
    for event in (*BACK, on.SessionDown("x", Trouble.NETWORK), *STAND_IN):
        outage.take(event, 0)
    assert outage.preface(0) == ["fallback"]


@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if trouble.is_hopeless])
def test_what_he_has_to_mend_himself_he_hears_even_while_a_stand_in_answers(trouble: Trouble) -> None:
    assert after(on.SessionDown("x", trouble), *STAND_IN).preface(0) == [trouble.value]


def test_a_trouble_that_gets_worse_while_the_stand_in_speaks_is_told_too() -> None:
    outage = after(on.SessionDown("x", Trouble.NETWORK), *STAND_IN)
    outage.preface(0)
    for event in (on.SessionDown("x", Trouble.KEY), *STAND_IN):
        outage.take(event, 0)
    assert outage.preface(0) == ["key"]


def test_that_the_limit_is_near_is_not_forgotten_when_an_outage_ends() -> None:
    outage = after(on.SessionDown("x", Trouble.NETWORK), *STAND_IN, on.LimitNear("day"), *BACK)
    assert outage.preface(0) == ["limit_near"], "and of the stand-in nobody needs to hear any more"


def test_that_two_limits_are_near_is_said_once() -> None:
    assert after(on.LimitNear("day"), on.LimitNear("month")).preface(0) == ["limit_near"]


@pytest.mark.parametrize(
    ("scopes", "said"), [(["day"], []), (["month"], ["limit_near"]), (["month", "day"], ["limit_near"])]
)
def test_that_a_days_limit_was_near_is_not_said_on_the_next_day(scopes: list[str], said: list[str]) -> None:
    outage = after(*(on.LimitNear(scope) for scope in scopes))
    assert outage.preface(9 * 3600) == said
    assert outage.preface(9 * 3600) == []


def test_a_line_that_ends_in_order_is_no_outage() -> None:
    assert after(on.SessionDown("idle")).trouble is None


@pytest.mark.parametrize("was_heard", [True, False])
@pytest.mark.parametrize("trouble", [None, *Trouble])
def test_the_sentence_says_what_to_do(trouble: Trouble | None, was_heard: bool) -> None:
    is_network = trouble in (None, Trouble.NETWORK)
    wanted = ("lost" if was_heard else "network") if is_network else trouble and trouble.value
    assert after(on.SessionDown("x", trouble)).sentence(was_heard=was_heard) == wanted
