"""The session on real lines: order, what is held, signs of life, and letting go."""

import asyncio
from contextlib import suppress

import pytest

from cooee.effects import Answer
from cooee.events import SessionDown, SessionUp, SettingsApplied, Uplinked
from fakes import Peer, Script, hold, server
from talk import FRAME, Talk, frames, talking


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")


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
            talk.session.send(1, frame)
        await talk.until(SettingsApplied)
        await it.peers[0].until(lambda: len(it.peers[0].frames) == 5)
    assert [type(event) for event in talk.events[:2]] == [SessionUp, SettingsApplied]
    assert talk.events[0].request_id == "rid-1"
    assert it.peers[0].audio == b"".join(frames(5))
    assert talk.session.bytes_sent == 5 * FRAME


async def test_speech_is_held_while_connecting_and_the_oldest_is_dropped() -> None:
    async with talking(hold, hold_s=1.0, keepalive_s=8.0) as (talk, it):
        for frame in frames(20):
            talk.session.send(1, frame)
        talk.session.connect()
        await talk.until(SettingsApplied)
        await it.peers[0].until(lambda: len(it.peers[0].frames) == 12)
    assert [frame for _, frame in it.peers[0].frames] == frames(20)[8:]
    assert talk.session._carrier.uplink.dropped == 8


async def test_what_was_forgotten_is_not_sent() -> None:
    async with talking(hold) as (talk, it):
        for frame in frames(9):
            talk.session.send(1, frame)
        talk.session.forget()
        talk.session.connect()
        await talk.until(SettingsApplied)
        talk.session.send(1, b"\x07" * FRAME)
        await it.peers[0].until(lambda: it.peers[0].frames)
    assert it.peers[0].audio == b"\x07" * FRAME


async def test_nothing_is_dialled_before_a_line_is_wanted() -> None:
    async with talking(hold) as (talk, it):
        talk.session.send(1, bytes(FRAME))
        await asyncio.sleep(0.1)
    assert it.requests == []


@pytest.mark.slow
async def test_silence_is_bridged_by_keepalives_and_audio_is_not_accompanied_by_any() -> None:
    async with talking(hold, keepalive_s=0.5) as (talk, it):
        talk.session.connect()
        await talk.until(SettingsApplied)
        peer = it.peers[0]
        for frame in frames(16):
            talk.session.send(1, frame)
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
        talk.session.send(1, bytes(FRAME))
        await talk.until(SettingsApplied, 2)
        await it.peers[1].until(lambda: it.peers[1].frames)
    kinds = [type(event) for event in talk.events if not isinstance(event, Uplinked)]
    assert kinds == [SessionUp, SettingsApplied, SessionDown, SessionUp, SettingsApplied]
    assert it.peers[0].audio == b""
