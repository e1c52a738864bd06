"""A line's socket is known from the upgrade to its end to who counts the minutes, and never outlives its use."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cooee.agent import Brief, Refused, Unreachable, deepgram
from cooee.agent._line import Line, open_line
from fakes import Peer, Refusal, Script, Server, hold, server

SETTINGS = deepgram.open(deepgram.Settings())._brief


class Toll:
    """What it was told, and whether the socket could be ended by it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.socket: Any = None

    def dialled(self, socket: Any) -> None:
        self.calls.append("dialled")
        self.socket = socket

    def opened(self, socket: Any) -> None:
        assert socket is self.socket
        self.calls.append("opened")

    def closed(self, socket: Any) -> None:
        assert socket is self.socket
        self.calls.append("closed")


@asynccontextmanager
async def line(script: Script, toll: Toll) -> AsyncIterator[tuple[Line, Server]]:
    """A line whose settings are applied."""
    async with server(script) as it:
        link, _ = await open_line(it.url, {}, SETTINGS, toll=toll)
        await link.settle(Brief())
        try:
            yield link, it
        finally:
            await link.close()


async def close(peer: Peer) -> None:
    await peer.socket.close(1011)


async def too_big(peer: Peer) -> None:
    await peer.say(bytes(5 * 2**20))


async def test_a_peer_that_says_goodbye_and_stays_is_left_at_the_next_ping() -> None:
    async def linger(peer: Peer) -> None:
        await peer.apply()
        peer.freeze()
        peer.socket.protocol.send_close(1011)
        peer.socket.send_data()

    toll = Toll()
    async with line(linger, toll) as (link, _):
        reading = asyncio.create_task(anext(aiter(link.events()), None))
        with pytest.raises(Unreachable):
            async with asyncio.timeout(2):
                while True:
                    await link.ping()
                    await asyncio.sleep(0.01)
        with pytest.raises(Unreachable, match="1011"):
            await asyncio.wait_for(reading, 0.5)
        assert toll.calls == ["dialled", "opened", "closed"]


@pytest.mark.parametrize("end", [Peer.abort, Peer.fin, close, too_big])
async def test_the_toll_ends_with_a_line_that_breaks_though_nobody_closes_it(end: Callable[[Peer], Any]) -> None:
    async def break_off(peer: Peer) -> None:
        await peer.apply()
        if (ending := end(peer)) is not None:
            await ending

    toll = Toll()
    async with line(break_off, toll) as (link, _):
        reading = asyncio.create_task(anext(aiter(link.events()), None))
        async with asyncio.timeout(2):
            while "closed" not in toll.calls:
                await asyncio.sleep(0.01)
        await asyncio.gather(reading, return_exceptions=True)
    assert toll.calls == ["dialled", "opened", "closed"]


async def test_there_is_no_toll_for_what_is_refused_and_one_for_what_is_let_in() -> None:
    toll = Toll()
    with pytest.raises(Refused):
        async with line(Refusal(503), toll):
            pass
    assert toll.calls == ["dialled", "closed"]
    toll = Toll()
    async with line(hold, toll) as (link, it):
        assert toll.calls == ["dialled", "opened"]
        toll.socket.shutdown(2)  # as who has to end it by force does
        with pytest.raises(Unreachable):
            await anext(aiter(link.events()))
        await it.peers[0].until(lambda: it.peers[0].ended_at)
    assert toll.calls == ["dialled", "opened", "closed"]


@pytest.mark.parametrize("stage", ["upgrade", "welcome", "settings", "events"])
async def test_given_up_at_any_moment_it_leaves_nothing_open(stage: str) -> None:
    answered = asyncio.Event()
    ended = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        answered.set()
        await reader.read()
        ended.set()
        writer.close()

    async def stop(peer: Peer) -> None:
        if stage == "settings":
            await peer.welcome()
            await peer.until(lambda: peer.settings)
        if stage == "events":
            await peer.apply()
        answered.set()

    async def use(url: str) -> None:
        link, _ = await open_line(url, {}, SETTINGS, toll=toll)
        try:
            await link.settle(Brief())
            await anext(aiter(link.events()))
        finally:
            await link.close()

    toll = Toll()
    listening = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server(stop) as it, listening:
        port = listening.sockets[0].getsockname()[1]
        using = asyncio.create_task(use(f"ws://127.0.0.1:{port}/" if stage == "upgrade" else it.url))
        await asyncio.wait_for(answered.wait(), 2)
        await asyncio.sleep(0.02)
        using.cancel()
        await asyncio.wait([using], timeout=2)
        assert using.cancelled()
        assert toll.calls == (["dialled", "closed"] if stage == "upgrade" else ["dialled", "opened", "closed"])
        for peer in it.peers:
            await peer.until(lambda peer=peer: peer.ended_at)
        if stage == "upgrade":
            await asyncio.wait_for(ended.wait(), 2)
