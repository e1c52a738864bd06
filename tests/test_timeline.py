"""What counts as a turn, and what is written of it."""

import io
import json

import pytest
from rich.console import Console

from cooee.effects import Play, Tell
from cooee.events import Heard, Spoken, UserText
from cooee.timeline import Timeline


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def timeline(out: io.StringIO) -> Timeline:
    return Timeline(out, Console(file=io.StringIO()), lambda: 0)


def test_an_answer_is_a_turn(timeline: Timeline, out: io.StringIO) -> None:
    for at_s, item in enumerate((Heard(b"", wake="hey_jarvis"), UserText("hello"), Play(1, b"\0\0"), Spoken(1, 0.5))):
        timeline.watch(at_s, item)
    assert (timeline.wakes, timeline.turns) == (1, 1)
    assert json.loads(out.getvalue().splitlines()[-1]) == {"t": 3, "event": "reply_done"}


@pytest.mark.parametrize("clip", ["no_answer", "unreachable"])
def test_a_sentence_of_our_own_is_no_turn(timeline: Timeline, clip: str) -> None:
    for item in (Heard(b"", wake="hey_jarvis"), UserText("hello"), Tell(1, clip), Spoken(1, 0.5)):
        timeline.watch(0, item)
    assert timeline.turns == 0
    for item in (UserText("hello"), Play(2, b"\0\0"), Spoken(2, 0.5)):
        timeline.watch(0, item)
    assert timeline.turns == 1
