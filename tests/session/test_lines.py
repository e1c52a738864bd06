"""One conversation over many lines: a dead one is noticed, an old one replaced, a stand-in's given back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cooee.agent import Persona, deepgram
from cooee.events import LimitNear, SessionDown, SessionUp, SettingsApplied, Trouble, UserText
from fakes import Peer, Refusal, Server, hold, server
from talk import FRAME, Talk, frames, talking

CLOCK = asyncio.get_running_loop
WORDS = frames(6)[1:]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")


async def freeze(peer: Peer) -> None:
    await peer.apply()
    peer.freeze()


async def understand(peer: Peer) -> None:
    await peer.apply()
    await peer.until(lambda: len(peer.frames) >= 5)
    await peer.say({"type": "ConversationText", "role": "user", "content": "hello"})


@asynccontextmanager
async def with_stand_in(*scripts: object, **options: object) -> AsyncIterator[tuple[Talk, Server, Server]]:
    async with server(understand) as other:
        agent = deepgram.open(deepgram.Settings(url=other.url))
        agent.is_metered = False
        async with talking(*scripts, stand_ins=(agent,), **options) as (talk, it):  # type: ignore[arg-type]
            yield talk, it, other


async def test_a_line_that_froze_while_idle_is_noticed_when_somebody_speaks_and_no_word_is_lost() -> None:
    async with talking(freeze, understand) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        began = CLOCK().time()
        talk.session.open(1)
        for frame in WORDS:
            talk.session.send(1, frame)
        down = await talk.until(SessionDown)
        assert CLOCK().time() - began < 3
        await talk.until(UserText)
    assert down.trouble is Trouble.NETWORK
    assert it.peers[1].audio == b"".join(WORDS)


@pytest.mark.slow
async def test_a_line_that_froze_is_noticed_within_ten_seconds_when_nobody_speaks() -> None:
    async with talking(freeze, hold) as (talk, _):
        talk.session.connect()
        await talk.until(SettingsApplied)
        began = CLOCK().time()
        await talk.until(SessionDown)
        assert CLOCK().time() - began < 10


async def test_a_sentence_that_was_understood_is_not_said_again() -> None:
    async def understand_and_break(peer: Peer) -> None:
        await understand(peer)
        await asyncio.sleep(0.1)
        peer.abort()

    async with talking(understand_and_break, hold) as (talk, it):
        talk.session.connect()
        talk.session.open(1)
        for frame in WORDS:
            talk.session.send(1, frame)
        await talk.until(UserText)
        await talk.until(SettingsApplied, 2)
        talk.session.send(1, b"\x09" * FRAME)
        await it.peers[1].until(lambda: it.peers[1].frames)
    assert it.peers[1].audio == b"\x09" * FRAME


@pytest.mark.parametrize("trouble", [Refusal(503), Refusal(401), freeze])
async def test_a_stand_in_takes_the_sentence_when_the_agent_is_out_of_reach(trouble: object) -> None:
    async with with_stand_in(trouble, fallback_after_s=0.5) as (talk, _, other):
        talk.session.connect()
        if trouble is freeze:
            await talk.until(SettingsApplied)
        talk.session.open(1)
        for frame in WORDS:
            talk.session.send(1, frame)
        await talk.until(UserText)
        assert [each.is_fallback for each in talk.of(SessionUp)][-1]
        assert other.peers[0].audio == b"".join(WORDS)


async def test_the_agent_takes_over_again_at_a_quiet_moment_with_the_same_history() -> None:
    said = {"type": "History", "role": "user", "content": "hello"}
    answered = {"type": "History", "role": "assistant", "content": "hi"}

    async def remember(peer: Peer) -> None:
        await understand(peer)
        await peer.say(said, answered)

    async with server(remember) as other:
        agent = deepgram.open(deepgram.Settings(url=other.url))
        agent.is_metered = False
        async with talking(Refusal(503), stand_ins=(agent,)) as (talk, it):
            talk.session.connect()
            talk.session.open(1)
            for frame in WORDS:
                talk.session.send(1, frame)
            await talk.until(UserText)
            it.scripts = (hold,)
            await asyncio.sleep(0.3)
            assert len(it.peers) == 0, "somebody still speaks"
            talk.session.forget()
            await talk.until(SettingsApplied, 2)
            assert not talk.of(SessionUp)[-1].is_fallback
            await other.peers[0].until(lambda: other.peers[0].ended_at)
            talk.session.open(2)
            talk.session.send(2, b"\x05" * FRAME)
            await it.peers[0].until(lambda: it.peers[0].frames)
    sent = it.peers[0].settings
    assert sent and sent["agent"]["context"]["messages"] == [said, answered]
    assert "greeting" not in sent["agent"]


async def test_an_old_line_is_replaced_at_a_quiet_moment_and_nobody_notices() -> None:
    async with talking(hold, rotate_after="1s", keep="always") as (talk, it):
        talk.session.connect()
        talk.session.open(1)
        await talk.until(SettingsApplied)
        await asyncio.sleep(1.3)
        assert len(it.peers) == 1, "somebody speaks"
        talk.session.forget()
        await talk.until(SettingsApplied, 2)
        await it.peers[0].until(lambda: it.peers[0].ended_at)
        assert it.peers[1].opened_at < it.peers[0].ended_at  # type: ignore[operator]
    assert talk.of(SessionDown) == []


async def test_the_agents_own_warning_of_its_limit_replaces_the_line() -> None:
    async def warn(peer: Peer) -> None:
        await peer.apply()
        await peer.say({"type": "Warning", "code": "MAXIMUM_SESSION_LENGTH_APPROACHING", "description": "soon"})

    async with talking(warn, hold) as (talk, _):
        talk.session.connect()
        await talk.until(SettingsApplied, 2)
    assert talk.of(SessionDown) == []


async def test_a_line_that_the_agent_closes_while_nobody_speaks_is_not_dialled_again_before_it_is_needed() -> None:
    async def close(peer: Peer) -> None:
        await peer.apply()
        await peer.socket.close(1000)

    async with talking(close, hold) as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        await asyncio.sleep(0.3)
        assert len(it.requests) == 1
        talk.session.connect()
        await talk.until(SettingsApplied, 2)


async def test_with_the_limit_used_up_the_line_ends_and_none_is_dialled() -> None:
    async with talking(hold, daily_limit="2s", keep="always") as (talk, it):
        talk.session.connect()
        await talk.until(LimitNear)
        down = await talk.until(SessionDown)
        assert down.trouble is Trouble.LIMIT and down.is_final
        await it.peers[0].until(lambda: it.peers[0].ended_at)
        talk.session.connect()
        await talk.until(SessionDown, 2)
        assert len(it.requests) == 1
    lasted_s = it.peers[0].ended_at - it.peers[0].opened_at  # type: ignore[operator]
    assert 1.5 < lasted_s <= 2.0


async def test_with_the_limit_used_up_the_stand_in_goes_on() -> None:
    async with with_stand_in(hold, daily_limit="1s") as (talk, _, _):
        talk.session.connect()
        talk.session.open(1)
        await talk.until(SettingsApplied, 2)
        assert talk.of(SessionUp)[-1].is_fallback
        for frame in WORDS:
            talk.session.send(1, frame)
        await talk.until(UserText)
        assert not talk.of(SessionDown)[0].is_final


async def test_a_persona_is_told_before_the_words_that_are_for_it() -> None:
    async with talking(hold) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        talk.session.open(1, Persona(prompt="You are a pirate."))
        talk.session.send(1, bytes(FRAME))
        await it.peers[0].until(lambda: it.peers[0].frames)
        (told_at, update), *more = [(at, each) for at, each in it.peers[0].messages if each["type"] == "UpdateThink"]
        assert not more and told_at <= it.peers[0].frames[0][0]
        assert "pirate" in update["think"]["prompt"]
        talk.session.open(2, Persona(prompt="You are a pirate."))
        talk.session.send(2, bytes(FRAME))
        await it.peers[0].until(lambda: len(it.peers[0].frames) == 2)
        assert len(it.peers[0].of("UpdateThink")) == 1


async def test_a_forgotten_conversation_is_not_carried_over() -> None:
    async def remember(peer: Peer) -> None:
        await peer.apply()
        await peer.say({"type": "History", "role": "user", "content": "my secret"})
        await peer.say({"type": "History", "role": "assistant", "content": "noted"})
        await peer.say({"type": "ConversationText", "role": "user", "content": "forget it"})
        await peer.until(lambda: peer.frames)
        await peer.say({"type": "History", "role": "assistant", "content": "forgotten"})

    async with talking(remember, hold) as (talk, it):
        talk.session.connect()
        talk.session.open(1)
        await talk.until(UserText)
        talk.session.forget_conversation()
        talk.session.send(1, bytes(FRAME))
        await it.peers[0].until(lambda: it.peers[0].frames)
        await asyncio.sleep(0.1)
        talk.session.forget()
        await talk.until(SettingsApplied, 2)
    sent = it.peers[1].settings
    assert sent and "context" not in sent["agent"] and "greeting" not in sent["agent"]


async def test_letting_go_of_the_button_is_told_behind_the_last_word() -> None:
    async with talking(hold) as (talk, it):
        talk.session.connect()
        talk.session.open(1)
        for frame in WORDS[:3]:
            talk.session.send(1, frame)
        talk.session.end_turn()
        await talk.until(SettingsApplied)
        await it.peers[0].until(lambda: it.peers[0].of("ForceEndTurn"))
        assert len(it.peers[0].frames) == 3


async def test_a_question_of_a_turn_that_was_given_up_is_not_asked_in_the_next() -> None:
    async with talking(Refusal(503), hold, backoff_first_s=10, backoff_most_s=10) as (talk, it):
        talk.session.connect()
        talk.session.open(1)
        await talk.until(SessionDown)
        talk.session.ask("open the garage")
        talk.session.say("The garage is open.")
        talk.session.forget()
        talk.session.disconnect("network")
        talk.session.open(2)
        talk.session.connect()
        talk.session.send(2, WORDS[0])
        await talk.until(SettingsApplied)
        await it.peers[0].until(lambda: it.peers[0].frames)
        assert not it.peers[0].of("InjectUserMessage") and not it.peers[0].of("InjectAgentMessage")


async def test_a_line_lost_while_nobody_speaks_is_not_dialled_again_before_it_is_needed() -> None:
    async def drop(peer: Peer) -> None:
        await peer.apply()
        peer.abort()

    async with talking(drop, hold) as (talk, it):
        talk.session.connect()
        down = await talk.until(SessionDown)
        assert down.trouble is None, "who can't be reached is known only when somebody tries"
        await asyncio.sleep(0.3)
        assert len(it.requests) == 1


async def test_an_agent_that_fails_twice_in_a_turn_lets_its_stand_in_try() -> None:
    async def fail(peer: Peer) -> None:
        await understand(peer)
        await asyncio.sleep(1.2)
        await peer.error("FAILED_TO_THINK")

    async with with_stand_in(fail) as (talk, it, _):
        talk.session.connect()
        talk.session.open(1)
        for frame in WORDS:
            talk.session.send(1, frame)
        await talk.until(SettingsApplied)
        while not talk.of(SessionUp)[-1].is_fallback:
            for frame in WORDS:
                talk.session.send(1, frame)
            await asyncio.sleep(0.05)
        assert len(it.peers) <= 2


async def test_forgetting_on_the_stand_ins_line_takes_a_new_one_that_remembers_what_follows() -> None:
    exchange = [{"type": "History", "role": "user", "content": "hi"}]
    exchange += [{"type": "History", "role": "assistant", "content": "hello"}]

    async def remember(peer: Peer) -> None:
        await peer.apply()
        await peer.say(*exchange)

    async with server(hold, remember) as other:
        agent = deepgram.open(deepgram.Settings(url=other.url))
        agent.is_metered = False
        async with talking(Refusal(401), stand_ins=(agent,)) as (talk, _):
            talk.session.connect()
            await talk.until(SettingsApplied)
            talk.session.forget_conversation()
            await talk.until(SettingsApplied, 2)
            assert len(other.peers) == 2
            async with asyncio.timeout(5):
                while len(talk.session._carrier.history.replay()) < 2:
                    await asyncio.sleep(0.02)


async def test_settings_that_are_never_taken_are_not_offered_at_the_pace_of_the_backoff() -> None:
    async def welcome(peer: Peer) -> None:
        await peer.welcome()

    async with talking(welcome, apply_timeout_s=0.1, keep="always", backoff_most_s=5.0) as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        await asyncio.sleep(0.5)
        assert len(it.requests) == 1


async def test_settings_that_are_never_taken_leave_no_line_open() -> None:
    async def welcome(peer: Peer) -> None:
        await peer.welcome()
        await asyncio.Event().wait()

    async with talking(welcome, apply_timeout_s=0.1, keep="always", backoff_most_s=60.0) as (talk, it):
        talk.session.connect()
        await talk.until(SessionDown)
        async with asyncio.timeout(2):
            await it.peers[0].socket.wait_closed()
