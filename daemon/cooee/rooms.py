"""Every room of the speaker, built from the config; and what one of them is to know of another."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from cooee import config as config_file
from cooee import events as on
from cooee import kinds, pins
from cooee.actions import Actions, Receipts, change_persona, forget_conversation, stop_listening, volume
from cooee.agent import Agent, Brief, spoken_by, stand_in
from cooee.aloud import Aloud
from cooee.button import Button
from cooee.cast import Cast
from cooee.config import Config, Faulty
from cooee.control import Control
from cooee.desk import Desk
from cooee.events import Event
from cooee.kept import Kept
from cooee.lights import Lights
from cooee.mic import Mic
from cooee.mixer import Mixer
from cooee.mqtt import Mqtt
from cooee.mute import Mute
from cooee.reload import Changes
from cooee.service import Service
from cooee.session import Session
from cooee.speaker import Speaker
from cooee.status import Status
from cooee.store import Store
from cooee.turns import Turns
from cooee.turns.log import TurnLog
from cooee.wake import Wake, spoken


class Rooms:
    """`post` takes events, on the loop. `changed` is called when what can be asked for may be different.

    `control`: where the control socket is to be, if there is to be one; `reload` reads the config anew for it.
    `config` is what is in force.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        post: Callable[[Event], None],
        *,
        changed: Callable[[], None],
        control: Path | None,
        reload: Callable[[], Awaitable[Changes | Faulty]],
    ) -> None:
        self.config, self.store = config, store
        self._post, self._loop = post, asyncio.get_running_loop()
        # First of all, for a process that was killed may have left things on; models and libraries take seconds.
        self._build_home(changed)
        self._build_agents()
        self._build_devices()
        self._build_desk(control, reload)
        self.session = Session(
            *(config.session, self.agents, self.brief(), post),
            store=store,
            where=lambda place: config_file.where(self.config, place),
        )

    def _build_home(self, changed: Callable[[], None]) -> None:
        pins.open_factory()
        self.receipts = Receipts(self.store)
        self.cast = Cast(self.config.personas)
        self.mqtt = Mqtt(self.config.mqtt, self._post)
        self.actions = Actions(
            *(self.config.actions, self._post_from_thread, self.builtins(), self.receipts),
            means={"broker": self.mqtt},
            changed=partial(self._loop.call_soon, changed),
            language=lambda: spoken_by(self.config.agent, self.session.persona),
        )

    def _build_agents(self) -> None:
        self.agent: Agent = kinds.module("agent", self.config.agent.type).open(self.config.agent)
        other = stand_in(self.config.agent)
        self.agents = (self.agent, other) if other else (self.agent,)

    def _build_devices(self) -> None:
        config, rate_hz, post = self.config, self.agent.output_rate_hz, self._post_from_thread
        self.wake = Wake(config.wake)
        self.mic = Mic(config.mic, self._hear, self._report_from_mic)
        self.speaker = Speaker(config.speaker, rate_hz, post)
        self.lights = Lights(config.lights, report=post)
        self.button = Button(config.button, post)
        self.mute = Mute(config.mute, Kept(self.store), post, self.mic.wait_closed)
        self.mixer = Mixer(config.speaker, self.speaker.set_volume, Kept(self.store), self._post)
        self.aloud = Aloud(self.agents, self.speaker, rate_hz, self._post)

    def _build_desk(self, control: Path | None, reload: Callable[[], Awaitable[Changes | Faulty]]) -> None:
        """What is told of the speaker, and wanted of it from outside."""
        self.service = Service()
        self.turns = Turns(TurnLog(self.store).keep)
        self.status = Status(self.config, self.store, self.mic, self.speaker, self.mixer.percent, self._away)
        self.desk = Desk(self._post, self.mixer, self.mute, status=self.status.known, reload=reload)
        self.control = Control(control, self.desk.controls())

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """What has a device or a file, until the end."""
        with contextlib.ExitStack() as devices:
            devices.callback(self.actions.close)
            devices.callback(self.store.close)
            self.mic.capture(not devices.enter_context(self.mute).is_on)
            for device in (self.lights, self.speaker, self.mic, self.button):
                devices.enter_context(device)
            # Once more, to be the first at the end: a device that hangs must not keep a heater on.
            devices.callback(self.actions.close)
            yield

    def brief(self) -> Brief:
        words = tuple(spoken(word) for word in self.wake.words)
        return Brief(wake_words=words, functions=self.actions.functions, persona=self.cast.now)

    def builtins(self) -> tuple[Any, ...]:
        """Functions that the speaker has by itself."""
        names, choose = tuple(self.cast.tables), lambda name: self._post(on.PersonaChosen(name))
        return (
            *volume(lambda percent: self.mixer.set(percent), lambda step: self.mixer.change(step)),
            stop_listening(lambda: self._post(on.Dismissed("agent"))),
            forget_conversation(lambda: self._post(on.Forgotten("agent"))),
            *([change_persona(names, choose)] if names else []),
        )

    def _away(self) -> dict[str, str]:
        """Why others in the home can't be reached, in a sentence each, by the tables that name them."""
        actions = {f"actions.{name}": why for name, why in self.actions.away.items()}
        return {"mqtt": self.mqtt.missed, **actions} if self.mqtt.missed else actions

    def _hear(self, frame: bytes, at_s: float) -> None:
        """On the microphone's thread: the score travels with its frame."""
        score, word = self.wake.score(frame)
        self._post_from_thread(on.Heard(frame, at_s, score, word))

    def _report_from_mic(self, event: Event) -> None:
        if isinstance(event, on.MicFound):
            self.wake.reset()
        self._post_from_thread(event)

    def _post_from_thread(self, event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._post, event)
