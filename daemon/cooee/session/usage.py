"""How long the lines that cost money were open, and for how long they still may be."""

import logging
import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from cooee.session.guard import Guard, Permit
from cooee.store import Store

log = logging.getLogger("cooee.session")

TABLE = "CREATE TABLE IF NOT EXISTS usage(day TEXT PRIMARY KEY, seconds REAL NOT NULL, usd REAL NOT NULL)"
NEWS_TABLE = "CREATE TABLE IF NOT EXISTS usage_news(period TEXT PRIMARY KEY)"
ADD = (
    "INSERT INTO usage(day, seconds, usd) VALUES(?, ?, ?) ON CONFLICT(day) "
    "DO UPDATE SET seconds = seconds + excluded.seconds, usd = usd + excluded.usd"
)
NEAR = 0.8
"""Of a limit; from then on it is worth a word."""
PERMIT_S = 15.0
"""A line that nobody renews ends after so long."""


@dataclass(frozen=True, slots=True)
class Day:
    """What was used on a local day, and its price by the rates of the time."""

    day: date
    seconds: float
    usd: float


def days(store: Store, month: date | None = None) -> list[Day]:
    """The days on which a line was open, in order; of the month that `month` is in, or all."""
    store.write(TABLE)
    found = _readable(store.read("SELECT day, seconds, usd FROM usage ORDER BY day"))
    return [each for each in found if month is None or _month(each.day) == _month(month)]


class Stint:
    """A line is open, or on its way; ends once."""

    def __init__(self, usage: "Usage", permit: Permit | None, began: float | None) -> None:
        """`began`: None if it does not count yet."""
        self.permit = permit
        self.counted_until = began
        self._usage = usage

    def end(self) -> None:
        self._usage.end(self)

    def passed_s(self, now: float) -> float:
        """What has passed since it was asked for last, until the line was cut if it was."""
        if self.counted_until is None:
            return 0.0
        cut_at = self.permit.cut_at if self.permit else None
        until = max(self.counted_until, now if cut_at is None else min(now, cut_at))
        passed, self.counted_until = until - self.counted_until, until
        return passed


class Usage:
    """The meter and the limits of all lines together; used from one thread.

    Seconds are those of `clock`; which local day they belong to is `wall`'s to say. The limits are in seconds,
    `math.inf` for none, and may be set anew at any time, as may the rate.
    """

    def __init__(
        self,
        store: Store,
        *,
        daily_s: float = math.inf,
        monthly_s: float = math.inf,
        rate_usd_per_min: float = 0.0,
        wall: Callable[[], datetime] = datetime.now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.daily_s = daily_s
        self.monthly_s = monthly_s
        self.rate_usd_per_min = rate_usd_per_min
        self._store = store
        self._wall = wall
        self._clock = clock
        self._stints: list[Stint] = []
        store.write(NEWS_TABLE)
        self._used_s = {each.day: each.seconds for each in days(store)}
        self._unsaved_s: dict[date, float] = {}
        self._told = {period for (period,) in store.read("SELECT period FROM usage_news")}

    @property
    def lines(self) -> int:
        """How many are open or on their way."""
        return len(self._stints)

    def open(self, permit: Permit | None = None, *, is_on_its_way: bool = False) -> Stint:
        """A line is open from now on; a permit is renewed by `renew`, and ends the count where it was cut.

        One that `is_on_its_way` has its share of what is left, but does not count before `begin`.
        """
        self._count()
        stint = Stint(self, permit, None if is_on_its_way else self._clock())
        self._stints.append(stint)
        self.renew()
        return stint

    def begin(self, stint: Stint) -> None:
        """It is open from now on."""
        stint.counted_until = self._clock()
        self.renew()

    def end(self, stint: Stint) -> None:
        self._count()
        if stint in self._stints:
            self._stints.remove(stint)
            self.save()

    def renew(self) -> None:
        """The permits of all open lines: they share what is left, so that together they never exceed a limit."""
        share_s = self.share_s(self.lines)
        for stint in self._stints:
            if stint.permit:
                stint.permit.renew(share_s)

    def share_s(self, lines: int) -> float:
        """For how long each of so many lines may live without being renewed."""
        return min(PERMIT_S, self.left_s() / max(1, lines))

    def left_s(self) -> float:
        """What is left of the day's and the month's limit, whichever is less, for all open lines together."""
        self._count()
        today = self._wall().date()
        left_s = min(self.daily_s - self.used_s(today), self.monthly_s - self.used_s(today, month=True))
        return max(0.0, left_s)

    def used_s(self, day: date, *, month: bool = False) -> float:
        """Connected seconds of a local day, or of the month that it is in."""
        if not month:
            return self._used_s.get(day, 0.0)
        return sum(seconds for each, seconds in self._used_s.items() if _month(each) == _month(day))

    def news(self) -> str | None:
        """ "day" or "month" when four fifths of its limit are used up; once for each, also across restarts."""
        self._count()
        today = self._wall().date()
        for scope, limit_s, period in (
            ("day", self.daily_s, today.isoformat()),
            ("month", self.monthly_s, today.isoformat()[:7]),
        ):
            if period not in self._told and self.used_s(today, month=scope == "month") >= NEAR * limit_s:
                self._told.add(period)
                self._store.write("INSERT OR IGNORE INTO usage_news VALUES(?)", period)
                return scope
        return None

    def save(self) -> None:
        """What passed since the last save goes to the file; a process that is killed loses no more than that."""
        self._count()
        unsaved, self._unsaved_s = self._unsaved_s, {}
        for day, seconds in unsaved.items():
            self._store.write(ADD, day.isoformat(), seconds, seconds / 60 * self.rate_usd_per_min)

    def _count(self) -> None:
        """Put down what passed, to the days before now by the wall clock as it stands: it may have been set anew."""
        now, clock = self._wall(), self._clock()
        for stint in self._stints:
            for day, seconds in _days(now, stint.passed_s(clock)):
                self._used_s[day] = self._used_s.get(day, 0.0) + seconds
                self._unsaved_s[day] = self._unsaved_s.get(day, 0.0) + seconds


class Toll:
    """Told by the agent of one line's socket (`agent.Toll`). A line whose toll isn't renewed is ended by force."""

    def __init__(self, usage: Usage, guard: Guard) -> None:
        self._usage = usage
        self._guard = guard
        self._lines: dict[socket.socket, tuple[Permit, Stint]] = {}

    def dialled(self, socket: socket.socket) -> None:
        permit = self._guard.watch(socket, self._usage.share_s(self._usage.lines + 1))
        self._lines[socket] = permit, self._usage.open(permit, is_on_its_way=True)

    def opened(self, socket: socket.socket) -> None:
        if socket in self._lines:
            self._usage.begin(self._lines[socket][1])

    def renew(self) -> None:
        """To be called every second or so while the line is open; renews all lines of the same meter."""
        self._usage.renew()

    def closed(self, socket: socket.socket) -> None:
        if line := self._lines.pop(socket, None):
            permit, stint = line
            permit.end()
            stint.end()
            if permit.cut_at is not None:
                log.warning("a line had outlived its permission and was ended by force")


def _days(now: datetime, seconds: float) -> Iterator[tuple[date, float]]:
    """The local days in which the last `seconds` before now passed, and how many in each."""
    day, until = now.date(), now.timestamp()
    while seconds > 0:
        since = _midnight(day, now).timestamp()
        part = min(seconds, max(0.0, until - since))
        if part:
            yield day, part
        seconds -= part
        day, until = day - timedelta(days=1), since


def _midnight(day: date, now: datetime) -> datetime:
    """The day's begin by the clock that `now` is told by, whatever is done to the clocks on that day."""
    return datetime.combine(day, time_of_day.min, tzinfo=now.tzinfo)


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _readable(rows: list[tuple[Any, ...]]) -> Iterator[Day]:
    for day, seconds, usd in rows:
        with suppress(ValueError, TypeError):
            yield Day(date.fromisoformat(day), float(seconds), float(usd))
