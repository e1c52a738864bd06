"""What keeps a line from coming to be: who is refused is told why, once, and the next wake finds what was mended."""

import asyncio
import socket
from typing import Any

import pytest

from fakes import Peer, Refusal, Script
from faults.bench import FAULT, LISTENS, REPLIES, WELL, Row, bench, follows
from faults.race import scenario
from faults.vendor import Vendor

pytestmark = [pytest.mark.faults, pytest.mark.slow]

HELD = (("up", 4.0), ("understood", 4.0), ("thinking", 0.2), *REPLIES)


@scenario
@pytest.mark.parametrize(
    "status, trouble", [(401, "key"), (402, "credit"), (403, "permission")], ids=["401", "402", "403"]
)
async def test_refused(status: int, trouble: str) -> Row:
    """What only its owner can mend is tried once for each wake."""
    async with bench(Refusal(status), Refusal(status), Vendor()) as b:
        for _ in range(2):
            b.fault("refused")
            await b.house.woken()
            await b.house.until("told")
        await asyncio.sleep(1.5)
        assert len(b.server.requests) == 2
        await b.house.answered()
        told = (*LISTENS, (f"down {trouble}", 1.0), (f"tell {trouble}", 0.1), ("offline", 0.1), ("told", 8.0))
        refused = (FAULT + "refused", 8.0)
        follows(b.house.timeline, refused, *told, refused, *told, *WELL)
        return b.row()


@scenario
async def test_refused_429_with_retry_after() -> Row:
    """Asked to wait, it waits exactly so long, with what was said."""
    async with bench(Refusal(429, {"Retry-After": "6"}), Vendor()) as b:
        b.fault("refused")
        await b.house.answered()
        follows(b.house.timeline, (FAULT + "refused", 1.0), *LISTENS, ("down busy", 1.0), ("up", 5.0, 6.6), *HELD[1:])
        assert b.server.requests[1][0] - b.server.requests[0][0] >= 6
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("status", [500, 503], ids=str)
async def test_in_trouble(status: int) -> Row:
    """Trouble of the vendor's that passes in time is not heard of."""
    async with bench(Refusal(status), Refusal(status), Vendor()) as b:
        b.fault("refused")
        await b.house.answered()
        follows(b.house.timeline, (FAULT + "refused", 1.0), *LISTENS, ("down vendor", 1.0), *HELD)
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("status, trouble", [(503, "vendor"), (429, "busy")], ids=["503", "429"])
async def test_for_good(status: int, trouble: str) -> Row:
    """Trouble that stays is told when the user has waited long enough; then there is silence on the line too."""
    async with bench(Refusal(status), conversation="connect_timeout_s = 2.0") as b:
        b.fault("refused")
        await b.house.woken()
        await b.house.until("told")
        tried = len(b.server.requests)
        await asyncio.sleep(1.5)
        assert len(b.server.requests) == tried
        gave_up = ((f"down {trouble}", 1.0), (f"tell {trouble}", 1.0, 2.3), ("offline", 0.1), ("told", 8.0))
        follows(b.house.timeline, (FAULT + "refused", 1.0), *LISTENS, *gave_up)
        return b.row()


@scenario
async def test_nobody_listens() -> Row:
    async with bench(conversation="connect_timeout_s = 2.0") as b:
        await b.proxy.refuse()
        b.fault("refuse")
        await b.house.woken()
        await b.house.until("told")
        await b.proxy.accept()
        await b.house.answered()
        gave_up = (("down network", 1.0), ("tell network", 1.0, 2.3), ("offline", 0.1), ("told", 8.0))
        follows(b.house.timeline, (FAULT + "refuse", 1.0), *LISTENS, *gave_up, *WELL)
        return b.row()


@scenario
async def test_slow_accept() -> Row:
    """The user talks meanwhile, and nothing of it is lost."""
    async with bench() as b:
        b.proxy.freeze()
        b.fault("freeze")
        await b.house.say()
        await asyncio.sleep(1)
        b.proxy.thaw()
        await b.house.until("asleep")
        follows(b.house.timeline, (FAULT + "freeze", 1.0), *LISTENS, ("up", 2.5, 3.5), *HELD[1:])
        assert b.lost == 0
        return b.row()


@scenario
async def test_never_accepts() -> Row:
    async with bench(conversation="connect_timeout_s = 3.0") as b:
        b.proxy.freeze()
        b.fault("freeze")
        await b.house.woken()
        await b.house.until("told")
        b.proxy.thaw()
        await b.house.answered()
        gave_up = (("tell network", 2.9, 3.4), ("offline", 0.1), ("told", 8.0))
        follows(
            [each for each in b.house.timeline if each[1] != "down"], (FAULT + "freeze", 1.0), *LISTENS, *gave_up, *WELL
        )
        return b.row()


async def mute(peer: Peer) -> None:
    """Accepts, and says nothing any more."""
    await asyncio.Event().wait()


async def welcome_only(peer: Peer) -> None:
    await peer.welcome()
    await asyncio.Event().wait()


@scenario
@pytest.mark.parametrize("script, most_s", [(mute, 5.5), (welcome_only, 1.5)], ids=["no Welcome", "no SettingsApplied"])
async def test_accepts_and_goes_no_further(script: Script, most_s: float) -> Row:
    """Every state has its deadline; what was said meanwhile is said on the next line."""
    async with bench(script, Vendor(), apply_timeout_s=1.0) as b:
        b.fault("mute")
        await b.house.answered()
        entries = [(at, "down" if name.startswith("down") else name) for at, name in b.house.timeline]
        follows(entries, (FAULT + "mute", 1.0), *LISTENS, ("down", most_s), ("up", 1.0), *HELD[1:])
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "hangs"])
async def test_dns(hangs: bool) -> Row:
    """Names are looked up by the system, which may also take for ever."""
    loop = asyncio.get_running_loop()
    look_up: Any = loop.getaddrinfo
    name = "hangs.invalid" if hangs else "fails.invalid"
    is_mended = False

    async def getaddrinfo(host: str, port: int, **more: Any) -> Any:
        if host != name:
            return await look_up(host, port, **more)
        if is_mended:
            return await look_up("127.0.0.1", port, **more)
        if hangs:
            await asyncio.sleep(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]

    async with bench(host=name, conversation="connect_timeout_s = 2.0") as b:
        b.fault("no DNS")
        await b.house.woken()
        await b.house.until("told")
        is_mended = True
        await b.house.answered()
        entries = [each for each in b.house.timeline if each[1] not in ("down", "down network")]
        gave_up = (("tell network", 1.9, 2.5), ("offline", 0.1), ("told", 8.0))
        follows(entries, (FAULT + "no DNS", 1.0), *LISTENS, *gave_up, *WELL)
        return b.row()
