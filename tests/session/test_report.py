"""What is kept, as its commands print it."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cooee.cli import main
from cooee.session.history import History
from cooee.session.report import show_usage
from cooee.session.usage import ADD, Day, Usage
from cooee.store import FILE, Store

TODAY = date(2026, 5, 20)
HOUR_S = 3600.0
AT = datetime(2026, 5, 20, 14, 2)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def speaker(state: Path) -> Iterator[Store]:
    """The store of a speaker that runs."""
    it = Store(state / FILE)
    yield it
    it.close()


def remember(store: Store) -> History:
    history = History(store, messages=30, age_s=HOUR_S, wall=AT.timestamp)
    history.add({"type": "History", "role": "user", "content": "Lamp [bold]on\x1b[31m, please."})
    call = {"id": "1", "name": "lamp", "client_side": True, "arguments": '{"on": true}', "response": "It is on."}
    history.add({"type": "History", "function_calls": [call]})
    history.add({"type": "History", "role": "assistant", "content": "Done."})
    store.read("SELECT 1")
    return history


def run(*command: str) -> Result:
    return CliRunner().invoke(main, command, catch_exceptions=False)


def rows(printed: str) -> list[str]:
    return [" ".join(line.replace("│", " ").split()) for line in printed.splitlines()]


def test_history_says_who_said_what_when_and_steers_no_terminal(speaker: Store) -> None:
    remember(speaker)
    shown = rows(run("history", "show").output)
    assert shown == [
        "Wednesday, 20 May 2026",
        "14:02 you Lamp [bold]on [31m, please.",
        '14:02 function lamp {"on": true}: It is on.',
        "14:02 speaker Done.",
    ]


def test_history_for_programs_is_a_message_a_line(speaker: Store) -> None:
    history = remember(speaker)
    lines = [json.loads(line) for line in run("history", "show", "--json").output.splitlines()]
    assert {datetime.fromisoformat(line.pop("at")) for line in lines} == {AT.astimezone()}
    assert tuple(lines) == history.replay()


def test_clear_says_how_much_is_gone_and_the_speaker_notices(speaker: Store, state: Path) -> None:
    history = remember(speaker)
    cleared = run("history", "clear")
    assert (cleared.output, cleared.exit_code) == ("3 messages removed.\n", 0)
    assert history.replay() == ()
    speaker.read("SELECT 1")
    assert not any(b"Lamp" in file.read_bytes() for file in state.iterdir())
    assert run("history", "show").output == "Nothing that was said is kept.\n"


@pytest.mark.parametrize("command", ["history show", "history clear", "usage"])
def test_where_nothing_was_kept_nothing_is_made(state: Path, command: str) -> None:
    shown = run(*command.split())
    assert shown.exit_code == 0
    assert list(state.iterdir()) == []


@pytest.mark.parametrize("command", ["history show", "history clear", "usage"])
def test_what_can_not_be_read_is_said_in_a_sentence(state: Path, command: str) -> None:
    (state / FILE).write_text("a letter to the editor")
    shown = run(*command.split())
    assert shown.exit_code == 1
    assert "cooee.db can't be read" in shown.output


def test_usage_is_this_months_and_comes_from_the_file(speaker: Store) -> None:
    Usage(speaker)
    today = date.today()
    for day in (today, date(today.year - 1, today.month, 1)):
        speaker.write(ADD, day.isoformat(), 90.0, 0.12).result()
    assert f"{today:%a %d} 0:01:30 0.12 2% ▌" in rows(run("usage").output)
    known = json.loads(run("usage", "--json").output)
    assert (known["month"], known["seconds"], known["usd"]) == (f"{today:%Y-%m}", 90.0, 0.12)
    assert known["days"] == [{"day": today.isoformat(), "seconds": 90.0, "usd": 0.12}]


def usage(
    capsys: pytest.CaptureFixture[str],
    *days: Day,
    daily_s: float = HOUR_S,
    monthly_s: float = 10 * HOUR_S,
    usd_per_min: float = 0.08,
) -> list[str]:
    show_usage(
        list(days),
        TODAY,
        daily_s=daily_s,
        monthly_s=monthly_s,
        usd_per_min=usd_per_min,
        as_of="May 2026",
        as_json=False,
    )
    return rows(capsys.readouterr().out)


def test_usage_has_a_bar_a_day_the_sum_the_limits_and_the_price(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = usage(capsys, Day(date(2026, 5, 4), HOUR_S / 2, 2.4), Day(date(2026, 5, 5), HOUR_S, 4.8))
    assert f"Mon 04 0:30:00 2.40 50% {'█' * 12}" in shown
    assert f"Tue 05 1:00:00 4.80 100% {'█' * 24}" in shown
    assert "Wed 20 0:00:00 0.00 0%" in shown
    assert "May 1:30:00 7.20 15%" in shown
    assert shown[-2] == "Limits: 1:00:00 a day, 10:00:00 a month ([session] daily_limit, monthly_limit)."
    assert shown[-1] == "Price: 0.08 USD a minute, as of May 2026; what counts is the vendor's price list."


def test_usage_without_limits_or_price_says_so(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unlimited = float("inf")
    shown = usage(capsys, Day(TODAY, 600, 0), daily_s=unlimited, monthly_s=unlimited, usd_per_min=0)
    assert f"Wed 20 0:10:00 0.00 {'█' * 24}" in shown
    assert shown[-2].startswith("Limits: none a day, none a month")
    assert shown[-1] == "The present agent costs nothing, and its time is not counted."
