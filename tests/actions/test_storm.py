"""Thousands of calls, good, bad and hostile, over actions of every type."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web
from gpiozero.pins.mock import MockFactory

from cooee import actions
from cooee.actions import Actions, ActionTable, command, gpio, http
from cooee.actions._parameters import Parameter
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Event

LAMP, STRIP, DOOR, OPENER = 17, 18, 27, 22
NASTY = [
    *(None, True, False, -1, 101, 1e9, 10**400, 5.5, 7.0, float("nan"), float("inf")),
    *("", "on", "ON", "50", "-rf", "../..", "\x00", "\ud800", "$(reboot)", "{level}", "x" * 100_000),
    *([], [1], {}, {"level": 1}, {"a": {"b": [None] * 100}}),
]
NAMES = [
    "lamp",
    "strip",
    "door",
    "opener",
    "say",
    "ask",
    "raises",
    "hangs",
    "garbage",
    "",
    "Lamp",
    "__class__",
    "x" * 9999,
]
KEYS = ["state", "level", "text", "self", "", "State", "__proto__", "x" * 999]


class Bad:
    def __init__(self, name: str) -> None:
        self.function = Function(name, "A bad one.", {"type": "object"})

    async def run(self, arguments: Mapping[str, Any]) -> str:
        match self.function.name:
            case "raises":
                raise MemoryError("no")
            case "hangs":
                await asyncio.sleep(60)
        return random.choice([None, b"", "  ", 3])  # type: ignore[return-value]

    def close(self) -> None:
        pass


def tables(url: str) -> dict[str, ActionTable]:
    text = {"text": Parameter(type="string", max_length=50)}
    return {
        "lamp": gpio.Settings(pin=LAMP, description="The lamp"),
        "strip": gpio.Settings(pin=STRIP, description="The strip", kind="pwm"),
        "door": gpio.Settings(pin=DOOR, description="The door", kind="sensor"),
        "opener": gpio.Settings(pin=OPENER, description="The opener", kind="pulse", pulse_s=0.001),
        "say": command.Settings(description="Say it.", command=["echo", "{text}"], parameters=text),
        "ask": http.Settings(description="Ask it.", url=f"{url}/{{text}}", parameters=text),
    }


def allowed(name: str, arguments: Any) -> bool:
    """Said again in plain Python, so that the schema is not checked with itself."""
    if not isinstance(arguments, dict):
        return False
    level, state = arguments.get("level"), arguments.get("state")
    match name:
        case "lamp":
            return set(arguments) == {"state"} and state in ("on", "off", "toggle")
        case "strip":
            whole = type(level) is int or (type(level) is float and level == level // 1)
            level_fits = "level" not in arguments or (whole and 0 <= level <= 100)
            state_fits = "state" not in arguments or state in ("on", "off")
            clash = state == "off" and bool(level)
            return bool(arguments) and set(arguments) <= {"level", "state"} and level_fits and state_fits and not clash
        case "door" | "opener":
            return arguments == {}
        case "say" | "ask":
            return set(arguments) == {"text"} and isinstance(arguments["text"], str) and len(arguments["text"]) <= 50
    return False


def some_arguments(dice: random.Random, name: str) -> Any:
    good: dict[str, list[Any]] = {
        "lamp": [{"state": state} for state in ("on", "off", "toggle")],
        "strip": [{"level": level} for level in range(101)] + [{"state": "on"}, {"state": "off"}],
        "say": [{"text": "good morning"}],
        "ask": [{"text": "good morning"}],
    }
    match dice.randrange(4):
        case 0:
            return dice.choice([None, [], "text", 5, {}])
        case 1:
            return {dice.choice(KEYS): dice.choice(NASTY) for _ in range(dice.randrange(4))}
        case 2:
            base = dict(dice.choice(good.get(name, [{}])))
            return base | {dice.choice([*KEYS, *base]): dice.choice(NASTY)}
    return dice.choice(good.get(name, [{}]))


@pytest.fixture
async def url() -> Any:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="fine")

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.slow
async def test_a_storm_of_calls_is_answered_one_by_one_and_moves_no_pin_unasked(
    pins: MockFactory, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "BUILTIN_LIMIT_S", 0.01)
    dice = random.Random(20_24)
    posted: list[Event] = []
    deeds = Actions(tables(url), posted.append, [Bad(name) for name in ("raises", "hangs", "garbage")])
    outputs = [pins.pin(pin) for pin in (LAMP, STRIP, OPENER)]
    done = 0
    for number in range(2000):
        name = dice.choice(NAMES)
        arguments = some_arguments(dice, name)
        before = [len(pin.states) for pin in outputs]
        posted.clear()
        async with asyncio.timeout(5):
            await deeds.run(Act(number, Call(f"call {number}", name, arguments)))
        (acted,) = [event for event in posted if isinstance(event, Acted)]
        assert (acted.turn, acted.id, acted.name) == (number, f"call {number}", name)
        assert 0 < len(acted.text) <= 2000
        acted.text.encode()
        if not allowed(name, arguments):
            assert not acted.ok, (name, arguments)
            assert [len(pin.states) for pin in outputs] == before, (name, arguments)
        elif name in ("lamp", "strip", "opener", "door"):
            assert acted.ok, (name, arguments, acted.text)
        done += acted.ok
    deeds.close()
    assert done > 200
    assert [pin.state for pin in outputs] == [0, 0, 0]
