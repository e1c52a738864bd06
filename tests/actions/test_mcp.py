"""Tools of servers that the test runs: one is a program, one speaks HTTP; and of those that misbehave."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from pydantic import ValidationError

from cooee.actions import Actions, _mcp_tools
from cooee.actions._mcp_tools import Unfit, answer, function_name, offer
from cooee.actions.mcp import Settings
from cooee.effects import Act
from cooee.events import Acted, Call, Doubted, Event

SERVER = """
import json, os, sys, time
TOOLS = [
    {"name": "add_note", "description": "Adds a note.", "inputSchema": {
        "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
    {"name": "list_notes", "description": "Lists the notes.", "annotations": {"readOnlyHint": True},
     "inputSchema": {"type": "object", "properties": {}}},
    {"name": "wipe", "description": "Deletes all.", "annotations": {"readOnlyHint": False},
     "inputSchema": {"type": "object", "properties": {}}},
    {"name": "die", "description": "Dies.", "inputSchema": {"type": "object", "properties": {}}},
    {"name": "flood", "description": "Floods.", "annotations": {"readOnlyHint": True},
     "inputSchema": {"type": "object", "properties": {}}},
]
notes = [os.environ.get("NOTE", "milk")]
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
print("not JSON at all", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    method, identity, given = asked.get("method"), asked.get("id"), asked.get("params", {})
    if method == "initialize":
        say(id=identity, result={"protocolVersion": given["protocolVersion"], "capabilities": {}})
        say(id=1, method="ping")
    elif method == "tools/list":
        say(id=identity, result={"tools": TOOLS})
    elif method == "tools/call":
        name = given["name"]
        if name == "die":
            sys.exit()
        if name == "flood":
            print("x" * 3_000_000, flush=True)
        if name == "add_note":
            notes.append(given["arguments"]["text"])
        text = "Nothing is left." if name == "wipe" else ", ".join(notes)
        say(id=identity, result={"content": [{"type": "text", "text": text}], "isError": name == "wipe"})
"""


class Speaker:
    """Actions with one table of the type, and what they post."""

    def __init__(self, **settings: Any) -> None:
        table = Settings.model_validate({"description": "The notes", "time_limit_s": 5.0, **settings})
        self.posted: list[Event] = []
        self.actions = Actions({"notes": table}, self.posted.append)
        self._calls = 0

    def names(self) -> set[str]:
        return {function.name for function in self.actions.functions}

    async def call(self, name: str, *, is_confirmed: bool = False, **arguments: Any) -> Acted | Doubted:
        self._calls += 1
        await self.actions.run(Act(1, Call(f"{self._calls}", name, arguments), is_confirmed))
        event = self.posted.pop()
        assert isinstance(event, Acted | Doubted)
        return event


@asynccontextmanager
async def speaking(*, until: Callable[[Speaker], object], **settings: Any) -> AsyncIterator[Speaker]:
    others = set(psutil.Process().children())
    speaker = Speaker(**settings)
    try:
        async with asyncio.timeout(10):
            while not until(speaker):
                await asyncio.sleep(0.02)
        yield speaker
    finally:
        await speaker.actions.change({})
        speaker.actions.close()
        async with asyncio.timeout(5):
            while set(psutil.Process().children()) - others:
                await asyncio.sleep(0.02)


@pytest.fixture
def program(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "server.py").write_text(SERVER)
    return {
        "command": [sys.executable, str(tmp_path / "server.py")],
        "tools": ["add_note", "wipe", "die"],
        "read_only_tools": ["list_notes", "flood"],
    }


def are_there(speaker: Speaker) -> bool:
    return "notes_add_note" in speaker.names()


@pytest.mark.slow
async def test_allowed_tools_of_a_program_are_functions_and_what_moves_asks_first(program: dict[str, Any]) -> None:
    program["tools"].remove("wipe")
    async with speaking(until=are_there, **program) as speaker:
        assert speaker.names() == {"notes", "notes_add_note", "notes_die", "notes_list_notes", "notes_flood"}
        assert (await speaker.call("notes_list_notes")) == Acted(1, "1", "notes_list_notes", "milk", True)
        asked = await speaker.call("notes_add_note", text='tea, really?" yes')
        assert isinstance(asked, Doubted)
        assert asked.question == "Do you really want me to do this: add note, with tea really yes?"
        assert (await speaker.call("notes_list_notes")).text == "milk"  # type: ignore[union-attr]
        added = await speaker.call("notes_add_note", text="tea", is_confirmed=True)
        assert isinstance(added, Acted) and (added.text, added.ok) == ("milk, tea", True)
        unfit = await speaker.call("notes_add_note", is_confirmed=True, text=5)
        assert isinstance(unfit, Acted) and "text has to be text" in unfit.text
        unknown = await speaker.call("notes_wipe", is_confirmed=True)
        assert isinstance(unknown, Acted) and not unknown.is_known


@pytest.mark.slow
async def test_a_tool_that_fails_is_said_to_have_failed(program: dict[str, Any]) -> None:
    async with speaking(until=are_there, **program) as speaker:
        wiped = await speaker.call("notes_wipe", is_confirmed=True)
        assert isinstance(wiped, Acted)
        assert (wiped.text, wiped.ok) == ("That did not work: the tool says: Nothing is left.", False)


@pytest.mark.slow
async def test_what_the_server_does_not_call_read_only_asks_even_if_the_config_does(program: dict[str, Any]) -> None:
    program.update(tools=["add_note"], read_only_tools=["wipe"])
    async with speaking(until=are_there, **program) as speaker:
        assert isinstance(await speaker.call("notes_wipe"), Doubted)


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "is_known"), [("die", False), ("flood", True)])
async def test_a_program_that_ends_in_mid_call_or_floods_is_started_again(
    program: dict[str, Any], tool: str, is_known: bool
) -> None:
    async with speaking(until=are_there, **program) as speaker:
        ended = await speaker.call(f"notes_{tool}", is_confirmed=True)
        assert isinstance(ended, Acted) and not ended.ok
        assert ("not known" in ended.text) is not is_known
        async with asyncio.timeout(10):
            while (await speaker.call("notes_list_notes")).text != "milk":  # type: ignore[union-attr]
                await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_the_program_ends_with_the_action_and_has_its_key(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTE_KEY", "the key")
    others = set(psutil.Process().children())
    async with speaking(until=are_there, env={"NOTE": "secret:NOTE_KEY"}, **program) as speaker:
        assert (await speaker.call("notes_list_notes")).text == "the key"  # type: ignore[union-attr]
        (child,) = set(psutil.Process().children()) - others
    assert not child.is_running()


class Web:
    """A server of tools by HTTP; `how` is how it answers: "json", "events" or something bad."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.over = asyncio.Event()
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.text())
        self.asked.append((message["method"], dict(request.headers)))
        match message["method"]:
            case "initialize":
                result: dict[str, Any] = {"protocolVersion": "2025-03-26", "capabilities": {}}
            case "tools/list" if "cursor" not in message["params"]:
                result = {"tools": [], "nextCursor": "2"}
            case "tools/list":
                schema = {"type": "object", "properties": {}}
                hints = {"readOnlyHint": True}
                result = {"tools": [{"name": "getWeather", "inputSchema": schema, "annotations": hints}]}
            case "tools/call":
                return await self.call(request, message["id"])
            case _:
                return web.Response(status=202)
        body = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        return web.json_response(body, headers={"Mcp-Session-Id": "s1"})

    async def call(self, request: web.BaseRequest, identity: int) -> web.StreamResponse:
        answer = {"jsonrpc": "2.0", "id": identity, "result": {"content": [{"type": "text", "text": "It\nrains."}]}}
        if self.how == "json":
            return web.json_response(answer)
        if self.how == "large":
            return web.Response(body=b"x" * 10_000_000, content_type="application/json")
        if self.how == "refused":
            return web.Response(status=401)
        if self.how == "garbage":
            return web.Response(body=b"[" * 100_000, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
        for part in (": hello\n\n", f"data: {json.dumps(progress)}\n\n", f"data: {json.dumps(answer)}\r\n\r\n"):
            await response.write(part.encode())
        await self.over.wait()  # the stream stays open
        return response


@asynccontextmanager
async def serving(how: str) -> AsyncIterator[tuple[Web, str]]:
    server = Web(how)
    runner = web.ServerRunner(web.Server(server.handle), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield server, f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    server.over.set()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("json", "It rains."),
        ("events", "It rains."),
        ("large", "That did not work: the answer was larger than 1024 kB."),
        ("refused", "That did not work: it wants a key, and the one that it got is missing or wrong."),
        ("garbage", "That did not work: the server gave an answer that can't be understood."),
    ],
)
async def test_a_tool_by_http(how: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_KEY", "open sesame")
    async with serving(how) as (server, url):
        settings = {"url": url, "read_only_tools": ["getWeather"]}
        headers = {"Authorization": "Bearer secret:WEATHER_KEY"}
        ready = lambda speaker: "notes_get_weather" in speaker.names()  # noqa: E731
        async with speaking(until=ready, headers=headers, **settings) as speaker:
            assert (await speaker.call("notes_get_weather")).text == said  # type: ignore[union-attr]
        assert [method for method, _ in server.asked][:4] == [
            "initialize",
            "notifications/initialized",
            "tools/list",
            "tools/list",
        ]
        sent = server.asked[-1][1]
        assert sent["Authorization"] == "Bearer open sesame"
        assert (sent["Mcp-Session-Id"], sent["MCP-Protocol-Version"]) == ("s1", "2025-03-26")


async def test_a_server_that_is_not_there_is_said_and_looked_for(caplog: pytest.LogCaptureFixture) -> None:
    async with speaking(
        until=lambda speaker: "can't be reached" in caplog.text, url="http://127.0.0.1:9/mcp", tools=["a"]
    ) as speaker:
        said = await speaker.call("notes")
        assert isinstance(said, Acted) and said.text == "That did not work: the device can't be reached."
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tools": ["a"]}, "needs either url or command"),
        ({"url": "http://a", "command": ["b"], "tools": ["a"]}, "needs either url or command"),
        ({"url": "http://a"}, "allows no tool"),
        ({"url": "ftp://a", "tools": ["a"]}, "must begin with"),
        ({"url": "http://me:key@a", "tools": ["a"]}, "can't hold user and password"),
        ({"url": "http://a", "tools": ["a"], "risk": "safe"}, "strangers' tools"),
        ({"url": "http://a", "tools": ["a"], "headers": {"Authorization": "Bearer 4711"}}, "holds a key"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"description": "The notes", **settings})


def tool(schema: Any) -> dict[str, Any]:
    return {"name": "a", "inputSchema": schema}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        "text",
        {"type": "object", "properties": {"a": {"$ref": "http://evil.example/schema"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"type": "object", "properties": {"a": {"type": "thing"}}},
        {"type": "object", "properties": {"a": {"description": "x" * 10_000}}},
    ],
)
def test_a_schema_that_leads_elsewhere_or_is_none_is_not_offered(schema: Any) -> None:
    with pytest.raises(Unfit):
        offer(tool(schema))


def test_a_schema_is_told_without_what_a_stranger_could_make_us_compute() -> None:
    definitions = {"mood": {"type": "string", "pattern": "(a+)+$"}}
    properties = {"pattern": {"type": "string", "pattern": "(a+)+$"}, "mood": {"$ref": "#/$defs/mood"}}
    offered = offer(tool({"type": "object", "properties": properties, "$defs": definitions}))
    assert offered.schema["properties"] == {"pattern": {"type": "string"}, "mood": {"type": "string"}}
    assert offered.schema["additionalProperties"] is False


def test_names_and_answers() -> None:
    assert function_name("notes", "addNote") == "notes_add_note"
    assert function_name("notes", "files/read-all") == "notes_files_read_all"
    assert answer({"content": "nonsense"}) == ""
    assert answer({"content": [], "structuredContent": {"celsius": 21}}) == '{"celsius": 21}'


@pytest.mark.parametrize("kind", ["bomb", "circle", "depth"])
def test_a_schema_without_end_is_no_tool_and_takes_no_time(kind: str) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"x": {"$ref": "#/$defs/a0"}}}
    if kind == "bomb":
        many = [{"anyOf": [{"$ref": f"#/$defs/a{number + 1}"}] * 50} for number in range(5)]
        schema["$defs"] = {**{f"a{number}": each for number, each in enumerate(many)}, "a5": {"type": "string"}}
    elif kind == "circle":
        schema["$defs"] = {"a0": {"not": {"$ref": "#/$defs/a0"}}}
    else:
        deep: dict[str, Any] = {"type": "string"}
        for _ in range(400):
            deep = {"not": deep}
        schema["properties"] = {"x": deep}
    with pytest.raises(_mcp_tools.Unfit):
        _mcp_tools.offer({"name": "endless", "inputSchema": schema})
