"""The whole speaker: one inbox, one loop. The only file that knows every room.

Where a byte of audio goes: `Mic` hears a frame, `Wake` scores it, the conversation decides, `Session` sends it; what
the agent says comes back through `Session`, the conversation decides, `Speaker` plays it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cooee import config as config_file
from cooee import effects as do
from cooee import events as on
from cooee import kinds, pins, threads
from cooee import reload as reloading
from cooee.actions import Actions, Receipts, change_persona, forget_conversation, stop_listening, volume
from cooee.agent import Agent, Brief, stand_in
from cooee.aloud import Aloud
from cooee.button import Button
from cooee.cast import Cast
from cooee.clips import clip
from cooee.config import Config
from cooee.control import Control
from cooee.conversation import Conversation
from cooee.desk import Desk
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.kept import Kept
from cooee.lights import Lights
from cooee.mic import Mic
from cooee.mixer import Mixer
from cooee.mqtt import Mqtt
from cooee.mute import Mute
from cooee.service import Service, log_from
from cooee.session import Session
from cooee.speaker import Speaker
from cooee.status import Status
from cooee.store import Store
from cooee.turns import Turns
from cooee.turns.log import TurnLog
from cooee.wake import Wake, spoken

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
        self._config = config
        self._watch = watch
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._stopping = stopping or asyncio.Event()
        self._reloading, self._one_reload = asyncio.Event(), asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        pins.open_factory()
        self._store = store or Store(None)
        self._receipts = Receipts(self._store)
        self._cast = Cast(config.personas)
        self._mqtt = Mqtt(config.mqtt, self._inbox.put_nowait)
        # First of all, for a process that was killed may have left them on; models and libraries take seconds.
        self._actions = Actions(
            *(config.actions, self._post_from_thread, self._builtins(), self._receipts),
            means={"broker": self._mqtt},
            changed=partial(self._loop.call_soon, self._tell_functions),
        )
        self._turns = Turns(TurnLog(self._store).keep)
        self._service = Service()
        self._agent: Agent = kinds.module("agent", config.agent.type).open(config.agent)
        other = stand_in(config.agent)
        self._agents = (self._agent, other) if other else (self._agent,)
        rate_hz = self._agent.output_rate_hz
        self._wake = Wake(config.wake)
        self._mic = Mic(config.mic, self._hear, self._report_from_mic)
        self._speaker = Speaker(config.speaker, rate_hz, self._post_from_thread)
        self._lights = Lights(config.lights, report=self._post_from_thread)
        self._button = Button(config.button, self._post_from_thread)
        self._mute = Mute(config.mute, Kept(self._store), self._post_from_thread, self._mic.wait_closed)
        self._mixer = Mixer(config.speaker, self._speaker.set_volume, Kept(self._store), self._inbox.put_nowait)
        self._aloud = Aloud(self._agents, self._speaker, rate_hz, self._inbox.put_nowait)
        self._status = Status(config, self._store, self._mic, self._speaker, self._mixer.percent)
        known = self._status.known
        self._desk = Desk(self._inbox.put_nowait, self._mixer, self._mute, status=known, reload=self._reload)
        self._control = Control(control, self._desk.controls())
        self._conversation = Conversation(
            config.conversation, 2 * rate_hz, keep_s=config.session.keep_s, harmless=self._actions.harmless
        )
        self.session = Session(
            *(config.session, self._agents, self._brief(), self._inbox.put_nowait),
            store=self._store,
            where=lambda place: config_file.where(self._config, place),
        )
        self._perform = self._performers()

    def _brief(self) -> Brief:
        words = tuple(spoken(word) for word in self._wake.words)
        return Brief(wake_words=words, functions=self._actions.functions, persona=self._cast.of())

    @property
    def phase(self) -> Phase:
        return self._conversation.phase

    @property
    def is_telling(self) -> bool:
        return self._conversation.is_telling

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        with contextlib.ExitStack() as devices:
            devices.callback(self._actions.close)
            devices.callback(self._store.close)
            self._mic.capture(not devices.enter_context(self._mute).is_on)
            for device in (self._lights, self._speaker, self._mic, self._button):
                devices.enter_context(device)
            # Once more, to be the first at the end: a device that hangs must not keep a heater on.
            devices.callback(self._actions.close)
            self._lights.show(do.Show(self.phase))
            try:
                async with self._control, asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    work = (self._converse(), self._tick(), self.session.run(), self._prepare())
                    home = self._mqtt.run(self._mixer, self._status.known)
                    rooms = [tasks.create_task(room) for room in (*work, home, self._reload_when_asked())]
                    self._service.ready()
                    await threads.until(self._stopping)
                    self._service.stopping()
                    for room in rooms:
                        room.cancel()
                    self._actions.stop()
            finally:
                await asyncio.gather(*(each.close() for each in (*self._agents, self._aloud)))

    def reload(self) -> None:
        """Go by the config as it is now, as far as that needs no restart; a faulty one changes nothing."""
        self._reloading.set()

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reloading.wait()
            self._reloading.clear()
            await self._reload()

    async def _reload(self) -> reloading.Changes | config_file.Faulty:
        async with self._one_reload:
            self._service.reloading()
            changes = await asyncio.to_thread(reloading.read, self._config)
            if isinstance(changes, reloading.Changes):
                await self._go_by(changes.config)
            self._service.ready()
            return changes

    async def _go_by(self, now: Config) -> None:
        self._config = self._status.config = now
        self._cast.tables = now.personas
        self._wake.adopt(now.wake)
        self._agent.adopt(now.agent)
        log_from(now.service.log_level)
        await self._actions.change(now.actions, self._builtins())
        self.session.change(now.session)
        self._tell_functions()
        if now.session.keep_s is None:
            self.session.connect()

    def _tell_functions(self) -> None:
        """What can be asked for may be different now, as Home Assistant has it."""
        now = self._config
        self._conversation.change(now.conversation, keep_s=now.session.keep_s, harmless=self._actions.harmless)
        self.session.tell(self._brief())

    async def _prepare(self) -> None:
        """What takes long is got ready while the speaker already listens."""
        await self._mixer.open()
        for agent in self._agents:
            try:
                await agent.prepare()
            except Exception as error:
                log.warning("the agent is not ready: %s", error)
        if self._config.session.keep_s is None:
            self.session.connect()

    async def _converse(self) -> None:
        while True:
            event = await self._inbox.get()
            now = self._loop.time()
            self._note(now, event)
            for effect in self._conversation.handle(event, now):
                self._note(now, effect)
                self._perform[type(effect)](effect)
            if isinstance(event, on.MicLost | on.MicFound):
                self._service.wait_for_microphone(missing=isinstance(event, on.MicLost))
            # Muted there are no frames; the tick then proves that the loop and the conversation are alive.
            if isinstance(event, on.Heard) or (isinstance(event, on.Ticked) and self.phase is Phase.MUTED):
                self._service.alive()

    def _note(self, now: float, item: Event | Effect) -> None:
        self._watch(now, item)
        self._control.tell(now, item)
        for room in (self._turns, self._status, self._mute, self._mqtt):
            room.watch(now, item)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            threads.check(microphone=self._mic, loudspeaker=self._speaker)
            if self.session.look():
                self._receipts.forget()
            self._inbox.put_nowait(on.Ticked())

    def _performers(self) -> dict[type[Effect], Callable[[Any], object]]:
        """How each effect is done. None of these blocks or raises."""
        return {
            do.Connect: lambda effect: self.session.connect(),
            do.Disconnect: lambda effect: self.session.disconnect(effect.reason),
            do.OpenUplink: lambda effect: self.session.open(effect.turn, self._cast.of(effect.word)),
            do.ShutUplink: lambda effect: self.session.forget(),
            do.Send: lambda effect: self.session.send(effect.turn, effect.frame),
            do.EndTurn: lambda effect: self.session.end_turn(),
            do.Ask: lambda effect: self.session.ask(effect.text),
            do.Say: lambda effect: self.session.say(effect.text),
            do.Announce: lambda effect: self._tasks.create_task(self._aloud.say(effect.turn, effect.text)),
            do.Report: self._desk.report,
            do.Forget: self._forget,
            do.Become: self._become,
            do.Play: lambda effect: self._speaker.play(effect.turn, effect.pcm),
            do.Finish: lambda effect: self._speaker.finish(effect.turn),
            do.Hush: lambda effect: self._speaker.hush(effect.turn),
            do.Tell: self._tell,
            do.Show: self._show,
            do.Capture: lambda effect: self._mic.capture(effect.on),
            do.Louden: lambda effect: self._tasks.create_task(self._mixer.change(effect.step_percent)),
            do.Act: lambda effect: self._tasks.create_task(self._actions.run(effect)),
            do.Drop: lambda effect: self._actions.drop(effect.id),
            do.Answer: self.session.answer,
        }

    def _tell(self, effect: do.Tell) -> None:
        self._speaker.play(effect.turn, clip(effect.clip, self._agent.output_rate_hz))
        if not effect.is_preface:
            self._speaker.finish(effect.turn)

    def _forget(self, effect: do.Forget) -> None:
        self.session.forget_conversation()
        self._receipts.forget()

    def _become(self, effect: do.Become) -> None:
        self._cast.chosen = effect.name
        self.session.become(self._cast.of())

    def _show(self, effect: do.Show) -> None:
        self._lights.show(effect)
        trouble = f" ({effect.trouble.value})" if effect.trouble else ""
        self._service.status(f"{effect.phase.value}{trouble}{': ' if effect.fault else ''}{effect.fault}")
        log.info("%s%s", effect.phase.value, trouble)

    def _builtins(self) -> tuple[Any, ...]:
        names, choose = tuple(self._cast.tables), lambda name: self._inbox.put_nowait(on.PersonaChosen(name))
        return (
            *volume(lambda percent: self._mixer.set(percent), lambda step: self._mixer.change(step)),
            stop_listening(lambda: self._inbox.put_nowait(on.Dismissed("agent"))),
            forget_conversation(lambda: self._inbox.put_nowait(on.Forgotten("agent"))),
            *([change_persona(names, choose)] if names else []),
        )

    def _hear(self, frame: bytes, at_s: float) -> None:
        """On the microphone's thread: the score travels with its frame."""
        score, word = self._wake.score(frame)
        self._post_from_thread(on.Heard(frame, at_s, score, word))

    def _report_from_mic(self, event: Event) -> None:
        if isinstance(event, on.MicFound):
            self._wake.reset()
        self._post_from_thread(event)

    def _post_from_thread(self, event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, event)
