"""One line: how it is opened, what it sends, and how it ends."""

import asyncio
import shutil
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cooee.agent import Brief, Refused, Unreachable, deepgram
from cooee.agent._line import Line, open_line
from cooee.effects import Answer
from cooee.events import Asked, Trouble, UserStarted
from fakes import Peer, Refusal, Script, Server, hold, server
from faults.certificates import Authority

HEADERS = {"Authorization": "Token t"}
SETTINGS = deepgram.open(deepgram.Settings())._brief


@asynccontextmanager
async def line(script: Script) -> AsyncIterator[tuple[Line, Server]]:
    """A line whose settings are applied."""
    async with server(script) as it:
        link, _ = await open_line(it.url, HEADERS, SETTINGS)
        await link.settle(Brief())
        try:
            yield link, it
        finally:
            await link.close()


async def test_answers_carry_id_name_text_and_what_google_wants_back() -> None:
    async def ask(peer: Peer) -> None:
        await peer.apply()
        lamp = {"id": "c1", "name": "lamp", "arguments": "{}", "client_side": True, "thought_signature": "sig=="}
        fan = {"id": "c2", "name": "fan", "arguments": "{}", "client_side": True}
        await peer.say({"type": "FunctionCallRequest", "functions": [lamp, fan]})
        await peer.until(lambda: len(peer.of("FunctionCallResponse")) == 2)
        await peer.socket.close(1000)

    async with line(ask) as (link, it):
        async for event in link.events():
            assert isinstance(event, Asked)
            for each in reversed(event.calls):
                await link.answer(Answer(each.id, each.name, "Done: 50 %."))
    kind = {"type": "FunctionCallResponse", "content": "Done: 50 %."}
    fan, lamp = it.peers[0].of("FunctionCallResponse")
    assert fan == {**kind, "id": "c2", "name": "fan"}
    assert lamp == {**kind, "id": "c1", "name": "lamp", "thought_signature": "sig=="}


@pytest.mark.parametrize("place", ["welcome", "settings"])
async def test_an_error_in_place_of_welcome_or_settings_applied_is_the_reason(place: str) -> None:
    async def refuse(peer: Peer) -> None:
        if place == "settings":
            await peer.welcome()
            await peer.until(lambda: peer.settings)
        await peer.error("INVALID_SETTINGS")

    with pytest.raises(Refused, match="INVALID_SETTINGS") as refused:
        async with line(refuse):
            pass
    assert refused.value.trouble.is_hopeless


async def close(peer: Peer) -> None:
    await peer.socket.close(1011, "said in private")


async def too_big(peer: Peer) -> None:
    await peer.say(bytes(5 * 2**20))


async def no_text(peer: Peer) -> None:
    await peer.socket.send(b"\xff\xfe", text=True)


@pytest.mark.parametrize("end", [Peer.abort, Peer.fin, close, too_big, no_text])
async def test_a_line_that_breaks_says_so(end: Callable[[Peer], Any]) -> None:
    async def break_off(peer: Peer) -> None:
        await peer.apply()
        await peer.say({"type": "UserStartedSpeaking"})
        if (ending := end(peer)) is not None:
            await ending

    async with line(break_off) as (link, _):
        heard = []
        with pytest.raises(ConnectionError, match="broke") as broken:
            async for event in link.events():
                heard.append(event)
        assert heard == [UserStarted()]
        assert "private" not in str(broken.value)
        with pytest.raises(ConnectionError):
            await link.send(bytes(100))
        with pytest.raises(ConnectionError):
            await link.keep_alive()


@pytest.mark.slow
async def test_a_peer_that_stops_reading_is_noticed_though_no_ping_gets_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is sent fills the kernel's buffers, then ours, and pings wait behind it."""
    monkeypatch.setattr("cooee.agent._line.SEND_TIMEOUT_S", 0.5)

    async def stop(peer: Peer) -> None:
        await peer.apply()
        peer.freeze()

    async with line(stop) as (link, _):
        reading = asyncio.create_task(anext(aiter(link.events()), None))
        with pytest.raises(ConnectionError, match="stuck"):
            for _ in range(100):
                await link.send(bytes(2**20))
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(reading, 5)


@pytest.mark.slow
async def test_a_line_that_is_stuck_is_closed_all_the_same() -> None:
    """A close frame would wait behind what nobody reads."""

    async def stop(peer: Peer) -> None:
        await peer.apply()
        peer.freeze()

    async with line(stop) as (link, _):
        sending = asyncio.create_task(link.send(bytes(64 * 2**20)))
        await asyncio.sleep(0.3)
        assert not sending.done()
        await asyncio.wait_for(link.close(), 2)
        assert link._socket.transport.is_closing()
        await asyncio.wait([sending], timeout=2)
        assert sending.done()


async def test_a_pong_is_a_sign_of_life_and_a_frozen_peer_gives_none() -> None:
    thaw = asyncio.Event()

    async def freeze(peer: Peer) -> None:
        await peer.apply()
        peer.freeze()
        await thaw.wait()
        peer.socket.transport.resume_reading()  # type: ignore[attr-defined]

    async with line(freeze) as (link, _):
        settled = link.heard_at
        for _ in range(3):
            await asyncio.wait_for(link.ping(), 0.1)
            await asyncio.sleep(0.02)
        assert link.heard_at == settled
        thaw.set()
        async with asyncio.timeout(2):
            while link.heard_at == settled:
                await asyncio.sleep(0.01)


async def test_a_message_is_a_sign_of_life() -> None:
    async def speak(peer: Peer) -> None:
        await peer.apply()
        await asyncio.sleep(0.05)
        await peer.say({"type": "UserStartedSpeaking"})

    async with line(speak) as (link, _):
        settled = link.heard_at
        await anext(aiter(link.events()))
        assert link.heard_at >= settled + 0.04


@pytest.mark.slow
async def test_a_server_that_never_welcomes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.agent._line.WELCOME_TIMEOUT_S", 0.2)

    async def silent(peer: Peer) -> None:
        await peer.until(lambda: peer.ended_at)

    with pytest.raises(Unreachable, match="in time"):
        async with line(silent):
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of one's own")
async def test_an_address_of_its_name_that_never_answers_keeps_nobody_from_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cooee.agent._line.OPEN_TIMEOUT_S", 2.0)
    looked_up = socket.getaddrinfo

    def of_both(host: str, *rest: Any, **options: Any) -> list[Any]:
        hosts = ("127.0.0.2", "127.0.0.1") if host == "two.test" else (host,)
        return [found for each in hosts for found in looked_up(each, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", of_both)
    async with server(hold) as it:
        port = urlsplit(it.url).port
        with ExitStack() as sockets:
            full = sockets.enter_context(socket.create_server(("127.0.0.2", port or 0), backlog=0))
            for _ in range(4):
                waiting = sockets.enter_context(socket.socket())
                waiting.setblocking(False)
                with suppress(BlockingIOError):
                    waiting.connect(full.getsockname())
            link, _ = await open_line(f"ws://two.test:{port}/", HEADERS, SETTINGS)
            await link.close()


async def test_what_is_no_websocket_is_called_so() -> None:
    async def gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ready\r\n")
        writer.close()

    listening = await asyncio.start_server(gibberish, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(ConnectionError, match="does not speak WebSocket"):
            await open_line(f"ws://127.0.0.1:{port}/", HEADERS, SETTINGS)
        with pytest.raises(ConnectionError, match="does not speak TLS"):
            await open_line(f"wss://127.0.0.1:{port}/", HEADERS, SETTINGS, tls=ssl.create_default_context())
    with pytest.raises(ConnectionError, match="nobody listens") as error:
        await open_line(f"ws://127.0.0.1:{port}/", HEADERS, SETTINGS)
    assert str(port) not in str(error.value)


@pytest.mark.parametrize("kind", ["turns us away", "is no proxy", "is no address"])
async def test_a_proxy_in_the_way_is_what_is_named(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        status = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        writer.write(status if kind == "turns us away" else b"220 mail.example ready\r\n")
        writer.close()

    proxy = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    monkeypatch.setenv("ws_proxy", f"127.0.0.1:{port}" if kind == "is no address" else f"http://127.0.0.1:{port}")
    async with proxy:
        with pytest.raises(Refused if kind == "is no address" else Unreachable, match="proxy") as error:
            await open_line("ws://agent.invalid:80/", HEADERS, SETTINGS)
    assert str(port) not in str(error.value) and "WebSocket" not in str(error.value)
    assert ("407" in str(error.value)) == (kind == "turns us away")


@pytest.mark.parametrize("status", [200, 302, 511])
async def test_a_page_to_log_in_to_is_not_taken_for_an_agent_out_of_order(status: int) -> None:
    async with server(Refusal(status, {"Content-Type": "text/html"}, b"<html>")) as it:
        with pytest.raises(Unreachable, match="log in") as unreachable:
            await open_line(it.url, HEADERS, SETTINGS)
    assert unreachable.value.trouble is Trouble.NETWORK


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
async def test_a_certificate_that_cannot_be_verified_is_tried_again_later(tmp_path: Path) -> None:
    """Only its dates speak of a clock that has not been set yet; a network's login page has none that is trusted."""
    authority, now = Authority(tmp_path), datetime.now(UTC)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusting = ssl.create_default_context(cafile=str(authority.file))
    authority.certify(theirs, now - timedelta(days=1))
    async with server(hold, ssl=theirs) as it:
        url = it.url.replace("ws:", "WSS:").replace("127.0.0.1", "localhost")
        with pytest.raises(Unreachable, match="certificate") as unreachable:
            await open_line(url, HEADERS, SETTINGS, tls=ssl.create_default_context())
        assert unreachable.value.trouble is Trouble.NETWORK and "clock" not in str(unreachable.value)
        for days in (300, -400):
            authority.certify(theirs, now + timedelta(days=days))
            with pytest.raises(Unreachable, match="clock") as unreachable:
                await open_line(url, HEADERS, SETTINGS, tls=trusting)
            assert unreachable.value.trouble is Trouble.CLOCK
        authority.certify(theirs, now - timedelta(days=1))
        link, _ = await open_line(url, HEADERS, SETTINGS, tls=trusting)
        await link.settle(Brief())
        await link.close()
