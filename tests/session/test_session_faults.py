"""The session when lines end or are refused: what is tried again, how often, and what is told of it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from cooee.effects import Answer
from cooee.events import AgentSpeech, AgentText, Asked, SessionDown, SettingsApplied, Trouble, UserText
from fakes import Peer, Refusal, Script, hold, server
from talk import FRAME, Talk, frames, talking

KEY = "k3y-that-nobody-may-see"
SECRET_WORDS = "quince marmalade at midnight"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", KEY)


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
        talk.session.open(1)
        talk.session.send(1, bytes(FRAME))
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
        for number in range(10):
            role = "assistant" if number % 2 else "user"
            await peer.say({"type": "History", "role": role, "content": f"number {number}"})
        await peer.socket.close(1001)

    async with talking(first, hold, history_messages=5, keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied, 2)
    sent = it.peers[1].settings
    assert sent is not None
    carried = [each["content"] for each in sent["agent"]["context"]["messages"]]
    assert carried == [f"number {number}" for number in (6, 7, 8, 9)]


async def test_what_is_said_while_the_line_is_down_is_said_on_the_next() -> None:
    async def first(peer: Peer) -> None:
        await peer.apply()
        peer.abort()

    async with talking(first, hold, keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        for frame in frames(4):
            talk.session.send(1, frame)
        await talk.until(SettingsApplied, 2)
        await it.peers[1].until(lambda: len(it.peers[1].frames) == 4)
    assert it.peers[1].audio == b"".join(frames(4))


async def test_an_answer_to_a_line_that_is_gone_is_not_sent_on_the_next() -> None:
    async def first(peer: Peer) -> None:
        await peer.apply()
        peer.abort()

    async with talking(first, hold, keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        talk.session.answer(Answer("c1", "lamp", "It is on."))
        await talk.until(SettingsApplied, 2)
        talk.session.send(1, bytes(FRAME))
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
    async with talking(script, backoff_first_s=0.05, backoff_most_s=0.4, keep="always") as (talk, it):
        talk.session.connect()
        await asyncio.sleep(1.5)
    assert 3 <= len(it.requests) <= 7
    assert asked[:4] == [0.05, 0.1, 0.2, 0.4]
    assert max(asked) == 0.4


async def test_the_user_does_not_wait_for_the_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: 60)
    async with talking(Refusal(503), hold) as (talk, it):
        talk.session.connect()
        assert (await talk.until(SessionDown)).trouble
        await asyncio.sleep(0.05)
        assert len(it.requests) == 1
        talk.session.connect()
        await talk.until(SettingsApplied)


async def test_each_time_the_user_wants_a_line_the_backoff_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr("random.uniform", lambda least, most: asked.append(most) or 0)
    async with talking(Refusal(503), backoff_first_s=0.1, backoff_most_s=0.4) as (talk, _):
        talk.session.connect()
        await talk.until(SessionDown, 3)
        talk.session.disconnect("unreachable")
        await asyncio.sleep(0.05)
        asked.clear()
        talk.session.connect()
        await talk.until(SessionDown, len(talk.of(SessionDown)) + 2)
    assert asked[:2] == [0.1, 0.2]


async def test_a_fault_of_our_own_in_sending_is_no_silence() -> None:
    """What nobody foresaw takes the process down with a reason, and systemd brings it back."""
    async with server(hold) as it:
        talk = Talk(it)
        talk.session.connect()
        running = asyncio.create_task(talk.session.run())
        await talk.until(SettingsApplied)
        talk.session.answer(None)  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            await asyncio.wait_for(running, 5)


@pytest.mark.parametrize("script", [Refusal(401), Refusal(402), Refusal(403), Refusal(404)])
async def test_a_hopeless_refusal_is_told_once_and_not_tried_again(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(script) as (talk, it):
        talk.session.connect()
        down = await talk.until(SessionDown)
        await asyncio.sleep(0.5)
        assert down.is_final and down.trouble and f"HTTP {script.status}" in down.reason
        assert len(it.requests) == 1
        assert [record.levelname for record in caplog.records if record.name == "cooee.session"] == ["ERROR"]
        talk.session.connect()
        await talk.until(SessionDown, 2)
        assert len(it.requests) == 2


@pytest.mark.slow
async def test_an_agent_that_asks_to_be_left_alone_is_left_alone_for_so_long() -> None:
    async with talking(Refusal(503, {"Retry-After": "1"}), hold) as (talk, it):
        talk.session.connect()
        assert (await talk.until(SessionDown)).trouble is Trouble.VENDOR
        talk.session.connect()
        await talk.until(SettingsApplied)
    assert 1.0 <= it.requests[1][0] - it.requests[0][0] < 3


async def test_one_who_speaks_is_told_at_once_that_the_agent_has_sent_us_away_for_long() -> None:
    async with talking(Refusal(429, {"Retry-After": "60"})) as (talk, it):
        for turn in (1, 2):
            talk.session.connect()
            talk.session.open(turn)
            down = await talk.until(SessionDown, 2 * turn - 1)
            assert down.trouble is Trouble.BUSY
            final = await talk.until(SessionDown, 2 * turn) if turn == 1 else down
            assert final.is_final and final.trouble is Trouble.BUSY
            talk.session.forget()
        assert len(it.requests) == 1


async def test_a_date_in_the_past_is_no_reason_to_dial_without_end() -> None:
    past = Refusal(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    async with talking(past, backoff_first_s=0.2, backoff_most_s=0.4) as (talk, it):
        talk.session.connect()
        await asyncio.sleep(0.6)
        assert len(it.requests) < 20


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
    assert down.trouble is Trouble.SETTINGS and code in down.reason and "agent.listen.provider" in down.reason
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
    async with talking(chatty, Refusal(500, {"dg-error": SECRET_WORDS}), hold, keep="always") as (talk, it):
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
