from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.race import Race, table


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Here, what keeps a processor busy comes before the scenarios, which share a loop and are late if it is not."""
    here = [index for index, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ordered = sorted((items[index] for index in here), key=lambda item: hasattr(getattr(item, "obj", None), "scenario"))
    for index, item in zip(here, ordered, strict=True):
        items[index] = item


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
