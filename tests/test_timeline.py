"""What counts as a turn, and what is written of it."""

import io
import json

import pytest
from rich.console import Console

from cooee.effects import Ask, Phase, Play, Say, Show, Tell
from cooee.events import Heard, LimitNear, SessionDown, SessionUp, SettingsApplied, Spoken, Trouble, UserText, Warned
from cooee.timeline import Timeline


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def timeline(out: io.StringIO) -> Timeline:
    return Timeline(out, Console(file=io.StringIO()), lambda: 0)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_answer_is_a_turn(timeline: Timeline, out: io.StringIO) -> None:
    for at_s, item in enumerate((Heard(b"", wake="hey_jarvis"), UserText("hello"), Play(1, b"\0\0"), Spoken(1, 0.5))):
        timeline.watch(at_s, item)
    assert (timeline.wakes, timeline.turns) == (1, 1)
    assert json.loads(out.getvalue().splitlines()[-1]) == {"t": 3, "event": "reply_done"}


@pytest.mark.parametrize("clip", ["no_answer", "network"])
def test_a_sentence_of_our_own_is_no_turn(timeline: Timeline, clip: str) -> None:
    for item in (Heard(b"", wake="hey_jarvis"), UserText("hello"), Tell(1, clip), Spoken(1, 0.5)):
        timeline.watch(0, item)
    assert timeline.turns == 0
    for item in (UserText("hello"), Play(2, b"\0\0"), Spoken(2, 0.5)):
        timeline.watch(0, item)
    assert timeline.turns == 1


def test_behind_a_preface_comes_an_answer(timeline: Timeline, out: io.StringIO) -> None:
    for item in (UserText("hello"), Tell(1, "fallback", is_preface=True), Play(1, b"\0\0"), Spoken(1, 3.5)):
        timeline.watch(0, item)
    assert timeline.turns == 1
    assert {"t": 0, "event": "tell", "clip": "fallback", "is_preface": True} in lines(out)


def test_why_there_is_no_agent_is_told_until_there_is_one(timeline: Timeline, out: io.StringIO) -> None:
    timeline.watch(0, SessionDown("the key is not accepted", Trouble.KEY))
    timeline.watch(0, SessionDown("idle"))
    assert timeline.was_refused
    timeline.watch(0, SessionUp("id-1", is_fallback=True))
    timeline.watch(0, SettingsApplied())
    assert not timeline.was_refused
    assert lines(out) == [
        {"t": 0, "event": "session", "up": False, "reason": "the key is not accepted", "trouble": "key"},
        {"t": 0, "event": "session", "up": False, "reason": "idle"},
        {"t": 0, "event": "session", "up": True, "reason": "", "is_fallback": True},
        {"t": 0, "event": "settings_applied"},
    ]


def test_a_phase_that_goes_on_in_another_turn_is_told_once(timeline: Timeline, out: io.StringIO) -> None:
    for item in (Show(Phase.OFFLINE, turn=1), Show(Phase.OFFLINE, turn=2), Show(Phase.OFFLINE, "", Trouble.BUSY, 2)):
        timeline.watch(0, item)
    assert [(line["phase"], line.get("trouble")) for line in lines(out)] == [("offline", None), ("offline", "busy")]


def test_what_the_line_brings_besides_speech_is_told(timeline: Timeline, out: io.StringIO) -> None:
    for item in (Warned("SLOW_THINK"), LimitNear("day"), Ask(1, "what time is it"), Say(1, "Still at it.")):
        timeline.watch(0, item)
    told = [{key: value for key, value in line.items() if key != "t"} for line in lines(out)]
    assert told == [
        {"event": "warning", "code": "SLOW_THINK"},
        {"event": "limit_near", "scope": "day"},
        {"event": "ask", "text": "what time is it"},
        {"event": "say", "text": "Still at it."},
    ]
