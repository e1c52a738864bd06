"""The whole speaker: one inbox, one loop. What there is stands in `rooms`; what is done with it, here.

Where a byte of audio goes: `Mic` hears a frame, `Wake` scores it, the conversation decides, `Session` sends it; what
the agent says comes back through `Session`, the conversation decides, `Speaker` plays it.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cooee import effects as do
from cooee import events as on
from cooee import reload as reloading
from cooee import threads
from cooee.clips import clip
from cooee.config import Config, Faulty
from cooee.conversation import Conversation
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.rooms import Rooms
from cooee.service import log_from
from cooee.store import Store

log = logging.getLogger("cooee.app")

TICK_S = 0.25

Watch = Callable[[float, Event | Effect], None]


class App:
    """Built from a config without faults; `run` returns when `stop` was called, and raises when a room died.

    `store` keeps what outlives the process. `watch` is told every event and effect; `stopping`, when set, stops the
    speaker as `stop` does. `control`: where its control socket is to be, if there is to be one.
    """

    def __init__(
        self,
        config: Config,
        watch: Watch = lambda now, item: None,
        stopping: asyncio.Event | None = None,
        store: Store | None = None,
        control: Path | None = None,
    ) -> None:
        self._watch = watch
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._stopping = stopping or asyncio.Event()
        self._reloading, self._one_reload = asyncio.Event(), asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self.rooms = Rooms(
            *(config, store or Store(None), self._inbox.put_nowait),
            changed=self._tell_functions,
            control=control,
            reload=self._reload,
        )
        self._conversation = Conversation(
            config.conversation,
            2 * self.rooms.agent.output_rate_hz,
            keep_s=config.session.keep_s,
            harmless=self.rooms.actions.harmless,
        )
        self._perform = self._performers(self.rooms)

    @property
    def phase(self) -> Phase:
        return self._conversation.phase

    @property
    def is_telling(self) -> bool:
        return self._conversation.is_telling

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        rooms = self.rooms
        with threads.deaths() as died, rooms.open():
            rooms.lights.show(do.Show(self.phase))
            try:
                async with rooms.control, asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    own = (self._converse(), self._tick(), self._prepare(), self._reload_when_asked())
                    theirs = (rooms.session.run(), rooms.mqtt.run(rooms.mixer, rooms.status.known))
                    running = [tasks.create_task(each) for each in (*own, *theirs)]
                    rooms.service.ready()
                    await threads.until(self._stopping, died)
                    rooms.service.stopping()
                    for each in running:
                        each.cancel()
                    rooms.actions.stop()
            finally:
                await asyncio.gather(*(each.close() for each in (*rooms.agents, rooms.aloud)))

    def reload(self) -> None:
        """Go by the config as it is now, as far as that needs no restart; a faulty one changes nothing."""
        self._reloading.set()

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reloading.wait()
            self._reloading.clear()
            await self._reload()

    async def _reload(self) -> reloading.Changes | Faulty:
        async with self._one_reload:
            self.rooms.service.reloading()
            changes = await asyncio.to_thread(reloading.read, self.rooms.config)
            if isinstance(changes, reloading.Changes):
                await self._go_by(changes.config)
            self.rooms.service.ready()
            return changes

    async def _go_by(self, now: Config) -> None:
        rooms = self.rooms
        rooms.config = rooms.status.config = now
        rooms.cast.tables = now.personas
        rooms.wake.adopt(now.wake)
        rooms.agent.adopt(now.agent)
        log_from(now.service.log_level)
        await rooms.actions.change(now.actions, rooms.builtins())
        rooms.session.change(now.session)
        self._tell_functions()
        if now.session.keep_s is None:
            self.rooms.session.connect()

    def _tell_functions(self) -> None:
        """What can be asked for may be different now, as Home Assistant has it."""
        now = self.rooms.config
        self._conversation.change(now.conversation, keep_s=now.session.keep_s, harmless=self.rooms.actions.harmless)
        self.rooms.session.tell(self.rooms.brief())

    async def _prepare(self) -> None:
        """What takes long is got ready while the speaker already listens."""
        await self.rooms.mixer.open()
        for agent in self.rooms.agents:
            try:
                await agent.prepare()
            except Exception as error:
                log.warning("the agent is not ready: %s", error)
        if self.rooms.config.session.keep_s is None:
            self.rooms.session.connect()

    async def _converse(self) -> None:
        while True:
            event = await self._inbox.get()
            now = self._loop.time()
            self._note(now, event)
            for effect in self._conversation.handle(event, now):
                self._note(now, effect)
                self._perform[type(effect)](effect)
            if isinstance(event, on.MicLost | on.MicFound):
                self.rooms.service.wait_for_microphone(missing=isinstance(event, on.MicLost))
            # Muted there are no frames; the tick then proves that the loop and the conversation are alive.
            if isinstance(event, on.Heard) or (isinstance(event, on.Ticked) and self.phase is Phase.MUTED):
                self.rooms.service.alive()

    def _note(self, now: float, item: Event | Effect) -> None:
        self._watch(now, item)
        self.rooms.control.tell(now, item)
        for room in (self.rooms.turns, self.rooms.status, self.rooms.mute, self.rooms.mqtt):
            room.watch(now, item)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            threads.check(microphone=self.rooms.mic, loudspeaker=self.rooms.speaker)
            if self.rooms.session.look():
                self.rooms.receipts.forget()
            self._inbox.put_nowait(on.Ticked())

    def _performers(self, rooms: Rooms) -> dict[type[Effect], Callable[[Any], object]]:
        """How each effect is done. None of these blocks or raises."""
        return {
            do.Connect: lambda effect: rooms.session.connect(),
            do.Disconnect: lambda effect: rooms.session.disconnect(effect.reason),
            do.OpenUplink: lambda effect: rooms.session.open(effect.turn, rooms.cast.of(effect.word)),
            do.ShutUplink: lambda effect: rooms.session.forget(),
            do.Send: lambda effect: rooms.session.send(effect.turn, effect.frame),
            do.EndTurn: lambda effect: rooms.session.end_turn(),
            do.Ask: lambda effect: rooms.session.ask(effect.text),
            do.Say: lambda effect: rooms.session.say(effect.text),
            do.Announce: lambda effect: self._tasks.create_task(rooms.aloud.say(effect.turn, effect.text)),
            do.Report: rooms.desk.report,
            do.Forget: self._forget,
            do.Become: self._become,
            do.Play: lambda effect: rooms.speaker.play(effect.turn, effect.pcm),
            do.Finish: lambda effect: rooms.speaker.finish(effect.turn),
            do.Hush: lambda effect: rooms.speaker.hush(effect.turn),
            do.Tell: self._tell,
            do.Show: self._show,
            do.Capture: lambda effect: rooms.mic.capture(effect.on),
            do.Louden: lambda effect: self._tasks.create_task(rooms.mixer.change(effect.step_percent)),
            do.Act: lambda effect: self._tasks.create_task(rooms.actions.run(effect)),
            do.Drop: lambda effect: rooms.actions.drop(effect.id),
            do.Answer: rooms.session.answer,
        }

    def _tell(self, effect: do.Tell) -> None:
        self.rooms.speaker.play(effect.turn, clip(effect.clip, self.rooms.agent.output_rate_hz))
        if not effect.is_preface:
            self.rooms.speaker.finish(effect.turn)

    def _forget(self, effect: do.Forget) -> None:
        self.rooms.session.forget_conversation()
        self.rooms.receipts.forget()

    def _become(self, effect: do.Become) -> None:
        self.rooms.cast.chosen = effect.name
        self.rooms.session.become(self.rooms.cast.of())

    def _show(self, effect: do.Show) -> None:
        self.rooms.lights.show(effect)
        trouble = f" ({effect.trouble.value})" if effect.trouble else ""
        self.rooms.service.status(f"{effect.phase.value}{trouble}{': ' if effect.fault else ''}{effect.fault}")
        log.info("%s%s", effect.phase.value, trouble)
