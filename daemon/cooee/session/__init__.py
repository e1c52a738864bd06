"""What keeps one conversation with the agent alive over however many lines it takes: connect, hold, send, back off.

A line is wanted or not (`connect`, `disconnect`); everything else here follows from that. What the user says while
there is no line is held, bounded, and sent first. A line that breaks is retried here and never takes the process down.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from cooee import settings
from cooee.agent import Agent, Brief, Link, Refused, Remembered
from cooee.effects import Answer
from cooee.events import Event, SessionDown, SessionUp, SettingsApplied

log = logging.getLogger("cooee.session")

FRAME_S = 0.08
CLOSE_TIMEOUT_S = 1.5
STEADY_S = 30.0
"""A line that held for so long was a good one: the next wait starts from the beginning."""


class Session:
    """Runs on the loop as `run()`; every other method returns at once and is called on the loop."""

    def __init__(self, settings: settings.Session, agent: Agent, brief: Brief, post: Callable[[Event], None]) -> None:
        self.bytes_sent = 0
        self.frames_dropped = 0
        self._settings = settings
        self._agent = agent
        self._brief = brief
        self._post = post
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._is_leaving = False
        self._reason = ""
        self._outbox = asyncio.Event()
        self._frames: deque[bytes] = deque(maxlen=round(settings.hold_s / FRAME_S))
        self._answers: deque[Answer] = deque()
        self._history: deque[Any] = deque(maxlen=settings.history_messages)
        self._has_greeted = False
        self._told = ""

    def connect(self) -> None:
        """Have a line; a wait after a failure is cut short, unless it was the agent that asked for it."""
        self._unwanted.clear()
        self._wanted.set()
        self._hurry.set()

    def disconnect(self, reason: str) -> None:
        self._reason = reason
        self._is_leaving = True
        self._wanted.clear()
        self._unwanted.set()

    def send(self, frame: bytes) -> None:
        self.frames_dropped += len(self._frames) == self._frames.maxlen
        self._frames.append(frame)
        self._outbox.set()

    def forget(self) -> None:
        """What waits to be sent is not wanted any more."""
        self._frames.clear()

    def answer(self, answer: Answer) -> None:
        self._answers.append(answer)
        self._outbox.set()

    async def run(self) -> None:
        """Never returns. Cancelled, it closes the line in order."""
        failures = 0
        while True:
            await self._wanted.wait()
            if self._hurry.is_set():
                self._hurry.clear()
                failures = 0
            began = asyncio.get_running_loop().time()
            error: Exception | None = None
            try:
                left = await self._until_unwanted(self._one_line())
            except (Refused, OSError) as fault:
                error, left = fault, False
            if left:
                self._post(SessionDown(self._reason))
                continue
            # A line that ends soon is a failure even when it ends in order, or a server could make us dial all day.
            failures = 1 if asyncio.get_running_loop().time() - began > STEADY_S else failures + 1
            await self._pause(self._fail(error) if error else self._ended(), failures)

    async def _until_unwanted(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work, or give it up when no line is wanted any more; returns whether it was given up."""
        line = asyncio.create_task(work)
        unwanted = asyncio.create_task(self._unwanted.wait())
        try:
            await asyncio.wait((line, unwanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            unwanted.cancel()
            line.cancel()
            await asyncio.gather(line, unwanted, return_exceptions=True)
        left = not unwanted.cancelled()
        try:
            line.result()
        except (asyncio.CancelledError, Refused, OSError):
            if not left:
                raise
        return left

    async def _one_line(self) -> None:
        """Open a line, use it until it ends, close it."""
        self._is_leaving = False
        link, request_id = await self._agent.connect()
        self._post(SessionUp(request_id))
        log.info("connected%s", f", request {request_id}" if request_id else "")
        try:
            brief = replace(self._brief, history=tuple(self._history), greet=not self._has_greeted)
            async with asyncio.timeout(self._settings.apply_timeout_s):
                await link.settle(brief)
            self._has_greeted = True
            self._told = ""
            self._answers.clear()
            self._post(SettingsApplied())
            await self._converse(link)
        finally:
            await self._close(link)

    async def _converse(self, link: Link) -> None:
        ended: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send_all(link))
            try:
                async for event in link.events():
                    if isinstance(event, Remembered):
                        self._history.append(event.message)
                    else:
                        self._post(event)
            except (Refused, OSError) as error:
                ended = error
            sending.cancel()
        if ended:
            raise ended

    async def _send_all(self, link: Link) -> None:
        """Answers first, then what was heard; a KeepAlive when no audio has flowed for a while."""
        loop = asyncio.get_running_loop()
        self._outbox.set()  # what an earlier line left
        silent_at = loop.time() + self._settings.keepalive_s
        with contextlib.suppress(OSError):  # the line is broken: who reads from it says why
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(silent_at):
                        await self._outbox.wait()
                if self._is_leaving:
                    return  # what came since is for the next line
                self._outbox.clear()
                while self._answers:
                    await link.answer(self._answers.popleft())
                if self._frames:
                    self._outbox.set()
                    await self._send_frame(link)
                elif loop.time() < silent_at:
                    continue
                else:
                    await link.keep_alive()
                silent_at = loop.time() + self._settings.keepalive_s

    async def _send_frame(self, link: Link) -> None:
        frame = self._frames[0]
        await link.send(frame)
        self.bytes_sent += len(frame)
        if self._frames and self._frames[0] is frame:  # unless it was forgotten or dropped meanwhile
            self._frames.popleft()

    async def _close(self, link: Link) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await link.close()
        except (OSError, TimeoutError):
            log.debug("the line did not close in order")

    def _ended(self) -> float | None:
        self._post(SessionDown("the agent closed the line"))
        log.info("the agent closed the line")
        return None

    def _fail(self, error: Exception) -> float | None:
        """Say what went wrong; returns how long the agent asks us to wait."""
        reason = str(error) or "the agent did not answer in time"
        refused = error if isinstance(error, Refused) else None
        hopeless = refused is not None and refused.hopeless
        level = logging.ERROR if hopeless else logging.WARNING
        log.log(logging.DEBUG if reason == self._told else level, "%s", reason)
        self._told = reason
        if hopeless:
            self._wanted.clear()
        self._post(SessionDown(reason, fault=True, hopeless=hopeless))
        return refused.retry_after_s if refused else None

    async def _pause(self, asked_s: float | None, failures: int) -> None:
        """Wait as long as the agent asked; else a random while that grows, until the user wants a line again."""
        if asked_s is not None:
            await asyncio.sleep(asked_s)
            return
        most_s = min(self._settings.backoff_most_s, self._settings.backoff_first_s * 2 ** min(failures - 1, 20))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0, most_s)):
                await self._hurry.wait()
