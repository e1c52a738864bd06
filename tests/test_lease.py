"""What an idle line costs: how long it is kept. `now` is what the test says."""

from cooee.lease import Lease


def up(keep_s: float | None) -> Lease:
    lease = Lease(keep_s)
    lease.is_up = True
    return lease


def test_the_line_is_let_go_once_and_not_before_its_time() -> None:
    lease = up(60)
    lease.rest(100)
    assert [lease.has_run_out(now) for now in (100, 159.9, 160, 161)] == [False, False, True, False]
    assert not lease.is_up, "who wakes the speaker while it closes needs another one"


def test_a_line_in_use_is_never_let_go() -> None:
    lease = up(60)
    lease.rest(0)
    lease.use()
    assert not lease.has_run_out(10_000)


def test_a_line_that_comes_back_while_nobody_speaks_is_paid_no_longer() -> None:
    lease = up(60)
    for now in (0, 20, 40):
        lease.rest(now)
    assert lease.has_run_out(60)


def test_always_means_always() -> None:
    lease = up(None)
    lease.rest(0)
    assert lease.is_endless and not lease.has_run_out(1e9)


def test_muted_always_ends_at_once_and_a_time_that_was_asked_for_does_not() -> None:
    for keep_s, is_let_go in ((None, True), (60.0, False)):
        lease = up(keep_s)
        lease.rest(0)
        assert lease.has_run_out(1, is_muted=True) == is_let_go


def test_a_changed_time_counts_from_the_last_turn() -> None:
    lease = up(None)
    lease.rest(0)
    lease.change(30)
    assert not lease.is_endless and not lease.has_run_out(29) and lease.has_run_out(30)
