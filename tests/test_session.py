"""The session on real lines: the vendor's agent class, its SDK and a loopback socket to a server that keeps count."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from cooee import settings
from cooee.agent import Brief, deepgram
from cooee.effects import Answer, Function
from cooee.events import AgentSpeech, AgentText, Asked, Event, SessionDown, SessionUp, SettingsApplied, UserText
from cooee.session import Session
from fakes import Peer, Refusal, Script, Server, hold, server

KEY = "k3y-that-nobody-may-see"
SECRET_WORDS = "quince marmalade at midnight"
FRAME = 2560
LAMP = Function("lamp", "The lamp", {"type": "object", "properties": {"on": {"type": "boolean"}}})
QUICK = {"keepalive_s": 0.2, "backoff_first_s": 0.02, "backoff_most_s": 0.05, "apply_timeout_s": 1.0}


class Talk:
    """A session under way, and what it has told so far."""

    def __init__(self, it: Server, **options: Any) -> None:
        table = deepgram.Settings(url=it.url, greeting="Hello there")
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self.session = Session(
            settings.Session.model_construct(**{**QUICK, **options}),
            deepgram.open(table),
            Brief(wake_words=("hey jarvis",), functions=(LAMP,)),
            self._post,
        )

    def _post(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type, count: int = 1) -> Any:
        async with asyncio.timeout(10):
            while len(self.of(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return self.of(kind)[count - 1]


@asynccontextmanager
async def talking(*scripts: Script, **options: Any) -> AsyncIterator[tuple[Talk, Server]]:
    async with server(*scripts) as it:
        talk = Talk(it, **options)
        running = asyncio.create_task(talk.session.run())
        try:
            yield talk, it
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", KEY)


def frames(count: int) -> list[bytes]:
    return [bytes([number]) * FRAME for number in range(count)]


async def test_settings_wait_for_the_welcome_and_audio_for_the_settings() -> None:
    async def slow(peer: Peer) -> None:
        await asyncio.sleep(0.1)
        await peer.welcome()
        await peer.until(lambda: peer.settings)
        await asyncio.sleep(0.1)
        peer.applied_at = asyncio.get_running_loop().time()
        await peer.say({"type": "SettingsApplied"})

    async with talking(slow) as (talk, it):
        talk.session.connect()
        for frame in frames(5):
            talk.session.send(frame)
        await talk.until(SettingsApplied)
        await it.peers[0].until(lambda: len(it.peers[0].frames) == 5)
    assert [type(event) for event in talk.events[:2]] == [SessionUp, SettingsApplied]
    assert talk.events[0].request_id == "rid-1"
    assert it.peers[0].audio == b"".join(frames(5))
    assert talk.session.bytes_sent == 5 * FRAME


async def test_speech_is_held_while_connecting_and_the_oldest_is_dropped() -> None:
    async with talking(hold, hold_s=1.0) as (talk, it):
        for frame in frames(20):
            talk.session.send(frame)
        talk.session.connect()
        await talk.until(SettingsApplied)
        await it.peers[0].until(lambda: len(it.peers[0].frames) == 12)
    assert [frame for _, frame in it.peers[0].frames] == frames(20)[8:]
    assert talk.session.frames_dropped == 8


async def test_what_was_forgotten_is_not_sent() -> None:
    async with talking(hold) as (talk, it):
        for frame in frames(9):
            talk.session.send(frame)
        talk.session.forget()
        talk.session.connect()
        await talk.until(SettingsApplied)
        talk.session.send(b"\x07" * FRAME)
        await it.peers[0].until(lambda: it.peers[0].frames)
    assert it.peers[0].audio == b"\x07" * FRAME


async def test_nothing_is_dialled_before_a_line_is_wanted() -> None:
    async with talking(hold) as (talk, it):
        talk.session.send(bytes(FRAME))
        await asyncio.sleep(0.1)
    assert it.requests == []


@pytest.mark.slow
async def test_silence_is_bridged_by_keepalives_and_audio_is_not_accompanied_by_any() -> None:
    async with talking(hold, keepalive_s=0.5) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        peer = it.peers[0]
        for frame in frames(16):
            talk.session.send(frame)
            await asyncio.sleep(0.05)
        assert peer.of("KeepAlive") == []
        await peer.until(lambda: len(peer.of("KeepAlive")) >= 2)
        silent_s = asyncio.get_running_loop().time() - peer.frames[-1][0]
        assert len(peer.of("KeepAlive")) <= silent_s / 0.5


async def test_answers_do_not_put_off_the_keepalive() -> None:
    """Only audio and KeepAlive are certain to count as a sign of life."""
    async with talking(hold) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        peer = it.peers[0]
        async with asyncio.timeout(3):
            while not peer.of("KeepAlive"):
                talk.session.answer(Answer("c", "lamp", "On."))
                await asyncio.sleep(0.02)


def abort(peer: Peer) -> None:
    peer.abort()


def fin(peer: Peer) -> None:
    peer.fin()


async def close_in_order(peer: Peer) -> None:
    await peer.socket.close(1000)


async def close_with_a_fault(peer: Peer) -> None:
    await peer.socket.close(1011, SECRET_WORDS)


async def go_away(peer: Peer) -> None:
    await peer.error("SERVER_GOING_AWAY", f"because of {SECRET_WORDS}")


@pytest.mark.parametrize("end", [abort, fin, close_in_order, close_with_a_fault, go_away])
async def test_a_line_that_ends_is_replaced_and_the_conversation_goes_on(end: Callable[[Peer], Any]) -> None:
    asked = {"id": "c1", "name": "lamp", "client_side": True, "arguments": '{"on": true}', "response": "It is on."}

    async def first(peer: Peer) -> None:
        await peer.apply()
        await peer.say({"type": "History", "role": "user", "content": SECRET_WORDS, "languages": ["en"]})
        await peer.say({"type": "History", "function_calls": [asked]})
        await peer.say({"type": "History", "role": "assistant", "content": None})
        await peer.say({"type": "History"}, {"type": "History", "function_calls": [{"id": "c2"}]})
        await peer.say({"type": "History", "role": "assistant", "content": "Done."})
        await peer.until(lambda: peer.frames)
        leaving = end(peer)
        if leaving is not None:
            await leaving

    async with talking(first, hold) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        talk.session.send(bytes(FRAME))
        await talk.until(SettingsApplied, 2)
    old, new = (peer.settings for peer in it.peers)
    assert old and new and "context" not in old["agent"]
    assert new["agent"]["context"] == {
        "messages": [
            {"type": "History", "role": "user", "content": SECRET_WORDS},
            {"type": "History", "function_calls": [asked]},
            {"type": "History", "role": "assistant", "content": "Done."},
        ]
    }
    assert old["agent"]["greeting"] == "Hello there"
    assert "greeting" not in new["agent"], "it would be said a second time"
    assert SECRET_WORDS not in talk.of(SessionDown)[0].reason


async def test_the_oldest_of_a_long_conversation_is_not_carried_over() -> None:
    async def first(peer: Peer) -> None:
        await peer.apply()
        for number in range(9):
            await peer.say({"type": "History", "role": "user", "content": f"number {number}"})
        await peer.socket.close(1001)

    async with talking(first, hold, history_messages=3) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied, 2)
    sent = it.peers[1].settings
    assert sent is not None
    assert [each["content"] for each in sent["agent"]["context"]["messages"]] == ["number 6", "number 7", "number 8"]


async def test_what_is_said_while_the_line_is_down_is_said_on_the_next() -> None:
    async def first(peer: Peer) -> None:
        await peer.apply()
        peer.abort()

    async with talking(first, hold) as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        for frame in frames(4):
            talk.session.send(frame)
        await talk.until(SettingsApplied, 2)
        await it.peers[1].until(lambda: len(it.peers[1].frames) == 4)
    assert it.peers[1].audio == b"".join(frames(4))


async def test_an_answer_to_a_line_that_is_gone_is_not_sent_on_the_next() -> None:
    async def first(peer: Peer) -> None:
        await peer.apply()
        peer.abort()

    async with talking(first, hold) as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        talk.session.answer(Answer("c1", "lamp", "It is on."))
        await talk.until(SettingsApplied, 2)
        talk.session.send(bytes(FRAME))
        await it.peers[1].until(lambda: it.peers[1].frames)
    assert it.peers[1].of("FunctionCallResponse") == []


async def end_at_once(peer: Peer) -> None:
    await peer.apply()
    await peer.socket.close(1000)


@pytest.mark.slow
@pytest.mark.parametrize("script", [end_at_once, Refusal(500)])
async def test_lines_that_fail_are_tried_less_and_less_often(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr("random.uniform", lambda least, most: asked.append(most) or most)
    async with talking(script, backoff_first_s=0.05, backoff_most_s=0.4) as (talk, it):
        talk.session.connect()
        await asyncio.sleep(1.5)
    assert 3 <= len(it.requests) <= 7
    assert asked[:4] == [0.05, 0.1, 0.2, 0.4]
    assert max(asked) == 0.4


async def test_the_user_does_not_wait_for_the_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: 60)
    async with talking(Refusal(503), hold) as (talk, it):
        talk.session.connect()
        assert (await talk.until(SessionDown)).fault
        await asyncio.sleep(0.05)
        assert len(it.requests) == 1
        talk.session.connect()
        await talk.until(SettingsApplied)


async def no_welcome(peer: Peer) -> None:
    await asyncio.sleep(3600)


async def no_settings_applied(peer: Peer) -> None:
    await peer.welcome()


async def frozen(peer: Peer) -> None:
    await peer.apply()
    peer.freeze()


@pytest.mark.parametrize("script", [no_welcome, no_settings_applied, hold, frozen])
@pytest.mark.parametrize("way", ["disconnect", "cancel"])
async def test_a_line_is_let_go_at_once_whatever_it_is_doing(script: Script, way: str) -> None:
    async with server(script) as it:
        talk = Talk(it, apply_timeout_s=30)
        running = asyncio.create_task(talk.session.run())
        talk.session.connect()
        while not it.peers or (script in (hold, frozen) and not talk.of(SettingsApplied)):
            await asyncio.sleep(0.01)
        async with asyncio.timeout(1.5):
            if way == "disconnect":
                talk.session.disconnect("idle")
                assert await talk.until(SessionDown) == SessionDown("idle")
            else:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
        if script is not frozen:
            await it.peers[0].until(lambda: it.peers[0].ended_at)
        await asyncio.sleep(0.1)
        assert len(it.requests) == 1
        running.cancel()


async def test_a_line_wanted_again_right_after_it_was_let_go_is_a_new_one() -> None:
    async with talking(hold) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        talk.session.disconnect("idle")
        talk.session.connect()
        talk.session.send(bytes(FRAME))
        await talk.until(SettingsApplied, 2)
        await it.peers[1].until(lambda: it.peers[1].frames)
    kinds = [type(event) for event in talk.events]
    assert kinds == [SessionUp, SettingsApplied, SessionDown, SessionUp, SettingsApplied]
    assert it.peers[0].audio == b""


@pytest.mark.parametrize("script", [Refusal(401), Refusal(402), Refusal(403), Refusal(404)])
async def test_a_hopeless_refusal_is_told_once_and_not_tried_again(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(script) as (talk, it):
        talk.session.connect()
        down = await talk.until(SessionDown)
        await asyncio.sleep(0.5)
        assert down.fault and down.hopeless and f"HTTP {script.status}" in down.reason
        assert len(it.requests) == 1
        assert [record.levelname for record in caplog.records if record.name == "cooee.session"] == ["ERROR"]
        talk.session.connect()
        await talk.until(SessionDown, 2)
        assert len(it.requests) == 2


@pytest.mark.slow
async def test_too_many_connections_wait_as_long_as_the_agent_asks() -> None:
    async with talking(Refusal(429, {"Retry-After": "1"}), hold) as (talk, it):
        talk.session.connect()
        assert not (await talk.until(SessionDown)).hopeless
        talk.session.connect()
        await talk.until(SettingsApplied)
    assert 1.0 <= it.requests[1][0] - it.requests[0][0] < 3


@pytest.mark.parametrize("code", ["INVALID_SETTINGS", "UNPARSABLE_CLIENT_MESSAGE", "NON_EXISTENT_FUNCTION_CALLED"])
async def test_an_error_of_our_own_settings_is_not_tried_again(code: str) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.welcome()
        await peer.until(lambda: peer.settings)
        await peer.error(code, f'Check the agent.listen.provider field: "{SECRET_WORDS}"')

    async with talking(refuse) as (talk, it):
        talk.session.connect()
        down = await talk.until(SessionDown)
        await asyncio.sleep(0.3)
    assert len(it.requests) == 1
    assert down.hopeless and code in down.reason and "agent.listen.provider" in down.reason
    assert SECRET_WORDS not in down.reason


async def test_nothing_secret_gets_into_a_log_or_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    async def chatty(peer: Peer) -> None:
        await peer.apply({"type": "ConversationText", "role": "assistant", "content": SECRET_WORDS}, b"\1\0" * 40)
        await peer.say({"type": "ConversationText", "role": "user", "content": SECRET_WORDS})
        await peer.say({"type": "Warning", "code": SECRET_WORDS, "description": SECRET_WORDS})
        call = {"id": "c", "name": "lamp", "client_side": True, "arguments": f'{{"on": "{SECRET_WORDS}"}}'}
        await peer.say({"type": "FunctionCallRequest", "functions": [call]}, "{" + SECRET_WORDS, {"type": SECRET_WORDS})
        await peer.until(lambda: peer.of("FunctionCallResponse"))
        await peer.error(SECRET_WORDS, SECRET_WORDS)

    caplog.set_level(logging.DEBUG)
    async with talking(chatty, Refusal(500, {"dg-error": SECRET_WORDS}), hold) as (talk, it):
        talk.session.connect()
        await talk.until(Asked)
        talk.session.answer(Answer("c", "lamp", SECRET_WORDS))
        await talk.until(SettingsApplied, 2)
        talk.session.disconnect("idle")
        await talk.until(SessionDown, 3)
        address = it.url
    gone = Talk(it)  # nobody listens there any more
    async with asyncio.timeout(5):
        running = asyncio.create_task(gone.session.run())
        gone.session.connect()
        reasons = [(await gone.until(SessionDown)).reason]
        running.cancel()
    assert talk.of(AgentText) and talk.of(UserText) and talk.of(AgentSpeech), "said before the settings were applied"
    reasons += [down.reason for down in talk.of(SessionDown)]
    ours = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    told = [record.getMessage() for record in ours if record.levelno >= logging.INFO] + reasons
    assert len(told) > 5
    port = address.split(":")[2].split("/")[0]
    for secret in (KEY, SECRET_WORDS, "marmalade", address, port):
        assert not [text for text in told if secret in text]
    assert not [record for record in ours if KEY in record.getMessage()], "the key is for no log at all"
