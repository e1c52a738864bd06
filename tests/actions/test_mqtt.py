"""Devices at a real broker, played by somebody else at it: what is sent, and what is said of what came back."""

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cooee.actions import Actions, Failed, Unsure
from cooee.actions._broker import topic_with
from cooee.actions.mqtt import Mqtt, Settings, declare
from cooee.actions.mqtt import open as open_mqtt
from cooee.effects import Act
from cooee.events import Acted, Call, Event, SayWanted, Triggered
from cooee.mqtt.client import Message
from cooee.mqtt.link import Link
from cooee.settings import Mqtt as Broker
from mosquitto import Mosquitto, at_home

STATE = {"state": {"type": "string", "enum": ["on", "off"]}}
TEXT = {"text": {"type": "string"}}
LAMP = {
    "description": "The lamp on the desk",
    "topic": "zigbee2mqtt/desk/set",
    "payload": {"state": "{state}"},
    "state_topic": "zigbee2mqtt/desk",
    "state_pointer": "/state",
    "expected": "{state}",
    "parameters": STATE,
    "time_limit_s": 1.0,
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as it:
        yield it


@asynccontextmanager
async def linked(broker: Mosquitto) -> AsyncIterator[Link]:
    link = Link(Broker(host="127.0.0.1", port=broker.port), "it", list, Message("it/status", "offline"))
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(10):
            while link.away:
                await asyncio.sleep(0.01)
        yield link
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def make(link: Any, **settings: Any) -> Mqtt:
    table = Settings.model_validate({"description": "A device", "time_limit_s": 1.0, **settings})
    return open_mqtt("it", table, lambda event: None, link)


@pytest.mark.slow
async def test_a_lamp_that_reports_back_is_what_it_reports(broker: Mosquitto) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        home.answer("zigbee2mqtt/desk/set", lambda text: [("zigbee2mqtt/desk", json.dumps({"state": "ON"}))])
        lamp = make(link, **LAMP)
        assert await lamp.run({"state": "on"}) == "The lamp on the desk is on."
        assert json.loads(home.last("zigbee2mqtt/desk/set") or "") == {"state": "on"}
        with pytest.raises(Failed, match=r"^The lamp on the desk is still on\.$"):
            await lamp.run({"state": "off"})


@pytest.mark.slow
async def test_an_old_state_is_no_proof(broker: Mosquitto) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        await home.publish("zigbee2mqtt/desk", json.dumps({"state": "ON"}), retain=True)
        with pytest.raises(Unsure, match="The command was sent, but nothing came back, so it is not known whether"):
            await make(link, **LAMP).run({"state": "on"})


@pytest.mark.slow
async def test_garbage_in_between_is_passed_over(broker: Mosquitto) -> None:
    garbage = ["", "no json", "[]", '{"state": null', "{}", "[" * 20000, '{"state": "OFF"}', '{"state": "ON"}']
    async with at_home(broker) as home, linked(broker) as link:
        home.answer("zigbee2mqtt/desk/set", lambda text: [("zigbee2mqtt/desk", each) for each in garbage])
        assert await make(link, **LAMP).run({"state": "on"}) == "The lamp on the desk is on."


@pytest.mark.slow
async def test_a_broker_that_is_killed_in_mid_call_leaves_it_unknown_and_then_says_so(broker: Mosquitto) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        lamp = make(link, **LAMP)
        call = asyncio.create_task(lamp.run({"state": "on"}))
        await home.until(lambda: home.last("zigbee2mqtt/desk/set"))
        broker.kill()
        with pytest.raises(Unsure, match="it is not known whether that was done"):
            await call
        with pytest.raises(Failed, match="the MQTT broker"):
            await lamp.run({"state": "on"})
    broker.start()
    async with at_home(broker) as home, linked(broker) as link:
        home.answer("zigbee2mqtt/desk/set", lambda text: [("zigbee2mqtt/desk", text)])
        assert await make(link, **LAMP).run({"state": "off"}) == "The lamp on the desk is off."


@pytest.mark.slow
async def test_a_request_is_answered_by_what_comes_back(broker: Mosquitto) -> None:
    """A Shelly of the second generation: JSON-RPC, answered where the request says."""
    shelly = {
        "topic": "shellyplus1/rpc",
        "payload": {"id": 1, "src": "cooee/it", "method": "Switch.Set", "params": {"id": 0, "on": "{on}"}},
        "state_topic": "cooee/it/rpc",
        "state_pointer": "/result/was_on",
        "answer": "It was {output} before.",
        "parameters": {"on": {"type": "boolean"}},
    }
    async with at_home(broker) as home, linked(broker) as link:
        home.answer("shellyplus1/rpc", lambda text: [("cooee/it/rpc", '{"id": 1, "result": {"was_on": false}}')])
        assert await make(link, **shelly).run({"on": True}) == "It was false before."
        assert json.loads(home.last("shellyplus1/rpc") or "")["params"] == {"id": 0, "on": True}


@pytest.mark.slow
async def test_a_reading_is_what_was_told_last(broker: Mosquitto) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        pointer = {"state_pointer": "/temperature", "answer": "It is {output} degrees."}
        hall = make(link, state_topic="zigbee2mqtt/hall", **pointer)
        with pytest.raises(Failed, match="it has not told its state yet"):
            await hall.run({})
        await home.publish("zigbee2mqtt/hall", '{"temperature": 21.5}')
        await home.until(lambda: home.heard)
        assert await hall.run({}) == "It is 21.5 degrees."
        await home.publish("zigbee2mqtt/attic", '{"temperature": 30}', retain=True)
        attic = make(link, state_topic="zigbee2mqtt/{text}", parameters=TEXT, **pointer)
        assert await attic.run({"text": "attic"}) == "It is 30 degrees."
        with pytest.raises(Failed, match="it has not told its state yet"):
            await attic.run({"text": "cellar"})


@pytest.mark.slow
async def test_what_reports_nothing_back_is_said_to_be_sent_and_no_more(broker: Mosquitto) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        said = await make(link, topic="cmnd/tv/POWER", payload="{state}", parameters=STATE).run({"state": "off"})
        assert said == "The command was sent; whether it was done is not reported back."
        await home.until(lambda: home.last("cmnd/tv/POWER") == "off")


@pytest.mark.slow
@pytest.mark.parametrize("text", ["a/b", "+", "#", "", "../x", "a#", "x\x00", "desk/set\n"])
async def test_what_the_user_said_can_not_lead_to_another_topic(broker: Mosquitto, text: str) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        for settings in ({"topic": "home/{text}/set"}, {"topic": "home/set", "state_topic": "home/{text}"}):
            with pytest.raises(Failed, match="can't be used"):
                await make(link, parameters=TEXT, **settings).run({"text": text})
        await link.publish("end", "")
        await home.until(lambda: home.last("end") is not None)
        assert [topic for topic, *_ in home.heard] == ["end"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "\uffff",
            "\ufffe",
            "\ufdd0",
            "\U0001ffff",
            "\x85",
            "\x00",
            "\x1f",
            "\x7f",
            "\x9f",
            "\u2028",
            "\ud800",
            "a\udfffb",
        ),
        *("+", "#", "a/b", "/", "a+", "#a", ""),
    ],
)
def test_no_level_of_a_topic_has_what_a_broker_may_refuse_or_read_otherwise(text: str) -> None:
    with pytest.raises(Failed, match="can't be used"):
        topic_with("home/{text}/set", {"text": text})


def test_a_topic_of_the_brokers_own_is_reached_by_no_value() -> None:
    for text in ("$SYS", "$share", "$"):
        with pytest.raises(Failed, match="can't be used"):
            topic_with("{text}/x", {"text": text})
    assert topic_with("home/{text}/set", {"text": "Küche 2 😀"}) == "home/Küche 2 😀/set"


@pytest.mark.slow
async def test_what_the_user_said_can_not_break_out_of_the_payload(broker: Mosquitto) -> None:
    async with at_home(broker) as home, linked(broker) as link:
        sign = make(link, topic="sign", payload={"text": "{text}", "light": "off"}, parameters=TEXT)
        await sign.run({"text": '", "light": "on'})
        await home.until(lambda: home.last("sign"))
        assert json.loads(home.last("sign") or "") == {"text": '", "light": "on', "light": "off"}


@pytest.mark.slow
async def test_the_room_and_all_actions_share_one_connection(broker: Mosquitto) -> None:
    posted: list[Event] = []
    async with at_home(broker) as home, linked(broker) as link:
        home.answer("zigbee2mqtt/desk/set", lambda text: [("zigbee2mqtt/desk", text)])
        actions = Actions({"lamp": Settings.model_validate(LAMP)}, posted.append, means={"broker": link})
        await actions.run(Act(1, Call("a", "lamp", {"state": "on"})))
        await actions.run(Act(1, Call("b", "lamp", {"state": "up"})))
        actions.close()
        assert posted[0] == Acted(1, "a", "lamp", "The lamp on the desk is on.", True)
        assert isinstance(posted[1], Acted) and not posted[1].ok
        assert len([topic for topic, *_ in home.heard if topic.endswith("/set")]) == 1


@pytest.mark.slow
async def test_a_message_sets_off_what_the_config_says_and_an_old_one_does_not(broker: Mosquitto) -> None:
    posted: list[Event] = []
    bell = {"description": "The bell", "state_topic": "door", "state_pointer": "/action", "message": "press"}
    then = {"say": "Somebody is at the door.", "call": "lamp", "arguments": {"state": "on"}}
    async with at_home(broker) as home, linked(broker) as link:
        await home.publish("door", '{"action": "press"}', retain=True)
        table = Settings.model_validate({**bell, "on_message": then, "cooldown_s": 5.0})
        actions = Actions({"bell": table}, posted.append, means={"broker": link})
        await link.listening("door")
        for message in ("garbage", '{"action": "release"}', '{"action": "press"}', '{"action": "press"}'):
            await home.publish("door", message)
        async with asyncio.timeout(10):
            while len(posted) < 2:
                await asyncio.sleep(0.01)
        await link.listening("door")
        actions.close()
    said, triggered = posted
    assert isinstance(said, SayWanted) and said.text == "Somebody is at the door."
    assert isinstance(triggered, Triggered)
    assert (triggered.name, triggered.call.name, triggered.call.arguments) == ("bell", "lamp", {"state": "on"})


def test_what_a_message_calls_must_be_there() -> None:
    bell = {"description": "The bell", "state_topic": "door", "on_message": {"call": "lump"}}
    table = Settings.model_validate(bell)
    ((place, found, wrong),) = table.misfits("bell", {"lamp": Settings.model_validate(LAMP)}, ())
    assert (place, found) == (("on_message", "call"), "lump")
    assert 'did you mean "lamp"' in wrong


async def test_without_a_broker_the_action_is_there_and_says_why_it_can_not_be_done() -> None:
    posted: list[Event] = []
    actions = Actions({"lamp": Settings.model_validate(LAMP)}, posted.append)
    await actions.run(Act(1, Call("a", "lamp", {"state": "on"})))
    assert isinstance(posted[0], Acted)
    assert posted[0].text == "That did not work: there is no MQTT broker; [mqtt] host would name it."


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs a topic to send to, a state_topic to read from, or both"),
        ({"topic": "home/+/set"}, "wildcards"),
        ({"topic": "home/#"}, "wildcards"),
        ({"state_topic": "home/#"}, "wildcards"),
        ({"topic": "$SYS/broker"}, r'not begin with "\$"'),
        ({"topic": "a", "expected": "on"}, "expected needs topic and state_topic"),
        ({"state_topic": "a", "payload": "on"}, "no topic to send it to"),
        ({"topic": "a/{lamp}"}, "{lamp} is no parameter"),
        ({"topic": "a", "parameters": TEXT}, "the parameter text is used nowhere"),
        ({"topic": "a", "payload": '{{"text": "{text}"}}', "parameters": TEXT}, "is written as a table"),
        ({"topic": "a", "on_message": {"say": "Ring"}}, "on_message needs a state_topic"),
        ({"topic": "a", "qos": 3}, "0, 1 or 2"),
        ({"state_topic": "a", "state_pointer": "state"}, 'must be empty or begin with "/"'),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"description": "A device", **settings})


def test_the_examples_of_the_shipped_file_would_be_accepted() -> None:
    text = (Path(__file__).parents[2] / "config" / "config.toml").read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n\n") if '#type = "mqtt"' in block]
    assert len(blocks) >= 5
    for block in blocks:
        lines = [line.removeprefix("#") for line in block.splitlines() if not line.startswith("# ")]
        for table in tomllib.loads("\n".join(lines))["actions"].values():
            assert Settings.model_validate(table)


def test_what_only_reads_moves_nothing() -> None:
    assert declare("it", Settings.model_validate(LAMP)).side_effect
    assert not declare("it", Settings.model_validate({"description": "A device", "state_topic": "a"})).side_effect
