"""A call id fires once: also across a new line to the agent, and across a restart of the daemon."""

import asyncio
import concurrent.futures
import hashlib
import logging
from dataclasses import dataclass
from typing import Any, Protocol

log = logging.getLogger("cooee.actions")

REMEMBERED = 2000
DISK_LIMIT_S = 1.0


class Store(Protocol):
    """What is needed of a database: see `cooee.store`."""

    def write(self, sql: str, *args: Any) -> "concurrent.futures.Future[Any]": ...

    def read(self, sql: str, *args: Any) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call, in words for the agent; `ok`: it was done."""

    text: str
    ok: bool


LOST = Outcome("That was begun before the speaker was restarted; it is not known whether it was done.", False)
FORGOTTEN = Outcome("That was dealt with before; what came of it has been forgotten.", False)


class Receipts:
    """Remembers the last calls and what became of them, without a store for as long as the process lives.

    The ids are kept as hashes: an agent may give ids of any length, with anything in them.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._late: concurrent.futures.Future[Any] | None = None
        self._outcomes: dict[bytes, Outcome] = {}
        if store is None:
            return
        store.write(
            "CREATE TABLE IF NOT EXISTS receipts (number INTEGER PRIMARY KEY, id BLOB UNIQUE, text TEXT, ok INTEGER)"
        )
        for key, text, ok in store.read("SELECT id, text, ok FROM receipts ORDER BY number"):
            self._keep(key, LOST if text is None else Outcome(text, bool(ok)))

    def outcome(self, call_id: str) -> Outcome | None:
        """What became of this call, `LOST` where that is not known; None if it is a new one."""
        return self._outcomes.get(_key(call_id))

    async def begin(self, call_id: str, limit_s: float = DISK_LIMIT_S) -> None:
        """Commit to the disk that this is about to be done. A slow disk is waited for `limit_s`, then in the dark."""
        if self._store is None:
            return
        key = _key(call_id)
        written = self._store.write("INSERT OR IGNORE INTO receipts (id) VALUES (?)", key)
        self._store.write("DELETE FROM receipts WHERE number <= (SELECT max(number) FROM receipts) - ?", REMEMBERED)
        if self._late is not None and not self._late.done():
            return
        waiting = asyncio.wrap_future(written)
        waiting.add_done_callback(lambda future: future.cancelled() or future.exception())  # the store has told
        done, _ = await asyncio.wait({waiting}, timeout=min(limit_s, DISK_LIMIT_S))
        if not done:
            if self._late is None:
                log.warning("the disk is slow: what is done now may be done again after a crash")
            self._late = written

    def finish(self, call_id: str, outcome: Outcome) -> None:
        key = _key(call_id)
        self._keep(key, outcome)
        if self._store is not None:
            self._store.write(
                "INSERT INTO receipts (id, text, ok) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET text = excluded.text, ok = excluded.ok",
                *(key, outcome.text, outcome.ok),
            )

    def forget(self) -> None:
        """What was answered is forgotten; no call fires again all the same."""
        self._outcomes = {key: FORGOTTEN for key in self._outcomes}
        if self._store is not None:
            self._store.write("UPDATE receipts SET text = ?, ok = ?", FORGOTTEN.text, FORGOTTEN.ok)

    def _keep(self, key: bytes, outcome: Outcome) -> None:
        self._outcomes.pop(key, None)
        self._outcomes[key] = outcome
        if len(self._outcomes) > REMEMBERED:
            del self._outcomes[next(iter(self._outcomes))]


def _key(call_id: str) -> bytes:
    return hashlib.blake2b(call_id.encode(errors="surrogatepass"), digest_size=16).digest()
