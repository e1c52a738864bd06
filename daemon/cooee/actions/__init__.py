"""What the speaker can do for the agent: each [actions.NAME] is a function; its `type` is a module here.

A type's module has `Settings` (an `ActionTable`), `declare(name, settings) -> Function`, which touches no device, and
`open(name, settings, report) -> Action`, which may block. An action may have further functions (`Several`). Modules
with an underscore are no types.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from cooee import kinds
from cooee.actions._action import Action, ActionTable, Failed, Report, Risk, Unsure, where
from cooee.actions._builtin import change_persona, forget_conversation, stop_listening, volume
from cooee.actions._opened import NO_MEANS, Means, Opened, built_in, opened, opened_in_time
from cooee.actions._parts import Parts, Several
from cooee.actions._receipts import Outcome, Receipts
from cooee.actions._risk import Risky, told
from cooee.actions._words import one_line
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Doubted, Event

__all__ = [
    "Action",
    "ActionTable",
    "Actions",
    "Failed",
    "Receipts",
    "Report",
    "Risk",
    "Risky",
    "Several",
    "Unsure",
    "change_persona",
    "declare",
    "forget_conversation",
    "stop_listening",
    "volume",
]

log = logging.getLogger("cooee.actions")

TEXT_LIMIT = 2000
BUILTIN_LIMIT_S = 8.0
CLEANUP_S = 1.0


def declare(actions: Mapping[str, ActionTable]) -> tuple[Function, ...]:
    """The functions that these actions give the agent. Touches no device. Raises kinds.Unknown."""
    return tuple(
        told(kinds.module("actions", table.type).declare(name, table), table) for name, table in actions.items()
    )


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Nothing was done, for the user has to say yes to the question first."""

    question: str


@dataclass(slots=True)
class _Run:
    """A call that is being done. Whoever asked for it before the last drop is not answered."""

    name: str
    doing: asyncio.Task[Outcome | _Doubt]
    ended: asyncio.Task[Outcome | _Doubt]
    drops: int = 0


class Actions:
    """Does what the agent asks for, and says in words what really happened: one `Acted` for each `Act`, or, where the
    user has to say yes first and has not, one `Doubted`.

    A call id fires once; the same id again is answered with what became of it, as the `receipts` know.
    `post` and `changed` are called on the loop's thread only, the latter whenever `functions` are others by themselves.
    `language`: what the agent speaks at the moment, such as "de"; what is asked is asked in it.
    Raises kinds.Unknown for an unknown type, ValueError for a name that is taken; nothing else stops it.
    """

    def __init__(
        self,
        actions: Mapping[str, ActionTable],
        post: Callable[[Event], None],
        builtins: Iterable[Action] = (),
        receipts: Receipts | None = None,
        *,
        means: Means = NO_MEANS,
        changed: Callable[[], object] = lambda: None,
        language: Callable[[], str] = str,
    ) -> None:
        self._post = post
        self._language = language
        self._receipts = receipts or Receipts()
        self._running: dict[str, _Run] = {}
        self._means = means
        self._changing = asyncio.Lock()
        self._opened = _built_in(builtins)
        for name, table in actions.items():
            if name in self._opened:
                raise ValueError(f"[actions.{name}]: this name is built in; choose another one")
            self._opened[name] = opened(name, table, post, means)
        self._parts = Parts(changed)
        self._parts.follow(self._opened)

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the agent may be told of, the built in ones first."""
        return tuple(each.function for each in (*self._opened.values(), *self._parts))

    @property
    def harmless(self) -> frozenset[str]:
        """Names of those that move nothing."""
        return frozenset(each.name for each in self.functions if not each.side_effect)

    @property
    def away(self) -> dict[str, str]:
        """Why some can't be done just now, in a sentence each."""
        return {name: opened.away for name, opened in self._opened.items() if opened.away}

    async def run(self, act: Act) -> None:
        """Do it and post just one `Acted` or `Doubted` within the time limit (none if it is dropped). Never raises."""
        call = act.call
        outcome: Outcome | _Doubt | None = None
        if call.id not in self._running:
            outcome = self._receipts.outcome(call.id)
        if outcome is None:
            run = self._running.get(call.id) or self._begin(act)
            drops = run.drops
            await asyncio.wait({run.ended})
            if run.drops != drops or run.ended.cancelled():
                return
            outcome = run.ended.result()
        if isinstance(outcome, _Doubt):
            self._post(Doubted(act.turn, call.id, call.name, outcome.question))
            return
        self._post(Acted(act.turn, call.id, call.name, outcome.text, outcome.ok, self._find(call.name) is not None))

    def drop(self, call_id: str) -> None:
        """Cancel the call if it still runs; whoever asked for it hears nothing more."""
        if run := self._running.get(call_id):
            run.drops += 1
            run.doing.cancel()

    def stop(self) -> None:
        """Cancel whatever runs."""
        for call_id in tuple(self._running):
            self.drop(call_id)

    async def change(self, actions: Mapping[str, ActionTable], builtins: Iterable[Action] | None = None) -> None:
        """From now on be able to do these; what stays the same is not touched, what was broken is tried again.

        What goes or changes is brought into its safe state first; a call of it that still runs is cancelled and
        answered in words. Never raises: what can't be opened stays declared and says why.
        """
        async with self._changing:
            builtin = {name: each for name, each in self._opened.items() if each.table is None}
            if builtins is not None:
                builtin = _built_in(builtins)
            before = {name: each for name, each in self._opened.items() if each.table is not None}
            kept = {name: each for name, each in before.items() if each.table == actions.get(name)}
            kept = {name: each for name, each in kept.items() if not each.is_broken}
            gone = {name: each for name, each in before.items() if name not in kept}
            waiting = {name: each.suspended() for name, each in gone.items() if name in actions}
            interrupted = {*gone, *self._parts.names(gone)}
            self._opened = builtin | kept | waiting
            self._parts.follow(self._opened)
            await self._interrupt(interrupted)
            for name, each in gone.items():
                await each.close_in_time(name)
            now = dict(kept)
            for name, table in actions.items():
                if name in builtin:
                    log.warning("[actions.%s]: this name is built in; choose another one", name)
                elif name not in kept and (new := await opened_in_time(name, table, self._post, self._means)):
                    now[name] = new
            self._opened = builtin | {name: now[name] for name in actions if name in now}
            self._parts.follow(self._opened)

    def close(self) -> None:
        """Cancel what runs and put everything into its safe state."""
        self.stop()
        self._parts.follow({})
        for name, each in self._opened.items():
            each.close(name)

    def _begin(self, act: Act) -> _Run:
        call = act.call
        doing = asyncio.create_task(self._perform(call, is_confirmed=act.is_confirmed), name="action")
        ended = asyncio.create_task(self._end(call, doing), name="action's limit")
        self._running[call.id] = _Run(call.name, doing, ended)
        return self._running[call.id]

    async def _end(self, call: Call, doing: asyncio.Task[Outcome | _Doubt]) -> Outcome | _Doubt:
        """What became of it, at the latest at its limit."""
        limit_s = self._limit_s(call.name)
        try:
            done, _ = await asyncio.wait({doing}, timeout=limit_s)
            if not done:
                doing.cancel()
                await asyncio.wait({doing}, timeout=CLEANUP_S)
            outcome = _outcome(doing, None if done else limit_s)
            if isinstance(outcome, Outcome):
                self._receipts.finish(call.id, outcome)
            return outcome
        finally:
            doing.cancel()
            del self._running[call.id]

    async def _interrupt(self, names: Container[str]) -> None:
        """Cancel the running calls of these; they are answered that it is not known whether they were done."""
        runs = [run for run in self._running.values() if run.name in names]
        for run in runs:
            run.doing.cancel()
        if runs:
            await asyncio.wait({run.ended for run in runs}, timeout=CLEANUP_S)

    async def _perform(self, call: Call, *, is_confirmed: bool) -> Outcome | _Doubt:
        try:
            each = self._find(call.name)
            if each is None:
                raise Failed(f"There is no function {one_line(call.name, 40)}.")
            arguments = each.arguments.fitting(call.arguments)
            if question := each.question(arguments, is_confirmed=is_confirmed, language=self._language()):
                return _Doubt(_cut(question))
            each.limit_rate(asyncio.get_running_loop().time())
            if each.action.function.side_effect:
                await self._receipts.begin(call.id, each.limit_s / 2)
            text = await each.action.run(arguments)
            if isinstance(text, str) and text.strip():
                return Outcome(_cut(text), True)
            log.warning("%s answered no text; its module is at fault", call.name)
            return Outcome("It gave no answer, so it is not known whether that was done.", False)
        except Unsure as unsure:
            return Outcome(_cut(str(unsure)), False)
        except Failed as failed:
            return Outcome(_cut(f"That did not work: {failed}"), False)
        # Also SystemExit, which would end the loop; only being cancelled is left to asyncio.
        except (Exception, SystemExit) as error:
            log.warning("%s: %s", one_line(call.name, 80), where(error))
            return Outcome("That did not work: something went wrong inside the speaker; its log says where.", False)

    def _find(self, name: str) -> Opened | None:
        return self._opened.get(name) or self._parts.get(name)

    def _limit_s(self, name: str) -> float:
        each = self._find(name)
        return each.limit_s if each else BUILTIN_LIMIT_S


def _built_in(actions: Iterable[Action]) -> dict[str, Opened]:
    return {action.function.name: built_in(action, BUILTIN_LIMIT_S) for action in actions}


def _outcome(task: asyncio.Task[Outcome | _Doubt], exceeded_s: float | None) -> Outcome | _Doubt:
    if task.done() and not task.cancelled():
        return task.result()
    why = "was interrupted" if exceeded_s is None else f"took longer than {exceeded_s:g} seconds and was given up"
    return Outcome(f"That {why}; it is not known whether it was done.", False)


def _cut(text: str) -> str:
    """At most so much, and nothing that can't be sent as JSON in UTF-8."""
    kept = text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"
    return "".join(character for character in kept if character.isprintable() or character == "\n")
