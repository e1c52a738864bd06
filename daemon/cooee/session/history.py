"""What was said, as the agent keeps it: capped, aged, on disk, and without what would make it act again."""

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from cooee.store import Store

TABLES = (
    "CREATE TABLE IF NOT EXISTS history(id INTEGER PRIMARY KEY, at REAL NOT NULL, message TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS history_cleared(id INTEGER PRIMARY KEY CHECK (id = 1), times INTEGER NOT NULL)",
)
ALL = "SELECT id, at, message FROM history ORDER BY id"
TIMES_CLEARED = "SELECT coalesce(max(times), 0) FROM history_cleared"
CLEAR = (
    "DELETE FROM history",
    "INSERT INTO history_cleared VALUES(1, 1) ON CONFLICT(id) DO UPDATE SET times = times + 1",
)
LOOK_S = 0.25
CLOSING = ("stop_listening", "forget_conversation")
"""Functions that end a conversation: what asked for them must not be read again."""

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A message in the form of the agent's settings; `at` in seconds since 1970, in `History` by its own clock."""

    id: int
    at: float
    message: Message

    @property
    def is_users(self) -> bool:
        return self.message.get("role") == "user"

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        return self.message.get("function_calls") or ()


class History:
    """In memory first, and written to the store as it grows. Used from one thread; only the constructor waits."""

    def __init__(
        self,
        store: Store,
        *,
        messages: int,
        age_s: float,
        closing: Collection[str] = CLOSING,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`messages`: at most so many are kept, none older than `age_s`. `closing`: functions that end it.

        How old something is `clock` says, which nobody sets; `wall` only how old it was when the process began.
        """
        self.messages = messages
        self.age_s = age_s
        self._store = store
        self._closing = closing
        self._wall, self._clock = wall, clock
        ahead_s = wall() - clock()
        self._said = [replace(each, at=min(each.at - ahead_s, clock())) for each in said(store)]
        ((self._times_cleared,),) = store.read(TIMES_CLEARED)
        self._look: Future[list[tuple[Any, ...]]] | None = None
        self._was_cleared = False
        self._forget_old()

    def add(self, message: Message) -> None:
        """A message in the form of the agent's settings, `{"type": "History", ...}`."""
        new = Said(self._said[-1].id + 1 if self._said else 1, self._clock(), message)
        self._said.append(new)
        self._forget_old()
        if self._said and self._said[-1] is new:
            self._store.write(
                "INSERT OR REPLACE INTO history VALUES(?, ?, ?)", new.id, self._wall(), json.dumps(message)
            )

    def replay(self) -> tuple[Message, ...]:
        """What the next line is told of the conversation so far; waits for the store a moment at most."""
        with suppress(TimeoutError, RuntimeError, sqlite3.Error):
            self._compare(self._store.fetch(TIMES_CLEARED).result(LOOK_S))
        self._forget_old()
        return tuple(each.message for each in prune(self._said, self._closing))

    def clear(self) -> None:
        """Forget all, on disk as well."""
        self._said.clear()
        self._times_cleared += 1
        clear(self._store)

    def was_cleared(self) -> bool:
        """Whether another process has cleared it; all is forgotten then. To be called every second or so, always."""
        self._forget_old()
        if self._look is None:
            self._look = self._store.fetch(TIMES_CLEARED)
        if self._look.done():
            look, self._look = self._look, None
            if not look.exception():
                self._compare(look.result())
        was_cleared, self._was_cleared = self._was_cleared, False
        return was_cleared

    def _compare(self, looked: list[tuple[Any, ...]]) -> None:
        ((times,),) = looked
        if times > self._times_cleared:
            self._times_cleared, self._was_cleared = times, True
            self._said.clear()
            self._store.write("DELETE FROM history")  # what was said before it was noticed
            self._store.scrub()

    def _forget_old(self) -> None:
        oldest = self._clock() - self.age_s
        young = [each for group in exchanges(self._said) if group[0].at >= oldest for each in group]
        kept = newest(young, self.messages)
        if len(kept) < len(self._said):
            ids = {each.id for each in kept}
            for each in self._said:
                if each.id not in ids:
                    self._store.write("DELETE FROM history WHERE id = ?", each.id)
            if len(young) < len(self._said):
                self._store.scrub()
            self._said = kept


def said(store: Store) -> list[Said]:
    """All that is kept."""
    for table in TABLES:
        store.write(table)
    return list(_readable(store.read(ALL)))


def clear(store: Store) -> "Future[bool]":
    """Forget all, and have a daemon that runs notice it; says if the disk has let go of it."""
    for statement in (*TABLES, *CLEAR):
        store.write(statement)
    return store.scrub()


def exchanges(said: Iterable[Said]) -> Iterator[list[Said]]:
    """What a user says up to an answer, with the answer and its functions. A first one may begin without a user."""
    group: list[Said] = []
    for each in said:
        if each.is_users and group and not group[-1].is_users:
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def newest(said: Sequence[Said], most: int) -> list[Said]:
    """The last exchanges that are `most` messages at most; of a last one that is longer, its question and its end."""
    kept: list[Said] = []
    for group in reversed(list(exchanges(said))):
        if len(kept) + len(group) > most:
            return kept or _shortened(group, most)
        kept = group + kept
    return kept


def _shortened(group: list[Said], most: int) -> list[Said]:
    questions = [each for each in group if each.is_users]
    answer = [each for each in group if not each.is_users]
    if questions and answer and most > 1:
        return [questions[-1], *answer[-(most - 1) :]]
    return group[-most:] if most else []


def prune(said: Iterable[Said], closing: Collection[str] = CLOSING) -> list[Said]:
    """Without what would make an agent that reads it act again.

    That is: calls without a response, everything around a call of a function in `closing`, and what a user said that
    has no answer. Nothing stands there twice.
    """
    kept: list[Said] = []
    known: set[str] = set()
    for group in exchanges(said):
        if any(call.get("name") in closing for each in group for call in each.calls):
            continue
        answered = [settled for each in group if (settled := _settled(each, known))]
        if answered and not answered[-1].is_users:
            kept += answered
    return [
        each for before, each in pairwise((None, *kept)) if each and not (before and before.message == each.message)
    ]


def _settled(said: Said, known: set[str]) -> Said | None:
    """With those of its calls that have a response and are not known yet; None if none is left."""
    if not said.calls:
        return said
    calls = {call["id"]: call for call in said.calls if call.get("response") and call["id"] not in known}
    known.update(calls)
    return replace(said, message={**said.message, "function_calls": list(calls.values())}) if calls else None


def _readable(rows: Iterable[tuple[Any, ...]]) -> Iterator[Said]:
    """A message that is not one any more is left out: an agent would refuse the whole line for it."""
    for id, at, text in rows:
        with suppress(LookupError, RecursionError, TypeError, ValueError):
            message = json.loads(text)
            if isinstance(message, dict) and (_is_text(message) or _is_calls(message)):
                yield Said(int(id), float(at), message)


def _is_text(message: Message) -> bool:
    return message.get("role") in ("user", "assistant") and isinstance(message.get("content"), str)


def _is_calls(message: Message) -> bool:
    calls = message.get("function_calls")
    return isinstance(calls, list) and bool(calls) and all(isinstance(call["id"], str) for call in calls)
