"""A speaker in a house where something breaks every few seconds, for minutes; `python -m faults.soak SECONDS`.

Prints what the process holds after the first minute and at the end, as JSON.
"""

import asyncio
import gc
import json
import logging
import os
import random
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import psutil
from websockets.exceptions import ConnectionClosed

from fakes import Peer, Refusal
from faults.bench import Bench, bench
from faults.vendor import DONE, PIECE, STARTED, Vendor, call, calls, reply, say, text, then, wait

FIRST_S = 60.0
EVERY_S = 2.0, 5.0
STUCK_S = 60.0
CODES = ("INTERNAL_SERVER_ERROR", "SERVER_GOING_AWAY", "FAILED_TO_THINK", "MAXIMUM_SESSION_LENGTH_REACHED")
STRANGE = ("{oops", "null", '{"type": 7}', '{"type": "History"}', "", DONE, STARTED)
"""No voice: to speak into the user's words is nothing that a speaker can mend."""

Fault = Callable[[Bench, random.Random], Awaitable[object]]


def something(chance: random.Random) -> Callable[[Vendor, Peer], Awaitable[None]]:
    """A turn: mostly an answer, sometimes with functions or without an end."""
    number = iter(range(10**9))

    async def one(vendor: Vendor, peer: Peer) -> None:
        match chance.randrange(8):
            case 0:
                asked = calls(*(call(f"c{id(peer)}-{next(number)}") for _ in range(3)))
                await then(say(asked), wait(0.5), reply)(vendor, peer)
            case 1:
                await say(text("assistant", "Well"), *[PIECE] * 4)(vendor, peer)
            case 2:
                await then(wait(2.0), reply)(vendor, peer)
            case _:
                await reply(vendor, peer)

    return one


async def to_the_peer(b: Bench, *messages: Any) -> None:
    with suppress(ConnectionClosed):
        if b.server.peers:
            await b.server.peers[-1].say(*messages)


async def close(b: Bench, chance: random.Random) -> None:
    if b.server.peers:
        await b.server.peers[-1].socket.close(chance.choice((1000, 1001, 1008, 1011)))


async def error(b: Bench, chance: random.Random) -> None:
    await to_the_peer(b, {"type": "Error", "code": chance.choice(CODES), "description": ""})


async def strange(b: Bench, chance: random.Random) -> None:
    await to_the_peer(b, *chance.sample(STRANGE, 4))


async def refuse(b: Bench, chance: random.Random) -> None:
    scripts, b.server.scripts = b.server.scripts, (Refusal(chance.choice((401, 429, 500, 503))),)
    b.proxy.cut()
    await asyncio.sleep(chance.uniform(0, 3))
    b.server.scripts = scripts


async def absent(b: Bench, chance: random.Random) -> None:
    await b.proxy.refuse()
    b.proxy.cut()
    await asyncio.sleep(chance.uniform(0, 3))
    await b.proxy.accept()


async def freeze(b: Bench, chance: random.Random) -> None:
    b.proxy.freeze(only_open=chance.random() < 0.5)
    await asyncio.sleep(chance.uniform(0, 5))
    b.proxy.thaw()


async def drop(b: Bench, chance: random.Random) -> None:
    b.proxy.drop()
    await asyncio.sleep(chance.uniform(0, 1))
    b.proxy.cut()  # a network that loses bytes and goes on is none
    b.proxy.drop(False)


async def slow(b: Bench, chance: random.Random) -> None:
    b.proxy.delay(1.5, 0.1)
    b.proxy.throttle(chance.choice((0, 20_000)))
    await asyncio.sleep(3)
    b.proxy.delay(0, 0)
    b.proxy.throttle(0)


async def cut(b: Bench, chance: random.Random) -> None:
    b.proxy.cut() if chance.random() < 0.5 else b.proxy.fin()


async def corrupt(b: Bench, chance: random.Random) -> None:
    b.proxy.corrupt(chance.randrange(3000))


FAULTS: tuple[Fault, ...] = (close, error, strange, refuse, absent, freeze, drop, slow, cut, corrupt)


class Soak:
    """`ended`: how the turns did. `odd`: the stories of those that lost words, or had no end that one hears."""

    def __init__(self, b: Bench, seed: int) -> None:
        self._b, self._chance = b, random.Random(seed)
        self.faults = self.lost = 0
        self.ended = {"answer": 0, "tell": 0, "silence": 0}
        self.odd: list[str] = []

    async def talk(self, until: float) -> None:
        loop, house = asyncio.get_running_loop(), self._b.house
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(0, 6))
            house.timeline.clear()
            await house.say(self._chance.randint(1, 8))
            await self._until(lambda: house.app.phase.value in ("asleep", "offline"))
            names = [name.split()[0] for _, name in house.timeline]
            ended = next((each for each in ("tell", "answer") if each in names), "silence")
            self.ended[ended] += 1
            lost = self._b.lost if ended == "answer" else 0
            self.lost += lost
            if lost or ended == "silence":
                self.odd.append(f"{lost} words lost\n{house.story()}")
            self._forget()

    async def fail(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(*EVERY_S))
            self.faults += 1
            fault = self._chance.choice(FAULTS)
            self._b.fault(fault.__name__)
            await fault(self._b, self._chance)

    async def held(self) -> dict[str, Any]:
        """What the process holds once all is well and quiet, with one line open."""
        for _ in range(3):
            self._b.house.timeline.clear()
            await self._b.house.say()
            await self._until(lambda: "answer" in [name for _, name in self._b.house.timeline])
            await asyncio.sleep(4)
        self._forget()
        gc.collect()
        process = psutil.Process()
        return {
            "rss_mib": process.memory_info().rss / 2**20,
            "threads": sorted(thread.name.split("_")[0] for thread in threading.enumerate()),
            "files": process.num_fds(),
            "sockets": len(process.net_connections()),
            "tasks": len(asyncio.all_tasks()),
        }

    async def _until(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(STUCK_S):
                while not holds():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"stuck, {self._b.proxy.open} open\n{self._b.house.story()}") from None

    def _forget(self) -> None:
        """What only this bench keeps."""
        self._b.house.mouth.sentences.clear()
        self._b.server.requests.clear()
        for vendor in self._b.vendors:
            vendor.confirmed.clear()
        for peer in tuple(self._b.server.peers):
            if peer.ended_at is not None:
                self._b.server.peers.remove(peer)


async def soak(seconds: float, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    async with bench(Vendor(something(chance)), seed=seed, keep="20s", conversation="connect_timeout_s = 4.0") as b:
        it, loop = Soak(b, seed), asyncio.get_running_loop()
        held: list[dict[str, Any]] = []
        first_s = min(FIRST_S, seconds / 4)
        for part_s in (first_s, seconds - first_s):
            until = loop.time() + part_s
            await asyncio.gather(it.talk(until), it.fail(until))
            held.append(await it.held())
        found = {"faults": it.faults, "turns": it.ended, "words_lost": it.lost, "odd": it.odd[:5]}
        return {**found, "first": held[0], "last": held[1]}


if __name__ == "__main__":
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    print(json.dumps(asyncio.run(soak(float(sys.argv[1]), int(os.environ.get("COOEE_SOAK_SEED", "1"))))))
