"""What answers at Home Assistant's address is slow, broken, hostile or something else: answered in words, in time."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from at_home import Speaker
from cooee.actions import _hass_link
from cooee.events import Acted

pytestmark = pytest.mark.slow

TOKEN = "eyJ.a-token-that-nobody-may-see"
LAMP: dict[str, Any] = {"s": "off", "a": {"friendly_name": "Lamp", "supported_color_modes": ["onoff"]}, "lc": 1.0}


class Home:
    """Answers as Home Assistant does, except for what the test says: a kind of message, or "hello" for the greeting."""

    def __init__(self, entities: dict[str, Any], **other: Any) -> None:
        self.entities = entities
        self.other = other
        self.lines = 0
        self.asked: list[dict[str, Any]] = []

    async def attend(self, line: ServerConnection) -> None:
        self.lines += 1
        if "hello" in self.other:
            await line.send(self.other["hello"])
        else:
            await line.send(json.dumps({"type": "auth_required"}))
            await line.recv()
            await line.send(json.dumps({"type": "auth_ok"}))
        async for raw in line:
            message = json.loads(raw)
            self.asked.append(message)
            for answer in self.answers(message):
                await line.send(answer if isinstance(answer, str | bytes) else json.dumps(answer))

    def answers(self, message: dict[str, Any]) -> list[Any]:
        number, kind = message["id"], message["type"]
        if kind in self.other:
            result = self.other[kind]
            return result(message) if callable(result) else [done(number, result)]
        exposed = {name: {"conversation": True} for name in self.entities}
        results: dict[str, Any] = {
            "get_config": {"unit_system": {"temperature": "°C"}, "state": "RUNNING"},
            "config/entity_registry/list": [{"entity_id": name} for name in self.entities],
            "config/area_registry/list": [],
            "config/device_registry/list": [],
            "homeassistant/expose_entity/list": {"exposed_entities": exposed},
            "config/entity_registry/get_entries": {},
        }
        answers = [done(number, results.get(kind))]
        if kind == "subscribe_entities":
            answers.append({"id": number, "type": "event", "event": {"a": self.entities}})
        return answers


def done(number: int, result: Any) -> dict[str, Any]:
    return {"id": number, "type": "result", "success": True, "result": result}


@asynccontextmanager
async def speaker_at(monkeypatch: pytest.MonkeyPatch, home: Home, **settings: Any) -> AsyncIterator[Speaker]:
    monkeypatch.setenv("HOME_ASSISTANT_TOKEN", TOKEN)
    monkeypatch.setattr(_hass_link, "CONNECT_S", 0.5)
    async with serve(home.attend, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        speaker = Speaker(f"http://127.0.0.1:{port}", **{"time_limit_s": 1.0, **settings})
        try:
            yield speaker
        finally:
            speaker.actions.close()
            await asyncio.sleep(0)


async def said_in_time(speaker: Speaker, function: str, **arguments: Any) -> str:
    async with asyncio.timeout(1.2):
        return await speaker.said(function, **arguments)


async def test_a_refused_token_is_shown_once_and_never_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home({}, hello='{"type": "auth_invalid", "message": "Invalid access token"}')
    with caplog.at_level(logging.DEBUG):
        async with speaker_at(monkeypatch, home) as speaker:
            await speaker.until_told("does not accept the token")
            await asyncio.sleep(1.0)
            assert home.lines == 1
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("cooee"))
    assert "does not accept the token" in ours
    assert TOKEN not in ours


@pytest.mark.parametrize(
    ("hello", "says"),
    [
        ("", "is not Home Assistant"),
        ('{"type": "welcome"}', "is not Home Assistant"),
        ("[" * 100_000, "does not answer"),
        ("x" * 17 * 2**20, "more than 16 MB"),
        ("[1, 2]", "does not answer"),
    ],
)
async def test_what_is_no_home_assistant_is_told_to_be_so(
    monkeypatch: pytest.MonkeyPatch, hello: str, says: str
) -> None:
    hello = hello or '{"id": 1, "type": "result"}'
    async with speaker_at(monkeypatch, Home({}, hello=hello)) as speaker:
        await speaker.until_told(says)
        assert [function.name for function in speaker.actions.functions] == ["home"]


async def test_a_web_server_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    monkeypatch.setenv("HOME_ASSISTANT_TOKEN", TOKEN)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        speaker = Speaker(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await speaker.until_told("is not Home Assistant, or it is just starting")
        speaker.actions.close()


async def test_ten_megabytes_of_a_state_are_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"s": "on", "a": {"friendly_name": "Camera", "picture": "x" * 10 * 2**20}, "lc": 1.0}
    async with speaker_at(monkeypatch, Home({"light.lamp": LAMP, "switch.camera": large})) as speaker:
        await speaker.until(lambda: speaker.names("home_switch") == ["Camera"])
        assert await said_in_time(speaker, "home_state", name="Camera") == "The camera is on."


async def test_more_than_is_borne_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"s": "x" * 17 * 2**20, "a": {}, "lc": 1.0}
    async with speaker_at(monkeypatch, Home({"sensor.large": large})) as speaker:
        await speaker.until_told("sent more than 16 MB at once")


async def test_a_call_that_is_never_answered_is_unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaker_at(monkeypatch, Home({"light.lamp": LAMP}, call_service=lambda message: [])) as speaker:
        await speaker.until(lambda: bool(speaker.names("home_light")))
        said = await said_in_time(speaker, "home_light", name="Lamp", state="on")
        assert said == "Home Assistant does not answer; it is not known whether that was done."


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ({"code": "not_found", "message": "x"}, "Home Assistant does not know how to do that."),
        ({"code": "unauthorized"}, "Home Assistant does not allow that to the user whose token this speaker has."),
        (
            {"code": "home_assistant_error", "message": f"timeout at http://user:pw@10.1.2.3/x?key={TOKEN}\nfor lamp"},
            "Home Assistant refused it: timeout at … for lamp.",
        ),
        ({"code": "home_assistant_error", "message": "y" * 5000}, "Home Assistant refused it: …."),
        ("no object", "Home Assistant refused it."),
    ],
)
async def test_why_it_was_refused_without_addresses_and_keys(
    monkeypatch: pytest.MonkeyPatch, error: Any, says: str
) -> None:
    def refuse(message: dict[str, Any]) -> list[Any]:
        return [{"id": message["id"], "type": "result", "success": False, "error": error}]

    async with speaker_at(monkeypatch, Home({"light.lamp": LAMP}, call_service=refuse)) as speaker:
        await speaker.until(lambda: bool(speaker.names("home_light")))
        acted = await speaker.call("home_light", name="Lamp", state="on")
        assert acted == Acted(3, acted.id, "home_light", f"That did not work: {says}", False)


async def test_names_are_fit_to_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[Any] = ["", None, 7, "a\nb\x00c", "x" * 500, "\u202eevil", "Lamp"]
    entities = {f"light.one_{n}": {**LAMP, "a": {**LAMP["a"], "friendly_name": name}} for n, name in enumerate(names)}
    async with speaker_at(monkeypatch, Home(entities)) as speaker:
        await speaker.until(lambda: bool(speaker.names("home_light")))
        found = speaker.names("home_light")
        assert {"one 0", "one 1", "one 2", "a b c", "Lamp", "all lights"} <= set(found)
        assert all(len(name) <= 60 and name.isprintable() for name in found)


NONSENSE: list[Any] = [
    "no JSON",
    b"\x00\xff",
    7,
    [],
    {"id": "1", "type": "result"},
    {"id": 99, "type": "event", "event": {}},
    {"id": 1, "type": "result", "success": True},
    *({"id": 8, "type": "event", "event": event} for event in (None, [], {"a": 7}, {"a": {"light.lamp": 7}}, {"r": 7})),
    {"id": 8, "type": "event", "event": {"c": {"light.lamp": {"+": 7, "-": 7}, "light.none": {"+": {}}}}},
    {"id": 8, "type": "event", "event": {"c": {"light.lamp": {"+": {"a": 7, "lc": "x"}, "-": {"a": 7}}}}},
]


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_nonsense_is_passed_over(monkeypatch: pytest.MonkeyPatch, nonsense: Any) -> None:
    def turn_on(message: dict[str, Any]) -> list[Any]:
        on = {"c": {"light.lamp": {"+": {"s": "on"}}}}
        (number,) = [each["id"] for each in home.asked if each["type"] == "subscribe_entities"]
        if isinstance(nonsense, dict) and nonsense.get("id") == 8:
            nonsense["id"] = number
        return [nonsense, done(message["id"], None), {"id": number, "type": "event", "event": on}]

    home = Home({"light.lamp": LAMP}, call_service=turn_on)
    async with speaker_at(monkeypatch, home) as speaker:
        await speaker.until(lambda: bool(speaker.names("home_light")))
        assert await said_in_time(speaker, "home_light", name="Lamp", state="on") == "The lamp is on."


@pytest.mark.parametrize("kind", ["config/entity_registry/list", "config/area_registry/list", "get_config"])
@pytest.mark.parametrize("result", [None, 7, {"x": []}, [7, None, {}]])
async def test_lists_that_are_none_offer_nothing_and_stop_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str, result: Any
) -> None:
    async with speaker_at(monkeypatch, Home({}, **{kind: result})) as speaker:
        await speaker.until_told("Home Assistant is there, but exposes nothing")


async def test_who_may_not_see_what_is_exposed_works_what_the_config_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(message: dict[str, Any]) -> list[Any]:
        return [{"id": message["id"], "type": "result", "success": False, "error": {"code": "unauthorized"}}]

    home = Home({"light.lamp": LAMP}, **{"homeassistant/expose_entity/list": deny})
    async with speaker_at(monkeypatch, home) as speaker:
        await speaker.until_told("exposes nothing to this speaker")
    async with speaker_at(monkeypatch, home, allow=["light"]) as speaker:
        await speaker.until(lambda: speaker.names("home_light") == ["Lamp", "all lights"])


async def test_a_missing_token_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME_ASSISTANT_TOKEN", raising=False)
    speaker = Speaker("http://127.0.0.1:1")
    assert "its token home_assistant_token is missing" in await speaker.said("home")
    speaker.actions.close()
