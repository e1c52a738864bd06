"""Networks that are there and bad, limits of time, and clocks that are wrong."""

import asyncio
import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes import Peer
from faults.bench import AGAIN, FAULT, LISTENS, WELL, Row, bench, follows
from faults.certificates import Authority
from faults.race import scenario
from faults.vendor import Vendor, reply, then

pytestmark = [pytest.mark.faults, pytest.mark.slow]


@scenario
@pytest.mark.parametrize("seed", range(3))
async def test_delay_spikes(seed: int) -> Row:
    """5 % of the packets come 1.5 s late: slower, but every sentence has its answer and no word is lost."""
    async with bench(seed=seed) as b:
        b.fault("delay")
        b.proxy.delay(1.5, 0.05)
        for _ in range(4):
            await b.house.answered(6)
        assert b.lost == 0
        assert [name for _, name in b.house.timeline if name.startswith("tell")] == []
        return b.row()


@scenario
async def test_a_narrow_network() -> Row:
    """For seconds there is less than the voice needs; it catches up."""
    async with bench() as b:
        await b.house.answered()
        b.fault("throttle")
        b.proxy.throttle(20_000)
        sentence = b.house.mouth.say(10)
        await sentence.ended.wait()
        b.proxy.throttle(0)
        await b.house.until("answer")
        await b.house.until("asleep")
        assert b.lost == 0
        return b.row()


@scenario
async def test_swallowed_bytes() -> Row:
    """A second of bytes is missing in the middle of the stream: what follows makes no sense to the server."""
    async with bench() as b:
        sentence = b.house.mouth.say(10)
        await b.house.until("up")
        await asyncio.sleep(1)
        b.fault("drop")
        b.proxy.drop()
        await asyncio.sleep(1)
        b.proxy.cut()
        b.proxy.drop(False)
        await sentence.ended.wait()
        await b.house.until("answer")
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("nth", [0, 1, 2, 10, 40, 137, 2000])
async def test_a_corrupt_byte(nth: int) -> Row:
    """In a header, in JSON or in the voice: the turn ends well, on this line or the next."""
    async with bench() as b:
        await b.house.answered()
        b.fault("corrupt")
        b.proxy.corrupt(nth)
        await b.house.say()
        await b.house.until("asleep")
        await b.house.answered()
        follows(list(b.house.timeline)[-len(AGAIN) :], *AGAIN)
        assert b.lost == 0
        return b.row()


@scenario
async def test_the_limit_of_a_line_is_met_in_silence() -> Row:
    """A line that is old is replaced while nobody speaks, and nobody notices."""
    async with bench(keep="always", rotate_after="3s") as b:
        await b.house.until("up")
        b.fault("rotate")
        await asyncio.sleep(7.5)
        await b.house.answered()
        assert b.proxy.made >= 3
        assert [name for _, name in b.house.timeline if name.startswith(("tell", "down ", "offline"))] == []
        assert b.proxy.open == 1
        return b.row()


@scenario
async def test_the_limit_of_a_line_is_met_in_a_turn() -> Row:
    """The line stays until the turn is over, however old it is."""
    async with bench(keep="always", rotate_after="1s") as b:
        b.fault("rotate")
        await b.house.answered(8)
        await asyncio.sleep(1)
        assert b.lost == 0
        names = [name for _, name in b.house.timeline]
        turn = names[names.index("listening") : names.index("asleep")]
        assert not [name for name in turn if name.startswith("down")], b.house.story()
        assert b.proxy.made >= 2
        return b.row()


@scenario
async def test_the_vendors_limit_with_its_warning() -> Row:
    async def warn(vendor: Vendor, peer: Peer) -> None:
        code = "MAXIMUM_SESSION_LENGTH_APPROACHING"
        await peer.say({"type": "Warning", "code": code, "description": ""})

    async with bench(Vendor(then(warn, reply)), Vendor(), keep="always") as b:
        b.fault("limit")
        await b.house.answered()
        await b.house.until("up")
        await b.house.answered()
        assert [name for _, name in b.house.timeline if name.startswith(("tell", "offline"))] == []
        assert b.lost == 0
        return b.row()


@scenario
async def test_the_limit_of_a_day() -> Row:
    """Four fifths are told before a reply; at the limit no line is left open, and the user is told why."""
    async with bench(keep="always", daily_limit="6s") as b:
        await b.house.until("up")
        b.fault("limit")
        await b.house.until("near day")
        await b.house.until("down limit")
        await asyncio.sleep(0.5)
        assert b.proxy.open == 0
        opened = b.proxy.made
        await b.house.woken()
        await b.house.until("told")
        assert b.proxy.made == opened, "a line was opened though nothing is left"
        up, down = (next(at for at, name in b.house.timeline if name == each) for each in ("up", "down limit"))
        assert down - up <= 6.0
        return b.row()


@scenario
async def test_a_wrong_clock() -> Row:
    """Before the clock is set, no certificate is valid yet; that is what the user is told, and it passes."""
    with tempfile.TemporaryDirectory() as folder:
        authority = await asyncio.to_thread(Authority, Path(folder))
        now = datetime.now(UTC)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        await asyncio.to_thread(authority.certify, context, now + timedelta(days=300))
        os.environ["SSL_CERT_FILE"] = str(authority.file)
        try:
            async with bench(tls=context, conversation="connect_timeout_s = 2.0") as b:
                b.fault("clock")
                await b.house.woken()
                await b.house.until("told")
                await asyncio.to_thread(authority.certify, context, now - timedelta(days=1))
                await b.house.answered()
                gave_up = (("down clock", 1.0), ("tell clock", 1.0, 2.3), ("offline", 0.1), ("told", 8.0))
                follows(b.house.timeline, (FAULT + "clock", 1.0), *LISTENS, *gave_up, *WELL)
                return b.row()
        finally:
            del os.environ["SSL_CERT_FILE"]
