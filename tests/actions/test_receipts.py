"""A call id fires once."""

import asyncio
import sqlite3
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from cooee.actions import Actions, Receipts, _receipts
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Event

SCHEMA = {"type": "object", "properties": {"level": {"type": "integer"}}, "required": ["level"]}


class Lamp:
    """Counts what was done; goes on when it may. With `disk`, it looks there at what was committed before it moves."""

    def __init__(self, *, side_effect: bool = True) -> None:
        self.function = Function("lamp", "The lamp.", SCHEMA, side_effect)
        self.levels: list[int] = []
        self.may = asyncio.Event()
        self.may.set()
        self.disk: Disk | None = None
        self.on_disk: list[tuple[Any, ...]] = []

    async def run(self, arguments: Any) -> str:
        if self.disk:
            self.on_disk = self.disk.rows()
        self.levels.append(arguments["level"])
        await self.may.wait()
        return f"The lamp is at {arguments['level']}."

    def close(self) -> None:
        pass


class Disk:
    """A real file, written when it is told to be; `slow`: what is written is never committed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path)
        self.slow = False
        self.broken = False

    def write(self, sql: str, *args: Any) -> "Future[None]":
        future: Future[None] = Future()
        if self.broken:
            future.set_exception(OSError("no space left"))
        elif not self.slow:
            self._connection.execute(sql, args)
            self._connection.commit()
            future.set_result(None)
        return future

    def read(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, args).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        """As another process sees them."""
        return sqlite3.connect(self._path).execute("SELECT text FROM receipts").fetchall()


class House:
    """Actions over a disk, and what they post."""

    def __init__(self, disk: Disk | None = None, **lamp: Any) -> None:
        self.lamp = Lamp(**lamp)
        self.lamp.disk = disk
        self.posted: list[Event] = []
        self.receipts = Receipts(disk)
        self.actions = Actions({}, self.posted.append, [self.lamp], self.receipts)

    async def ask(self, call_id: str = "1", level: Any = 5, turn: int = 1) -> Acted:
        await self.actions.run(Act(turn, Call(call_id, "lamp", {"level": level})))
        acted = self.posted.pop()
        assert isinstance(acted, Acted)
        return acted


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "a.db")


@pytest.mark.parametrize("stored", [False, True])
async def test_the_same_id_again_is_answered_and_moves_nothing(disk: Disk, stored: bool) -> None:
    house = House(disk if stored else None)
    first = await house.ask(level=5)
    assert await house.ask(level=5) == first
    assert await house.ask(level=99) == first, "other arguments make no other call of it"
    assert house.lamp.levels == [5]
    assert (await house.ask("2", 7)).text == "The lamp is at 7."


async def test_the_same_id_while_it_is_being_done_shares_its_end() -> None:
    house = House()
    house.lamp.may.clear()
    asked = [asyncio.create_task(house.actions.run(Act(n, Call("1", "lamp", {"level": n})))) for n in (1, 2, 3)]
    while not house.lamp.levels:
        await asyncio.sleep(0)
    assert house.posted == []
    house.lamp.may.set()
    await asyncio.gather(*asked)
    assert house.lamp.levels == [1]
    assert house.posted == [Acted(turn, "1", "lamp", "The lamp is at 1.", True) for turn in (1, 2, 3)]


async def test_it_is_on_the_disk_before_anything_moves(disk: Disk) -> None:
    house = House(disk)
    await house.ask()
    assert house.lamp.on_disk == [(None,)]
    assert disk.rows() == [("The lamp is at 5.",)]


async def test_a_restart_does_not_fire_again_what_was_done(disk: Disk) -> None:
    done = await House(disk).ask(turn=1)
    failed = await House(disk).ask("2", "loud")
    house = House(disk)
    assert await house.ask(turn=1) == done
    assert await house.ask("2", 5) == failed
    assert house.lamp.levels == []


async def test_what_a_crash_cut_short_is_not_done_again_and_not_said_to_be_done(disk: Disk) -> None:
    crashed = House(disk)
    crashed.lamp.may.clear()
    running = asyncio.create_task(crashed.ask())
    while not crashed.lamp.levels:
        await asyncio.sleep(0)
    house = House(disk)
    acted = await house.ask()
    assert acted.text == "That was begun before the speaker was restarted; it is not known whether it was done."
    assert not acted.ok
    assert house.lamp.levels == []
    running.cancel()


async def test_a_dropped_call_does_not_fire_again() -> None:
    house = House()
    house.lamp.may.clear()
    running = asyncio.create_task(house.actions.run(Act(1, Call("1", "lamp", {"level": 5}))))
    while not house.lamp.levels:
        await asyncio.sleep(0)
    house.actions.drop("1")
    again = await house.ask()
    await running
    assert again.text == "That was interrupted; it is not known whether it was done."
    assert house.posted == []
    assert house.lamp.levels == [5]


async def test_a_slow_disk_is_told_once_and_keeps_nobody_waiting_twice(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_receipts, "DISK_LIMIT_S", 0.01)
    house = House(disk)
    disk.slow = True
    assert (await house.ask()).ok
    monkeypatch.setattr(_receipts, "DISK_LIMIT_S", 60)
    async with asyncio.timeout(1):
        assert (await house.ask("2")).ok
    assert (await house.ask("2", 9)).text == "The lamp is at 5."
    assert caplog.text.count("the disk is slow") == 1


async def test_a_full_disk_stops_nothing(disk: Disk) -> None:
    house = House(disk)
    disk.broken = True
    assert (await house.ask()).ok
    assert (await house.ask()).ok
    assert house.lamp.levels == [5]


async def test_what_only_reads_does_not_wait_for_the_disk(disk: Disk) -> None:
    house = House(disk, side_effect=False)
    disk.slow = True
    assert (await house.ask()).ok
    assert house.lamp.on_disk == []


async def test_the_last_ones_are_remembered(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_receipts, "REMEMBERED", 3)
    house = House(disk)
    for number in range(6):
        await house.ask(str(number))
    assert len(disk.rows()) == 3
    for each in (house, House(disk)):
        each.lamp.levels.clear()
        await each.ask("5")
        assert each.lamp.levels == []
        await each.ask("0")
        assert each.lamp.levels == [5]


async def test_forgetting_the_words_does_not_make_it_fire_again(disk: Disk) -> None:
    house = House(disk)
    await house.ask()
    house.receipts.forget()
    for each in (house, House(disk)):
        acted = await each.ask()
        assert acted.text == "That was dealt with before; what came of it has been forgotten."
    assert house.lamp.levels == [5]
    assert disk.rows() == [(acted.text,)]


@pytest.mark.parametrize("call_id", ["", "\ud800", "x" * 1_000_000, "'; DROP TABLE receipts; --"])
async def test_an_id_may_be_anything(disk: Disk, call_id: str) -> None:
    assert (await House(disk).ask(call_id)).ok
    house = House(disk)
    assert (await house.ask(call_id)).ok
    assert house.lamp.levels == []
    assert len(disk.rows()) == 1


async def test_thirty_calls_at_once_are_done_side_by_side() -> None:
    house = House()
    house.lamp.may.clear()
    asked = [asyncio.create_task(house.actions.run(Act(1, Call(str(n), "lamp", {"level": n})))) for n in range(30)]
    async with asyncio.timeout(5):
        while len(house.lamp.levels) < 30:
            await asyncio.sleep(0)
    house.lamp.may.set()
    await asyncio.gather(*asked)
    assert {event.id for event in house.posted if isinstance(event, Acted)} == {str(n) for n in range(30)}
