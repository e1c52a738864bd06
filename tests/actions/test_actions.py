import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from cooee import actions
from cooee.actions import Actions, Failed, Unsure, gpio
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Event, Switched

SCHEMA = {
    "type": "object",
    "properties": {
        "level": {"type": "integer", "minimum": 0, "maximum": 100},
        "mode": {"type": "string", "enum": ["warm", "cold"]},
        "name": {"type": "string", "maxLength": 5},
        "ratio": {"type": "number", "minimum": 0},
        "now": {"type": "boolean"},
        "times": {"type": "integer", "default": 2},
    },
    "required": ["level"],
    "additionalProperties": False,
}


OWN = Function("own", "The test's own.", SCHEMA)


@dataclass
class Own:
    """An action whose doing is the test's."""

    do: Callable[[Mapping[str, Any]], Awaitable[Any]]
    function: Function = OWN
    closed: bool = False

    async def run(self, arguments: Mapping[str, Any]) -> str:
        return await self.do(arguments)

    def close(self) -> None:
        self.closed = True


class Speaker:
    """Actions and what they post."""

    def __init__(self, tables: Mapping[str, actions.ActionTable] | None = None, *own: actions.Action) -> None:
        self.posted: list[Event] = []
        self.actions = Actions(tables or {}, self.posted.append, own)
        self._ids = map(str, count(1))

    async def call(self, name: str, arguments: Any = None) -> Acted:
        call_id = next(self._ids)
        await self.actions.run(Act(3, Call(call_id, name, arguments)))
        (acted,) = [event for event in self.posted if isinstance(event, Acted)]
        self.posted.clear()
        assert (acted.turn, acted.id, acted.name) == (3, call_id, name)
        return acted


async def echo(arguments: Mapping[str, Any]) -> str:
    return repr(dict(arguments))


async def test_arguments_that_fit_arrive_with_defaults_and_whole_numbers() -> None:
    acted = await Speaker({}, Own(echo)).call("own", {"level": 5.0, "mode": "warm"})
    assert acted == Acted(3, "1", "own", "{'level': 5, 'mode': 'warm', 'times': 2}", True)


async def test_what_is_not_known_is_not_called_a_failure() -> None:
    async def lost(arguments: Mapping[str, Any]) -> str:
        raise Unsure("It was sent, but it is not known whether it was done.")

    acted = await Speaker({}, Own(lost)).call("own", {"level": 5})
    assert acted == Acted(3, "1", "own", "It was sent, but it is not known whether it was done.", False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (None, "the arguments were not a JSON object."),
        ([1], "the arguments were not a JSON object."),
        ({}, "level is missing; it has to be a whole number from 0 to 100."),
        ({"level": "loud"}, "level has to be a whole number from 0 to 100, not 'loud'."),
        ({"level": "5"}, "level has to be a whole number from 0 to 100, not '5'."),
        ({"level": 101}, "level has to be a whole number from 0 to 100, not 101."),
        ({"level": -1}, "level has to be a whole number from 0 to 100, not -1."),
        ({"level": 5.5}, "level has to be a whole number from 0 to 100, not 5.5."),
        ({"level": True}, "level has to be a whole number from 0 to 100, not true."),
        ({"level": None}, "level has to be a whole number from 0 to 100, not nothing."),
        ({"level": [5]}, "level has to be a whole number from 0 to 100, not a list."),
        ({"level": {"a": 1}}, "level has to be a whole number from 0 to 100, not an object."),
        ({"level": float("nan")}, "level has to be a whole number from 0 to 100, not nan."),
        ({"level": 10**1000}, "level has to be a whole number from 0 to 100, not a number as large as that."),
        ({"level": 5, "mode": "hot"}, "mode has to be 'warm' or 'cold', not 'hot'."),
        ({"level": 5, "name": "x" * 99}, f"name has to be text of at most 5 characters, not '{'x' * 39}…'."),
        ({"level": 5, "ratio": float("inf")}, "ratio has to be a number from 0 on, not a number as large as that."),
        ({"level": 5, "ratio": float("nan")}, "ratio has to be a number from 0 on, not nan."),
        ({"level": 5, "now": "yes"}, "now has to be true or false, not 'yes'."),
        (
            {"level": 5, "colour": "red"},
            "there is no colour to be set here, it takes level, mode, name, ratio, now and times.",
        ),
    ],
)
async def test_arguments_that_do_not_fit_are_answered_in_words_and_do_nothing(arguments: Any, said: str) -> None:
    done = []

    async def do(arguments: Mapping[str, Any]) -> str:
        done.append(arguments)
        return "Done."

    acted = await Speaker({}, Own(do)).call("own", arguments)
    assert acted.text == f"That did not work: {said}"
    assert not acted.ok
    assert done == []


async def test_a_function_that_there_is_not() -> None:
    acted = await Speaker().call("x\n" * 10_000, {})
    assert acted.text.startswith("That did not work: There is no function x x x")
    assert len(acted.text) < 100
    assert not acted.ok
    assert not acted.is_known, "its name may hold anything"


async def test_an_action_that_fails_says_why_in_its_own_words() -> None:
    async def do(_: Mapping[str, Any]) -> str:
        raise Failed("The lamp is still off.")

    acted = await Speaker({}, Own(do)).call("own", {"level": 1})
    assert (acted.text, acted.ok) == ("That did not work: The lamp is still off.", False)


@pytest.mark.parametrize("error", [ValueError("secret words"), KeyError(3), RecursionError(), SystemExit(1)])
async def test_an_action_that_raises_is_answered_and_keeps_its_message_out_of_the_log(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def do(_: Mapping[str, Any]) -> str:
        raise error

    acted = await Speaker({}, Own(do)).call("own", {"level": 1})
    assert not acted.ok
    assert acted.text == "That did not work: something went wrong inside the speaker; its log says where."
    assert f"own: {type(error).__name__} in {__file__}" in caplog.text
    assert "secret words" not in caplog.text


@pytest.mark.parametrize("garbage", [None, 17, b"bytes", "", "  \n", {"a": 1}])
async def test_an_answer_that_is_no_text_is_not_taken_for_success(garbage: Any) -> None:
    async def do(_: Mapping[str, Any]) -> Any:
        return garbage

    acted = await Speaker({}, Own(do)).call("own", {"level": 1})
    assert acted.text == "It gave no answer, so it is not known whether that was done."
    assert not acted.ok


async def test_an_answer_of_megabytes_is_cut_and_can_be_sent() -> None:
    async def do(_: Mapping[str, Any]) -> str:
        return "a\x00\udc80" + "x" * 5_000_000

    acted = await Speaker({}, Own(do)).call("own", {"level": 1})
    assert acted.ok
    assert len(acted.text) <= 2000
    assert acted.text.startswith("axxx")
    acted.text.encode()


async def test_an_action_that_hangs_is_answered_at_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "BUILTIN_LIMIT_S", 0.02)
    monkeypatch.setattr(actions, "CLEANUP_S", 0.02)

    async def hang(_: Mapping[str, Any]) -> str:
        await asyncio.sleep(60)
        return "Done."

    async def refuse_to_end(_: Mapping[str, Any]) -> str:
        for _ in range(2):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        return "Done."

    for do in (hang, refuse_to_end):
        acted = await Speaker({}, Own(do)).call("own", {"level": 1})
        assert acted.text == "That took longer than 0.02 seconds and was given up; it is not known whether it was done."
        assert not acted.ok


async def test_what_was_half_done_is_put_right_before_the_call_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "BUILTIN_LIMIT_S", 0.01)
    half_done = False

    async def do(_: Mapping[str, Any]) -> str:
        nonlocal half_done
        half_done = True
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            half_done = False
        return "Done."

    await Speaker({}, Own(do)).call("own", {"level": 1})
    assert not half_done


async def test_an_action_that_cancels_itself_is_answered() -> None:
    async def do(_: Mapping[str, Any]) -> str:
        raise asyncio.CancelledError

    acted = await Speaker({}, Own(do)).call("own", {"level": 1})
    assert (acted.text, acted.ok) == ("That was interrupted; it is not known whether it was done.", False)


async def test_a_dropped_call_ends_and_is_not_heard_of_again() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def do(_: Mapping[str, Any]) -> str:
        try:
            begun.set()
            await asyncio.sleep(60)
        finally:
            ended.set()
        return "Done."

    speaker = Speaker({}, Own(do))
    running = asyncio.create_task(speaker.actions.run(Act(3, Call("1", "own", {"level": 1}))))
    await begun.wait()
    speaker.actions.drop("1")
    await running
    assert ended.is_set()
    assert speaker.posted == []
    speaker.actions.drop("1")
    speaker.actions.drop("never there")


async def test_an_action_without_its_device_stays_declared_and_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    speaker = Speaker({"lamp": gpio.Settings(pin=17, description="The lamp on the desk")})
    assert [function.name for function in speaker.actions.functions] == ["lamp"]
    acted = await speaker.call("lamp", {"state": "on"})
    assert acted.text.startswith("That did not work: this machine has no GPIO pins")
    assert "[actions.lamp]" in caplog.text
    assert speaker.actions.away["lamp"].startswith("this machine has no GPIO pins"), "as the status shows it"
    speaker.actions.close()


async def test_closing_ends_what_runs_and_leaves_the_safe_state(pins: MockFactory) -> None:
    door = gpio.Settings(pin=17, description="The door", kind="pulse", pulse_s=5.0)
    own = Own(echo)
    speaker = Speaker({"door": door}, own)
    running = asyncio.create_task(speaker.actions.run(Act(3, Call("1", "door", {}), is_confirmed=True)))
    while not speaker.posted:
        await asyncio.sleep(0)
    speaker.actions.close()
    await running
    assert speaker.posted[0] == Switched("door", 1.0)
    assert not any(isinstance(event, Acted) for event in speaker.posted)
    assert pins.pin(17).state == 0
    assert own.closed


async def test_stopping_ends_what_runs_and_takes_the_pin_back(pins: MockFactory) -> None:
    speaker = Speaker({"door": gpio.Settings(pin=5, description="The door", kind="pulse", pulse_s=5.0)})
    running = asyncio.create_task(speaker.actions.run(Act(3, Call("1", "door", {}), is_confirmed=True)))
    while not speaker.posted:
        await asyncio.sleep(0)
    speaker.actions.stop()
    await asyncio.wait_for(running, 2)
    assert pins.pin(5).state == 0
    speaker.actions.close()


async def test_one_that_can_not_close_keeps_no_other_from_closing(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Own(echo), Own(echo, Function("second", "Another.", SCHEMA))
    first.close = lambda: 1 / 0  # type: ignore[assignment, method-assign]
    Speaker({}, first, second).actions.close()
    assert second.closed
    assert "own could not be closed: ZeroDivisionError" in caplog.text


def test_declaring_touches_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    (function,) = actions.declare({"lamp": gpio.Settings(pin=17, description="The lamp on the desk")})
    assert function.name == "lamp"
    assert function.description == "The lamp on the desk. Switches it on or off."


async def test_no_arguments_and_no_answers_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    speaker = Speaker({}, Own(echo))
    await speaker.call("own", {"level": 41, "name": "Anna"})
    await speaker.call("own", {"level": "Anna"})
    assert "Anna" not in caplog.text
