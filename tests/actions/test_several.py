"""An action with several functions, which change while it is open."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cooee import kinds
from cooee.actions import Actions, ActionTable
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Event

NOTHING = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class Part:
    def __init__(self, name: str) -> None:
        self.function = Function(name, f"The {name}.", NOTHING)
        self.waits = asyncio.Event()
        self.waits.set()

    async def run(self, arguments: Mapping[str, Any]) -> str:
        await self.waits.wait()
        return f"{self.function.name} is done."

    def close(self) -> None:
        pass


class House(Part):
    """Its parts are the test's."""

    def __init__(self) -> None:
        super().__init__("house")
        self.parts: tuple[Part, ...] = ()
        self.changed: Callable[[], None] = lambda: None
        self.attended = 0

    async def attend(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.attended += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.attended -= 1

    def offer(self, *names: str) -> None:
        known = {part.function.name: part for part in self.parts}
        self.parts = tuple(known.get(name) or Part(name) for name in names)
        self.changed()


class Speaker:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, **tables: ActionTable) -> None:
        self.house = House()
        monkeypatch.setattr(kinds, "module", lambda room, name: self)
        self.posted: list[Event] = []
        self.told: list[tuple[str, ...]] = []
        self.actions = Actions(tables or {"house": TABLE}, self.posted.append, changed=self.tell)

    def open(self, name: str, *_: Any) -> Part:
        return self.house if name == "house" else Part(name)

    def names(self) -> tuple[str, ...]:
        return tuple(function.name for function in self.actions.functions)

    def tell(self) -> None:
        self.told.append(self.names())

    async def call(self, name: str, call_id: str = "1") -> Acted:
        await self.actions.run(Act(1, Call(call_id, name, {})))
        acted = self.posted.pop()
        assert isinstance(acted, Acted)
        return acted


TABLE = ActionTable(type="house", description="The house")


async def test_parts_come_and_go_while_the_action_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = Speaker(monkeypatch)
    await asyncio.sleep(0)
    assert speaker.names() == ("house",)
    speaker.house.offer("house_lamp", "house_fan")
    assert speaker.told == [("house", "house_lamp", "house_fan")]
    assert (await speaker.call("house_lamp")).text == "house_lamp is done."
    speaker.house.offer("house_fan")
    acted = await speaker.call("house_lamp", "2")
    assert (acted.ok, acted.is_known) == (False, False)
    assert acted.text == "That did not work: There is no function house_lamp."
    speaker.actions.close()
    await asyncio.sleep(0)
    assert speaker.house.attended == 0


async def test_an_action_that_goes_takes_its_parts_along(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = Speaker(monkeypatch)
    await asyncio.sleep(0)
    speaker.house.offer("house_lamp")
    speaker.house.parts[0].waits.clear()
    calling = asyncio.create_task(speaker.call("house_lamp"))
    await asyncio.sleep(0)
    await speaker.actions.change({})
    assert "it is not known whether it was done" in (await calling).text
    assert speaker.names() == ()
    assert speaker.house.attended == 0


async def test_what_stays_is_attended_once(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = Speaker(monkeypatch)
    await asyncio.sleep(0)
    await speaker.actions.change({"house": TABLE, "shed": TABLE})
    assert speaker.house.attended == 1
    assert speaker.names() == ("house", "shed")
    speaker.actions.close()


async def test_a_part_never_takes_another_functions_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    speaker = Speaker(monkeypatch, house=TABLE, house_lamp=TABLE)
    await asyncio.sleep(0)
    with caplog.at_level(logging.WARNING):
        speaker.house.offer("house_lamp", "house_fan")
    assert speaker.names() == ("house", "house_lamp", "house_fan")
    assert "house_lamp" in caplog.text
    speaker.actions.close()
