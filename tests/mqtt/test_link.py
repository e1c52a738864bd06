"""The connection against a real broker: what it survives, and what it says while there is none."""

import asyncio
import logging
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
import psutil
import pytest

from cooee.mqtt.client import PAYLOAD_LIMIT, Message
from cooee.mqtt.link import Link
from cooee.settings import Mqtt as Settings
from mosquitto import Mosquitto, at_home

pytestmark = pytest.mark.slow

OFFLINE = Message("cooee/it/status", "offline", retain=True)
ONLINE = Message("cooee/it/status", "online", retain=True)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as it:
        yield it


@pytest.fixture
def broker_with_rules(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "rules").write_text("topic readwrite free/#\ntopic readwrite cooee/#\n")
    with Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {tmp_path / 'rules'}", "user root") as it:
        yield it


@asynccontextmanager
async def linked(port: int, *, wait: bool = True, **settings: Any) -> AsyncIterator[Link]:
    link = Link(Settings(host="127.0.0.1", port=port, **settings), "it", lambda: [ONLINE], OFFLINE)
    running = asyncio.create_task(link.run())
    try:
        if wait:
            await until(lambda: not link.away)
        yield link
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until(holds: Callable[[], object], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_what_is_published_arrives_and_what_comes_is_told(broker: Mosquitto, version: str) -> None:
    heard: list[tuple[str, bytes, bool]] = []
    async with at_home(broker) as home, linked(broker.port, version=version) as link:
        link.listen("home/+/state", lambda *message: heard.append(message))
        await link.publish("home/lamp/set", "on", retain=True)
        await link.listening("home/+/state")
        await home.until(lambda: home.last("home/lamp/set") == "on")
        await home.publish("home/lamp/state", "on")
        await home.publish("home/lamp/other", "on")
        await until(lambda: heard)
        assert heard == [("home/lamp/state", b"on", False)]


async def test_who_listens_late_hears_what_the_broker_kept(broker: Mosquitto) -> None:
    heard: list[tuple[str, bytes, bool]] = []
    async with at_home(broker) as home, linked(broker.port) as link:
        await home.publish("a", "1", retain=True)
        link.listen("a", lambda *message: None)
        link.listen("a", lambda *message: heard.append(message))
        await until(lambda: heard)
        assert heard[0] == ("a", b"1", True)


async def test_a_listener_that_ended_hears_nothing_more(broker: Mosquitto) -> None:
    heard, others = [], []
    async with at_home(broker) as home, linked(broker.port) as link:
        end = link.listen("a", lambda *message: heard.append(message))
        link.listen("a", lambda *message: others.append(message))
        await link.listening("a")
        end()
        await asyncio.sleep(0)
        await home.publish("a", "1")
        await until(lambda: others)
        assert heard == []


async def test_a_listener_that_fails_harms_nobody(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[bytes] = []

    def fail(*_: object) -> None:
        raise ValueError("the message's own words")

    async with at_home(broker) as home, linked(broker.port) as link:
        link.listen("a", fail)
        link.listen("a", lambda topic, payload, kept: heard.append(payload))
        await link.listening("a")
        await home.publish("a", "1")
        await until(lambda: heard)
    assert "could not be used: ValueError" in caplog.text
    assert "own words" not in caplog.text


async def test_without_a_broker_it_is_said_and_nothing_is_kept_for_later(broker: Mosquitto) -> None:
    broker.kill()
    async with linked(broker.port, wait=False) as link:
        await until(lambda: "can't be reached" in link.away)
        with pytest.raises(ConnectionError, match="the MQTT broker can't be reached"):
            await link.publish("home/lamp/set", "on")
        with pytest.raises(ConnectionError):
            await link.listening("home/lamp")
        link.tell(Message("home/lamp/set", "on"))
        broker.start()
        async with at_home(broker) as home:
            await until(lambda: not link.away)
            await link.publish("home/end", "")
            await home.until(lambda: home.last("home/end") is not None)
            assert home.last("home/lamp/set") is None


async def test_a_broker_that_is_killed_and_comes_back_finds_us_listening(broker: Mosquitto) -> None:
    heard: list[bytes] = []
    async with linked(broker.port) as link:
        link.listen("a", lambda topic, payload, kept: heard.append(payload))
        await link.listening("a")
        broker.kill()
        await until(lambda: link.away)
        broker.start()
        async with at_home(broker) as home:
            await until(lambda: not link.away)
            await home.publish("a", "again")
            await until(lambda: heard == [b"again"])
            assert home.last(ONLINE.topic) == "online"


async def test_a_broker_that_dies_while_it_is_to_acknowledge_leaves_it_unknown() -> None:
    """It lets us in, takes all and acknowledges nothing, then it is gone."""
    connected = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes.fromhex("20020000"))
        while b"home/lamp/set" not in await reader.read(1000):
            pass
        connected.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, linked(server.sockets[0].getsockname()[1], version="3.1.1") as link:
        with pytest.raises(TimeoutError, match="went away"):
            await link.publish("home/lamp/set", "on")
        assert connected.is_set()


async def test_an_orderly_end_says_goodbye_and_a_kill_leaves_the_will(broker: Mosquitto) -> None:
    async with at_home(broker) as home:
        async with linked(broker.port):
            await home.until(lambda: home.last(ONLINE.topic) == "online")
        await home.until(lambda: home.last(OFFLINE.topic) == "offline")
        async with linked(broker.port) as link:
            await home.until(lambda: home.last(ONLINE.topic) == "online")
            # The network is gone from one moment to the next, without a disconnect.
            assert link._client
            link._client._client.socket().shutdown(socket.SHUT_RDWR)
            await home.until(lambda: len(home.heard) == 4)
            await until(lambda: not link.away)
        await home.until(lambda: len(home.heard) == 6)
        assert [text for topic, text, _ in home.heard if topic == ONLINE.topic] == ["online", "offline"] * 3


async def test_ten_megabytes_are_none_of_ours(broker: Mosquitto) -> None:
    heard: list[bytes] = []
    for version in ("5", "3.1.1"):
        async with at_home(broker) as home, linked(broker.port, version=version) as link:
            link.listen("a", lambda topic, payload, kept: heard.append(payload))
            await link.listening("a")
            await home.publish("a", b"x" * 10_000_000)
            await home.publish("a", b"y" * (PAYLOAD_LIMIT + 1))
            await home.publish("a", b"\xff\x00{")
            await until(lambda: heard)
            assert heard == [b"\xff\x00{"]
            assert not link.away
            heard.clear()


async def test_a_storm_of_kept_messages_is_survived(broker: Mosquitto) -> None:
    heard: list[str] = []
    async with at_home(broker) as home:
        for number in range(3000):
            await home.publish(f"storm/{number}", "x" * 100, retain=True)
        async with linked(broker.port) as link:
            link.listen("storm/#", lambda topic, payload, kept: heard.append(topic))
            await link.listening("storm/#")
            # In the midst of it the broker may drop what is too much; afterwards nothing is lost.
            while "storm/end" not in heard:
                await home.publish("storm/end", "")
                await asyncio.sleep(0.05)
            assert len(heard) > 100
            assert not link.away


async def test_a_wrong_password_is_said_and_never_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "me", "opensesame"], check=True)
    lines = ("allow_anonymous false", f"password_file {tmp_path / 'users'}", "user root")
    with Mosquitto(tmp_path, *lines) as broker:
        monkeypatch.setenv("BROKER_KEY", "wrong-4711")
        who = {"username": "me", "password": "secret:BROKER_KEY"}
        async with linked(broker.port, wait=False, **who) as link:
            await until(lambda: "refuses" in link.away or "let us in" in link.away)
            monkeypatch.setenv("BROKER_KEY", "opensesame")
            await until(lambda: not link.away, 30)
        monkeypatch.delenv("BROKER_KEY")
        async with linked(broker.port, wait=False, **who) as link:
            await until(lambda: "BROKER_KEY is missing" in link.away)
    assert "4711" not in caplog.text
    assert "opensesame" not in caplog.text


async def test_what_the_brokers_access_rules_forbid_is_not_said_to_be_sent(
    broker_with_rules: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(broker_with_rules.port) as link:
        await link.publish("free/lamp", "on")
        with pytest.raises(ConnectionError, match="the MQTT broker refuses what was sent"):
            await link.publish("forbidden/lamp", "on")
        for _ in range(3):
            link.tell(Message("forbidden/lamp", "on"))
        await until(lambda: "does not let us publish" in caplog.text)
        await link.publish("free/lamp", "off")
        assert caplog.text.count("does not let us publish") == 1
        assert not link.away


async def test_who_is_put_out_by_another_client_with_our_id_says_so_and_leaves_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time for longer; by MQTT 5.0, 3.14.2.1 the broker tells why it ends the connection."""
    monkeypatch.setattr("cooee.mqtt.link.OUSTED_S", 0.4)
    came: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(asyncio.get_running_loop().time())
        await reader.read(1000)
        writer.write(bytes.fromhex("2003000000"))
        await reader.read(1000)
        writer.write(bytes.fromhex("e0018e"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, linked(server.sockets[0].getsockname()[1], wait=False) as link:
        await until(lambda: "another client at the MQTT broker uses our client id" in link.away)
        with pytest.raises(ConnectionError, match=r"give each speaker an \[mqtt\] id of its own"):
            await link.publish("a", "b")
        await until(lambda: len(came) == 3)
    assert came[1] - came[0] > 0.4 and came[2] - came[1] > 0.8


async def test_a_rival_at_a_broker_that_does_not_tell_is_suspected_and_left_alone(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cooee.mqtt.link.OUSTED_S", 2.0)
    async with linked(broker.port, version="3.1.1") as link:
        for _ in range(3):
            await until(lambda: not link.away)
            async with aiomqtt.Client("127.0.0.1", broker.port, identifier="it"):
                await until(lambda: link.away)
        assert "perhaps another client uses our client id" in link.away
        await asyncio.sleep(1.5)
        assert link.away
        await until(lambda: not link.away)


async def test_what_answers_without_being_a_broker_costs_no_open_sockets() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    before = psutil.Process().num_fds()
    async with server, linked(server.sockets[0].getsockname()[1], wait=False) as link:
        await until(lambda: "can't be reached" in link.away or "broke" in link.away)
        await asyncio.sleep(1)
    assert psutil.Process().num_fds() <= before + 2
