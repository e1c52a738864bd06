"""What the user has set: there again after a restart, and honest about a disk that keeps nothing."""

from pathlib import Path

import pytest

from cooee.kept import Kept
from cooee.store import FILE, Store


@pytest.mark.parametrize("is_durable", [True, False])
def test_the_last_value_is_there_again_after_a_restart(tmp_path: Path, is_durable: bool) -> None:
    first = Store(tmp_path / FILE)
    for value in ("40", "60"):
        done = Kept(first).set("volume", value, is_durable=is_durable)
    done.result()
    # Not closed: a process that is killed does not do that either.
    second = Store(tmp_path / FILE)
    again = Kept(second)
    assert (again.get("volume"), again.get("muted"), again.is_safe) == ("60", "", True)
    first.close()
    second.close()


def test_where_nothing_can_be_kept_it_serves_all_the_same_and_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    store = Store(tmp_path / FILE)
    kept = Kept(store)
    kept.set("muted", "yes", is_durable=True).result()
    assert (kept.get("muted"), kept.is_safe) == ("yes", False)
    store.close()
