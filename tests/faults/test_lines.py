"""What ends a line that was well: closes, resets, silence. The next line has the conversation, and every word."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fakes import Peer
from faults.bench import AGAIN, CONFIRMED, FAULT, LISTENS, REPLIES, WELL, Bench, Row, bench, follows
from faults.race import scenario
from faults.vendor import PIECE, Doing, Vendor, reply, say, text, then, wait

pytestmark = [pytest.mark.faults, pytest.mark.slow]

IDLE_S, IN_TURN_S = 10.0, 3.0
"""How soon a dead peer is noticed."""

Break = Callable[[Bench], Awaitable[object]]


async def cut(b: Bench) -> None:
    b.proxy.cut()


async def fin(b: Bench) -> None:
    b.proxy.fin()


async def freeze(b: Bench) -> None:
    b.proxy.freeze(only_open=True)


def close(code: int) -> Doing:
    async def closing(vendor: Vendor, peer: Peer) -> None:
        # 1005 is what one sees of a close frame that is empty.
        await peer.socket.close(code) if code != 1005 else await _close_empty(peer)

    return closing


async def _close_empty(peer: Peer) -> None:
    async with peer.socket.send_context():
        peer.socket.protocol.send_close()


CODES = (1000, 1001, 1005, 1008, 1011)


@scenario
@pytest.mark.parametrize("code", CODES, ids=str)
async def test_closed_while_the_user_speaks(code: int) -> Row:
    """Before the sentence was understood: it is said again on the next line, from its start."""
    async with bench(Vendor(began=then(wait(0.3), close(code))), Vendor()) as b:
        b.fault(f"close {code}")
        await b.house.answered(6)
        entries = [(at, "down" if name.startswith("down") else name) for at, name in b.house.timeline]
        follows(
            entries, (FAULT + f"close {code}", 1), *LISTENS, ("up", 1), ("down", 2), ("up", 1), *CONFIRMED, *REPLIES
        )
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("code", [1008, 1011], ids=str)
async def test_closed_again_and_again(code: int) -> Row:
    """A vendor that ends every line has a trouble, and not the network: that is what the user is told."""
    async with bench(Vendor(applied=close(code)), conversation="connect_timeout_s = 2.0") as b:
        b.fault(f"close {code}")
        await b.house.woken()
        await b.house.until("told")
        tells = [name for _, name in b.house.timeline if name.startswith("tell")]
        assert tells == ["tell vendor"], b.house.story()
        return b.row()


@scenario
@pytest.mark.parametrize("code", CODES, ids=str)
async def test_closed_while_idle(code: int) -> Row:
    """Nobody is there to notice; the next wake has a new line, which knows what was said on the last."""
    async with bench(Vendor(then(reply, wait(1.0), close(code))), Vendor()) as b:
        await b.house.answered()
        b.fault(f"close {code}")
        await asyncio.sleep(2)
        await b.house.answered()
        assert b.lost == 0
        settings = b.server.peers[-1].settings
        assert settings and len(settings["agent"]["context"]["messages"]) == 2
        assert "greeting" not in settings["agent"]
        return b.row()


@scenario
@pytest.mark.parametrize("broken", [cut, fin, freeze], ids=["RST", "FIN", "frozen"])
async def test_gone_while_the_user_speaks(broken: Break) -> Row:
    async with bench() as b:
        sentence = b.house.mouth.say(10)
        await b.house.until("up")
        await asyncio.sleep(1)
        b.fault("gone")
        await broken(b)
        await sentence.ended.wait()
        await b.house.until("asleep")
        steps = (*LISTENS, ("up", 1.0), (FAULT + "gone", 1.1), ("down network", IN_TURN_S), ("up", 1.0))
        follows(b.house.timeline, *steps, *CONFIRMED, *REPLIES)
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("broken", [cut, fin, freeze], ids=["RST", "FIN", "frozen"])
async def test_gone_while_it_thinks(broken: Break) -> Row:
    """The sentence was understood and its answer is lost: the next line is asked the same as text."""
    async with bench(Vendor(wait(60)), Vendor()) as b:
        await b.house.say()
        await b.house.until("thinking")
        b.fault("gone")
        await broken(b)
        await b.house.until("asleep")
        story = [each for each in b.house.timeline if each[1] not in ("thinking", "understood")]
        gone = ((FAULT + "gone", 5.0), ("down network", IN_TURN_S), ("ask", 0.1), ("up", 1.0))
        follows(story, *LISTENS, ("up", 1.0), *gone, *REPLIES)
        assert b.vendors[-1].asked == ["sentence 1"]
        return b.row()


@scenario
@pytest.mark.parametrize("broken", [cut, fin, freeze], ids=["RST", "FIN", "frozen"])
async def test_gone_while_it_replies(broken: Break) -> Row:
    """What has come of the reply is heard, and that the rest is lost."""
    half = say(text("assistant", "Well"), *[PIECE] * 4)
    async with bench(Vendor(then(half, wait(60))), Vendor()) as b:
        await b.house.say()
        await b.house.until("answer")
        b.fault("gone")
        await broken(b)
        await b.house.until("asleep")
        story = [each for each in b.house.timeline if each[1] != "up"]
        gone = ((FAULT + "gone", 0.3), ("down network", IN_TURN_S), ("tell lost", 1.0), ("asleep", 0.1))
        follows(story, *LISTENS, *CONFIRMED, *REPLIES[:2], *gone)
        await b.house.answered()
        assert b.lost == 0
        return b.row()


@scenario
async def test_frozen_while_idle() -> Row:
    """Noticed before it is needed."""
    async with bench() as b:
        await b.house.answered()
        b.fault("freeze")
        b.proxy.freeze()
        await b.house.until("down", IDLE_S + 1)
        b.proxy.cut()
        b.proxy.thaw()
        await asyncio.sleep(1)
        await b.house.answered()
        assert b.lost == 0
        row = b.row()
        assert row.noticed_s is not None and row.noticed_s <= IDLE_S
        return row


@scenario
async def test_frozen_just_before_the_wake() -> Row:
    """A line that is warm but dead gets the user's words, and they are not lost."""
    async with bench() as b:
        await b.house.answered()
        b.fault("freeze")
        b.proxy.freeze(only_open=True)
        await b.house.answered(8)
        story = list(b.house.timeline)[len(WELL) :]
        follows(
            story, (FAULT + "freeze", 1.0), *LISTENS, ("down network", IN_TURN_S), ("up", 1.0), *CONFIRMED, *REPLIES
        )
        assert b.lost == 0
        return b.row()


@scenario
async def test_frozen_longer_than_anyone_waits() -> Row:
    """Told once, in our own voice; then well again."""
    async with bench(conversation="connect_timeout_s = 3.0") as b:
        await b.house.answered()
        b.fault("freeze")
        b.proxy.freeze()
        await b.house.say()
        await b.house.until("told")
        b.proxy.cut()
        b.proxy.thaw()
        await b.house.answered()
        tells = [name for _, name in b.house.timeline if name.startswith("tell")]
        assert tells == ["tell lost"]
        return b.row()


@scenario
async def test_restarted_50_times() -> Row:
    """A line that is to be there always comes back each time, and holds nothing of those before."""
    async with bench(keep="always") as b:
        await b.house.until("up")
        b.fault("restart")
        for _ in range(50):
            await b.proxy.refuse()
            await b.server.peers[-1].socket.close(1001)
            await asyncio.sleep(0.02)
            await b.proxy.accept()
            await b.house.until("up")
        await b.house.answered()
        assert b.lost == 0
        assert b.proxy.open == 1
        assert [name for _, name in b.house.timeline if name.startswith("tell")] == []
        follows(list(b.house.timeline)[-len(AGAIN) :], *AGAIN)
        return b.row()
