"""The whole speaker: one inbox, one loop. The only file that knows every room.

Where a byte of audio goes: `Mic` hears a frame, `Wake` scores it, the conversation decides, `Session` sends it; what
the agent says comes back through `Session`, the conversation decides, `Speaker` plays it.
"""

import asyncio
import contextlib
import logging
import threading
import warnings
from collections.abc import Callable
from importlib.resources import as_file, files
from typing import Any

import soxr

from cooee import effects as do
from cooee import events as on
from cooee import kinds
from cooee.actions import Actions, stop_listening, volume
from cooee.agent import Agent, Brief
from cooee.config import Config
from cooee.conversation import Conversation
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.lights import Lights
from cooee.mic import Mic, read_wav
from cooee.service import Service
from cooee.session import Session
from cooee.speaker import Speaker
from cooee.wake import Wake, spoken

log = logging.getLogger("cooee.app")

TICK_S = 0.25
CLIPS = ("unreachable", "refused", "no_answer")

Watch = Callable[[float, Event | Effect], None]


class Stuck(Exception):
    """A thread hangs in its device: only a new process helps."""


class App:
    """Built from a config without faults; `run` returns when `stop` was called, and raises when a room died.

    `watch` is told every event and effect; `stopping`, when set, stops the speaker as `stop` does.
    """

    def __init__(
        self, config: Config, watch: Watch = lambda now, item: None, stopping: asyncio.Event | None = None
    ) -> None:
        self._config = config
        self._watch = watch
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._stopping = stopping or asyncio.Event()
        self._loop = asyncio.get_running_loop()
        _have_pins()
        self._service = Service()
        self._agent: Agent = kinds.module("agent", config.agent.type).open(config.agent)
        self._wake = Wake(config.wake)
        self._conversation = Conversation(
            config.conversation, bytes_per_s=2 * self._agent.output_rate_hz, keep_s=config.session.keep_s
        )
        self._mic = Mic(config.mic, self._hear, self._report_from_mic)
        self._speaker = Speaker(config.speaker, self._agent.output_rate_hz, self._post_from_thread)
        self._lights = Lights(config.lights)
        self._actions = Actions(config.actions, self._post_from_thread, self._builtins())
        brief = Brief(wake_words=tuple(spoken(word) for word in self._wake.words), functions=self._actions.functions)
        self.session = Session(config.session, self._agent, brief, self._inbox.put_nowait)
        self._clips = {clip: _clip(clip, self._agent.output_rate_hz) for clip in CLIPS}
        self._perform = self._performers()

    @property
    def phase(self) -> Phase:
        return self._conversation.phase

    @property
    def is_telling(self) -> bool:
        """Whether one of our own sentences is being said."""
        return self._conversation.is_telling

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        with contextlib.ExitStack() as devices:
            devices.callback(self._actions.close)
            for device in (self._lights, self._speaker, self._mic):
                devices.enter_context(device)
            self._lights.show(do.Show(self.phase))
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    rooms = [tasks.create_task(room) for room in (self._converse(), self._tick(), self.session.run())]
                    rooms.append(tasks.create_task(self._prepare()))
                    self._service.ready()
                    await self._until_stopped()
                    self._service.stopping()
                    for room in rooms:
                        room.cancel()
                    self._actions.stop()
            finally:
                await self._agent.close()

    async def _until_stopped(self) -> None:
        """Returns when `stop` was called; raises what ended a thread: the speaker must not stay up and be deaf."""
        died: asyncio.Future[None] = self._loop.create_future()

        def die(error: BaseException) -> None:
            if not died.done():
                died.set_exception(error)

        def tell(thread: threading.ExceptHookArgs) -> None:
            self._loop.call_soon_threadsafe(die, thread.exc_value or RuntimeError("a thread ended"))

        hook, threading.excepthook = threading.excepthook, tell
        stopped = self._tasks.create_task(self._stopping.wait())
        try:
            await asyncio.wait((stopped, died), return_when=asyncio.FIRST_COMPLETED)
            if died.done():
                died.result()
        finally:
            threading.excepthook = hook
            stopped.cancel()

    async def _prepare(self) -> None:
        """What takes long is got ready while the speaker already listens."""
        try:
            await self._agent.prepare()
        except Exception as error:
            log.warning("the agent is not ready: %s", error)
        if self._config.session.keep_s is None:
            self.session.connect()

    async def _converse(self) -> None:
        while True:
            event = await self._inbox.get()
            now = self._loop.time()
            self._watch(now, event)
            for effect in self._conversation.handle(event, now):
                self._watch(now, effect)
                self._perform[type(effect)](effect)
            if isinstance(event, on.MicLost | on.MicFound):
                self._service.wait_for_microphone(missing=isinstance(event, on.MicLost))
            # Muted there are no frames; the tick then proves that the loop and the conversation are alive.
            if isinstance(event, on.Heard) or (isinstance(event, on.Ticked) and self.phase is Phase.MUTED):
                self._service.alive()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._mic.stuck or self._speaker.stuck:
                raise Stuck(f"the {'microphone' if self._mic.stuck else 'loudspeaker'}'s thread hangs")
            self._inbox.put_nowait(on.Ticked())

    def _performers(self) -> dict[type[Effect], Callable[[Any], object]]:
        """How each effect is done. None of these blocks or raises."""
        return {
            do.Connect: lambda effect: self.session.connect(),
            do.Disconnect: lambda effect: self.session.disconnect(effect.reason),
            do.OpenUplink: lambda effect: None,
            do.ShutUplink: lambda effect: self.session.forget(),
            do.Send: lambda effect: self.session.send(effect.frame),
            do.Play: lambda effect: self._speaker.play(effect.turn, effect.pcm),
            do.Finish: lambda effect: self._speaker.finish(effect.turn),
            do.Hush: lambda effect: self._speaker.hush(effect.turn),
            do.Tell: self._tell,
            do.Show: self._show,
            do.Capture: lambda effect: self._mic.capture(effect.on),
            do.Act: lambda effect: self._tasks.create_task(self._actions.run(effect)),
            do.Drop: lambda effect: self._actions.drop(effect.id),
            do.Answer: self.session.answer,
        }

    def _tell(self, effect: do.Tell) -> None:
        self._speaker.play(effect.turn, self._clips[effect.clip])
        self._speaker.finish(effect.turn)

    def _show(self, effect: do.Show) -> None:
        self._lights.show(effect)
        self._service.status(f"{effect.phase.value}{': ' if effect.fault else ''}{effect.fault}")
        log.info("%s", effect.phase.value)

    def _builtins(self) -> tuple[Any, ...]:
        return (
            *volume(lambda: self._speaker.volume, self._speaker.set_volume),
            stop_listening(lambda: self._inbox.put_nowait(on.Dismissed("agent"))),
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


def _have_pins() -> None:
    """Lights and actions open on threads of their own: without this they could make a pin factory each."""
    import gpiozero

    try:
        with warnings.catch_warnings():
            # One for each library that is not here; whoever needs a pin says in a sentence that there is none.
            warnings.simplefilter("ignore", gpiozero.PinFactoryFallback)
            gpiozero.Device.ensure_pin_factory()
    except gpiozero.BadPinFactory:
        log.debug("no GPIO pins here")


def _clip(name: str, rate_hz: int) -> bytes:
    """One of our own sentences, as PCM at the agent's rate."""
    with as_file(files("cooee") / "sounds" / f"{name}.wav") as path:
        pcm: bytes = soxr.resample(read_wav(path), 16_000, rate_hz).astype("<i2").tobytes()
    return pcm
