import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from cooee.actions import Failed, _at_home, http
from cooee.actions._at_home import is_public
from cooee.actions._parameters import Parameter
from cooee.actions.http import Http, Settings

TEXT = {"text": Parameter(type="string")}
LEVEL = {"level": Parameter(type="integer", minimum=0, maximum=100)}


class Home:
    """A device on loopback that remembers what it was asked and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.answer = web.Response(text="fine")
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.raw_path, dict(request.headers), await request.text()))
        return self.answer


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    device = Home()
    runner = web.ServerRunner(web.Server(device.handle), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    device.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield device
    await runner.cleanup()


def make(url: str, **settings: Any) -> Http:
    return http.open("it", Settings(description="A device.", url=url, **settings), lambda event: None)


async def test_a_get_answers_with_what_came_back(home: Home) -> None:
    assert await make(f"{home.url}/state?x={{text}}", parameters=TEXT).run({"text": "a b&c=ä/#"}) == "fine"
    method, path, _, body = home.asked[0]
    assert (method, path, body) == ("GET", "/state?x=a%20b%26c%3D%C3%A4%2F%23", "")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "..",
            ".",
            "../admin",
            "a/../../admin",
            "..\\admin",
            "/../",
            "%2e%2e",
            "%252e%252E",
            ".%2e",
            "..;",
            "..;a=b",
            "",
        ),
        *("a/b", "a%2fb", "a%252Fb", "a\\b", "a%5cb", "a%0d%0aX: y", "a%00", "a\r\nX: y", "\x85", "\ud800", "\uffff"),
    ],
)
async def test_what_the_user_said_can_not_climb_out_of_the_path(home: Home, text: str) -> None:
    with pytest.raises(Failed, match="can't be used"):
        await make(f"{home.url}/rooms/{{text}}/lamp", parameters=TEXT).run({"text": text})
    two = {"a": Parameter(type="string"), "b": Parameter(type="string")}
    with pytest.raises(Failed, match="can't be used"):
        await make(f"{home.url}/rooms/{{a}}{{b}}", parameters=two).run({"a": text[:1], "b": text[1:]})
    assert home.asked == []


@pytest.mark.parametrize("text", ["@evil.example", ":80@evil", "?a=b", "#", "100%", "a;b", "a.b", "...", "%zz"])
async def test_what_the_user_said_stays_in_its_place(home: Home, text: str) -> None:
    await make(f"{home.url}/rooms/{{text}}/lamp", parameters=TEXT).run({"text": text})
    (asked,) = home.asked
    assert asked[1].count("/") == 3
    assert asked[1].startswith("/rooms/")
    assert asked[1].endswith("/lamp")


async def test_a_body_keeps_types_and_can_not_be_broken_out_of(home: Home) -> None:
    body = {"level": "{level}", "text": "to {level}", "list": [1, "{text}"], "on": True}
    lamp = make(f"{home.url}/set", method="POST", body=body, parameters={**LEVEL, **TEXT})
    await lamp.run({"level": 30, "text": '", "admin": "{level}'})
    sent = json.loads(home.asked[0][3])
    assert sent == {"level": 30, "text": "to 30", "list": [1, '", "admin": "{level}'], "on": True}


async def test_the_pointer_picks_the_answer(home: Home) -> None:
    home.answer = web.json_response({"state": "on", "sensors": [{"value": 21.5}]})
    hall = make(f"{home.url}/", pointer="/sensors/0/value", answer="It is {output} degrees in the hall.")
    assert await hall.run({}) == "It is 21.5 degrees in the hall."


@pytest.mark.parametrize("text", ["{}", "no json", "[1]"])
async def test_an_answer_without_what_was_asked_for(home: Home, text: str) -> None:
    home.answer = web.Response(text=text)
    with pytest.raises(Failed, match="the answer has nothing at /state"):
        await make(f"{home.url}/", pointer="/state").run({})


async def test_an_empty_answer_is_done(home: Home) -> None:
    home.answer = web.Response(status=204)
    assert await make(f"{home.url}/", method="POST").run({}) == "That is done."


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "elsewhere"),
        (400, r"refused the request \(400\)"),
        (401, "wants a key"),
        (403, "does not allow"),
        (404, "knows nothing"),
        (429, "too often"),
        (500, r"a fault of its own \(500\)"),
        (504, "too long"),
    ],
)
async def test_a_status_is_told_in_words(home: Home, status: int, said: str) -> None:
    home.answer = web.Response(status=status, headers={"Location": f"{home.url}/elsewhere"})
    with pytest.raises(Failed, match=said):
        await make(f"{home.url}/").run({})
    assert len(home.asked) == 1


async def test_an_answer_that_is_too_large_is_not_read(home: Home) -> None:
    home.answer = web.Response(body=b"x" * 10_000_000)
    with pytest.raises(Failed, match="larger than 64 kB"):
        await make(f"{home.url}/").run({})


async def test_a_small_answer_that_unpacks_to_a_large_one_is_not_read(home: Home) -> None:
    home.answer = web.Response(body=b"x" * 10_000_000)
    home.answer.enable_compression()
    with pytest.raises(Failed, match="larger than 64 kB"):
        await make(f"{home.url}/").run({})


async def test_a_device_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Failed, match="can't be reached"):
        await make(f"http://127.0.0.1:{port}/").run({})
    with pytest.raises(Failed, match="can't be reached"):
        await make("http://nowhere.invalid/").run({})


async def test_a_device_that_speaks_something_else() -> None:
    import asyncio

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello, this is mail\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Failed, match="no HTTP"):
            await make(f"http://127.0.0.1:{port}/").run({})


@pytest.mark.parametrize("url", ["http://192.0.0.9/", "http://[2606:4700::1]/", "http://[::ffff:8.8.8.8]/"])
async def test_what_is_not_at_home_is_not_even_tried(url: str) -> None:
    with pytest.raises(Failed, match="outside the home network"):
        await make(url).run({})


async def test_the_public_has_to_be_allowed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_at_home, "is_public", lambda address: True)
    with pytest.raises(Failed, match="outside the home network"):
        await make(f"{home.url}/").run({})
    assert await make(f"{home.url}/", allow_public=True).run({}) == "fine"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False),
        ("192.168.1.4", False),
        ("10.0.0.1", False),
        ("169.254.3.4", False),
        ("100.64.1.1", False),
        ("fe80::1%eth0", False),
        ("fd12::1", False),
        ("::1", False),
        ("::ffff:192.168.1.1", False),
        ("::ffff:8.8.8.8", True),
        ("8.8.8.8", True),
        ("2606:4700::1", True),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_a_key_comes_from_elsewhere(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ha_token").write_text("from a credential\n")
    file = tmp_path / "other_key"
    file.write_text("from a file\n")
    file.chmod(0o600)
    monkeypatch.delenv("HA_TOKEN", raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    headers = {"Authorization": "Bearer secret:ha_token", "X-Api-Key": f"secret:{file}", "X-Plain": "plain"}
    await make(f"{home.url}/", headers=headers).run({})
    sent = home.asked[0][2]
    assert sent["Authorization"] == "Bearer from a credential"
    assert sent["X-Api-Key"] == "from a file"
    assert sent["X-Plain"] == "plain"


def test_a_key_that_is_missing_or_open_to_others_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(Failed, match="the key ha_token_of_nobody is missing"):
        make("http://127.0.0.1/", headers={"Authorization": "secret:ha_token_of_nobody"})
    file = tmp_path / "key_of_all"
    file.write_text("x")
    file.chmod(0o644)
    with pytest.raises(Failed, match="chmod 600"):
        make("http://127.0.0.1/", headers={"Authorization": f"secret:{file}"})


def test_a_key_of_two_lines_is_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWO_LINES", "a\r\nX-Admin: yes")
    with pytest.raises(Failed, match="the key two_lines can't be sent: it has to be one line"):
        make("http://127.0.0.1/", headers={"Authorization": "Bearer secret:two_lines"})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://{text}/", "parameters": TEXT}, "the host can't have placeholders"),
        ({"url": "http://a:{text}/", "parameters": TEXT}, "is no URL"),
        ({"url": "{text}", "parameters": TEXT}, 'must begin with "http://"'),
        ({"url": "ftp://a/"}, 'must begin with "http://"'),
        ({"url": "http://"}, 'must begin with "http://"'),
        ({"url": "http://user:pass@a/"}, "can't hold user and password"),
        ({"url": "http://a/ b"}, "without spaces"),
        ({"url": "http://a/{x}"}, "is no parameter"),
        ({"url": "http://a/", "pointer": "state"}, "pointer"),
        ({"url": "http://a/", "body": {"a": 1}}, "GET sends no body"),
        ({"url": "http://a/", "headers": {"Authorization": "Bearer abc"}}, "a key, which can't stand here"),
        ({"url": "http://a/", "headers": {"X-API-Key": "abc"}}, "a key, which can't stand here"),
        ({"url": "http://a/", "headers": {"X-A": "b\r\nX-C: d"}}, "value is one line"),
        ({"url": "http://a/", "headers": {"X-A\r\nX-C": "d"}}, "name has no spaces"),
        ({"url": "http://a/", "headers": {"X A": "d"}}, "name has no spaces"),
        ({"url": "http://a/", "method": "get"}, "'GET', 'POST'"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(description="A device.", **settings)
