"""The control socket: real aiohttp on a real Unix socket, and clients that behave, that don't, and that hang."""

import asyncio
import json
import os
import random
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cooee import control as room
from cooee import effects as do
from cooee import events as on
from cooee.control import Control, Controls, Refused, Taken, peer, wanted
from cooee.effects import Phase


class Speaker:
    """What was wished for."""

    def __init__(self) -> None:
        self.wishes: list[Any] = []

    async def status(self) -> Mapping[str, Any]:
        return {"phase": "asleep"}

    async def wish(self, wish: Any = None) -> Mapping[str, Any]:
        self.wishes.append(wish)
        if getattr(wish, "text", "") == "Is anybody there?":
            raise Refused("nobody answered", outcome="unanswered")
        return {}

    def controls(self) -> Controls:
        def note(name: str) -> Any:
            return lambda: self.wishes.append(name)

        async def obey(name: str) -> Mapping[str, Any]:
            await asyncio.sleep(0)
            return await self.wish(name)

        wish = self.wish
        plain = {name: note(name) for name in ("talk", "stop")}
        mute = {name: partial(obey, name) for name in ("mute", "unmute")}
        return Controls(status=self.status, say=wish, ask=wish, volume=wish, reload=wish, **plain, **mute)


@asynccontextmanager
async def controlled(path: Path) -> AsyncIterator[tuple[Control, Speaker, aiohttp.ClientSession]]:
    speaker = Speaker()
    connector = aiohttp.UnixConnector(str(path))
    async with Control(path, speaker.controls()) as control, aiohttp.ClientSession(connector=connector) as client:
        yield control, speaker, client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


async def post(client: aiohttp.ClientSession, what: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    async with client.post(f"http://cooee/{what}", data=data) as response:
        return response.status, await response.json()


async def raw(path: Path, data: bytes, timeout_s: float = 10) -> bytes:
    """Everything that is answered to these bytes, to the end of the connection."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        async with asyncio.timeout(timeout_s):
            writer.write(data)
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_wishes_reach_the_speaker(path: Path) -> None:
    async with controlled(path) as (_, speaker, client):
        async with client.get("http://cooee/status") as response:
            assert await response.json() == {"phase": "asleep"}
        assert await post(client, "say", {"text": "  Dinner\nis ready. ", "priority": "urgent"}) == (200, {})
        for name in ("talk", "stop", "mute", "unmute"):
            assert await post(client, name) == (200, {})
        await post(client, "volume", {"step": -10})
        (say, *plain, volume) = speaker.wishes
        assert (say.text, say.priority) == ("Dinner is ready.", "urgent")
        assert plain == ["talk", "stop", "mute", "unmute"]
        assert (volume.percent, volume.step) == (None, -10)


async def test_a_refusal_is_a_sentence_and_what_became_of_it(path: Path) -> None:
    async with controlled(path) as (_, _, client):
        asked = await post(client, "ask", {"text": "Is anybody there?"})
        assert asked == (409, {"error": "nobody answered", "outcome": "unanswered"})


@pytest.mark.parametrize(
    ("what", "body", "status", "sentence"),
    [
        ("say", b"", 400, "text: must be set"),
        ("say", b"hello", 400, "the body is not JSON"),
        ("say", b"\xff\xfe{}", 400, "the body is not JSON"),
        ("say", b"[" * 9000, 400, "the body is not JSON"),
        ("say", b"[1]", 400, "the body must be a JSON object"),
        ("say", {"text": 7}, 400, "text: must be text in quotes"),
        ("say", {"text": ""}, 400, "text: must have a word in it"),
        ("say", {"text": "\ud800"}, 400, "text: must be a valid string"),
        ("say", {"text": "x" * 1001}, 400, "text: must have at most 1000 characters"),
        ("say", {"text": "x", "loud": True}, 400, "loud: no such field; there are text, priority, voice, timeout_s"),
        ("say", {"text": "x", "priority": "high"}, 400, "priority: must be 'normal' or 'urgent'"),
        ("say", {"text": "x", "timeout_s": 1e9}, 400, "timeout_s: must be less than or equal to 3600"),
        ("say", {"text": "x" * 20_000}, 413, "the body may have 16384 bytes at most"),
        ("talk", {"by": "x"}, 400, "by: no such field; there is none"),
        ("volume", {"percent": 101}, 400, "percent: must be less than or equal to 100"),
        ("volume", {"percent": "40"}, 400, "percent: must be a whole number"),
        ("volume", {"percent": 40, "step": 10}, 400, "percent and step can't be wanted both"),
        ("sing", None, 404, "there is no such thing"),
        ("status", None, 405, "this is not done by POST"),
    ],
)
async def test_a_bad_request_is_answered_in_words(
    path: Path, what: str, body: Any, status: int, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with controlled(path) as (_, speaker, client):
        answered, known = await post(client, what, body)
        assert (answered, set(known)) == (status, {"error"})
        assert sentence in known["error"]
        assert speaker.wishes == []
    assert not [record for record in caplog.records if record.levelname != "INFO"]


async def test_only_what_can_be_said_is_left_of_a_text(path: Path) -> None:
    async with controlled(path) as (_, speaker, client):
        assert await post(client, "say", {"text": "\x1b[2J hi\u202e\x00"}) == (200, {})
        assert speaker.wishes[0].text == "[2J hi"


async def test_a_storm_of_nonsense_is_survived_without_a_traceback(
    path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "REQUEST_S", 0.5)
    rng = random.Random(4)
    good = b'POST /say HTTP/1.1\r\nHost: cooee\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"text": "one"}'

    def nonsense() -> bytes:
        match rng.randrange(6):
            case 0:
                return rng.randbytes(rng.randrange(1, 400))
            case 1:
                return good[: rng.randrange(1, len(good))].replace(b"15", b"5")
            case 2:
                return good.replace(b"Content-Length: 15", b"Content-Length: -1")
            case 3:
                return b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"
            case 4:
                return bytes(letter ^ (rng.random() < 0.03) for letter in good)
            case _:
                return good.replace(b"Content-Length: 15", b"Transfer-Encoding: chunked\r\n\r\nzz")

    async def one(data: bytes) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(data)
        if rng.random() < 0.7:
            writer.write_eof()
            answer = await reader.read()
            assert b"Traceback" not in answer
        writer.transport.abort()

    async with controlled(path) as (_, speaker, client):
        for _ in range(10):
            await asyncio.gather(*(one(nonsense()) for _ in range(30)), return_exceptions=True)
        speaker.wishes.clear()
        assert (await post(client, "say", {"text": "still here"}))[0] == 200
        assert [wish.text for wish in speaker.wishes] == ["still here"]
    assert "Traceback" not in caplog.text + capfd.readouterr().err


async def test_clients_that_hang_hold_nothing_up_and_are_let_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REQUEST_S", 0.3)
    async with controlled(path) as (_, speaker, client):
        half = b'POST /say HTTP/1.1\r\nHost: cooee\r\nContent-Length: 15\r\n\r\n{"te'
        hanging = [asyncio.create_task(raw(path, data)) for data in (b"", b"GET /sta", half) for _ in range(15)]
        await asyncio.sleep(0.05)
        assert (await post(client, "talk"))[0] == 200
        answers = await asyncio.gather(*hanging)
        assert [b"did not come to its end" in answer for answer in answers] == [False] * 30 + [True] * 15
        assert speaker.wishes == ["talk"]


async def test_too_many_clients_are_turned_away_and_the_next_is_served(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_CONNECTIONS", 5)
    async with controlled(path) as (_, _, client):
        idle = [await asyncio.open_unix_connection(str(path)) for _ in range(8)]
        async with asyncio.timeout(2):
            assert [await reader.read() for reader, _ in idle[5:]] == [b""] * 3
        for _, writer in idle:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await post(client, "talk"))[0] == 200


async def test_only_who_may_is_let_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with controlled(path) as (_, speaker, client):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        monkeypatch.setattr(room, "peer_of", lambda connected: peer.Peer(is_owner=False, is_allowed=False))
        status, known = await post(client, "say", {"text": "x"})
        assert (status, speaker.wishes) == (403, [])
        assert known["error"].startswith("Only root, the user that the speaker runs as and members of its group")


async def test_a_member_of_the_group_may_not_read_what_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "peer_of", lambda connected: peer.Peer(is_owner=False, is_allowed=True))
    async with controlled(path) as (_, _, client):
        assert (await client.get("http://cooee/watch?texts=1")).status == 403
        assert (await client.get("http://cooee/watch")).status == 200
        assert (await client.get("http://cooee/watch?texts=yes")).status == 400


def test_the_kernel_tells_who_is_there() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer.peer_of(ours) == peer.Peer(is_owner=True, is_allowed=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("groups", "is_allowed"), [([], False), ([os.getegid()], True)])
def test_a_stranger_is_known_by_its_groups(groups: list[int], is_allowed: bool) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        name = f"\0cooee-test-{os.getpid()}"
        listening.bind(name)
        listening.listen()
        child = os.fork()
        if child == 0:
            os.setgroups(groups)
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            caller = socket.socket(socket.AF_UNIX)
            os._exit(0 if caller.connect_ex(name) == 0 and caller.recv(1) else 1)
        connected, _ = listening.accept()
        with connected:
            found = peer.peer_of(connected)
            connected.send(b"x")
        assert os.waitpid(child, 0)[1] == 0
    assert found == peer.Peer(is_owner=False, is_allowed=is_allowed)


async def test_a_dead_daemons_socket_is_replaced_and_a_live_ones_is_not(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    async with controlled(path) as (_, speaker, client):
        with pytest.raises(Taken, match=f"process {os.getpid()} has {path}"):
            async with Control(path, Speaker().controls()):
                pass
        assert (await post(client, "talk"))[0] == 200
        assert speaker.wishes == ["talk"]
    assert not path.exists()


async def test_what_is_no_socket_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    async with Control(path, Speaker().controls()):
        assert "is in the way, and no socket" in caplog.text
    assert path.read_text() == "mine"


async def test_a_path_that_is_too_long_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Control(tmp_path / ("x" * 120) / "control.sock", Speaker().controls()):
        assert len(caplog.records) == 1 and "can't be made: AF_UNIX path too long" in caplog.text


SECRET = "the secret of the house"
EVENTS = (
    on.Heard(bytes(2560), 1.0, 0.9, "hey_jarvis"),
    on.UserText(SECRET),
    on.AgentText(SECRET),
    on.Asked((on.Call("c1", SECRET, {"state": SECRET}),)),
    on.Acted(1, "c1", SECRET, SECRET, True),
    on.SayWanted("1", SECRET),
    do.Say(1, SECRET),
    do.Show(Phase.ASLEEP, fault=SECRET),
)


async def test_who_watches_reads_what_happens_and_what_is_said_only_on_wish(path: Path) -> None:
    async with controlled(path) as (control, _, client):
        discreet, open_ = [await client.get(f"http://cooee/watch?texts={texts}") for texts in (0, 1)]
        for item in (on.Ticked(), on.AgentSpeech(b"x"), on.Heard(bytes(2560)), *EVENTS):
            control.tell(12.3456, item)
        lines = [json.loads(await discreet.content.readline()) for _ in EVENTS]
        assert SECRET not in json.dumps(lines)
        assert [line.get("event") or line["effect"] for line in lines] == [
            *("heard", "user_text", "agent_text", "asked", "acted", "say_wanted", "say", "show")
        ]
        assert (lines[0]["now_s"], lines[0]["wake"]) == (12.346, "hey_jarvis") and lines[-1]["phase"] == "asleep"
        texts = [await open_.content.readline() for _ in EVENTS]
        assert [SECRET.encode() in line for line in texts] == [False] + [True] * 7


async def test_a_slow_watcher_is_dropped_and_the_others_miss_nothing(path: Path) -> None:
    async with controlled(path) as (control, _, client):
        watchers = [await client.get("http://cooee/watch?texts=1") for _ in range(10)]
        slow = socket.socket(socket.AF_UNIX)
        slow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(slow, str(path))
        await asyncio.get_running_loop().sock_sendall(slow, b"GET /watch?texts=1 HTTP/1.1\r\nHost: cooee\r\n\r\n")
        await asyncio.sleep(0.1)
        read = [asyncio.create_task(_lines(watcher, 2000)) for watcher in watchers]
        for number in range(2000):
            control.tell(0.0, on.UserText(f"{number} " + "x" * 1000))
            await asyncio.sleep(0)
        for lines in await asyncio.gather(*read):
            assert [json.loads(line)["text"].split()[0] for line in lines] == [str(number) for number in range(2000)]
        control.tell(0.0, on.UserText("x"))
        async with asyncio.timeout(8):
            with pytest.raises(ConnectionError):
                while await asyncio.get_running_loop().sock_recv(slow, 65536):
                    pass
                raise ConnectionResetError
        slow.close()


async def _lines(response: aiohttp.ClientResponse, count: int) -> list[bytes]:
    return [await response.content.readline() for _ in range(count)]


def test_a_request_is_read_strictly() -> None:
    with pytest.raises(wanted.Bad, match="timeout_s: must be a number, without quotes"):
        wanted.read(wanted.Ask, b'{"text": "x", "timeout_s": "5"}')
    with pytest.raises(wanted.Bad, match=r"greater than or equal to 1; pitch: no such field"):
        wanted.read(wanted.Ask, b'{"text": "x", "timeout_s": 0, "pitch": 2}')
