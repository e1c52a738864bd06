"""The limit on what lines may cost, with things that hang: no socket outlives it, and the meter is right."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import pytest

from cooee.events import SessionDown, SettingsApplied, Trouble
from cooee.session.usage import Usage
from fakes import Peer, Server, hold
from talk import Talk, talking

LIMIT_S = 3.0


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")


async def nothing(talk: Talk, peer: Peer) -> None:
    await asyncio.sleep(LIMIT_S)


async def the_server_reads_nothing(talk: Talk, peer: Peer) -> None:
    peer.freeze()
    await asyncio.sleep(LIMIT_S + 1)


async def the_line_will_not_close(talk: Talk, peer: Peer) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    talk.session._closing.add(asyncio.create_task(never()))
    await asyncio.sleep(LIMIT_S)


async def nobody_minds_it(talk: Talk, peer: Peer) -> None:
    talk.session._carrier.usage.left_s = lambda: 3600.0  # type: ignore[method-assign]
    talk.session._carrier.usage.renew = lambda: None  # type: ignore[method-assign]
    await asyncio.sleep(LIMIT_S + 1)


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [nothing, the_server_reads_nothing, the_line_will_not_close, nobody_minds_it])
async def test_no_line_is_open_after_the_limit_whatever_hangs(hangs: Callable[[Talk, Peer], object]) -> None:
    async with talking(hold, daily_limit=f"{LIMIT_S:.0f}s", keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        peer = it.peers[0]
        await hangs(talk, peer)  # type: ignore[misc]
        if hangs is the_server_reads_nothing:
            assert talk.of(SessionDown)[-1].trouble in (Trouble.LIMIT, Trouble.NETWORK)
        else:
            await peer.until(lambda: peer.ended_at)
            assert peer.ended_at is not None and peer.ended_at - peer.opened_at <= LIMIT_S + 0.05
        for each in tuple(talk.session._closing):
            each.cancel()


@pytest.mark.slow
async def test_a_line_ends_though_the_loop_hangs_from_before_the_upgrade_was_answered() -> None:
    is_asked, is_over = threading.Event(), threading.Event()

    def answer_late(listening: socket.socket) -> None:
        with listening.accept()[0] as peer, suppress(OSError):
            peer.settimeout(10)
            peer.recv(65536)
            is_asked.set()
            time.sleep(0.2)
            peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
            peer.recv(1)
        is_over.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"ws://127.0.0.1:{listening.getsockname()[1]}/"
        thread = threading.Thread(target=answer_late, args=(listening,))
        thread.start()
        server = Server()
        server.url = url
        talk = Talk(server, daily_limit="1s", keep="always")
        running = asyncio.create_task(talk.session.run())
        talk.session.connect()
        await asyncio.to_thread(is_asked.wait, 5)
        time.sleep(1.5)  # nothing runs on the loop meanwhile
        was_over = is_over.is_set()
        running.cancel()
        await asyncio.wait([running])
        thread.join()
        talk.store.close()
    assert was_over


@pytest.mark.slow
async def test_a_process_that_is_killed_hides_no_more_than_a_second_of_what_it_cost() -> None:
    async with talking(hold, keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        await asyncio.sleep(2.8)
        kept_s = Usage(talk.store).used_s(datetime.now().date())
        assert it.peers[0].connected_s - kept_s < 1.5


@pytest.mark.slow
async def test_the_meter_agrees_with_the_servers_own_count() -> None:
    async def briefly(peer: Peer) -> None:
        await peer.apply()
        await asyncio.sleep(0.3)
        peer.abort()

    async with talking(briefly, briefly, briefly, hold, keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied, 4)
        await asyncio.sleep(6)
        talk.session.disconnect("idle")
        await talk.until(SessionDown, 4)
        await it.peers[-1].until(lambda: it.peers[-1].ended_at)
        billed_s = sum(peer.ended_at - peer.opened_at for peer in it.peers if peer.ended_at)
        today = datetime.now().date()
        assert talk.session._carrier.usage.used_s(today) == pytest.approx(billed_s, rel=0.01)
        again = Usage(talk.store)
        deadline = time.monotonic() + 2
        while abs(again.used_s(today) - billed_s) > 0.01 * billed_s and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            again = Usage(talk.store)
        assert again.used_s(today) == pytest.approx(billed_s, rel=0.01), "what is on disk"
