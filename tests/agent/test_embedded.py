"""The embedded agent's process, from the daemon's side: when it starts, whom it lets in, and that it never stays."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from cooee.agent import Brief, Link, Refused, embedded
from cooee.agent._line import open_line
from fakes import server

DAEMON = Path(__file__).parents[2] / "daemon"
PARENT = """
import asyncio
from cooee.agent import embedded
async def main():
    agent = embedded.open(embedded.Settings())
    await agent.prepare()
    print(agent._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def processes() -> list[psutil.Process]:
    """The agents that this process has started and that still run."""
    mine = psutil.Process().children()
    return [each for each in mine if each.status() != psutil.STATUS_ZOMBIE and "--until-eof" in each.cmdline()]


@asynccontextmanager
async def agent(**table: str) -> AsyncIterator[embedded.Embedded]:
    it = embedded.open(embedded.Settings(**table))
    try:
        yield it
    finally:
        await it.close()
    assert processes() == []


async def connected(it: embedded.Embedded) -> Link:
    """As the session does it: what fails is tried again."""
    async with asyncio.timeout(60):
        while True:
            try:
                link, request_id = await it.connect()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                assert request_id
                return link


@pytest.mark.slow
async def test_one_process_serves_every_line_and_a_dead_one_is_replaced() -> None:
    async with agent() as it:
        await asyncio.gather(it.prepare(), it.prepare())
        (first,) = processes()
        for _ in range(2):
            link = await connected(it)
            await link.settle(Brief())
            await link.close()
        assert processes() == [first]
        link = await connected(it)
        await link.settle(Brief())
        first.kill()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(anext(aiter(link.events())), 10)
        await link.close()
        link = await connected(it)
        await link.settle(Brief())
        await link.close()
        (second,) = processes()
        assert second != first


@pytest.mark.slow
async def test_one_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.agent._line.OPEN_TIMEOUT_S", 0.5)
    async with agent() as it:
        await (await connected(it)).close()
        (hung,) = processes()
        hung.suspend()
        with pytest.raises(OSError):
            await it.connect()
        monkeypatch.setattr("cooee.agent._line.OPEN_TIMEOUT_S", 8)
        await (await connected(it)).close()
        assert hung.pid not in [process.pid for process in processes()]


async def test_only_who_knows_the_token_is_let_in() -> None:
    async with agent() as it:
        await it.prepare()
        (process,) = processes()
        ports = [each.laddr.port for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
        assert [each.laddr.ip for each in process.net_connections() if each.status == psutil.CONN_LISTEN] == [
            "127.0.0.1"
        ]
        for shown in ({}, {"Authorization": "Token guess"}):
            with pytest.raises(Refused, match="HTTP 401"):
                await open_line(f"ws://127.0.0.1:{ports[0]}/v1/agent/converse", shown, it._brief)
        assert it._token not in " ".join(process.cmdline())


@pytest.mark.slow
async def test_close_is_quick_even_with_a_line_open_or_while_it_starts() -> None:
    async with agent() as it:
        link = await connected(it)
        await link.settle(Brief())
        began = time.monotonic()
        await it.close()
        assert time.monotonic() - began < 2
        assert processes() == []
        await it.close()
        starting = asyncio.create_task(it.prepare())
        while not processes():
            await asyncio.sleep(0.01)
        began = time.monotonic()
        await it.close()
        assert time.monotonic() - began < 2 and processes() == []
        await asyncio.wait([starting], timeout=1)
        assert starting.cancelled()


@pytest.mark.slow
async def test_it_goes_on_starting_when_who_waits_for_it_loses_patience() -> None:
    async with agent() as it:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(it.connect(), 0.03)
        assert len(processes()) == 1
        await (await connected(it)).close()


@pytest.mark.slow
async def test_one_that_hangs_is_replaced_though_nobody_waits_for_the_timeout() -> None:
    async with agent() as it:
        await (await connected(it)).close()
        (hung,) = processes()
        hung.suspend()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(it.connect(), 1.5)
        await (await connected(it)).close()
        assert hung.pid not in [process.pid for process in processes()]


@pytest.mark.slow
def test_it_ends_with_a_daemon_that_was_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(DAEMON)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        try:
            parent.kill()
            psutil.wait_procs([child], timeout=10)
            assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        finally:
            parent.kill()
            if child.is_running():
                child.kill()


@pytest.mark.parametrize("program", ["/bin/false", "/bin/echo", "/nowhere/python"])
async def test_a_process_that_does_not_start_is_a_sentence(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program)
    async with agent() as it:
        with pytest.raises(Refused, match="cooee agent") as refused:
            await it.connect()
        assert not refused.value.trouble.is_hopeless


async def test_with_an_address_it_starts_nothing() -> None:
    async with server() as it, agent(url=it.url + "?mine=1") as mine:
        await mine.prepare()
        link, request_id = await mine.connect()
        await link.close()
        assert processes() == []
    assert request_id == "rid-1"
    assert it.requests[0][1].path == "/v1/agent/converse?mine=1"
