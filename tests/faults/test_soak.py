"""Minutes of real time with a fault every few seconds; begun with the tests, looked at when they are through.

COOEE_SOAK_S says how long, 600 if nothing does.
"""

import pytest

from beside import Beside

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(0)]


def test_soak(soaking: Beside) -> None:
    found = soaking.join()
    first, last = found["first"], found["last"]
    print(found)
    assert last["threads"] == first["threads"]
    assert last["files"] <= first["files"] + 2
    assert last["sockets"] == first["sockets"]
    assert last["tasks"] <= first["tasks"] + 2
    assert last["rss_mib"] - first["rss_mib"] < 16
    assert found["turns"]["silence"] == 0 and found["turns"]["answer"] > 0, "\n\n".join(found["odd"])
    assert found["faults"] >= soaking.argument / 10
    assert found["words_lost"] == 0, "\n\n".join(found["odd"])
