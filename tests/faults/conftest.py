from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.background import Soaking
from faults.race import Race, table

SOAKING = pytest.StashKey[Soaking]()


def is_soak(item: pytest.Item) -> bool:
    return "soaking" in getattr(item, "fixturenames", ())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Here, what keeps a processor busy comes before the scenarios, which share a loop and are late if it is not.

    What takes minutes beside all other tests is looked at last of all.
    """
    here = [index for index, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ordered = sorted((items[index] for index in here), key=lambda item: hasattr(getattr(item, "obj", None), "scenario"))
    for index, item in zip(here, ordered, strict=True):
        items[index] = item
    items.sort(key=is_soak)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    if any(map(is_soak, session.items)) and not session.config.option.collectonly:
        session.stash[SOAKING] = Soaking()
    try:
        return (yield)
    finally:
        if SOAKING in session.stash:
            session.stash[SOAKING].stop()


@pytest.fixture
def soaking(request: pytest.FixtureRequest) -> Soaking:
    return request.session.stash[SOAKING]


@pytest.fixture(scope="session")
def race(request: pytest.FixtureRequest) -> Iterator[Race]:
    it = Race(request.session.items)
    yield it
    it.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := table():
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
