"""The speaker's own voice: the embedded agent's, or none and a sentence that says so."""

import asyncio
from typing import Any

import numpy as np
import pytest

from cooee.agent import Refused, Unreachable, deepgram, embedded
from cooee.aloud import Aloud
from cooee.events import Event, Trouble, Unsayable


class Player:
    def __init__(self) -> None:
        self.pcm = b""
        self.done: list[tuple[str, int]] = []

    def play(self, turn: int, pcm: bytes) -> None:
        self.pcm += pcm

    def finish(self, turn: int) -> None:
        self.done.append(("finish", turn))

    def hush(self, turn: int) -> None:
        self.done.append(("hush", turn))


class Away:
    """An agent that costs nothing and can't be had."""

    output_rate_hz, rate_usd_per_min, is_metered = 24_000, 0.0, False

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def connect(self, toll: Any = None) -> Any:
        raise self._error


@pytest.mark.slow
async def test_beside_an_agent_that_costs_money_one_is_started_that_does_not() -> None:
    player, told = Player(), list[Event]()
    aloud = Aloud([deepgram.open(deepgram.Settings())], player, 24_000, told.append)
    try:
        await aloud.say(7, "Dinner is ready.")
    finally:
        await aloud.close()
    samples = np.frombuffer(player.pcm, "<i2")
    assert (player.done, told) == ([("finish", 7)], [])
    assert 0.5 < len(samples) / 24_000 < 4 and np.abs(samples).max() > 3000


@pytest.mark.slow
async def test_the_one_in_use_lends_its_voice_and_its_own_line_goes_on() -> None:
    agent = embedded.open(embedded.Settings())
    player, told = Player(), list[Event]()
    aloud = Aloud([agent], player, 24_000, told.append)
    try:
        link, _ = await agent.connect()
        await asyncio.gather(aloud.say(1, "One."), aloud.say(2, "Two."))
        await link.ping()
        await link.close()
        assert sorted(player.done) == [("finish", 1), ("finish", 2)]
    finally:
        await agent.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unreachable("the agent did not answer in time"), "the agent did not answer in time"),
        (Refused("there is no voice", Trouble.SETTINGS), "there is no voice"),
        (TimeoutError(), "the voice did not answer in time"),
    ],
)
async def test_a_voice_that_fails_is_told(error: Exception, reason: str) -> None:
    player, told = Player(), list[Event]()
    await Aloud([Away(error)], player, 24_000, told.append).say(3, "x")  # type: ignore[list-item]
    assert (player.done, told) == ([("hush", 3)], [Unsayable(3, reason)])
