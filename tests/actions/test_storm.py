"""Thousands of calls, good, bad and hostile, over actions of every type."""

import asyncio
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from gpiozero.pins.mock import MockFactory

from cooee import actions
from cooee.actions import Actions, ActionTable, command, gpio, http
from cooee.actions._parameters import Parameter
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Doubted, Event

LAMP, STRIP, DOOR, OPENER, GATE, DENIED = 17, 18, 27, 22, 23, 24
CALLS = 10_000
TRAP = "reached"
"""A file that any shell would make, in whose folder the calls are made."""
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]
NASTY = [
    *(
        10**5000,
        -(10**5000),
        1e300,
        -0.0,
        1.0,
        12.000000000000002,
        "1e309",
        "NaN",
        "\u0663",
        "\u00bd",
        "x" * 1_000_000,
        DEEP,
    ),
    *(None, True, False, -1, 101, 1e9, 10**400, 5.5, 7.0, float("nan"), float("inf")),
    *("", "on", "ON", "50", "-rf", "../..", "\x00", "\ud800", "$(reboot)", "{level}", "x" * 100_000),
    *([], [1], {}, {"level": 1}, {"a": {"b": [None] * 100}}),
    *(f"; touch {TRAP}", f"$(touch {TRAP})", f"`touch {TRAP}`", f"| touch {TRAP}", f"&& touch {TRAP} #", f"' > {TRAP}"),
    *("../../admin", "..", "/etc/passwd", "%2e%2e%2fadmin", "?admin=1", "#", "@127.0.0.1/", "http://127.0.0.1/", "a/b"),
]
NAMES = [
    "lamp",
    "strip",
    "door",
    "opener",
    "gate",
    "denied",
    "say",
    "ask",
    "count",
    "degrees",
    "raises",
    "hangs",
    "garbage",
    "",
    "Lamp",
    "__class__",
    "x" * 9999,
]
KEYS = ["state", "level", "text", "n", "self", "", "State", "__proto__", "x" * 999]


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


OFTEN: Any = {"rate_limit_per_min": 6000}
RISKY = ("opener", "gate")
SWITCHED = ("on", "off", "toggle", "read")


def tables(url: str) -> dict[str, ActionTable]:
    text = {"text": Parameter(type="string", max_length=50)}
    whole = {"n": Parameter(type="integer", minimum=1, maximum=12)}
    number = {"n": Parameter(type="number", minimum=-5, maximum=12)}
    return {
        "lamp": gpio.Settings(pin=LAMP, description="The lamp", **OFTEN),
        "strip": gpio.Settings(pin=STRIP, description="The strip", kind="pwm", **OFTEN),
        "door": gpio.Settings(pin=DOOR, description="The door", kind="sensor"),
        "opener": gpio.Settings(pin=OPENER, description="The opener", kind="pulse", pulse_s=0.001, **OFTEN),
        "gate": gpio.Settings(pin=GATE, description="The gate", **OFTEN),
        "denied": gpio.Settings(pin=DENIED, description="The siren", risk="deny", **OFTEN),
        "say": command.Settings(description="Say it.", command=["echo", "{text}"], parameters=text, **OFTEN),
        "ask": http.Settings(description="Ask it.", url=f"{url}/asked/{{text}}", parameters=text, **OFTEN),
        "count": command.Settings(description="Count.", command=["echo", "{n}"], parameters=whole, **OFTEN),
        "degrees": command.Settings(description="Tell.", command=["echo", "{n}"], parameters=number, **OFTEN),
    }


def allowed(name: str, arguments: Any) -> bool:
    """Said again in plain Python, so that the schema is not checked with itself."""
    if not isinstance(arguments, dict):
        return False
    level, state = arguments.get("level"), arguments.get("state")
    match name:
        case "lamp" | "gate":
            states = (*SWITCHED, *(("open", "close") if name == "gate" else ()))
            return set(arguments) == {"state"} and state in states
        case "strip":
            whole = type(level) is int or (type(level) is float and level == level // 1)
            level_fits = "level" not in arguments or (whole and 0 <= level <= 100)
            state_fits = "state" not in arguments or state in ("on", "off", "read")
            clash = (state == "off" and bool(level)) or (state == "read" and "level" in arguments)
            return bool(arguments) and set(arguments) <= {"level", "state"} and level_fits and state_fits and not clash
        case "door" | "opener":
            return arguments == {}
        case "count" | "degrees":
            n = arguments.get("n")
            is_number = type(n) in (int, float) and -5 <= n <= 12
            return set(arguments) == {"n"} and is_number and (name == "degrees" or (n == n // 1 and n >= 1))
        case "say" | "ask":
            return set(arguments) == {"text"} and isinstance(arguments["text"], str) and len(arguments["text"]) <= 50
    return False


def some_arguments(dice: random.Random, name: str) -> Any:
    good: dict[str, list[Any]] = {
        **{name: [{"state": state} for state in (*SWITCHED, "open", "close")] for name in ("lamp", "gate", "denied")},
        "strip": [{"level": level} for level in range(101)] + [{"state": state} for state in ("on", "off", "read")],
        "say": [{"text": "good morning"}],
        "count": [{"n": 1}, {"n": 12.0}],
        "degrees": [{"n": -4.5}, {"n": 0}],
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


class Site:
    """Answers anything and remembers what it was asked for, as it came over the wire."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request.raw_path)
        return web.Response(text="fine")


@pytest.fixture
async def site() -> Any:
    it = Site()
    runner = web.ServerRunner(web.Server(it.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    it.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield it
    await runner.cleanup()


@pytest.mark.slow
async def test_a_storm_of_calls_is_answered_one_by_one_and_moves_no_pin_unasked(
    pins: MockFactory, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(actions, "BUILTIN_LIMIT_S", 0.01)
    monkeypatch.chdir(tmp_path)
    dice = random.Random(20_24)
    posted: list[Event] = []
    deeds = Actions(tables(site.url), posted.append, [Bad(name) for name in ("raises", "hangs", "garbage")])
    outputs = [pins.pin(pin) for pin in (LAMP, STRIP, OPENER, GATE, DENIED)]
    done = asked = 0
    for number in range(CALLS):
        name = dice.choice(NAMES)
        arguments = some_arguments(dice, name)
        is_confirmed = dice.random() < 0.5
        before = [len(pin.states) for pin in outputs]
        posted.clear()
        began_s = time.monotonic()
        await deeds.run(Act(number, Call(f"call {number}", name, arguments), is_confirmed))
        assert time.monotonic() - began_s < 5, "in time"
        (answer,) = [event for event in posted if isinstance(event, Acted | Doubted)]
        assert (answer.turn, answer.id, answer.name) == (number, f"call {number}", name)
        fits = allowed(name, arguments)
        if isinstance(answer, Doubted):
            assert fits and name in RISKY and not is_confirmed and arguments != {"state": "read"}
            assert answer.question.endswith("?")
        else:
            assert 0 < len(answer.text) <= 2000
            answer.text.encode()
            assert answer.ok or not fits or name not in ("lamp", "strip", "opener", "gate", "door"), (name, answer.text)
            assert not answer.ok or fits, (name, arguments)
            assert "inside the speaker" not in answer.text or name in ("raises", "garbage"), (name, answer.text)
            done += answer.ok
        if not fits or isinstance(answer, Doubted) or arguments == {"state": "read"}:
            assert [len(pin.states) for pin in outputs] == before, (name, arguments)
        asked += isinstance(answer, Doubted)
    deeds.close()
    assert done > CALLS / 10 and asked > CALLS / 100
    assert [pin.state for pin in outputs] == [0, 0, 0, 0, 0]
    assert len(outputs[4].states) <= 2, "what is denied was never switched on"
    assert not (tmp_path / TRAP).exists() and not Path("/", TRAP).exists(), "a shell"
    assert site.asked and all(path.startswith("/asked/") and path.count("/") == 2 for path in site.asked)
    assert not any("?" in path or path.endswith("/..") for path in site.asked)
