"""The template home by a cloud's model: scripted calls over the vendor's protocol, and what Home Assistant has then."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from cooee import events as on
from cooee.agent import deepgram
from fakes import Peer, server
from faults.vendor import DONE, PIECE, STARTED, call, calls, text
from hass import Hass
from home.commands import COMMANDS, Command, judged, rest, states
from home.room import Room, room

pytestmark = pytest.mark.slow


class Model:
    """A script for `fakes.server`, and who drives it."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        self.home: Room
        self._ids = map(str, count(1))

    async def __call__(self, peer: Peer) -> None:
        await peer.apply()
        self.ready.set_result(peer)
        await asyncio.Event().wait()

    async def follows(self, words: str, function: str, arguments: dict[str, Any]) -> str:
        """The user says this, and the model calls that and says what became of it."""
        peer, id_ = await self.ready, next(self._ids)
        frames = len(peer.frames)
        await peer.until(lambda: len(peer.frames) > frames)
        await peer.say(STARTED, text("user", words), calls(call(id_, function, json.dumps(arguments))))
        await self.home.until(lambda: [each for each in answers(peer) if each["id"] == id_])
        content = next(each["content"] for each in answers(peer) if each["id"] == id_)
        await peer.say(text("assistant", content), PIECE, DONE)
        await self.home.until(lambda: content in self.home.said)
        await self.home.until_quiet()
        return str(content)


def answers(peer: Peer) -> list[dict[str, Any]]:
    return peer.of("FunctionCallResponse")


@pytest.fixture
async def model(hass: Hass, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Model]:
    monkeypatch.setenv("HOME_ASSISTANT_TOKEN", hass.token)
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k-test")
    rest(hass, {})
    it = Model()
    async with server(it) as vendor, room(hass.url, deepgram.open(deepgram.Settings(url=vendor.url))) as it.home:
        yield it
    rest(hass, {})


async def test_everything_in_the_home_is_reached_by_calls(model: Model, hass: Hass) -> None:
    reached: set[str] = set()
    for command in COMMANDS:
        assert await done(model, hass, command) == "right", (command.text, model.home.said)
        reached |= command.touched
    assert reached >= states(hass).keys() | {"sensor.bedroom_temperature", "binary_sensor.bedroom_window"}


async def done(model: Model, hass: Hass, command: Command) -> str:
    before = rest(hass, command.first)
    arguments = dict(command.arguments)
    model.home.wake()
    await model.follows(command.text, command.function, arguments)
    assert bool(model.home.of(on.Doubted)) is command.asks, command.text
    if command.asks:
        assert states(hass) == before, f"{command.text} was done without a yes"
        await model.follows("Yes.", command.function, arguments)
    return judged(command, before, states(hass), model.home.said)
