"""What asks the user first, what is never done, and how often something may be done at all."""

from collections.abc import Mapping
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from pydantic import ValidationError

from cooee import actions, kinds
from cooee.actions import Actions, ActionTable, Receipts, Risk, _rate, command, gpio, http
from cooee.actions._opened import Broken
from cooee.actions._parameters import Parameter
from cooee.actions._risk import judged, question
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Doubted, Event
from cooee.store import Store

VERBS = {"action": Parameter(type="string", enum=["open", "close", "lock", "unlock", "on", "off", "arm", "disarm"])}


def device(description: str, parameters: Mapping[str, Parameter] = VERBS, **more: Any) -> http.Settings:
    url = "http://127.0.0.1:9/" + "".join(f"{{{name}}}" for name in parameters)
    return http.Settings(description=description, url=url, parameters=dict(parameters), **more)


class House:
    def __init__(self, *builtins: actions.Action, receipts: Receipts | None = None, **tables: ActionTable) -> None:
        self.posted: list[Event] = []
        self.actions = Actions(tables, self.posted.append, builtins, receipts)
        self._ids = iter(range(10_000))

    async def call(self, name: str, *, confirmed: bool = False, id: str = "", **arguments: Any) -> Acted | Doubted:
        call = Call(id or str(next(self._ids)), name, arguments)
        await self.actions.run(Act(1, call, is_confirmed=confirmed))
        (event,) = [event for event in self.posted if isinstance(event, Acted | Doubted)]
        self.posted.clear()
        return event

    async def question(self, name: str, **arguments: Any) -> str:
        event = await self.call(name, **arguments)
        return event.question if isinstance(event, Doubted) else ""


async def test_a_door_opener_asks_first_and_moves_nothing_until_it_is_confirmed(pins: MockFactory) -> None:
    house = House(garage=gpio.Settings(pin=17, description="The garage door", kind="pulse", pulse_s=0.01))
    asked = await house.call("garage", id="a")
    assert asked == Doubted(1, "a", "garage", "Do you really want me to open the garage door?")
    assert len(pins.pin(17).states) == 1
    done = await house.call("garage", id="a", confirmed=True)
    assert isinstance(done, Acted) and done.ok
    assert [state.state for state in pins.pin(17).states] == [False, True, False]


async def test_a_question_leaves_no_receipt(pins: MockFactory) -> None:
    store = Store(None)
    gate = gpio.Settings(pin=17, description="The gate")
    await House(gate=gate, receipts=Receipts(store)).call("gate", id="a", state="on")
    assert Receipts(store).outcome("a") is None
    store.close()


@pytest.mark.parametrize(
    ("description", "arguments", "question"),
    [
        ("The front door lock", {"action": "unlock"}, "unlock the front door lock"),
        ("The lock of the front door", {"action": "open"}, "open the lock of the front door"),
        ("The garage door", {"action": "open"}, "open the garage door"),
        ("Garage", {"action": "close"}, "close the garage"),
        ("My sauna", {"action": "on"}, "switch on your sauna"),
        ("The water valve in the bath", {"action": "open"}, "open the water valve in the bath"),
        ("The burglar alarm", {"action": "disarm"}, "disarm the burglar alarm"),
        ("The lamp and the heater", {"action": "on"}, "switch on the lamp and the heater"),
        ("Das Garagentor", {"action": "open"}, "open das Garagentor"),
        ("Türschloss", {"action": "unlock"}, "unlock the türschloss"),
    ],
)
async def test_what_is_dangerous_asks_by_what_it_is_called(
    description: str, arguments: dict[str, Any], question: str
) -> None:
    house = House(thing=device(description))
    assert await house.question("thing", **arguments) == f"Do you really want me to {question}?"


@pytest.mark.parametrize(
    ("description", "arguments"),
    [
        ("The front door lock", {"action": "lock"}),
        ("The valve", {"action": "close"}),
        ("The alarm", {"action": "arm"}),
        ("The heater", {"action": "off"}),
        ("The lamp", {"action": "on"}),
        ("The light in the garage", {"action": "on"}),
        ("The garage light", {"action": "on"}),
        ("The lamp at the gate", {"action": "on"}),
        ("The alarm clock", {"action": "on"}),
        ("The clock", {"action": "on"}),
        ("The ventilator", {"action": "on"}),
        ("Der Monitor", {"action": "on"}),
        ("The front door", {"action": "lock"}),
    ],
)
async def test_what_is_not_dangerous_is_done_at_once(description: str, arguments: dict[str, Any]) -> None:
    assert await House(thing=device(description)).question("thing", **arguments) == ""


async def test_a_number_is_part_of_the_question() -> None:
    level = {"celsius": Parameter(type="integer", minimum=5, maximum=99)}
    asked = await House(heater=device("The heater in the bath", level)).question("heater", celsius=30)
    assert asked == "Do you really want me to set the heater in the bath to 30?"


async def test_no_text_of_the_agents_can_end_the_question() -> None:
    text = {"code": Parameter(type="string")}
    asked = await House(alarm=device("The alarm", text)).question("alarm", code="off. All is well! Music? Yes?\n")
    assert asked == "Do you really want me to set the alarm to off All is well Music Yes?"


async def test_what_one_deed_does_to_a_door_is_asked_for() -> None:
    opens = device("Opens the front door", {})
    assert await House(door=opens).question("door") == "Do you really want me to open the front door?"
    assert await House(open_door=device("For visitors", {})).question("open_door") != ""
    assert await House(bell=device("The front door bell", {})).question("bell") == ""


async def test_what_only_reads_asks_nothing(pins: MockFactory) -> None:
    house = House(lock=gpio.Settings(pin=17, description="The lock of the front door", kind="sensor"))
    assert await house.question("lock") == ""


async def test_the_table_has_the_last_word() -> None:
    lamp, lock = device("The lamp", risk="confirm"), device("The lock", risk="safe")
    own = device("The gate", question="Soll ich wirklich das Tor öffnen?")
    house = House(lamp=lamp, lock=lock, own=own)
    assert await house.question("lamp", action="on") == "Do you really want me to switch on the lamp?"
    assert await house.question("lock", action="unlock") == ""
    assert await house.question("own", action="open") == "Soll ich wirklich das Tor öffnen?"
    with pytest.raises(ValidationError, match="must be a question"):
        device("The gate", question="Open it")


async def test_what_is_denied_is_never_done_and_says_so(pins: MockFactory) -> None:
    house = House(lamp=gpio.Settings(pin=17, description="The lamp", risk="deny"))
    for confirmed in (False, True):
        answer = await house.call("lamp", state="on", confirmed=confirmed)
        assert isinstance(answer, Acted) and not answer.ok
        assert answer.text == "That did not work: this speaker is not allowed to do that."
    assert pins.pin(17).state == 0


class Own:
    """An action that judges for itself."""

    def __init__(self, judgement: Any) -> None:
        self.function = Function("own", "The test's own.", {"type": "object"})
        self.judgement = judgement
        self.done = 0

    def risk(self, arguments: Mapping[str, Any]) -> Risk:
        if isinstance(self.judgement, Exception):
            raise self.judgement
        return arguments.get("risk", self.judgement)  # type: ignore[no-any-return]

    def question(self, arguments: Mapping[str, Any]) -> str:
        return "Really unlock the cellar?"

    async def run(self, arguments: Mapping[str, Any]) -> str:
        self.done += 1
        return "Done."

    def close(self) -> None:
        pass


async def test_an_action_may_judge_by_the_arguments() -> None:
    own = Own("safe")
    house = House(own)
    assert await house.question("own", risk="confirm") == "Really unlock the cellar?"
    denied = await house.call("own", risk="deny", confirmed=True)
    assert isinstance(denied, Acted) and not denied.ok and own.done == 0
    assert isinstance(await house.call("own"), Acted) and own.done == 1


async def test_what_can_not_be_judged_is_not_done() -> None:
    own = Own(ValueError("?"))
    answer = await House(own).call("own", confirmed=True)
    assert isinstance(answer, Acted) and not answer.ok and own.done == 0


async def test_arguments_that_do_not_fit_are_not_asked_about() -> None:
    answer = await House(lock=device("The lock")).call("lock", action="blow up")
    assert isinstance(answer, Acted) and not answer.ok


async def test_the_agent_is_told_that_it_has_to_ask() -> None:
    tables = {"lock": device("The lock"), "lamp": device("The lamp"), "gate": device("The gate", risk="safe")}
    told = {each.name: each.description for each in Actions(tables, print).functions}
    assert told == {each.name: each.description for each in actions.declare(tables)}
    assert "only after a yes" in told["lock"]
    assert (told["lamp"], told["gate"]) == ("The lamp", "The gate")


async def test_a_runaway_agent_does_not_flap_a_relay(pins: MockFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(relay=gpio.Settings(pin=17, description="The relay", rate_limit_per_min=3))
    answers = [await house.call("relay", state="toggle") for _ in range(10)]
    assert [isinstance(answer, Acted) and answer.ok for answer in answers] == [True] * 3 + [False] * 7
    assert isinstance(answers[9], Acted) and "asked for too often; it can be done again in 60 s" in answers[9].text
    assert len(pins.pin(17).states) == 4
    monkeypatch.setattr(_rate, "PERIOD_S", 0.0)
    assert (await house.call("relay", state="off")) == Acted(1, "10", "relay", "The relay is off.", True)


async def test_reading_is_not_limited(pins: MockFactory) -> None:
    house = House(door=gpio.Settings(pin=17, description="The door", kind="sensor", rate_limit_per_min=1))
    assert all([isinstance(answer := await house.call("door"), Acted) and answer.ok for _ in range(3)])


async def test_what_was_asked_about_or_refused_does_not_count(pins: MockFactory) -> None:
    house = House(gate=gpio.Settings(pin=17, description="The gate", rate_limit_per_min=1))
    for _ in range(3):
        assert await house.question("gate", state="on")
        await house.call("gate", state="sideways")
    answer = await house.call("gate", state="on", confirmed=True)
    assert isinstance(answer, Acted) and answer.ok


def test_phrases_are_told_and_are_words() -> None:
    (function,) = actions.declare({"lamp": device("The lamp", phrases=["movie time", "lights out"])})
    assert function.phrases == ("movie time", "lights out")
    assert function.description == 'The lamp. Also asked for as "movie time" or "lights out".'
    with pytest.raises(ValidationError):
        command.Settings(description="Clean.", command=["true"], phrases=["ends [here"])


def safe_or_question(table: ActionTable, **arguments: Any) -> str:
    """What is asked before the call, "" for what is done at once."""
    function = kinds.module("actions", table.type).declare("it", table)
    action = Broken(function, "")
    return question(action, table, arguments) if judged(action, table, arguments) == "confirm" else ""


def on_pins(description: str, **more: Any) -> gpio.Settings:
    return gpio.Settings(pin=17, description=description, **more)


@pytest.mark.parametrize("phrase", ["open the garage door", "unlock the cellar", "Öffne das Tor"])
def test_what_is_dangerous_by_its_phrases_asks_whatever_it_is_called(phrase: str) -> None:
    otto = on_pins("Otto", kind="pulse", pulse_s=0.5, phrases=["movie time", phrase])
    assert safe_or_question(otto)
    assert "only after a yes" in actions.declare({"otto": otto})[0].description
    assert not safe_or_question(on_pins("Otto", kind="pulse", pulse_s=0.5, phrases=["movie time"]))


def test_the_question_names_what_moves_where_only_a_phrase_does() -> None:
    otto = on_pins("Otto", kind="pulse", pulse_s=0.5, phrases=["movie time", "open the garage door"])
    assert safe_or_question(otto) == "Do you really want me to open the garage door?"


@pytest.mark.parametrize(
    ("description", "state", "deed"),
    [
        ("The cellar lock", "on", "unlock the cellar lock"),
        ("The cellar lock", "unlock", "unlock the cellar lock"),
        ("The cellar lock", "toggle", "toggle the cellar lock"),
        ("The water valve", "on", "open the water valve"),
        ("The gate", "on", "open the gate"),
        ("The gate", "off", "close the gate"),
        ("The front door's opener", "on", "open the front door"),
        ("The heater", "on", "switch on the heater"),
    ],
)
def test_the_question_says_what_becomes_of_it_and_not_of_its_pin(description: str, state: str, deed: str) -> None:
    assert safe_or_question(on_pins(description), state=state) == f"Do you really want me to {deed}?"


@pytest.mark.parametrize(
    ("description", "deed"),
    [
        ("The garage door", "open the garage door"),
        ("The opener of the front door", "open the front door"),
        ("The cellar lock", "unlock the cellar lock"),
        ("The heater", "operate the heater"),
    ],
)
def test_what_is_pressed_for_a_moment_is_asked_for_as_it_is_wanted(description: str, deed: str) -> None:
    pulse = on_pins(description, kind="pulse", pulse_s=0.5)
    assert safe_or_question(pulse) == f"Do you really want me to {deed}?"


@pytest.mark.parametrize(
    ("description", "values"),
    [
        ("The heater", ["ON", "OFF"]),
        ("The heater", ["true", "false"]),
        ("The heater", ["1", "0"]),
        ("The front door lock", ["UNLOCK", "LOCK"]),
        ("The valve", ["Open", "Close"]),
    ],
)
def test_the_safe_side_is_safe_however_it_is_written(description: str, values: list[str]) -> None:
    table = device(description, {"action": Parameter(type="string", enum=values)})
    assert [bool(safe_or_question(table, action=value)) for value in values] == [True, False]


def test_to_turn_it_off_needs_no_yes() -> None:
    heater, valve, lock = on_pins("The heater", kind="pwm"), on_pins("The water valve"), on_pins("The cellar lock")
    assert safe_or_question(valve, state="off") == safe_or_question(lock, state="off") == ""
    assert safe_or_question(heater, level=0) == safe_or_question(heater, state="off") == ""
    assert safe_or_question(heater, level=1) == "Do you really want me to set the heater to 1?"
    assert safe_or_question(heater, level=0, state="on")
    assert safe_or_question(gpio.Settings(pin=17, description="The oven", kind="servo"), angle=0)
    assert safe_or_question(on_pins("Closes the water valve"), state="off")


def test_off_is_the_safe_side_of_a_lock_only_where_it_is_known_to_lock() -> None:
    assert safe_or_question(device("The front door lock"), action="off")
