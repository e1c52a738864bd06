"""What keeps one conversation with the agent alive over however many lines it takes, and over more than one agent.

A line is wanted or not (`connect`, `disconnect`); everything else here follows from that. One that breaks is replaced:
by the first agent's, or by its stand-in's until the first is back. A line is also replaced, at a quiet moment, when it
gets old. What the user says is held, bounded, until an agent has understood it. No refusal and no network takes the
process down; what nobody foresaw does, with its reason.

`carrier` uses a line, `uplink` holds what goes up, `ending` says why it is over and `retry` when to try again;
`history` keeps what was said, `usage` counts what it costs, `guard` ends what outlives its permission.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from cooee import settings
from cooee.agent import Agent, Brief, Link, Persona, Refused
from cooee.effects import Answer
from cooee.events import Event, SessionDown, SessionUp, SettingsApplied
from cooee.session.carrier import Carrier, Line
from cooee.session.ending import Ending, Outdated, Spent, Told
from cooee.session.guard import Guard
from cooee.session.route import Route
from cooee.session.until import until
from cooee.session.usage import Toll
from cooee.store import Store

log = logging.getLogger("cooee.session")

OPEN_TIMEOUT_S = 15.0
"""From the first packet to the settings applied. The stages have shorter limits of their own."""


class Session:
    """Runs on the loop as `run()`; every other method returns at once and is called on the loop. `look` every second.

    `agents`: the one that is wanted, and perhaps a stand-in for when it is out of reach. `store` keeps history and
    meter. `where` names the line of the config for a place in the agent's settings.
    """

    def __init__(
        self,
        settings: settings.Session,
        agents: Sequence[Agent],
        brief: Brief,
        post: Callable[[Event], None],
        *,
        store: Store,
        where: Callable[[str], str] = lambda place: "",
    ) -> None:
        self._settings = settings
        self._agents = tuple(agents)
        self._brief = brief
        self._post = post
        self._guard = Guard()
        self._carrier = Carrier(settings, post, store)
        self._carrier.change(settings, self._agents[0].rate_usd_per_min)
        self._route = Route(settings, len(self._agents))
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None
        self._better: Line | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._reason = ""
        self._has_greeted = False
        self._told = Told(where)

    @property
    def bytes_sent(self) -> int:
        return self._carrier.bytes_sent

    def connect(self) -> None:
        """Have a line. Where none is ready, a wait after a failure is cut short, unless the agent asked for it."""
        self._route.hurry(asyncio.get_running_loop().time())
        self._unwanted.clear()
        self._wanted.set()
        self._hurry.set()

    def disconnect(self, reason: str) -> None:
        self._reason = reason
        self._carrier.is_leaving = True
        self._wanted.clear()
        self._unwanted.set()

    def open(self, turn: int, persona: Persona | None = None) -> None:
        """The user's turn begins: from now on a dead line is noticed sooner, and a stand-in waits less."""
        if persona is not None:
            self.become(persona)
        self._carrier.open(turn)
        if self._deadline and not self._deadline.expired():
            now = asyncio.get_running_loop().time()
            self._deadline.reschedule(min(self._deadline.when() or now, now + self._settings.fallback_after_s))

    def send(self, turn: int, frame: bytes) -> None:
        self._carrier.send(turn, frame)

    def end_turn(self) -> None:
        self._carrier.end_turn()

    def forget(self) -> None:
        """The turn is over: what waits to be sent is not wanted any more."""
        self._carrier.shut()

    def answer(self, answer: Answer) -> None:
        self._carrier.answer(answer)

    def ask(self, text: str) -> None:
        """Have the agent answer this, on this line or the next."""
        self._carrier.order(lambda link: link.ask(text), is_turns=True)

    def say(self, text: str) -> None:
        """Have the agent say this, on this line or the next."""
        self._carrier.order(lambda link: link.say(text), is_turns=True)

    @property
    def persona(self) -> Persona:
        """Who the agent is, or is to be on the next line."""
        return self._brief.persona

    def become(self, persona: Persona) -> None:
        if persona != self._brief.persona:
            self.tell(replace(self._brief, persona=persona))

    def tell(self, brief: Brief) -> None:
        """From now on this is what the agent is told; an open line is told what is new."""
        self._brief = brief
        self._carrier.update(brief)

    def forget_conversation(self) -> None:
        """What was said is not carried over to another line, and this one ends with the turn, however that goes."""
        self._carrier.history.clear()
        self._carrier.renew("the conversation is to be forgotten", is_private=True)

    def look(self) -> bool:
        return self._carrier.look()

    def change(self, settings: settings.Session) -> None:
        """Go by these settings, and try anew what could not be had by the old ones."""
        self._settings = settings
        self._carrier.change(settings, self._agents[0].rate_usd_per_min)
        self._route.change(settings)
        self._hurry.set()

    async def run(self) -> None:
        """Never returns. Cancelled, it closes the line in order."""
        try:
            while True:
                await self._wanted.wait()
                is_given_up = await until(self._unwanted, self._keep_a_line())
                await asyncio.gather(*self._closing, return_exceptions=True)
                if is_given_up:
                    self._post(SessionDown(self._reason))
        finally:
            await asyncio.gather(*self._closing, return_exceptions=True)
            self._guard.close()

    async def _keep_a_line(self) -> None:
        """Returns when a line ended that nobody needs to have back, or none can be had."""
        line: Line | None = None
        while True:
            index, began, error = 0, None, None
            try:
                if line is None:
                    if self._is_sent_away():
                        return
                    index = await self._choose()
                    line = await self._open(index, is_first=True)
                    self._post(SettingsApplied())
                index, began = line.index, line.opened_at
                line = await self._use(line)
            except Outdated:
                line = None
                continue
            except (Refused, OSError) as fault:
                line, error = None, fault
            now = asyncio.get_running_loop().time()
            if line is None and self._is_over(index, Ending(error, None if began is None else now - began)):
                return

    def _is_sent_away(self) -> bool:
        """Somebody speaks, and is told at once that no line can be had before long."""
        if not self._carrier.in_turn or not self._route.is_closed(asyncio.get_running_loop().time()):
            return False
        self._wanted.clear()
        self._post(SessionDown("the agent asked to be left alone for a while", self._route.trouble, is_final=True))
        return True

    async def _choose(self) -> int:
        """Which agent is next: the first that may be tried, once it may."""
        while (index := self._route.next(asyncio.get_running_loop().time())) is None:
            self._hurry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._route.ready_at):
                    await self._hurry.wait()
        return index

    async def _open(self, index: int, *, is_first: bool = False) -> Line:
        """A line whose settings are applied, told of if it `is_first`. Raises Refused, OSError or TimeoutError."""
        agent, loop = self._agents[index], asyncio.get_running_loop()
        toll = Toll(self._carrier.usage, self._guard) if agent.is_metered else None
        if toll and self._carrier.is_spent:
            raise Spent
        can_wait = index > 0 or len(self._agents) == 1 or not self._carrier.in_turn
        limit_s = OPEN_TIMEOUT_S if can_wait else self._settings.fallback_after_s
        async with asyncio.timeout(limit_s) as deadline:
            self._deadline = deadline if index == 0 and len(self._agents) > 1 else None
            try:
                link, request_id = await agent.connect(toll)
                line = Line(link, index, loop.time(), request_id, toll, self._carrier.renewals)
                if is_first:
                    self._post(SessionUp(request_id, is_fallback=index > 0))
                log.info("connected%s%s", " to the stand-in" if index else "", request_id and f", request {request_id}")
                try:
                    await self._settle(link)
                except BaseException:
                    self._close(line)
                    raise
            finally:
                self._deadline = None
        self._has_greeted = True
        self._told.reset()
        return replace(line, opened_at=loop.time())

    async def _settle(self, link: Link) -> None:
        """Have the agent take the settings. Raises Refused or OSError."""
        history = self._carrier.history.replay()
        greet = not (self._has_greeted or history or self._carrier.in_turn)
        try:
            async with asyncio.timeout(self._settings.apply_timeout_s):
                await link.settle(replace(self._brief, history=history, greet=greet))
        except TimeoutError:
            # Each try costs money: not at the pace of the backoff.
            reason, retry_s = "The agent did not take the settings in time.", self._settings.backoff_most_s
            raise Refused(reason, retry_after_s=retry_s) from None

    async def _use(self, line: Line) -> Line | None:
        """Use it until it ends in order, or until a better one is there, which is returned. Raises Refused, OSError."""
        self._better = taken = None
        try:
            taken = await self._carrier.use(line, self._succeed(line))
            return taken
        finally:
            self._close(line)
            if self._better and self._better is not taken:
                self._close(self._better)

    async def _succeed(self, line: Line) -> Line:
        """A better line, opened at a quiet moment: the first agent's when it is back, or a new one for an old one."""
        while True:
            index = await self._due(line)
            await self._carrier.quiet.wait()
            try:
                better = await self._open(index)
            except (Refused, OSError) as error:
                ending = Ending(error)
                self._told.tell(ending)
                self._route.fail(index, ending, asyncio.get_running_loop().time())
                continue
            if self._carrier.in_turn:  # somebody speaks on the old one; another time
                self._close(better)
                continue
            self._post(SessionUp(better.request_id, is_fallback=index > 0))
            self._post(SettingsApplied())
            if line.index > index:
                log.info("the first agent is back")
            self._better = better
            return better

    async def _due(self, line: Line) -> int:
        """Wait until the line should be replaced; by a line of which agent."""
        while True:
            now = asyncio.get_running_loop().time()
            if line.index > 0 and self._route.is_ready(0, now):
                return 0
            if self._carrier.is_old(line, now) and self._route.is_ready(line.index, now):
                return line.index
            await asyncio.sleep(0.5)

    def _is_over(self, index: int, ending: Ending) -> bool:
        """A line ended, or did not come. Tell of it; true if no other is to be tried."""
        now, carrier = asyncio.get_running_loop().time(), self._carrier
        carrier.breaks += ending.held_s is not None and carrier.in_turn
        self._route.fail(index, ending, now, carrier.breaks)
        is_final = self._route.is_dead_end(ending, now)
        is_needless = not is_final and not carrier.in_turn and self._route.is_needless(ending)
        if is_final or is_needless:
            self._wanted.clear()
        reason = self._told.tell(ending)
        self._post(SessionDown(reason, None if is_needless else ending.trouble, is_final=is_final))
        return is_final or is_needless

    def _close(self, line: Line) -> None:
        """In the background: a new line need not wait for the old one's last word."""
        task = asyncio.create_task(line.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
