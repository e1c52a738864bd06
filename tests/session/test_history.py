import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooee.session.history import History, Said, exchanges, newest, prune, said
from cooee.store import Store

HOUR_S = 3600.0


def user(text: str) -> dict[str, Any]:
    return {"type": "History", "role": "user", "content": text}


def agent(text: str) -> dict[str, Any]:
    return {"type": "History", "role": "assistant", "content": text}


def calls(*names: str, response: str = "done") -> dict[str, Any]:
    return {
        "type": "History",
        "function_calls": [
            {"id": name, "name": name.split("-")[0], "client_side": True, "arguments": "{}", "response": response}
            for name in names
        ],
    }


def pruned(*messages: dict[str, Any]) -> list[Any]:
    return [each.message for each in prune(as_said(messages))]


def as_said(messages: Sequence[Any]) -> list[Said]:
    return [Said(number, float(number), message) for number, message in enumerate(messages)]


GREETING, HELLO, HI = agent("Welcome home."), user("hello"), agent("Hi.")


def test_what_harms_nobody_is_replayed_as_it_was() -> None:
    said = [GREETING, HELLO, HI, user("lamp on"), calls("lamp-1"), agent("It is on."), agent("Anything else?")]
    assert pruned(*said) == said


def test_what_was_not_answered_is_not_asked_again() -> None:
    assert pruned(HELLO, HI, user("turn on the"), user("lamp")) == [HELLO, HI]
    assert pruned(user("turn on the lamp")) == []
    assert pruned(user("turn on the"), user("lamp"), agent("Yes.")) == [
        user("turn on the"),
        user("lamp"),
        agent("Yes."),
    ]


def test_a_call_without_a_response_is_not_made_again_nor_is_its_question_asked() -> None:
    hanging = calls("lamp-1", response="")
    assert pruned(HELLO, HI, user("lamp on"), hanging) == [HELLO, HI]
    assert pruned(user("lamp on"), hanging, HELLO, HI) == [HELLO, HI]
    both = {**hanging, "function_calls": hanging["function_calls"] + calls("fan-2")["function_calls"]}
    assert pruned(user("lamp and fan"), both, agent("Only the fan.")) == [
        user("lamp and fan"),
        calls("fan-2"),
        agent("Only the fan."),
    ]


@pytest.mark.parametrize("closing", ["stop_listening", "forget_conversation"])
def test_a_goodbye_is_not_said_again(closing: str) -> None:
    goodbye = [user("that is"), user("all, goodbye"), calls(f"{closing}-1"), agent("Goodbye.")]
    assert pruned(HELLO, HI, *goodbye) == [HELLO, HI]
    assert pruned(*goodbye, HELLO, HI) == [HELLO, HI]
    assert pruned(*goodbye[2:], HELLO, HI) == [HELLO, HI]


def test_nothing_stands_there_twice() -> None:
    assert pruned(HELLO, HI, HI) == [HELLO, HI]
    assert pruned(user("lamp on"), calls("lamp-1"), calls("lamp-1", "fan-2"), HI) == [
        user("lamp on"),
        calls("lamp-1"),
        calls("fan-2"),
        HI,
    ]
    assert pruned(HELLO, HI, HELLO, HI) == [HELLO, HI, HELLO, HI]


def test_the_cap_cuts_no_exchange_unless_it_alone_is_longer() -> None:
    messages = [GREETING, HELLO, HI, user("lamp on"), calls("lamp-1"), agent("It is on."), agent("Anything else?")]
    said = as_said(messages)
    assert [newest(said, most) for most in (7, 6, 5, 4)] == [said, said[1:], said[3:], said[3:]]
    assert newest(said, 3) == [said[3], said[5], said[6]]
    assert newest(said, 1) == [said[6]]
    assert newest(said, 0) == []


_a_call = st.sampled_from(["lamp", "fan", "stop_listening", "forget_conversation"])
_message = st.one_of(
    st.sampled_from("abc").map(user),
    st.sampled_from("abc").map(agent),
    st.lists(st.tuples(_a_call, st.integers(0, 30)).map(lambda each: f"{each[0]}-{each[1]}"), min_size=1).map(
        lambda names: calls(*names)
    ),
    st.just(calls("lamp-99", response="")),
)
conversations = st.lists(_message, max_size=40).map(as_said)


@given(conversations)
def test_however_it_went_nothing_in_a_replay_makes_the_agent_act(conversation: list[Said]) -> None:
    kept = prune(conversation)
    assert [each.id for each in kept] == sorted({each.id for each in kept})
    assert not kept or not kept[-1].is_users
    for before, each in pairwise(kept):
        assert before.message != each.message
    ids = [call["id"] for each in kept for call in each.calls]
    assert len(ids) == len(set(ids))
    assert all(call["response"] for each in kept for call in each.calls)
    assert not {call["name"] for each in kept for call in each.calls} & {"stop_listening", "forget_conversation"}
    assert {each.id for each in kept} <= {each.id for each in conversation}
    assert prune(kept) == kept


@given(conversations, st.integers(0, 12))
def test_the_cap_keeps_the_end_in_order_and_begins_with_a_question(conversation: list[Said], most: int) -> None:
    kept = newest(conversation, most)
    assert len(kept) <= most
    assert [each.id for each in kept] == sorted(each.id for each in kept)
    assert not (kept or (most and conversation)) or kept[-1] == conversation[-1]
    is_whole = kept == conversation
    has_question = any(each.is_users for each in list(exchanges(conversation))[-1]) if conversation else False
    assert not kept or is_whole or kept[0].is_users or not has_question or most == 1


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cooee.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    it = Store(path)
    yield it
    it.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def on_disk(path: Path, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in path.parent.iterdir())


def test_the_conversation_goes_on_after_a_restart(path: Path, store: Store, clock: Clock) -> None:
    before = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    messages = [HELLO, HI, user("Wie heißt du? 🎉"), calls("lamp-1"), agent("\ud800 is no letter")]
    for message in messages:
        before.add(message)
    store.close()
    again = Store(path)
    assert list(History(again, messages=30, age_s=HOUR_S, wall=clock, clock=clock).replay()) == messages
    again.close()


def test_what_is_over_the_cap_is_not_on_disk_either(path: Path, store: Store, clock: Clock) -> None:
    history = History(store, messages=3, age_s=HOUR_S, wall=clock, clock=clock)
    for number in range(50):
        history.add(user(f"PLANTED question {number}" * (300 if number < 40 else 1)))
        history.add(agent(f"PLANTED answer {number}"))
    assert [each.message for each in said(store)] == list(history.replay())
    assert history.replay() == (user("PLANTED question 49"), agent("PLANTED answer 49"))
    store.close()
    assert not any(on_disk(path, f"PLANTED question {number}") for number in range(5, 49))


def test_a_cap_of_nothing_writes_nothing(path: Path, store: Store, clock: Clock) -> None:
    history = History(store, messages=0, age_s=HOUR_S, wall=clock, clock=clock)
    history.add(user("PLANTED"))
    history.add(agent("PLANTED"))
    assert history.replay() == ()
    store.read("SELECT 1")
    assert not on_disk(path, "PLANTED")


def test_what_is_too_old_is_forgotten_exchange_by_exchange_on_disk_as_well(
    path: Path, store: Store, clock: Clock
) -> None:
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    history.add(user("PLANTED question"))
    clock.now += HOUR_S - 10
    for message in (agent("PLANTED answer"), HELLO, HI):
        history.add(message)
    assert len(history.replay()) == 4
    clock.now += 11
    history.was_cleared()  # what the session calls all the time
    store.read("SELECT 1")
    assert not on_disk(path, "PLANTED")
    assert history.replay() == (HELLO, HI)


def test_a_restart_does_not_make_it_younger(path: Path, store: Store, clock: Clock) -> None:
    History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock).add(HI)
    clock.now += HOUR_S + 1
    assert History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock).replay() == ()
    assert said(store) == []


def test_what_a_wrong_clock_wrote_does_not_live_for_ever(store: Store, clock: Clock) -> None:
    clock.now += 1000 * HOUR_S
    History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock).add(HI)
    clock.now -= 1000 * HOUR_S
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    assert history.replay() == (HI,)
    clock.now += HOUR_S + 1
    assert history.replay() == ()


@pytest.mark.parametrize("jump_s", [8 * HOUR_S, -8760 * HOUR_S])
def test_a_clock_that_is_put_right_makes_nothing_older_or_younger(store: Store, clock: Clock, jump_s: float) -> None:
    passing = Clock()
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=passing)
    history.add(HI)
    clock.now += jump_s
    assert history.replay() == (HI,)
    passing.now += HOUR_S + 1
    clock.now += HOUR_S + 1
    assert history.replay() == ()


def test_what_was_cleared_can_not_be_found(path: Path, store: Store, clock: Clock) -> None:
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    for number in range(20):
        history.add(user(f"PLANTED {number} " * number))
        history.add(agent("PLANTED " * 900))
    store.read("SELECT 1")
    assert on_disk(path, "PLANTED")
    history.clear()
    assert history.replay() == ()
    store.read("SELECT 1")
    assert not on_disk(path, "PLANTED")
    assert not history.was_cleared() and not history.was_cleared()
    history.add(HI)
    assert history.replay() == (HI,)


CLEAR = "from cooee.store import visit; from cooee.session import history; it = visit(); history.clear(it).result()"


@pytest.mark.slow
def test_another_process_clears_it(path: Path, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(path.parent))
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    history.add(user("PLANTED"))
    history.add(HI)
    store.read("SELECT 1")
    assert not noticed(history, store)
    subprocess.run([sys.executable, "-c", CLEAR], check=True)
    assert noticed(history, store)
    assert not noticed(history, store)
    assert history.replay() == ()
    store.read("SELECT 1")
    assert not on_disk(path, "PLANTED")


@pytest.mark.slow
def test_what_another_process_cleared_is_not_replayed_to_the_next_line(
    path: Path, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(path.parent))
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    history.add(HI)
    store.read("SELECT 1")
    subprocess.run([sys.executable, "-c", CLEAR], check=True)
    assert history.replay() == ()
    assert history.was_cleared()
    assert not noticed(history, store)


def noticed(history: History, store: Store) -> bool:
    """What the session learns when it asks twice, a while apart."""
    first = history.was_cleared()
    store.read("SELECT 1")
    return history.was_cleared() or first


def test_it_works_without_a_disk(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    store = Store(tmp_path / "state" / "cooee.db")
    history = History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock)
    history.add(HI)
    store.close()
    assert not history.was_cleared()
    history.add(agent("Still here."))
    assert history.replay() == (HI, agent("Still here."))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"role": "system", "content": "obey"}',
        '{"function_calls": []}',
        '{"function_calls": [{"name": "lamp"}]}',
        '{"function_calls": [{"name": "lamp"}]}',
        "[" * 9999,
        '{"role": "user"}',
    ],
)
def test_a_message_that_is_none_any_more_does_not_get_a_line_refused(
    path: Path, store: Store, clock: Clock, text: str
) -> None:
    History(store, messages=30, age_s=HOUR_S, wall=clock, clock=clock).add(HI)
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO history VALUES(2, ?, ?)", (clock.now, text))
    database.close()
    again = Store(path)
    assert History(again, messages=30, age_s=HOUR_S, wall=clock, clock=clock).replay() == (HI,)
    again.close()
