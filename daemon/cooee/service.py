"""The daemon as systemd sees it: ready, status, watchdog, stopping, and a log where it belongs.

Protocol: sd_notify(3) and sd_watchdog_enabled(3). All of it is without effect when systemd did not start us.
"""

import faulthandler
import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator

from systemd import daemon  # type: ignore[attr-defined]
from systemd.journal import JournalHandler

MISSING_LIMIT_S = 600.0
"""A microphone may be unplugged for so long before the whole speaker is started anew."""


class Service:
    """Tells systemd how we are. `alive` is called when a frame has gone all the way; nothing else pats the watchdog."""

    def __init__(self) -> None:
        self._limit_s = _watchdog_s()
        self._pat_every_s = self._limit_s / 4
        self._patted_at = -self._pat_every_s
        self._status = ""

    def ready(self) -> None:
        daemon.notify("READY=1")

    def reloading(self) -> None:
        """The config is being read anew; `ready` follows. Protocol: sd_notify(3), RELOADING=1."""
        daemon.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        daemon.notify("STOPPING=1")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        if status != self._status:
            self._status = status
            daemon.notify(f"STATUS={status}")

    def alive(self) -> None:
        now = time.monotonic()
        if self._pat_every_s and now - self._patted_at >= self._pat_every_s:
            self._patted_at = now
            daemon.notify("WATCHDOG=1")

    def wait_for_microphone(self, missing: bool) -> None:
        """While a microphone is known to be missing there is nothing to pat for; systemd waits longer than usual."""
        if self._limit_s:
            limit_s = MISSING_LIMIT_S if missing else self._limit_s
            daemon.notify(f"WATCHDOG_USEC={round(limit_s * 1e6)}")


def _watchdog_s() -> float:
    """The watchdog's limit, or 0 where there is none for this process."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    limit = os.environ.get("WATCHDOG_USEC", "")
    return int(limit) / 1e6 if limit.isdecimal() else 0.0


def log_to_the_right_place(level: str) -> None:
    """The journal under systemd, else a readable line on stderr; there also where each thread was in a crash."""
    faulthandler.enable()
    handler: logging.Handler
    if _stderr_is_the_journal():
        handler = JournalHandler(SYSLOG_IDENTIFIER="cooee")
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    handler.addFilter(_discreet)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    if level != "debug":
        warnings.simplefilter("ignore")  # a library's warning may quote what it was given
    log_from(level)


def log_from(level: str) -> None:
    """From this level on ("info") our own lines are logged; others' from "warning" on."""
    logging.getLogger("cooee").setLevel(level.upper())


def _discreet(record: logging.LogRecord) -> bool:
    """Of an exception only what and where: its message may hold what nobody should read in a log."""
    if record.exc_info and record.exc_info[1] and not logging.getLogger("cooee").isEnabledFor(logging.DEBUG):
        record.exc_text = "\n".join(_crash(record.exc_info[1], set()))
        record.exc_info = None
        # asyncio's goes on with the task, and with its exception as it prints itself.
        record.msg, record.args = record.getMessage().partition("\n")[0], None
    return True


def _crash(error: BaseException, seen: set[int]) -> Iterator[str]:
    """The traceback, with the messages of our own exceptions, which are sentences, and of the system's alone."""
    if id(error) in seen:
        return
    seen.add(id(error))
    if before := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        yield from _crash(before, seen)
        yield "which led to:"
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__))
    kind = type(error)
    if isinstance(error, OSError) and not kind.__module__.startswith("cooee."):
        said = error.strerror or ""
    else:
        said = str(error) if kind.__module__.startswith("cooee.") else ""
    yield f"{kind.__qualname__}{': ' if said else ''}{said}"
    for each in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _crash(each, seen)


def _stderr_is_the_journal() -> bool:
    """systemd.exec(5), $JOURNAL_STREAM: device and inode of the journal's end of stderr."""
    try:
        stat = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"
