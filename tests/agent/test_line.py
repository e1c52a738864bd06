"""One line: what the server's messages come to, whole or broken, and how a line ends."""

import asyncio
import json
import logging
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cooee.agent import Brief, Refused, Remembered, deepgram
from cooee.agent._line import Line, open_line
from cooee.effects import Answer
from cooee.events import (
    AgentDone,
    AgentSpeech,
    AgentText,
    AgentThought,
    Asked,
    Call,
    Event,
    UserStarted,
    UserText,
    Withdrawn,
)
from fakes import Peer, Script, Server, hold, server

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


async def meaning(*messages: Any, before: tuple[Any, ...] = ()) -> list[Event | Remembered]:
    """What comes out of a line on which the server says so and then closes it in order."""

    async def say(peer: Peer) -> None:
        await peer.apply(*before)
        await peer.say(*messages)
        await peer.socket.close(1000)

    async with line(say) as (link, _):
        return [event async for event in link.events()]


def request(*calls: Any) -> dict[str, Any]:
    return {"type": "FunctionCallRequest", "functions": list(calls)}


def call(**fields: Any) -> dict[str, Any]:
    return {"id": "c1", "name": "lamp", "arguments": "{}", "client_side": True} | fields


async def test_a_turn_comes_through_in_order() -> None:
    said = await meaning(
        {"type": "UserStartedSpeaking"},
        {"type": "ConversationText", "role": "user", "content": "Turn on the lamp."},
        {"type": "AgentThinking", "content": "which lamp"},
        request(call(arguments='{"state": "on"}')),
        {"type": "ConversationText", "role": "assistant", "content": "It is on."},
        b"\1\2\3",
        {"type": "AgentAudioDone"},
    )
    assert said == [
        UserStarted(),
        UserText("Turn on the lamp."),
        AgentThought(),
        Asked((Call("c1", "lamp", {"state": "on"}),)),
        AgentText("It is on."),
        AgentSpeech(b"\1\2\3"),
        AgentDone(),
    ]


async def test_a_greeting_before_the_settings_are_applied_is_heard_all_the_same() -> None:
    greeting = {"type": "ConversationText", "role": "assistant", "content": "Hello"}
    said = await meaning({"type": "AgentAudioDone"}, before=(greeting, b"\0\1"))
    assert said == [AgentText("Hello"), AgentSpeech(b"\0\1"), AgentDone()]


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"level": 40, "deep": [1, {"a": null}]}', {"level": 40, "deep": [1, {"a": None}]}),
        ("", {}),
        (None, {}),
        ({"level": 40}, {"level": 40}),
        ("{level: 40", None),
        ("[1]", None),
        ('"on"', None),
        ("null", None),
        ("[" * 100_000, None),
    ],
)
async def test_arguments_are_an_object_or_known_to_be_none(raw: Any, arguments: Any) -> None:
    assert await meaning(request(call(arguments=raw))) == [Asked((Call("c1", "lamp", arguments),))]


async def test_several_calls_come_together_without_those_that_are_not_ours() -> None:
    said = await meaning(
        request(
            call(), call(id="c2", client_side=False), call(id="c3", name="fan"), None, 7, call(id=None), {"id": "c"}
        ),
        request(call(client_side=False)),
    )
    assert said == [Asked((Call("c1", "lamp", {}), Call("c3", "fan", {})))]


async def test_calls_are_taken_back() -> None:
    cancelled = {"type": "FunctionCallCancelled", "functions": [{"id": "c1", "name": "lamp"}, {"id": "c2"}, {}, None]}
    assert await meaning(cancelled, {"type": "FunctionCallCancelled"}) == [Withdrawn(("c1", "c2"))]


async def test_answers_carry_id_name_text_and_what_google_wants_back() -> None:
    async def ask(peer: Peer) -> None:
        await peer.apply()
        await peer.say(request(call(thought_signature="sig=="), call(id="c2", name="fan")))
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


KNOWN = ("Welcome", "SettingsApplied", "ConversationText", "UserStartedSpeaking", "AgentThinking", "LatencyReport")
KNOWN += ("FunctionCallRequest", "FunctionCallCancelled", "FunctionCallResponse", "AgentStartedSpeaking", "History")
KNOWN += ("AgentAudioDone", "PromptUpdated", "InjectionRefused", "FrustrationDetected", "Warning")
ODD = (None, 7, "text", [], [None, 3, "x", {}], {}, {"a": None}, True)


async def test_no_message_breaks_a_line() -> None:
    hostile: list[Any] = [
        "{oops",
        "",
        "null",
        "[1, 2, 3]",
        '"text"',
        "7",
        "true",
        "{}",
        "[" * 50_000,
        "\0",
        '{"type": 3}',
    ]
    hostile += [{"type": odd} for odd in ODD] + [{"type": kind} for kind in ("Unheard", "__customFromThinkProvider")]
    fields = ("content", "role", "functions", "function_calls", "code", "description", "message", "request_id")
    hostile += [{"type": kind} for kind in KNOWN]
    hostile += [{"type": kind, field: odd} for kind in KNOWN for field in fields for odd in ODD]
    said = await meaning(*hostile, b"", b"\1", {"type": "ConversationText", "role": "user", "content": "Still here"})
    assert said[-3:] == [AgentSpeech(b""), AgentSpeech(b"\1"), UserText("Still here")]
    assert not [event for event in said if isinstance(event, (Remembered, Asked, Withdrawn))]


async def test_history_is_kept_only_as_the_settings_take_it() -> None:
    kept = {"id": "c1", "name": "lamp", "client_side": True, "arguments": "{}", "response": "On.", "extra": 1}
    said = await meaning(
        {"type": "History", "role": "user", "content": "Hi", "languages": ["en"]},
        {"type": "History", "role": "system", "content": "Hi"},
        {"type": "History", "function_calls": [kept, {"id": "c2"}]},
        {"type": "History", "function_calls": [kept]},
    )
    del kept["extra"]
    assert said == [
        Remembered({"type": "History", "role": "user", "content": "Hi"}),
        Remembered({"type": "History", "function_calls": [kept]}),
    ]


@pytest.mark.parametrize(
    ("code", "hopeless"),
    [(code, True) for code in ("INVALID_SETTINGS", "USER_AUDIO_FORMAT", "INVALID_AGENT_ID")]
    + [(code, False) for code in ("INTERNAL_SERVER_ERROR", "CLIENT_MESSAGE_TIMEOUT", "FAILED_TO_THINK")]
    + [(code, False) for code in ("MAXIMUM_SESSION_LENGTH_REACHED", "A_NEW_ONE", None)],
)
async def test_an_error_ends_the_line_and_says_whether_to_try_again(code: Any, hopeless: bool) -> None:
    with pytest.raises(Refused) as refused:
        await meaning({"type": "Error", "code": code, "description": "because"})
    assert refused.value.hopeless is hopeless
    assert (code or "without a code") in str(refused.value)


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
    assert refused.value.hopeless


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
async def test_a_peer_that_is_frozen_is_noticed_by_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.agent._line.PING_S", 0.3)

    async def freeze(peer: Peer) -> None:
        await peer.apply()
        peer.freeze()

    async with line(freeze) as (link, _):
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(anext(aiter(link.events())), 10)


@pytest.mark.slow
async def test_a_server_that_never_welcomes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.agent._line.WELCOME_TIMEOUT_S", 0.2)

    async def silent(peer: Peer) -> None:
        await peer.until(lambda: peer.ended_at)

    with pytest.raises(TimeoutError):
        async with line(silent):
            pass


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


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
async def test_a_certificate_that_cannot_be_verified_is_tried_again_later(tmp_path: Path) -> None:
    """So it is on a Pi whose clock has not been set yet."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{tmp_path}/key", "-out", f"{tmp_path}/cert"]
    subprocess.run(made, check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    async with server(hold, ssl=tls) as it:
        url = it.url.replace("ws:", "WSS:")
        with pytest.raises(ConnectionError, match="clock"):
            await open_line(url, HEADERS, SETTINGS, tls=ssl.create_default_context())
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert"))
        link, _ = await open_line(url, HEADERS, SETTINGS, tls=trusting)
        await link.settle(Brief())
        await link.close()


async def test_warnings_go_on_and_are_logged_by_their_code_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cooee")
    said = await meaning(
        {"type": "Warning", "code": "SLOW_THINK_REQUEST", "description": "of marmalade"},
        {"type": "UserStartedSpeaking"},
    )
    assert said == [UserStarted()]
    assert "SLOW_THINK_REQUEST" in caplog.text and "marmalade" not in caplog.text


async def test_what_is_sent_is_json_of_the_protocol() -> None:
    async with line(hold) as (link, it):
        await link.keep_alive()
        await link.send(b"\1\2")
        peer = it.peers[0]
        await peer.until(lambda: peer.frames)
    assert peer.of("KeepAlive") == [json.loads('{"type": "KeepAlive"}')]
    assert peer.audio == b"\1\2"
