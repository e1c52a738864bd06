"""What the speaker keeps: one SQLite file in the state folder, written by one thread, in order.

Nothing in it is worth more than the daemon's life: a disk that fails is one warning, and from then on memory serves.
"""

import atexit
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from cooee.store._file import DAMAGED, connect, examined, opened

log = logging.getLogger("cooee.store")

FILE = "cooee.db"
SERVICE_FOLDER = Path("/var/lib/cooee")
CLOSE_TIMEOUT_S = 5.0

FAILED = DAMAGED | {
    getattr(sqlite3, f"SQLITE_{name}")
    for name in ("BUSY", "CANTOPEN", "FULL", "IOERR", "LOCKED", "PERM", "PROTOCOL", "READONLY")
}
"""It is the file or the disk, not the statement."""


class Unreadable(Exception):
    """What the speaker keeps can't be read here and now; str() is a sentence for the user."""


def folder() -> Path:
    """Where to keep what outlives the process: the service's folder, or else the user's own."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.access(SERVICE_FOLDER, os.R_OK | os.W_OK | os.X_OK):
        return SERVICE_FOLDER
    home = Path(os.environ.get("XDG_STATE_HOME") or "")
    return (home if home.is_absolute() else Path.home() / ".local" / "state") / "cooee"


def visit() -> "Store":
    """What the speaker on this machine keeps, for a command beside it; empty where it has kept nothing yet.

    Raises Unreadable. Never makes the file: it would belong to whoever runs the command.
    """
    path = folder() / FILE
    try:
        os.stat(path)
    except FileNotFoundError:
        if SERVICE_FOLDER.is_dir() and not os.access(SERVICE_FOLDER, os.X_OK):
            raise Unreadable(f"{SERVICE_FOLDER} can be read by the service and root only: run it with sudo") from None
        return Store(None)
    except OSError as error:
        raise Unreadable(f"{path} can't be read ({error.strerror}): run it with sudo") from error
    if not os.access(path, os.R_OK | os.W_OK):
        raise Unreadable(f"{path} can't be read by this user: run it with sudo")
    try:
        examined(path).close()
    except sqlite3.Error as error:
        raise Unreadable(f"{path} can't be read ({error}); if it is damaged, the next start sets it aside") from error
    return Store(path)


@dataclass(slots=True)
class _Job:
    run: Callable[[sqlite3.Connection], Any]
    is_write: bool
    is_durable: bool = False
    done: Future[Any] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.done.set_running_or_notify_cancel()  # from now on nobody can cancel it

    def end(self, outcome: Any) -> None:
        if isinstance(outcome, Exception):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


class Store:
    """A file of tables. Every room makes its own with CREATE TABLE IF NOT EXISTS.

    A file that is damaged is set aside as "cooee.db.damaged" and a new one begun; on a disk that is full, read-only or
    missing, what is there is taken to memory and goes on there. Each is one warning.

    `has_lost_the_disk`: that is so, and nothing outlives the process any more.
    """

    def __init__(self, path: Path | None) -> None:
        """`path` None: in memory only."""
        self._path = path
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._tables: list[str] = []
        self._closing = threading.Lock()
        self._is_closed = self.has_lost_the_disk = False
        self._database: sqlite3.Connection
        self._thread = threading.Thread(target=self._work, name="cooee-store", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, sql: str, *args: Any, is_durable: bool = False) -> Future[None]:
        """Never raises, returns at once; done when committed, or, if it `is_durable`, when no power cut can undo it.

        An exception in it is a fault of the statement.
        """
        if sql.startswith("CREATE"):
            self._tables.append(sql)
        return self._add(_Job(lambda database: database.execute(sql, args).close(), True, is_durable))

    def fetch(self, sql: str, *args: Any) -> Future[list[tuple[Any, ...]]]:
        """`read` for those who can't wait."""
        return self._add(_Job(lambda database: database.execute(sql, args).fetchall(), is_write=False))

    def read(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Blocks; sees all writes that were made before."""
        return self.fetch(sql, *args).result()

    def scrub(self) -> Future[bool]:
        """Have nothing of what was deleted left in any file, as far as the disk lets go of it; says if it worked."""
        return self._add(_Job(self._scrub, is_write=False))

    def close(self) -> None:
        """Everything that was written is in the file, unless the disk hangs. What comes later is refused."""
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._jobs.put(None)
        atexit.unregister(self.close)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _add(self, job: _Job) -> Future[Any]:
        with self._closing:
            if self._is_closed:
                job.end(RuntimeError("the store is closed"))
            else:
                self._jobs.put(job)
        return job.done

    def _work(self) -> None:
        try:
            self._open()
            while jobs := self._next():
                for is_write, group in groupby(jobs, key=lambda job: job.is_write):
                    self._do(list(group), is_write)
            self._database.close()
        finally:  # whatever ended it, nobody waits in vain
            with self._closing:
                self._is_closed = True
            with suppress(Empty):
                while True:
                    if job := self._jobs.get_nowait():
                        job.end(RuntimeError("the store is closed"))

    def _next(self) -> list[_Job]:
        """All that wait, or at least one; empty at the end."""
        jobs = [self._jobs.get()]
        with suppress(Empty):
            while jobs[-1]:
                jobs.append(self._jobs.get_nowait())
        if jobs[-1] is None and len(jobs) > 1:
            self._jobs.put(jobs.pop())
        return [job for job in jobs if job]

    def _open(self) -> None:
        try:
            self._database = opened(self._path) if self._path else connect(None)
        except (sqlite3.Error, OSError) as error:
            self._leave_the_disk(error)

    def _do(self, jobs: list[_Job], is_write: bool) -> None:
        try:
            outcomes = self._attempt(jobs, is_write)
        except sqlite3.Error as error:
            self._leave_the_disk(error)
            try:
                outcomes = self._attempt(jobs, is_write)
            except sqlite3.Error as again:
                outcomes = [again] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.end(outcome)

    def _attempt(self, jobs: list[_Job], is_write: bool) -> list[Any]:
        """What each job gives, or its exception; writes in one transaction. Raises what the disk is to blame for."""
        if is_write:
            # FULL has the log on the disk itself before the commit is done: an fsync each, which wears an SD card.
            level = "FULL" if any(job.is_durable for job in jobs) else "NORMAL"
            self._database.execute(f"PRAGMA synchronous={level}")
            self._database.execute("BEGIN IMMEDIATE")
        outcomes = [_outcome(job, self._database) for job in jobs]
        if is_write:
            self._database.execute("COMMIT")
        return outcomes

    def _leave_the_disk(self, error: Exception) -> None:
        memory = connect(None)
        before = getattr(self, "_database", None)
        if self._path:
            self.has_lost_the_disk = True
            log.warning("what is to be kept can't be, and is forgotten at the end: %s (%s)", self._path, error)
        if before and not _copied(before, memory):
            memory = connect(None)
            for table in self._tables:
                memory.execute(table)
        self._database, self._path = memory, None
        if before:
            before.close()

    def _scrub(self, database: sqlite3.Connection) -> bool:
        if self._path is None:
            return True
        try:
            for old in self._path.parent.glob(f"{self._path.name}.damaged*"):
                old.unlink()
            database.execute("VACUUM")
            ((is_busy, _, _),) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, OSError) as error:
            log.warning("what was deleted may still be on the disk: %s", error)
            return False
        return not is_busy


def _outcome(job: _Job, database: sqlite3.Connection) -> Any:
    try:
        return job.run(database)
    except Exception as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in FAILED:
            raise
        return error


def _copied(source: sqlite3.Connection, target: sqlite3.Connection) -> bool:
    try:
        if source.in_transaction:
            source.rollback()
        source.backup(target)
        return target.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
    except sqlite3.Error:
        return False
