"""The file itself: made for its owner alone, examined when it is opened, set aside when it is damaged."""

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("cooee.store")

BUSY_TIMEOUT_S = 5.0

# Deleted rows are overwritten, and the log is short and cut off when it begins anew: they leave it soon as well.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "wal_autocheckpoint=100",
    "journal_size_limit=0",
)

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def connect(path: Path | None) -> sqlite3.Connection:
    name = f"{path.absolute().as_uri()}?mode=rw" if path else ":memory:"
    return sqlite3.connect(name, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def opened(path: Path) -> sqlite3.Connection:
    """The file's tables, in a new file if it is damaged. Raises sqlite3.Error or OSError for what can't be helped."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return examined(_made(path))
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF not in DAMAGED:
            raise
    _set_aside(path)
    return examined(_made(path))


def _made(path: Path) -> Path:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path


def examined(path: Path) -> sqlite3.Connection:
    """Set up, and whole as far as SQLite can tell quickly; else raises sqlite3.Error."""
    database = connect(path)
    try:
        for pragma in PRAGMAS:
            database.execute(f"PRAGMA {pragma}")
        ((found,),) = database.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            damage = sqlite3.DatabaseError(found)
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage
    except sqlite3.Error:
        database.close()
        raise
    return database


def _set_aside(path: Path) -> None:
    """The log first: without its file it is harmless, but it would be taken for a part of a new one."""
    aside = path.with_name(f"{path.name}.damaged")
    for suffix in ("-wal", "-shm", ""):
        Path(f"{aside}{suffix}").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{aside}{suffix}")
    log.warning("%s was damaged; it is kept as %s, and a new one begins", path, aside.name)
