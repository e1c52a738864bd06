"""What is to be forgotten is on no line after the turn, and in no history, whatever becomes of the lines."""

import asyncio
from typing import Any

import pytest

from cooee.events import SessionDown, SettingsApplied
from cooee.session.history import clear
from fakes import Peer, Refusal, hold
from talk import FRAME, Talk, talking

SAID = {"type": "History", "role": "user", "content": "my secret"}
ANSWERED = {"type": "History", "role": "assistant", "content": "noted"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")


async def slow(peer: Peer) -> None:
    await peer.welcome()
    await peer.until(lambda: peer.settings)
    await asyncio.sleep(0.3)
    await peer.say({"type": "SettingsApplied"})


def remember(talk: Talk) -> None:
    for message in (SAID, ANSWERED):
        talk.session._carrier.history.add(message)


def context(peer: Peer) -> Any:
    return peer.settings and peer.settings["agent"].get("context")


async def test_a_line_that_is_being_told_what_is_forgotten_meanwhile_is_replaced() -> None:
    async with talking(slow, hold) as (talk, it):
        remember(talk)
        talk.session.connect()
        while not (it.peers and it.peers[0].settings):
            await asyncio.sleep(0.01)
        talk.session.forget_conversation()
        await talk.until(SettingsApplied, 2)
        await it.peers[0].until(lambda: it.peers[0].ended_at)
    assert context(it.peers[0]) and not context(it.peers[1])


async def test_a_successor_that_is_being_told_what_another_process_forgets_is_replaced() -> None:
    async with talking(hold, slow, hold, rotate_after="1s", keep="always") as (talk, it):
        remember(talk)
        talk.session.connect()
        while len(it.peers) < 2 or not it.peers[1].settings:
            await asyncio.sleep(0.01)
        talk.session.change(talk.session._settings.model_copy(update={"rotate_after": "110m"}))
        clear(talk.store).result()
        async with asyncio.timeout(5):
            while not talk.session.look():
                await asyncio.sleep(0.01)
            while len(it.peers) < 3:
                await asyncio.sleep(0.01)
        await it.peers[1].until(lambda: it.peers[1].ended_at)
        assert context(it.peers[1]) and not context(it.peers[2])


async def test_a_line_that_knows_it_ends_with_the_turn_though_no_other_can_be_had() -> None:
    async with talking(hold, Refusal(429, {"Retry-After": "600"})) as (talk, it):
        remember(talk)
        talk.session.connect()
        talk.session.open(1)
        await talk.until(SettingsApplied)
        talk.session.forget_conversation()
        await asyncio.sleep(0.1)
        assert it.peers[0].ended_at is None, "the turn is not over"
        talk.session.forget()
        await it.peers[0].until(lambda: it.peers[0].ended_at)
        await talk.until(SessionDown)


async def test_who_speaks_right_after_it_is_heard_on_another_line() -> None:
    async with talking(hold) as (talk, it):
        remember(talk)
        talk.session.connect()
        talk.session.open(1)
        await talk.until(SettingsApplied)
        talk.session.forget_conversation()
        talk.session.forget()
        talk.session.open(2)
        talk.session.send(2, bytes(FRAME))
        talk.session.say("The laundry is done.")
        await talk.until(SettingsApplied, 2)
        await it.peers[1].until(lambda: it.peers[1].frames and it.peers[1].of("InjectAgentMessage"))
    assert not it.peers[0].frames and not context(it.peers[1])
    assert talk.of(SessionDown) == []


async def test_what_follows_in_the_turn_is_not_kept_though_the_line_breaks() -> None:
    async def break_off(peer: Peer) -> None:
        await peer.apply()
        await peer.until(lambda: peer.frames)
        peer.abort()

    async def go_on(peer: Peer) -> None:
        await peer.apply()
        await peer.say(SAID, ANSWERED, {"type": "ConversationText", "role": "user", "content": "my secret"})

    async with talking(break_off, go_on, hold) as (talk, it):
        talk.session.connect()
        talk.session.open(1)
        await talk.until(SettingsApplied)
        talk.session.forget_conversation()
        talk.session.send(1, bytes(FRAME))
        await talk.until(SettingsApplied, 2)
        await asyncio.sleep(0.1)
        talk.session.forget()
        await talk.until(SettingsApplied, 3)
        assert talk.session._carrier.history.replay() == ()
        await it.peers[1].until(lambda: it.peers[1].ended_at)
    assert not context(it.peers[2])
