"""The speaker's own voice, for what is to be said without a line that costs money or needs the internet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from cooee import kinds
from cooee.agent import Agent, Brief, Refused, Unreachable
from cooee.events import AgentDone, AgentSpeech, Event, Trouble, Unsayable

LIMIT_S = 60.0
PIECE_S = 10.0
"""The voice may take so long to begin, and between two pieces."""


class Player(Protocol):
    """The loudspeaker."""

    def play(self, turn: int, pcm: bytes) -> None: ...

    def finish(self, turn: int) -> None: ...

    def hush(self, turn: int) -> None: ...


class Aloud:
    """The embedded agent's voice: of the one that is in use or in reserve, or of one that is started when needed.

    `post` gets Unsayable where it fails.
    """

    def __init__(
        self, agents: Sequence[Agent], player: Player, output_rate_hz: int, post: Callable[[Event], None]
    ) -> None:
        self._player, self._post = player, post
        self._agent = next((agent for agent in agents if not agent.is_metered), None)
        self._own: Agent | None = None
        self._output_rate_hz = output_rate_hz

    async def say(self, turn: int, text: str) -> None:
        """Have it played. Never raises."""
        try:
            async for pcm in self._speech(text):
                self._player.play(turn, pcm)
            self._player.finish(turn)
        except (OSError, Refused, TimeoutError) as error:
            self._player.hush(turn)
            self._post(Unsayable(turn, str(error) or "the voice did not answer in time"))

    async def _speech(self, text: str) -> AsyncIterator[bytes]:
        """Pieces of PCM; raises OSError, Refused or TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            link, _ = await self._have_agent().connect()
            try:
                await link.settle(Brief(greet=False))
                await link.say(text)
                events = link.events()
                while True:
                    async with asyncio.timeout(PIECE_S):
                        event = await anext(events, None)
                    if isinstance(event, AgentSpeech):
                        yield event.pcm
                    elif isinstance(event, AgentDone):
                        return
                    elif event is None:
                        raise Unreachable("the voice broke off")
            finally:
                await link.close()

    async def close(self) -> None:
        if self._own:
            await self._own.close()

    def _have_agent(self) -> Agent:
        """Raises Refused."""
        if self._agent is None:
            try:
                embedded = kinds.module("agent", "embedded")
            except kinds.Unknown as unknown:
                raise Refused(f"there is no voice of the speaker's own: {unknown}", Trouble.SETTINGS) from unknown
            self._agent = self._own = embedded.open(embedded.Settings(output_rate_hz=self._output_rate_hz))
        return self._agent
