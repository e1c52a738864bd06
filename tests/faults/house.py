"""A whole speaker in a house where every frame is numbered: the real App, without its sound card and wake model."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import cooee.actions
from cooee import app, config, rooms
from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect
from cooee.events import Event
from cooee.store import FILE, Store
from faults.speech import Mic, Mouth, Sentence, Wake

KINDS = str(Path(__file__).parent / "kinds")
CONFIG = """
[agent]
type = "deepgram"
url = "{url}"
key_file = "{folder}/key"
greeting = "Hello."
fallback = ""
[speaker]
type = "file"
file = "{folder}/reply.wav"
period_ms = 50
[conversation]
follow_up_s = 0.0
{conversation}
[actions.lamp]
type = "recorded"
description = "The lamp"
book = "{folder}"
{lamp}
"""
QUICK = {"backoff_first_s": 0.1, "backoff_most_s": 0.5}
LOUD = 20.0
"""How long a scenario waits for what should come, at most."""

Entry = tuple[float, str]


def told(timeline: Sequence[Entry]) -> str:
    """To be read, in seconds since its first entry."""
    return "\n".join(f"{at - timeline[0][0]:8.2f}  {name}" for at, name in timeline)


class House:
    """`timeline`: what one notices in the room, and what the bench did, in order, on the loop's clock."""

    def __init__(self, url: str, folder: Path, *, conversation: str = "", lamp: str = "", **session: Any) -> None:
        self.mouth = Mouth()
        self.folder = folder
        self.timeline: deque[Entry] = deque(maxlen=5000)
        self._loop = asyncio.get_running_loop()
        self.running: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._count = self._cursor = 0
        self._shown = self._let_go = ""
        self._told: set[int] = set()
        (folder / "key").write_text("k-bench")
        (folder / "key").chmod(0o600)
        read = config.parse(CONFIG.format(url=url, folder=folder, conversation=conversation, lamp=lamp))
        read = replace(read, session=read.session.model_copy(update={**QUICK, **session}))
        with (
            mock.patch.object(rooms, "Mic", lambda _, hear, __: Mic(self.mouth, hear)),
            mock.patch.object(rooms, "Wake", Wake),
        ):
            self.app = app.App(read, self._watch, store=Store(folder / FILE))

    async def say(self, words: int = 4, *, wake: bool = True) -> Sentence:
        """The wake word and so many words, two and a half a second; returns with the last one."""
        sentence = self.mouth.say(words, wake=wake)
        if words:
            await sentence.ended.wait()
        return sentence

    async def woken(self) -> None:
        """Only the wake word."""
        self.mouth.say(0)
        await self.until("wake")

    def mark(self, name: str) -> float:
        """Note in the timeline what is being done to the house."""
        self._note(self._loop.time(), name)
        return self.timeline[-1][0]

    async def until(self, name: str, timeout_s: float = LOUD) -> float:
        """When the next such entry came; those that were passed already don't count."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    new = list(self.timeline)[len(self.timeline) - (self._count - self._cursor) :]
                    for at, each in new:
                        self._cursor += 1
                        if each == name:
                            return at
                    if self.running and self.running.done():
                        self.running.result()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {name!r} came\n{self.story()}") from None

    async def answered(self, words: int = 4) -> None:
        """Say a sentence, and hear its answer to the end."""
        await self.say(words)
        await self.until("answer")
        await self.until("asleep")

    def story(self) -> str:
        """The timeline, to be read."""
        return told(self.timeline)

    def _watch(self, now: float, item: Event | Effect) -> None:  # noqa: C901 (one match, one place to read)
        match item:
            case on.Heard(wake=str()):
                self._note(now, "wake")
            case on.SettingsApplied():
                self._note(now, "up")
            case on.SessionDown() if item.trouble or item.reason != self._let_go:
                self._note(now, f"down {item.trouble.value}" if item.trouble else "down")
            case do.Disconnect():
                self._let_go = item.reason
            case on.UserText():
                self._note(now, "understood")
            case on.Warned():
                self._note(now, f"warned {item.code}")
            case on.LimitNear():
                self._note(now, f"near {item.scope}")
            case do.Show() if item.phase.value != self._shown:
                self._shown = item.phase.value
                self._note(now, item.phase.value)
            case do.Tell():
                if not item.is_preface:
                    self._told.add(item.turn)
                self._note(now, f"tell {item.clip}")
            case on.Sounded() if item.turn not in self._told:
                self._note(now, "answer")
            case on.Spoken() if item.turn in self._told:
                self._note(now, "told")
            case do.Hush():
                self._note(now, "hush")
            case do.Ask():
                self._note(now, "ask")
            case do.Say():
                self._note(now, "say")
            case do.Act():
                self._note(now, f"act {item.call.name[:20]}")
            case do.Drop():
                self._note(now, "drop")
            case on.Acted():
                self._note(now, "acted" if item.ok else "failed")

    def _note(self, now: float, name: str) -> None:
        if name.startswith("down ") and self.timeline and self.timeline[-1][1] == name:
            return  # tried again in vain
        self.timeline.append((now, name))
        self._count += 1
        self._news.set()


@asynccontextmanager
async def house(url: str, folder: Path, **options: Any) -> AsyncIterator[House]:
    """A speaker that runs meanwhile; what ends it before is raised."""
    if KINDS not in cooee.actions.__path__:
        cooee.actions.__path__.append(KINDS)
    it = House(url, folder, **options)
    it.running = asyncio.create_task(it.app.run())
    it.running.add_done_callback(lambda _: it.mark("over"))
    try:
        yield it
    finally:
        it.app.stop()
        await asyncio.wait_for(it.running, 10)
