"""Scenarios run side by side on one loop of their own; each is a test that asserts on its own outcome."""

import asyncio
import concurrent.futures
import importlib
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

import cooee.actions
from faults.bench import Row
from faults.house import KINDS
from faults.late import lateness

AT_ONCE = 12
LIMIT_S = 100.0

Scenario = Callable[..., Awaitable[Row | None]]
Work = tuple[pytest.Item, Scenario]
Outcome = concurrent.futures.Future[Row | None]

rows: dict[str, Row] = {}
"""The table, by the scenarios' names."""


def scenario(work: Scenario) -> Callable[..., None]:
    """A test that is done among the others: a coroutine function; what it returns becomes a line of the table."""

    def test(race: "Race", request: pytest.FixtureRequest, **_: Any) -> None:
        race.finish(request.node)

    own = list(inspect.signature(work).parameters.values())
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD
    fixtures = [inspect.Parameter(name, kinds) for name in ("race", "request")]
    test.__signature__ = inspect.Signature([*fixtures, *own])  # type: ignore[attr-defined]
    test.__name__, test.__module__, test.__doc__ = work.__name__, work.__module__, work.__doc__
    test.pytestmark = list(getattr(work, "pytestmark", []))  # type: ignore[attr-defined]
    test.scenario = work  # type: ignore[attr-defined]
    return test


class Race:
    """Begins with all scenarios that were selected, in their order, at most AT_ONCE of them at a time."""

    def __init__(self, items: Iterable[pytest.Item]) -> None:
        self._outcomes: dict[str, Outcome] = {}
        works = [(item, work) for item in items if (work := getattr(getattr(item, "obj", None), "scenario", None))]
        for item, _ in works:
            self._outcomes[item.nodeid] = concurrent.futures.Future()
        self._racing: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._work, args=(works,), name="faults", daemon=True)
        self._thread.start()

    def finish(self, item: pytest.Item) -> None:
        row = self._outcomes[item.nodeid].result()
        if row:
            rows[item.name.removeprefix("test_").replace("_", " ")] = row

    def end(self) -> None:
        """What still runs is not waited for."""
        if self._racing:
            with suppress(RuntimeError):  # over already
                self._racing.get_loop().call_soon_threadsafe(self._racing.cancel)
        self._thread.join()

    def _work(self, works: list[Work]) -> None:
        importlib.import_module("cooee.agent._line")  # takes long, and is not to make anybody late
        noise = logging.getLogger("websockets.server")
        level = noise.level
        noise.setLevel(logging.CRITICAL)
        pins, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
        with suppress(asyncio.CancelledError):
            asyncio.run(self._run(works))
        Device.pin_factory = pins
        noise.setLevel(level)
        if KINDS in cooee.actions.__path__:  # other tests ask which kinds there are
            cooee.actions.__path__.remove(KINDS)

    async def _run(self, works: list[Work]) -> None:
        self._racing = asyncio.current_task()
        room = asyncio.Semaphore(AT_ONCE)
        watching = asyncio.create_task(lateness.watch())
        await asyncio.gather(*(self._one(room, *work) for work in works))
        watching.cancel()

    async def _one(self, room: asyncio.Semaphore, item: pytest.Item, scenario: Scenario) -> None:
        async with room:
            outcome = self._outcomes[item.nodeid]
            spec = getattr(item, "callspec", None)
            try:
                async with asyncio.timeout(LIMIT_S):
                    outcome.set_result(await scenario(**(spec.params if spec else {})))
            except BaseException as error:
                outcome.set_exception(error)
                if isinstance(error, asyncio.CancelledError):
                    raise


def table() -> list[str]:
    """What the bench found, a line for each scenario."""
    width = max(map(len, rows), default=0)
    head = f"{'scenario':{width}}  noticed after  recovered after  words lost"
    lines = [
        f"{name:{width}}  {_seconds(row.noticed_s):>13}  {_seconds(row.recovered_s):>15}  {_words(row):>10}"
        for name, row in rows.items()
    ]
    slow = f"this machine was busy for {lateness.total_s:.1f} s, {lateness.worst_s:.2f} s at once: that is left out"
    return [head, "-" * len(head), *lines, slow] if rows else []


def _words(row: Row) -> str:
    return f"{row.words_lost}{', told' if row.words_lost and row.was_told else ''}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
