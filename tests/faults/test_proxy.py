"""The proxy itself: what it says it does to a connection is what the two sides see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from faults.proxy import Proxy, proxy

pytestmark = pytest.mark.faults


@asynccontextmanager
async def echoing(seed: int = 0) -> AsyncIterator[Proxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with proxy(server.sockets[0].getsockname()[1], seed) as it:
        yield it
    server.close()


@asynccontextmanager
async def connected(it: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def echo_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> tuple[bytes, float]:
    """What came back, and after how long."""
    began = asyncio.get_running_loop().time()
    writer.write(sent)
    async with asyncio.timeout(5):
        return await reader.readexactly(len(sent)), asyncio.get_running_loop().time() - began


async def test_passes_everything_both_ways() -> None:
    async with echoing() as it, connected(it) as ends:
        sent = bytes(range(256)) * 4000
        assert (await echo_of(*ends, sent))[0] == sent
        ends[1].write_eof()
        assert await asyncio.wait_for(ends[0].read(), 5) == b""
        assert it.made == 1


async def test_frozen_nothing_comes_and_nothing_ends_and_thawed_all_is_there() -> None:
    async with echoing() as it, connected(it) as (reader, writer):
        await echo_of(reader, writer, b"x")
        it.freeze()
        writer.write(b"hello")
        writer.write_eof()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        assert it.open == 1
        it.thaw()
        assert await asyncio.wait_for(reader.read(), 5) == b"hello"


async def test_who_connects_to_a_frozen_one_hears_nothing() -> None:
    async with echoing() as it:
        it.freeze()
        async with connected(it) as (reader, writer):
            writer.write(b"hello")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)


async def test_frozen_may_be_only_what_is_open() -> None:
    async with echoing() as it, connected(it) as stale:
        await echo_of(*stale, b"x")
        it.freeze(only_open=True)
        async with connected(it) as fresh:
            assert (await echo_of(*fresh, b"x"))[0] == b"x"
        stale[1].write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stale[0].read(1), 0.2)


async def test_a_cut_resets_and_a_fin_ends() -> None:
    async with echoing() as it:
        async with connected(it) as ends:
            await echo_of(*ends, b"x")
            it.cut()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(ends[0].read(), 5)
        async with connected(it) as ends:
            await echo_of(*ends, b"x")
            it.fin()
            assert await asyncio.wait_for(ends[0].read(), 5) == b""


async def test_dropped_bytes_never_come() -> None:
    async with echoing() as it, connected(it) as ends:
        await echo_of(*ends, b"x")
        it.drop()
        ends[1].write(b"lost")
        await asyncio.sleep(0.1)
        it.drop(False)
        assert (await echo_of(*ends, b"kept"))[0] == b"kept"


async def test_a_spike_delays_and_the_same_seed_delays_the_same() -> None:
    async def pattern(seed: int) -> list[bool]:
        async with echoing(seed) as it, connected(it) as ends:
            it.delay(0.1, 0.3)
            return [(await echo_of(*ends, b"x"))[1] > 0.09 for _ in range(12)]

    first, again, other = await asyncio.gather(pattern(1), pattern(1), pattern(2))
    assert first == again != other
    assert 0 < sum(first) < 12


async def test_throttled_it_takes_its_time() -> None:
    async with echoing() as it, connected(it) as ends:
        it.throttle(20_000)
        sent = bytes(6000)
        back, took_s = await echo_of(*ends, sent)
        assert back == sent
        assert took_s > 0.25


async def test_exactly_the_nth_byte_is_corrupted() -> None:
    async with echoing() as it, connected(it) as ends:
        it.corrupt(7)
        assert (await echo_of(*ends, b"first"))[0] == b"first"
        assert (await echo_of(*ends, b"second"))[0] == b"se" + bytes([b"c"[0] ^ 0xFF]) + b"ond"


async def test_refuses_and_is_back_on_the_same_port() -> None:
    async with echoing() as it:
        port = it.port
        await it.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await it.accept()
        assert it.port == port
        async with connected(it) as ends:
            assert (await echo_of(*ends, b"x"))[0] == b"x"
