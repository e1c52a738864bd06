"""What the speaker can do, changed while it runs."""

import asyncio
import threading
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from cooee.actions import Action, Actions, ActionTable, _opened, command, gpio, stop_listening
from cooee.effects import Act
from cooee.events import Acted, Call, Event


def lamp(pin: int = 17, **settings: Any) -> gpio.Settings:
    return gpio.Settings(pin=pin, description=f"The lamp {pin}", **settings)


class House:
    def __init__(self, *builtins: Action, **tables: ActionTable) -> None:
        self.posted: list[Event] = []
        self.actions = Actions(tables, self.posted.append, builtins)
        self._ids = iter(range(100))

    async def ask(self, name: str, **arguments: Any) -> Acted:
        await self.actions.run(Act(1, Call(str(next(self._ids)), name, arguments), is_confirmed=True))
        return [event for event in self.posted if isinstance(event, Acted)][-1]

    @property
    def names(self) -> list[str]:
        return [function.name for function in self.actions.functions]


async def test_what_stays_the_same_stays_as_it_is(pins: MockFactory) -> None:
    house = House(one=lamp(17), two=lamp(18))
    await house.ask("one", state="on")
    await house.ask("two", state="on")
    states = len(pins.pin(17).states)
    await house.actions.change({"one": lamp(17), "two": lamp(18, initial="on")})
    assert pins.pin(17).state
    assert len(pins.pin(17).states) == states, "its pin was not even touched"
    assert (await house.ask("one", state="toggle")).text == "The lamp 17 is off."


async def test_what_goes_is_left_in_its_safe_state_and_is_no_function_any_more(pins: MockFactory) -> None:
    house = House(one=lamp(17), two=lamp(18))
    await house.ask("one", state="on")
    await house.actions.change({"two": lamp(18)})
    assert not pins.pin(17).state
    assert house.names == ["two"]
    assert (await house.ask("one", state="on")).text == "That did not work: There is no function one."
    assert not pins.pin(17).state


async def test_what_is_new_can_be_done_and_functions_stand_in_the_order_of_the_file(pins: MockFactory) -> None:
    house = House(stop_listening(lambda: None), two=lamp(18))
    await house.actions.change({"one": lamp(17), "two": lamp(18), "three": lamp(19)})
    assert house.names == ["stop_listening", "one", "two", "three"]
    assert (await house.ask("three", state="on")).ok
    assert pins.pin(19).state


async def test_two_can_swap_their_pins(pins: MockFactory) -> None:
    house = House(one=lamp(17), two=lamp(18))
    await house.actions.change({"one": lamp(18), "two": lamp(17)})
    assert (await house.ask("one", state="on")).ok
    assert (pins.pin(17).state, pins.pin(18).state) == (0, 1)


async def test_a_call_of_what_goes_is_stopped_and_answered_in_words(pins: MockFactory) -> None:
    house = House(door=lamp(5, kind="pulse", pulse_s=5.0), gate=lamp(6, kind="pulse", pulse_s=0.05))
    asked = [asyncio.create_task(house.ask(name)) for name in ("door", "gate")]
    while len(house.posted) < 2:
        await asyncio.sleep(0)
    await house.actions.change({"gate": lamp(6, kind="pulse", pulse_s=0.05)})
    await asyncio.gather(*asked)
    acted = {event.name: event.text for event in house.posted if isinstance(event, Acted)}
    assert acted["door"] == "That was interrupted; it is not known whether it was done."
    assert acted["gate"] == "The lamp 6 went on for 0.05 seconds and off again."
    assert pins.pin(5).state == 0


async def test_one_that_can_not_be_opened_stays_declared_says_why_and_is_tried_again(
    pins: MockFactory, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "program"
    bad = command.Settings(description="A program", command=[str(program)])
    house = House()
    await house.actions.change({"bad": bad, "one": lamp(17)})
    assert house.names == ["bad", "one"]
    assert "there is no program" in (await house.ask("bad")).text
    assert "[actions.bad]: there is no program" in caplog.text
    assert (await house.ask("one", state="on")).ok
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o700)
    await house.actions.change({"bad": bad, "one": lamp(17)})
    assert (await house.ask("bad")).text == "here"
    assert pins.pin(17).state


async def test_a_device_that_hangs_holds_up_neither_the_loop_nor_the_change(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_opened, "OPEN_LIMIT_S", 0.05)
    forever = threading.Event()
    monkeypatch.setattr(gpio, "open", lambda *_: forever.wait(5))
    house = House()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    await house.actions.change({"one": lamp(17), "echo": command.Settings(description="Says it", command=["true"])})
    ticking.cancel()
    forever.set()
    assert ticks > 5
    assert (await house.ask("one", state="on")).text == "That did not work: its device does not answer."
    assert (await house.ask("echo")).ok
    assert "[actions.one]: its device does not answer" in caplog.text


async def test_what_is_called_while_it_is_changed_is_answered(pins: MockFactory) -> None:
    house = House(one=lamp(17))
    changing = asyncio.create_task(house.actions.change({"one": lamp(17, initial="on")}))
    await asyncio.sleep(0)
    acted = await house.ask("one", state="on")
    assert acted.text == "That did not work: it is being set up anew; it can be done in a moment."
    await changing
    assert (await house.ask("one", state="off")).ok


async def test_a_name_that_is_built_in_is_left_out(pins: MockFactory, caplog: pytest.LogCaptureFixture) -> None:
    house = House(stop_listening(lambda: None))
    await house.actions.change({"stop_listening": lamp(17), "one": lamp(18)})
    assert house.names == ["stop_listening", "one"]
    assert "[actions.stop_listening]: this name is built in" in caplog.text


async def test_what_is_built_in_can_be_replaced(pins: MockFactory) -> None:
    said = []
    house = House(stop_listening(lambda: said.append("old")), one=lamp(17))
    await house.ask("one", state="on")
    await house.actions.change({"one": lamp(17)}, [stop_listening(lambda: said.append("new"))])
    await house.ask("stop_listening")
    assert said == ["new"]
    assert pins.pin(17).state


async def test_changes_at_once_are_made_one_after_the_other(pins: MockFactory) -> None:
    house = House()
    await asyncio.gather(*(house.actions.change({f"l{n}": lamp(17)}) for n in range(5)))
    assert house.names == ["l4"]
    assert (await house.ask("l4", state="on")).ok
    house.actions.close()
    assert not pins.pin(17).state
