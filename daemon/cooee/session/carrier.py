"""One line in use: what goes up and comes down, whether the other side still lives, and what it may cost."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cooee import settings
from cooee.agent import Brief, Link, Remembered
from cooee.effects import Answer
from cooee.events import AgentDone, Asked, Event, LimitNear, Uplinked, UserText, Warned
from cooee.session.ending import Outdated, Silent, Spent
from cooee.session.history import History
from cooee.session.uplink import END, Uplink
from cooee.session.usage import Toll, Usage
from cooee.settings import seconds
from cooee.store import Store

log = logging.getLogger("cooee.session")

CLOSE_TIMEOUT_S = 1.5
IDLE_PULSE_S = 4.0, 4.0
"""A ping this often, and how long nothing may come after it: a dead line is noticed within 10 s."""
TURN_PULSE_S = 0.8, 1.9
"""The same while somebody is being served: within 3 s. Delays of 1.5 s are none."""
ALOFT_S = 0.25
"""A line is closed in order so long before the guard would cut it."""

Sending = Callable[[Link], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line whose settings are applied; `index` says whose of the session's agents it is.

    `renewals`: how many there had been when it was told what was said.
    """

    link: Link
    index: int
    opened_at: float
    request_id: str
    toll: Toll | None
    renewals: int

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.link.close()
        except (OSError, TimeoutError):
            log.debug("the line did not close in order")


class Carrier:
    """Carries the conversation over one line after the other. `quiet` is set while no turn is under way."""

    def __init__(self, settings: settings.Session, post: Callable[[Event], None], store: Store) -> None:
        self.history = History(store, messages=settings.history_messages, age_s=seconds(settings.history_age))
        self.usage = Usage(store)
        self.uplink = Uplink(settings.hold_s)
        self.quiet = asyncio.Event()
        self.quiet.set()
        self.bytes_sent = 0
        self.is_leaving = False
        self._settings = settings
        self._post = post
        self._orders: deque[tuple[Sending, bool]] = deque()
        self.breaks = 0
        """How often a line broke since the user was answered last."""
        self._outbox = asyncio.Event()
        self._roused = asyncio.Event()
        self._asked: set[str] = set()
        self._is_private = False
        self.renewals = self._forgotten = 0
        """So many times another line was wanted; one from before the `_forgotten`th knows what is to be forgotten."""
        self._outdated = asyncio.Event()
        self._turn = 0
        self._turn_at = 0.0
        self._uplinked = 0

    @property
    def in_turn(self) -> bool:
        return not self.quiet.is_set()

    @property
    def is_spent(self) -> bool:
        """The limits allow no line that costs money."""
        return self.usage.left_s() <= ALOFT_S

    def change(self, settings: settings.Session, rate_usd_per_min: float) -> None:
        """Go by these from now on."""
        self._settings = settings
        self.history.messages, self.history.age_s = settings.history_messages, seconds(settings.history_age)
        self.usage.daily_s, self.usage.monthly_s = seconds(settings.daily_limit), seconds(settings.monthly_limit)
        self.usage.rate_usd_per_min = rate_usd_per_min

    def open(self, turn: int) -> None:
        self._drop_turn()
        self.breaks = 0
        self._turn, self._turn_at = turn, asyncio.get_running_loop().time()
        self.quiet.clear()
        self._roused.set()

    def send(self, turn: int, frame: bytes) -> None:
        self._turn = turn
        self.uplink.push(frame)
        self._outbox.set()

    def end_turn(self) -> None:
        self.uplink.push(END)
        self._outbox.set()

    def shut(self) -> None:
        self._drop_turn()
        self.usage.save()
        self.quiet.set()

    def _drop_turn(self) -> None:
        """What belongs to a turn that is over is not wanted in another one; nor is a line that it made private."""
        self.uplink.clear()
        self._orders = deque(order for order in self._orders if not order[1])
        if self._is_private:
            self._is_private = False
            self._forget()

    def _forget(self) -> None:
        """From now on nothing is told to, or remembered of, a line that is open or being opened."""
        self.renewals += 1
        self._forgotten = self.renewals
        self.is_leaving = True
        self._outdated.set()

    def order(self, sending: Sending, *, is_turns: bool = False) -> None:
        """Send it in front of what was heard; `is_turns`: only as long as this turn lasts."""
        self._orders.append((sending, is_turns))
        self._outbox.set()

    def answer(self, answer: Answer) -> None:
        """Only the line that asked is answered."""

        async def send(link: Link) -> None:
            if answer.id in self._asked:
                await link.answer(answer)

        self.order(send)

    def update(self, brief: Brief) -> None:
        async def send(link: Link) -> None:
            if not await link.update(brief):
                self.renew("the settings changed")

        self.order(send)

    def renew(self, why: str, *, is_private: bool = False) -> None:
        """Have another line take over at a quiet moment.

        `is_private`: nothing that is still said in this turn is remembered, and no line of it is used after it.
        """
        log.debug("the line is to be replaced: %s", why)
        if not is_private:
            self.renewals += 1
        elif self.in_turn:
            self._is_private = True
        else:
            self._forget()

    def look(self) -> bool:
        if was_cleared := self.history.was_cleared():
            self.renew("the history was cleared", is_private=True)
        return was_cleared

    def is_old(self, line: Line, now: float) -> bool:
        """Whether the line should be replaced: for its age, or by a `renew`."""
        return line.renewals < self.renewals or now - line.opened_at > seconds(self._settings.rotate_after)

    async def use(self, line: Line, successor: Coroutine[Any, Any, Line]) -> Line | None:
        """Returns when the line ended in order (None), or with its successor. Raises Refused, OSError, Outdated."""
        self.is_leaving = line.renewals < self._forgotten
        if not self.is_leaving:
            self._outdated.clear()
        self._asked.clear()
        link = line.link
        succeeding = asyncio.create_task(successor)
        work = (self._read(link), self._send_all(link), self._feel_the_pulse(link), self._mind(line), self._outlive())
        tasks = [succeeding, *(asyncio.create_task(each) for each in work)]
        better = None
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if succeeding in done:
                better = succeeding.result()
            else:
                for task in done:
                    task.result()
            return better
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if better is None:  # of an outdated line those are left that the next turn has given
                self._orders = deque(order for order in self._orders if order[1] and self._outdated.is_set())
            self.uplink.rewind()
            self.usage.save()

    async def _outlive(self) -> None:
        await self._outdated.wait()
        raise Outdated

    async def _read(self, link: Link) -> None:
        async for event in link.events():
            if isinstance(event, Remembered):
                if not self._is_private and not self._outdated.is_set():
                    self.history.add(event.message)
                continue
            match event:
                case UserText():
                    self.uplink.understood()
                case AgentDone():
                    self.breaks = 0
                    self.usage.save()
                case Asked():
                    self._asked.update(call.id for call in event.calls)
                case Warned("MAXIMUM_SESSION_LENGTH_APPROACHING"):
                    self.renew("the agent ends it soon")
            self._post(event)

    async def _send_all(self, link: Link) -> None:
        """Orders first, then what was heard; a KeepAlive when no audio has flowed for a while."""
        loop = asyncio.get_running_loop()
        self._outbox.set()  # what an earlier line left
        silent_at = loop.time() + self._settings.keepalive_s
        with suppress(OSError):  # the line is broken: who reads from it says why
            while not self.is_leaving:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(silent_at):
                        await self._outbox.wait()
                self._outbox.clear()
                while self._orders and not self.is_leaving:
                    sending, _ = self._orders.popleft()
                    await sending(link)
                if self.uplink and not self.is_leaving:
                    self._outbox.set()
                    await self._send_one(link)
                elif loop.time() < silent_at:
                    continue
                else:
                    await link.keep_alive()
                silent_at = loop.time() + self._settings.keepalive_s
        await asyncio.Event().wait()

    async def _send_one(self, link: Link) -> None:
        item = self.uplink.next()
        if isinstance(item, bytes):
            await link.send(item)
            self.bytes_sent += len(item)
            if self._uplinked != self._turn:
                self._uplinked = self._turn
                self._post(Uplinked(self._turn))
        else:
            await link.end_turn()
        self.uplink.sent(item)

    async def _feel_the_pulse(self, link: Link) -> None:
        """Ends a line that gives no sign of life; whatever comes is one."""
        loop = asyncio.get_running_loop()
        asked_at = -math.inf
        while True:
            every_s, patience_s = TURN_PULSE_S if self.in_turn else IDLE_PULSE_S
            is_waiting = asked_at > link.heard_at
            if is_waiting and loop.time() - max(asked_at, self._turn_at) > patience_s:
                raise Silent("the agent gives no sign of life any more")
            if not is_waiting and loop.time() - asked_at >= every_s:
                asked_at = loop.time()
                try:
                    async with asyncio.timeout(patience_s):
                        await link.ping()
                except TimeoutError:
                    raise Silent("the line to the agent is stuck") from None
                except OSError:
                    await asyncio.Event().wait()  # it is broken: who reads from it says why
            self._roused.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s / 8):
                    await self._roused.wait()

    async def _mind(self, line: Line) -> None:
        """Renew the line's permission as long as this loop runs and there is something left to spend."""
        while True:
            if line.toll:
                line.toll.renew()
                if scope := self.usage.news():
                    self._post(LimitNear(scope))
                if self.is_spent:
                    raise Spent
                self.usage.save()  # what is not saved is spent unseen if the process is killed
            await asyncio.sleep(min(1.0, max(self.usage.left_s() - ALOFT_S, 0.01)) if line.toll else 1.0)
