"""What keeps one conversation with the agent alive over however many lines it takes: connect, hold, send, back off.

A line is wanted or not (`connect`, `disconnect`); everything else here follows from that. What the user says while
there is no line is held, bounded, and sent first. A line that breaks is retried here and never takes the process down.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
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
        self._reason = ""
        self._outbox = asyncio.Event()
        self._frames: deque[bytes] = deque(maxlen=round(settings.hold_s / FRAME_S))
        self._answers: deque[Answer] = deque()
        self._history: deque[Any] = deque(maxlen=settings.history_messages)
        self._has_greeted = False

    def connect(self) -> None:
        self._unwanted.clear()
        self._wanted.set()

    def disconnect(self, reason: str) -> None:
        self._reason = reason
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
            began = asyncio.get_running_loop().time()
            wait_s = 0.0
            try:
                await self._one_line()
                self._post(SessionDown(self._reason or "closed"))
            except (Refused, OSError, TimeoutError) as error:
                held = asyncio.get_running_loop().time() - began > STEADY_S
                failures = 0 if held else failures + 1
                wait_s = self._fail(error, failures)
            else:
                failures = 0
            await self._pause(wait_s)

    async def _one_line(self) -> None:
        """Open a line, use it until it ends or is not wanted any more, close it."""
        self._reason = ""
        link, request_id = await self._agent.connect()
        self._post(SessionUp(request_id))
        log.info("connected%s", f", request {request_id}" if request_id else "")
        try:
            brief = replace(self._brief, history=tuple(self._history), greet=not self._has_greeted)
            async with asyncio.timeout(self._settings.apply_timeout_s):
                await link.settle(brief)
            self._has_greeted = True
            self._answers.clear()
            self._post(SettingsApplied())
            await self._converse(link)
        finally:
            await self._close(link)

    async def _converse(self, link: Link) -> None:
        ended: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(self._send_all(link)), tasks.create_task(self._leave(link))]
            try:
                async for event in link.events():
                    if isinstance(event, Remembered):
                        self._history.append(event.message)
                    else:
                        self._post(event)
            except (Refused, OSError) as error:
                ended = error
            for helper in helpers:
                helper.cancel()
        if ended and not self._unwanted.is_set():
            raise ended

    async def _send_all(self, link: Link) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(self._settings.keepalive_s):
                        await self._outbox.wait()
                except TimeoutError:
                    await link.keep_alive()
                    continue
                self._outbox.clear()
                while self._answers or self._frames:
                    if self._answers:
                        await link.answer(self._answers.popleft())
                    else:
                        await self._send_frame(link)
        except OSError:
            pass  # the line is broken: who reads from it says why

    async def _send_frame(self, link: Link) -> None:
        frame = self._frames.popleft()
        await link.send(frame)
        self.bytes_sent += len(frame)

    async def _leave(self, link: Link) -> None:
        await self._unwanted.wait()
        await self._close(link)

    async def _close(self, link: Link) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await link.close()
        except (OSError, TimeoutError):
            log.debug("the line did not close in order")

    def _fail(self, error: Exception, failures: int) -> float:
        """Say what went wrong; returns how long to wait before the next line."""
        reason = str(error) or "the agent did not answer in time"
        hopeless = isinstance(error, Refused) and error.hopeless
        log.log(logging.ERROR if hopeless else logging.WARNING, "%s", reason)
        if hopeless:
            self._wanted.clear()
        self._post(SessionDown(reason, fault=True, hopeless=hopeless))
        if isinstance(error, Refused) and error.retry_after_s is not None:
            return error.retry_after_s
        most = min(self._settings.backoff_most_s, self._settings.backoff_first_s * 2 ** min(failures - 1, 20))
        return random.uniform(0, most)

    async def _pause(self, wait_s: float) -> None:
        """Wait, but no longer than a line is wanted."""
        if wait_s and self._wanted.is_set():
            try:
                async with asyncio.timeout(wait_s):
                    await self._unwanted.wait()
            except TimeoutError:
                pass
