"""Functions over a bad wire: each fires once at most, and each call is answered, in words."""

import sys
from typing import Any

import pytest

from fakes import Peer
from faults.bench import Bench, Row, bench
from faults.race import scenario
from faults.vendor import Doing, Vendor, call, calls, reply, say, then, wait

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def answers(count: int) -> Doing:
    """Wait until so many calls are answered."""

    async def waiting(vendor: Vendor, peer: Peer) -> None:
        await peer.until(lambda: len(peer.of("FunctionCallResponse")) >= count)

    return waiting


def fired(b: Bench) -> int:
    recorded = sys.modules.get("cooee.actions.recorded")
    return len(recorded.RECORDS.get(str(b.house.folder), ())) if recorded else 0


def answered(b: Bench, peer: int = -1) -> dict[str, str]:
    """The answers by the calls' ids; none is given twice on a line."""
    responses = b.server.peers[peer].of("FunctionCallResponse")
    assert len({each["id"] for each in responses}) == len(responses)
    return {each["id"]: each["content"] for each in responses}


async def turn(b: Bench) -> None:
    await b.house.say()
    await b.house.until("answer")
    await b.house.until("asleep")


@scenario
async def test_a_call_fires_and_is_answered() -> Row:
    async with bench(Vendor(then(say(calls(call("c1"))), answers(1), reply))) as b:
        await turn(b)
        assert fired(b) == 1 and answered(b) == {"c1": "The lamp is on."}
        return b.row()


@scenario
async def test_an_early_call_waits_for_the_end_of_the_users_turn() -> Row:
    """A server that calls before the user has finished finds nothing done until he has."""
    early = then(wait(0.2), say(calls(call("c1"))))
    async with bench(Vendor(then(answers(1), reply), began=early)) as b:
        b.fault("early call")
        await turn(b)
        names = [name for _, name in b.house.timeline]
        assert names.index("understood") < names.index("act lamp"), b.house.story()
        assert fired(b) == 1 and answered(b) == {"c1": "The lamp is on."}
        return b.row()


@scenario
async def test_cancelled_before_it_began() -> Row:
    gone = {"type": "FunctionCallCancelled", "functions": [{"id": "c1", "name": "lamp"}]}
    early = then(wait(0.2), say(calls(call("c1"))), wait(0.1), say(gone))
    async with bench(Vendor(reply, began=early)) as b:
        b.fault("cancel")
        await turn(b)
        assert fired(b) == 0 and answered(b) == {}
        return b.row()


@scenario
async def test_cancelled_while_it_runs() -> Row:
    gone = {"type": "FunctionCallCancelled", "functions": [{"id": "c1", "name": "lamp"}]}
    async with bench(
        Vendor(then(say(calls(call("c1"))), wait(0.5), say(gone), wait(0.3), reply)), lamp="takes_s = 3.0"
    ) as b:
        b.fault("cancel")
        await turn(b)
        assert fired(b) == 1 and answered(b) == {}
        assert "drop" in [name for _, name in b.house.timeline]
        return b.row()


@scenario
async def test_duplicated() -> Row:
    """Repeated while it runs, and after it was answered."""
    again = say(calls(call("c1")))
    async with bench(Vendor(then(again, again, answers(1), again, wait(0.5), reply)), lamp="takes_s = 0.3") as b:
        b.fault("duplicate")
        await turn(b)
        assert fired(b) == 1
        contents = {each["content"] for each in b.server.peers[-1].of("FunctionCallResponse")}
        assert contents == {"The lamp is on."}
        return b.row()


async def hang_up(vendor: Vendor, peer: Peer) -> None:
    peer.abort()


@scenario
async def test_duplicated_across_a_reconnect() -> Row:
    """The line breaks after the lamp was switched: the next one hears what was done, and it is not done again."""
    once = then(say(calls(call("c1"))), answers(1), hang_up)
    again = then(say(calls(call("c1"))), answers(1), reply)
    async with bench(Vendor(once), Vendor(again)) as b:
        b.fault("line breaks")
        await turn(b)
        assert fired(b) == 1, b.house.story()
        injected = [each["message"] for each in b.server.peers[-1].of("InjectAgentMessage")]
        assert injected == ["The lamp is on."] or answered(b) == {"c1": "The lamp is on."}, b.house.story()
        return b.row()


@scenario
async def test_the_line_breaks_while_it_runs() -> Row:
    """Its result is told on the next line."""
    once = then(say(calls(call("c1"))), wait(0.3), hang_up)
    async with bench(Vendor(once), Vendor(), lamp="takes_s = 1.0") as b:
        b.fault("line breaks")
        await turn(b)
        assert fired(b) == 1
        assert [each["message"] for each in b.server.peers[-1].of("InjectAgentMessage")] == ["The lamp is on."]
        return b.row()


BAD: dict[str, Any] = {
    "no JSON": "{oops",
    "a list": "[1]",
    "empty": "",
    "a number": "7",
    "deep": "[" * 50_000,
    "the wrong type": '{"on": "yes"}',
    "too much": '{"on": true, "colour": 1}',
    "no number": '{"on": NaN}',
    "none": None,
    "an object": {"on": 1},
}


@scenario
@pytest.mark.parametrize("what", BAD)
async def test_bad_arguments(what: str) -> Row:
    """Nothing moves, and the agent is told why in words."""
    asked = calls({**call("c1"), "arguments": BAD[what]})
    async with bench(Vendor(then(say(asked), answers(1), reply))) as b:
        b.fault(what)
        await turn(b)
        told = answered(b)["c1"]
        assert told.startswith("That did not work"), told
        assert fired(b) == 0
        return b.row()


@scenario
async def test_an_unknown_name() -> Row:
    async with bench(Vendor(then(say(calls(call("c1", "rocket"))), answers(1), reply))) as b:
        b.fault("unknown name")
        await turn(b)
        assert "no function rocket" in answered(b)["c1"]
        assert fired(b) == 0
        return b.row()


@scenario
async def test_30_at_once() -> Row:
    """In parallel: together they take as long as one. Each is answered, and says that it was done only if it was."""
    asked = calls(*(call(f"c{number}") for number in range(30)))
    async with bench(Vendor(then(say(asked), answers(30), reply)), lamp="takes_s = 1.0") as b:
        b.fault("30 at once")
        await b.house.say()
        began = await b.house.until("act lamp")
        took_s = await b.house.until("answer") - began
        done = [each for each in answered(b).values() if each == "The lamp is on."]
        assert len(answered(b)) == 30 and len(done) == fired(b) >= 20
        assert took_s < 5
        return b.row()


@scenario
async def test_a_hanging_one() -> Row:
    """The agent says something while it waits, and is told after the time limit that it was given up."""
    options = {"lamp": "takes_s = 60.0\ntime_limit_s = 2.0", "conversation": "filler_after_s = 0.5"}
    async with bench(Vendor(then(say(calls(call("c1"))), answers(1), reply)), **options) as b:
        b.fault("hangs")
        await turn(b)
        assert "longer than 2 seconds" in answered(b)["c1"]
        assert b.server.peers[-1].of("InjectAgentMessage")
        return b.row()


@scenario
async def test_calls_while_asleep_do_nothing() -> Row:
    """When nobody spoke, nothing moves."""
    async with bench(Vendor(then(reply, wait(1.0), say(calls(call("c1"))), answers(1)))) as b:
        await turn(b)
        b.fault("call while asleep")
        await b.server.peers[-1].until(lambda: b.server.peers[-1].of("FunctionCallResponse"))
        assert fired(b) == 0 and answered(b)["c1"].startswith("Nothing was done")
        return b.row()
