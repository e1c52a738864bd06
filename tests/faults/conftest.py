from collections.abc import Iterator

import pytest

from faults.race import Race, table


@pytest.fixture(scope="session")
def race(request: pytest.FixtureRequest) -> Iterator[Race]:
    it = Race(request.session.items)
    yield it
    it.join()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := table():
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
