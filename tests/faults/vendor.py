"""The vendor as a script for `fakes.server`: it hears numbered sentences, confirms each and answers it in its voice."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from fakes import Peer
from faults.speech import Kind, read

PIECE = b"\x00\x10" * 2400
"""A tenth of a second of the agent's voice, at 24 kHz."""
END_OF_TURN_FRAMES = 3

Doing = Callable[["Vendor", Peer], Awaitable[None]]


def text(role: str, content: str) -> dict[str, Any]:
    return {"type": "ConversationText", "role": role, "content": content}


def history(role: str, content: str) -> dict[str, Any]:
    return {"type": "History", "role": role, "content": content}


def calls(*each: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FunctionCallRequest", "functions": list(each)}


def call(id: str, name: str = "lamp", arguments: str = '{"on": true}') -> dict[str, Any]:
    return {"id": id, "name": name, "arguments": arguments, "client_side": True}


DONE = {"type": "AgentAudioDone"}
STARTED = {"type": "UserStartedSpeaking"}


async def reply(vendor: "Vendor", peer: Peer, *, seconds: float = 0.3) -> None:
    await peer.say(text("assistant", "Done."), *[PIECE] * round(seconds * 10), DONE, history("assistant", "Done."))


def then(*doings: Doing) -> Doing:
    async def all_of_them(vendor: "Vendor", peer: Peer) -> None:
        for each in doings:
            await each(vendor, peer)

    return all_of_them


class Vendor:
    """A script: `turns`, the nth for the nth turn (the last one from then on), say what follows a confirmed turn.

    `began` follows the beginning of each sentence. `confirmed`: for each confirmed turn, the numbers of all frames that
    the peer had got by then.
    """

    def __init__(self, *turns: Doing, began: Doing | None = None, applied: Doing | None = None) -> None:
        self.confirmed: list[frozenset[int]] = []
        self.asked: list[str] = []
        self._turns = turns or (reply,)
        self._began, self._applied = began, applied
        self._number = itertools.count(1)

    async def __call__(self, peer: Peer) -> None:
        await peer.apply()
        if self._applied:
            await self._applied(self, peer)
        frames = messages = silent = 0
        is_speaking = False
        while True:
            with suppress(TimeoutError):
                await peer.until(lambda at=frames, of=messages: len(peer.frames) > at or len(peer.messages) > of)
            for _, pcm in peer.frames[frames:]:
                frames += 1
                silent = 0 if read(pcm)[1] is Kind.SPEECH else silent + 1
                if not is_speaking and silent == 0:
                    is_speaking = True
                    await self._begin(peer)
                elif is_speaking and silent == END_OF_TURN_FRAMES:
                    is_speaking = False
                    await self.confirm(peer, frames)
                    await self._take_turn(peer)
            for _, message in peer.messages[messages:]:
                messages += 1
                await self._read(peer, message)

    async def confirm(self, peer: Peer, frames: int | None = None) -> None:
        self.confirmed.append(frozenset(read(pcm)[0] for _, pcm in peer.frames[:frames]))
        said = f"sentence {len(self.confirmed)}"
        await peer.say(text("user", said), history("user", said))

    async def _begin(self, peer: Peer) -> None:
        await peer.say(STARTED)
        if self._began:
            await self._began(self, peer)

    async def _take_turn(self, peer: Peer) -> None:
        number = next(self._number)
        await self._turns[min(number, len(self._turns)) - 1](self, peer)

    async def _read(self, peer: Peer, message: dict[str, Any]) -> None:
        match message["type"]:
            case "InjectUserMessage":
                self.asked.append(message["content"])
                await peer.say(text("user", message["content"]))
                await self._take_turn(peer)
            case "InjectAgentMessage":
                await reply(self, peer)


async def silence(vendor: Vendor, peer: Peer) -> None:
    """No reply."""


def wait(seconds: float) -> Doing:
    async def waiting(vendor: Vendor, peer: Peer) -> None:
        await asyncio.sleep(seconds)

    return waiting


def say(*messages: Any) -> Doing:
    async def saying(vendor: Vendor, peer: Peer) -> None:
        await peer.say(*messages)

    return saying
