import math
import random
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooee.session.guard import Guard
from cooee.session.usage import PERMIT_S, Toll, Usage
from cooee.store import Store

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 20, 12, tzinfo=BERLIN)
TODAY = NOON.date()
HOUR_S = 3600.0


class Clocks:
    """Two clocks that go together, until somebody sets the one on the wall."""

    def __init__(self, now: datetime = NOON) -> None:
        self.monotonic_s = 1000.0
        self.now = now

    def wall(self) -> datetime:
        return self.now

    def clock(self) -> float:
        return self.monotonic_s

    def pass_(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.now = (self.now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.now.tzinfo)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def store() -> Iterator[Store]:
    it = Store(None)
    yield it
    it.close()


def meter(
    store: Store, clocks: Clocks, daily_s: float = HOUR_S, monthly_s: float = 10 * HOUR_S, usd: float = 0.0
) -> Usage:
    return Usage(
        store, daily_s=daily_s, monthly_s=monthly_s, rate_usd_per_min=usd, wall=clocks.wall, clock=clocks.clock
    )


def test_every_open_line_counts(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks)
    first = usage.open()
    clocks.pass_(10)
    second = usage.open()
    clocks.pass_(5)
    assert usage.left_s() == HOUR_S - 20
    first.end()
    first.end()
    clocks.pass_(7)
    second.end()
    clocks.pass_(100)
    assert usage.left_s() == HOUR_S - 27
    assert usage.used_s(TODAY) == usage.used_s(TODAY, month=True) == 27


def test_a_line_over_midnight_belongs_to_both_days_and_months(store: Store) -> None:
    clocks = Clocks(datetime(2026, 5, 31, 23, 59, 50, tzinfo=BERLIN))
    usage = meter(store, clocks, daily_s=60)
    stint = usage.open()
    clocks.pass_(25)
    stint.end()
    assert usage.used_s(date(2026, 5, 31)) == usage.used_s(date(2026, 5, 1), month=True) == 10
    assert usage.used_s(date(2026, 6, 1)) == usage.used_s(date(2026, 6, 30), month=True) == 15
    assert usage.left_s() == 45


def test_a_line_of_days_fills_the_days_as_long_as_they_are(store: Store) -> None:
    clocks = Clocks(datetime(2026, 3, 28, 12, tzinfo=BERLIN))
    usage = meter(store, clocks, daily_s=math.inf, monthly_s=math.inf)
    usage.open()
    clocks.pass_(48 * HOUR_S)
    assert usage.left_s() == math.inf
    assert [usage.used_s(date(2026, 3, day)) / HOUR_S for day in (28, 29, 30)] == [12, 23, 13]  # the clocks go forward


@given(st.lists(st.tuples(st.floats(0, 5000), st.integers(-10_000_000, 10_000_000)), max_size=30))
def test_a_wall_clock_that_is_set_anew_never_changes_how_much_passed(steps: list[tuple[float, int]]) -> None:
    clocks, store = Clocks(), Store(None)
    usage = meter(store, clocks, daily_s=math.inf, monthly_s=math.inf)
    stint = usage.open()
    for seconds, jump in steps:
        clocks.pass_(seconds)
        clocks.now += timedelta(seconds=jump)
        usage.save()
    stint.end()
    days = store.read("SELECT seconds FROM usage")
    store.close()
    assert all(seconds > 0 for (seconds,) in days)
    assert sum(seconds for (seconds,) in days) == pytest.approx(sum(seconds for seconds, _ in steps))


def test_the_nearer_limit_counts_and_nothing_is_left_below_it(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks, daily_s=100, monthly_s=150)
    usage.open()
    clocks.pass_(80)
    assert usage.left_s() == 20
    clocks.pass_(40)
    assert usage.left_s() == 0
    clocks.now += timedelta(days=1)
    assert usage.left_s() == 30


def test_what_was_saved_outlives_the_process_and_nothing_else(store: Store, clocks: Clocks) -> None:
    killed = meter(store, clocks, usd=0.06)
    killed.open()
    clocks.pass_(30)
    killed.save()
    clocks.pass_(30)
    killed.save()
    clocks.pass_(4)
    after = meter(store, clocks)
    assert after.used_s(TODAY) == 60
    assert after.left_s() == HOUR_S - 60
    assert store.read("SELECT day, seconds, usd FROM usage") == [("2026-05-20", 60.0, pytest.approx(0.06))]


def test_a_new_rate_does_not_change_what_was_paid(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks, usd=0.06)
    usage.open()
    clocks.pass_(60)
    usage.save()
    usage.rate_usd_per_min = 0.10
    clocks.pass_(60)
    usage.save()
    assert store.read("SELECT usd FROM usage") == [(pytest.approx(0.16),)]


def test_four_fifths_are_news_once_also_after_a_restart(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks, daily_s=100, monthly_s=110)
    usage.open()
    clocks.pass_(79)
    assert usage.news() is None
    clocks.pass_(1)
    assert [usage.news(), usage.news()] == ["day", None]
    clocks.pass_(10)
    assert [usage.news(), usage.news()] == ["month", None]
    usage.save()
    again = meter(store, clocks, daily_s=100, monthly_s=110)
    assert again.news() is None
    clocks.now += timedelta(days=1)
    again.open()
    clocks.pass_(80)
    assert [again.news(), again.news()] == ["day", None]


def test_without_limits_there_is_no_news(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks, daily_s=math.inf, monthly_s=math.inf)
    usage.open()
    clocks.pass_(100 * HOUR_S)
    assert usage.news() is None
    assert usage.left_s() == math.inf


def test_the_systems_own_clock_will_do(store: Store) -> None:
    usage = Usage(store, daily_s=HOUR_S)
    usage.open().end()
    assert usage.left_s() == pytest.approx(HOUR_S, abs=1)


def test_a_faulty_row_does_not_stop_the_meter(store: Store, clocks: Clocks) -> None:
    meter(store, clocks)
    store.write("INSERT INTO usage VALUES('2026-05-20', 5, 0), ('2026-99-99', 5, 0), ('2026-05-21', 'much', 0)")
    assert meter(store, clocks).used_s(TODAY, month=True) == 5


class Leash:
    """A permit on virtual clocks."""

    def __init__(self, clocks: Clocks) -> None:
        self.cut_at: float | None = None
        self._clocks = clocks
        self.until = math.inf

    def renew(self, seconds: float) -> None:
        if self.cut_at is None:
            self.until = self._clocks.clock() + seconds

    def check(self) -> None:
        """What the guard does at the second."""
        if self.cut_at is None and self._clocks.clock() >= self.until:
            self.cut_at = self.until


def test_a_line_that_was_cut_counts_until_then_however_late_it_is_noticed(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks)
    leash = Leash(clocks)
    stint = usage.open(leash)
    clocks.pass_(10)
    leash.cut_at = clocks.clock()
    clocks.pass_(500)
    usage.save()
    stint.end()
    assert usage.used_s(TODAY) == 10


@given(st.integers(0, 2**32), st.floats(1, 200))
def test_however_many_lines_are_open_and_whatever_hangs_a_limit_holds(seed: int, limit_s: float) -> None:
    chance, clocks, store = random.Random(seed), Clocks(), Store(None)
    usage = meter(store, clocks, daily_s=limit_s, monthly_s=math.inf)
    lines = []
    for _ in range(60):
        if chance.random() < 0.3 and usage.left_s() > 0:
            leash = Leash(clocks)
            lines.append((leash, usage.open(leash)))
        hangs_s = chance.choice([1, 1, 1, 40])
        for _ in range(hangs_s * 4):
            clocks.pass_(0.25)
            for leash, _ in lines:
                leash.check()
        usage.renew()
        if lines and chance.random() < 0.2:
            lines.pop(chance.randrange(len(lines)))[1].end()
    used_s = usage.used_s(TODAY)
    store.close()
    assert used_s <= limit_s + 1e-6


def test_nobody_is_permitted_more_than_a_little_at_a_time(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks, daily_s=100)
    one, two = Leash(clocks), Leash(clocks)
    usage.open(one)
    assert one.until == clocks.clock() + PERMIT_S
    clocks.pass_(90)
    usage.open(two)
    assert one.until == two.until == clocks.clock() + 5


@pytest.mark.slow
def test_with_a_used_up_limit_no_socket_is_open_and_meter_and_peer_agree(tmp_path: Path) -> None:
    store, guard = Store(tmp_path / "cooee.db"), Guard()
    usage = Usage(store, daily_s=1.5)
    lived_s: list[float] = []

    def serve(peer: socket.socket) -> None:
        began = time.monotonic()
        with peer, pytest.raises(ConnectionResetError):
            peer.recv(1)
        lived_s.append(time.monotonic() - began)

    threads, tolls, ours = [], [], []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for _ in range(2):
            ours.append(socket.create_connection(listening.getsockname()))
            tolls.append(Toll(usage, guard))
            tolls[-1].dialled(ours[-1])
            tolls[-1].opened(ours[-1])
            threads.append(threading.Thread(target=serve, args=(listening.accept()[0],)))
            threads[-1].start()
            time.sleep(0.2)
    for thread in threads:  # nobody renews, nobody closes
        thread.join(5)
    assert sum(lived_s) == pytest.approx(1.5, abs=0.1)
    assert all(permit.cut_at is not None for toll in tolls for permit, _ in toll._lines.values())
    for toll, each in zip(tolls, ours, strict=True):
        toll.closed(each)
        toll.closed(each)
    assert usage.lines == 0
    assert usage.left_s() == pytest.approx(0, abs=0.02)
    guard.close()
    store.close()
    for each in ours:
        each.close()


def test_a_toll_of_a_line_that_never_opened_costs_nothing(store: Store, clocks: Clocks) -> None:
    usage, guard = meter(store, clocks), Guard()
    toll = Toll(usage, guard)
    ours, theirs = socket.socketpair()
    toll.dialled(ours)
    clocks.pass_(5)
    ours.close()
    toll.closed(ours)
    assert (usage.left_s(), usage.lines) == (HOUR_S, 0)
    assert theirs.recv(1) == b"", "nothing holds it open"
    guard.close()
    theirs.close()


def test_a_line_on_its_way_has_its_share_from_when_it_is_dialled(store: Store, clocks: Clocks) -> None:
    usage = meter(store, clocks, daily_s=10)
    one, two = Leash(clocks), Leash(clocks)
    usage.open(one)
    stint = usage.open(two, is_on_its_way=True)
    assert one.until == two.until == clocks.clock() + 5
    clocks.pass_(2)
    usage.begin(stint)
    assert usage.left_s() == 8
    clocks.pass_(3)
    assert usage.left_s() == 2
