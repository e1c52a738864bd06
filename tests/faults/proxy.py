"""A TCP proxy on loopback that does what networks do: freeze, cut, swallow, delay, throttle, corrupt.

What happens is decided by the calls and the seed alone, not by chance.
"""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Way = Literal["up", "down"]
"""Up: towards the server."""
CHUNK = 65536
SLICE_S = 0.02


class _Pair:
    """One connection: the client's end of it and the server's."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.ends = client, server
        self.is_halved = False
        self.flows = asyncio.Event()
        self.flows.set()

    def cut(self) -> None:
        for end in self.ends:
            sock = end.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()

    def fin(self) -> None:
        self.is_halved = True
        for end in self.ends:
            with suppress(OSError, RuntimeError):
                end.write_eof()


class Proxy:
    """`made`: how many connections there have been. All faults are for connections that are open and those to come."""

    def __init__(self, target_port: int, seed: int = 0) -> None:
        self.target_port = target_port
        self.port = 0
        self.made = 0
        self._random = random.Random(seed)
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._admits = asyncio.Event()
        self._admits.set()
        self._is_dropping = False
        self._spike_s = self._share = 0.0
        self._bytes_per_s = 0.0
        self._spoil: dict[Way, int] = {}
        self._listening: asyncio.Server | None = None
        self._take_port()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/agent/converse"

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._pairs)

    def freeze(self, *, only_open: bool = False) -> None:
        """Nothing passes, neither bytes nor an end, and nobody is told: the kernel goes on acknowledging.

        `only_open`: connections to come are well, as when a router has forgotten those that were.
        """
        for pair in self._pairs:
            pair.flows.clear()
        if not only_open:
            self._admits.clear()

    def thaw(self) -> None:
        self._admits.set()
        for pair in self._pairs:
            pair.flows.set()

    def cut(self) -> None:
        """A reset to both sides of every connection."""
        for pair in tuple(self._pairs):
            pair.cut()

    def fin(self) -> None:
        """An orderly end of TCP to both sides, without the close frame that should come before it."""
        for pair in tuple(self._pairs):
            pair.fin()

    def drop(self, on: bool = True) -> None:
        """Swallow every byte."""
        self._is_dropping = on

    def delay(self, spike_s: float, share: float) -> None:
        """So great a share of the packets comes so late, and what is behind them waits, as it does in TCP."""
        self._spike_s, self._share = spike_s, share

    def throttle(self, bytes_per_s: float) -> None:
        """Each way; 0: as fast as it can."""
        self._bytes_per_s = bytes_per_s

    def corrupt(self, nth: int, way: Way = "down") -> None:
        """Turn all bits of the nth byte from now, counted from 0."""
        self._spoil[way] = nth

    async def refuse(self) -> None:
        """Nobody listens any more; open connections stay."""
        if self._listening:
            self._listening.close()
            self._listening = None
            self._take_port()
        await asyncio.sleep(0)

    async def accept(self) -> None:
        """Listen, on the same port as ever."""
        self._listening = await asyncio.start_server(self._join, sock=self._port)

    def _take_port(self) -> None:
        """Keep it while nobody listens, or a client's connection might be given it."""
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", self.port))
        self.port = self._port.getsockname()[1]

    async def close(self) -> None:
        await self.refuse()
        self._port.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._admits.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        pumps = [
            asyncio.create_task(self._pump(pair, reader, far_writer, "up")),
            asyncio.create_task(self._pump(pair, far_reader, writer, "down")),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            pair.cut()  # the proxy is closed; a stream's task that is cancelled would be told as an error
        finally:
            for pump in pumps:
                pump.cancel()
            faults = [fault for fault in await asyncio.gather(*pumps, return_exceptions=True) if fault]
            self._pairs.discard(pair)
            if faults:
                pair.cut()
            for end in pair.ends:
                end.close()

    async def _pump(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        while data := await reader.read(CHUNK):
            await pair.flows.wait()
            if self._is_dropping or pair.is_halved:
                continue
            if self._share and self._random.random() < self._share:
                await asyncio.sleep(self._spike_s)
            for piece in self._slices(self._spoilt(data, way)):
                writer.write(piece)
                await writer.drain()
                if self._bytes_per_s:
                    await asyncio.sleep(len(piece) / self._bytes_per_s)
        await pair.flows.wait()
        if not pair.is_halved:
            with suppress(OSError, RuntimeError):
                writer.write_eof()

    def _slices(self, data: bytes) -> list[bytes]:
        size = max(1, round(self._bytes_per_s * SLICE_S)) if self._bytes_per_s else len(data)
        return [data[at : at + size] for at in range(0, len(data), size)]

    def _spoilt(self, data: bytes, way: Way) -> bytes:
        nth = self._spoil.pop(way, None)
        if nth is None:
            return data
        if nth >= len(data):
            self._spoil[way] = nth - len(data)
            return data
        return data[:nth] + bytes([data[nth] ^ 0xFF]) + data[nth + 1 :]


@asynccontextmanager
async def proxy(target_port: int, seed: int = 0) -> AsyncIterator[Proxy]:
    it = Proxy(target_port, seed)
    await it.accept()
    try:
        yield it
    finally:
        await it.close()
