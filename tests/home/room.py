"""A speaker in a real home: the real conversation, session and actions, fed with audio as fast as the agent takes it.

There is no sound card; its loudspeaker takes no time, so what the agent says has sounded once it has been sent.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooee import effects as do
from cooee import events as on
from cooee import settings
from cooee.actions import Actions, home_assistant
from cooee.agent import Agent, Brief
from cooee.conversation import Conversation
from cooee.effects import Phase
from cooee.events import Event
from cooee.session import Session
from cooee.store import Store
from voices import noise

FRAME = 1280
PACE_S = 0.01
"""Eight times as fast as people speak; much faster, and the agent's voice detection falls behind."""
HEARS = settings.Conversation(follow_up_s=0, room_tail_s=0, no_speech_timeout_s=2, thinking_timeout_s=15)
HELPERS = ["input_boolean", "input_number"]
"""What the template home is made of; its owner would not have these worked."""
QUIET = [bytes(frame) for frame in noise(2.0)[: FRAME * 25].reshape(-1, FRAME)]


class Room:
    """`events` are all since the last `wake`."""

    def __init__(self, url: str, agent: Agent) -> None:
        self.events: list[Event] = []
        self._agent = agent
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._news = asyncio.Event()
        self._frames: deque[bytes] = deque()
        self._doing: set[asyncio.Task[None]] = set()
        table = home_assistant.Settings(
            description="The home", url=url, deny=HELPERS, time_limit_s=2, rate_limit_per_min=1000
        )
        self.actions = Actions({"home": table}, self._inbox.put_nowait, changed=self._news.set)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def said(self) -> str:
        """What the agent has said."""
        return " ".join(event.text for event in self.of(on.AgentText))

    async def live(self) -> None:
        """Until it is cancelled."""
        await self.until(lambda: len(self.actions.functions) > 1)
        self._conversation = Conversation(HEARS, keep_s=None, harmless=self.actions.harmless)
        brief = Brief(wake_words=("hey jarvis",), functions=self.actions.functions)
        store = Store(None)
        self._session = Session(settings.Session(), (self._agent,), brief, self._inbox.put_nowait, store=store)
        await self._agent.prepare()
        self._session.connect()
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._session.run(), self._converse(), self._hear()):
                    tasks.create_task(work)
        finally:
            store.close()

    def wake(self) -> None:
        """The wake word was heard."""
        self.events.clear()
        self._inbox.put_nowait(on.Heard(QUIET[0], wake="hey_jarvis"))

    def say(self, samples: NDArray[np.int16]) -> None:
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        self._frames.extend(bytes(frame) for frame in padded.reshape(-1, FRAME))

    async def until(self, holds: Callable[[], object], limit_s: float = 30) -> None:
        async with asyncio.timeout(limit_s):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def until_quiet(self) -> None:
        """Until what was woken up is over, or a question waits for its yes."""
        await self.until(lambda: not self._frames and self._inbox.empty() and self._is_over())

    def _is_over(self) -> bool:
        is_asked = any(isinstance(event, on.Doubted) for event in self.events)
        return self._conversation.phase is Phase.ASLEEP or (is_asked and self._conversation.phase is Phase.LISTENING)

    async def _converse(self) -> None:
        while True:
            event = await self._inbox.get()
            if not isinstance(event, on.Heard):
                self.events.append(event)
            for effect in self._conversation.handle(event, asyncio.get_running_loop().time()):
                self._perform(effect)
            self._news.set()

    async def _hear(self) -> None:
        number = 0
        while True:
            number += 1
            frame = self._frames.popleft() if self._frames else QUIET[number % len(QUIET)]
            self._inbox.put_nowait(on.Heard(frame))
            await asyncio.sleep(PACE_S)

    def _perform(self, effect: do.Effect) -> None:
        match effect:
            case do.OpenUplink():
                self._session.open(effect.turn)
            case do.ShutUplink():
                self._session.forget()
            case do.Send():
                self._session.send(effect.turn, effect.frame)
            case do.Say():
                self._session.say(effect.text)
            case do.Act():
                task = asyncio.create_task(self.actions.run(effect))
                self._doing.add(task)
                task.add_done_callback(self._doing.discard)
            case do.Drop():
                self.actions.drop(effect.id)
            case do.Answer():
                self._session.answer(effect)
            case do.Finish():
                self._inbox.put_nowait(on.Spoken(effect.turn))


@asynccontextmanager
async def room(url: str, agent: Agent) -> AsyncIterator[Room]:
    """Lives meanwhile, and is ready for the first command."""
    it = Room(url, agent)
    living = asyncio.create_task(it.live())
    try:
        await it.until(lambda: living.done() or it.of(on.SettingsApplied))
        yield it
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        it.actions.close()
        await agent.close()
