"""What was said and what was used, for people and for programs."""

import json
import math
from datetime import date, datetime
from typing import Any

from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cooee.session.history import Said
from cooee.session.usage import NEAR, Day

BAR_WIDTH = 24
WHO = {"user": ("you", "bold"), "assistant": ("speaker", "cyan")}


def show_history(said: list[Said], *, as_json: bool) -> None:
    """Who said what when: a JSON object a line, or a table for each day."""
    if as_json:
        for each in said:
            print(json.dumps({"at": _when(each).isoformat(timespec="seconds"), **each.message}))
    elif not said:
        print("Nothing that was said is kept.")
    else:
        console = Console(highlight=False)
        days: dict[date, list[Said]] = {}
        for each in said:
            days.setdefault(_when(each).date(), []).append(each)
        for day, of_it in days.items():
            console.print(f"{day:%A, %d %B %Y}", style="bold")
            console.print(_conversation(of_it))


def _conversation(said: list[Said]) -> Table:
    drawn = Table.grid(padding=(0, 2, 0, 0))
    for each in said:
        who, style = WHO.get(str(each.message.get("role")), ("", ""))
        rows = [(who, str(each.message.get("content", "")))] if who else []
        rows += [
            ("function", f"{call.get('name')} {call.get('arguments')}: {call.get('response')}") for call in each.calls
        ]
        for name, text in rows:
            drawn.add_row(f" {_when(each):%H:%M}", Text(name, style or "dim"), Text(_printable(text), style))
    return drawn


def _when(said: Said) -> datetime:
    return datetime.fromtimestamp(said.at).astimezone()


def _printable(text: str) -> str:
    """What was said by whomever must not steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def show_usage(
    days: list[Day], today: date, *, daily_s: float, monthly_s: float, usd_per_min: float, as_of: str, as_json: bool
) -> None:
    """The month of `today`: a JSON object, or a table with a bar for each day on which a line was open, and today."""
    if as_json:
        known: dict[str, Any] = {"month": f"{today:%Y-%m}", "seconds": _seconds(days), "usd": _usd(days)}
        known |= {"daily_limit_s": _finite(daily_s), "monthly_limit_s": _finite(monthly_s)}
        known |= {"rate_usd_per_min": usd_per_min, "rate_as_of": as_of}
        known["days"] = [{"day": each.day.isoformat(), "seconds": each.seconds, "usd": each.usd} for each in days]
        print(json.dumps(known, indent=2))
        return
    console = Console(highlight=False)
    console.print(_month(days, today, daily_s=daily_s, monthly_s=monthly_s))
    console.print(
        f"Limits: {_limit(daily_s)} a day, {_limit(monthly_s)} a month ([session] daily_limit, monthly_limit).",
        markup=False,
    )
    if usd_per_min:
        since = f", as of {as_of}" if as_of else ""
        console.print(f"Price: {usd_per_min:g} USD a minute{since}; what counts is the vendor's price list.")
    else:
        console.print("The present agent costs nothing, and its time is not counted.")


def _month(days: list[Day], today: date, *, daily_s: float, monthly_s: float) -> Table:
    shown = days if any(each.day == today for each in days) else [*days, Day(today, 0.0, 0.0)]
    scale_s = daily_s if daily_s < math.inf else max(60.0, *(each.seconds for each in shown))
    drawn = Table(show_footer=True)
    drawn.add_column("day", f"{today:%B}", no_wrap=True)
    drawn.add_column("connected", _clock(_seconds(days)), justify="right", no_wrap=True)
    drawn.add_column("USD", f"{_usd(days):.2f}", justify="right", no_wrap=True)
    drawn.add_column("of the limit", _share(_seconds(days), monthly_s), justify="right", no_wrap=True)
    drawn.add_column(width=BAR_WIDTH)
    for each in shown:
        color = "red" if each.seconds >= NEAR * daily_s else "green"
        bar = Bar(max(scale_s, 1e-9), 0, min(each.seconds, scale_s), width=BAR_WIDTH, color=color)
        drawn.add_row(f"{each.day:%a %d}", _clock(each.seconds), f"{each.usd:.2f}", _share(each.seconds, daily_s), bar)
    return drawn


def _seconds(days: list[Day]) -> float:
    return sum(each.seconds for each in days)


def _usd(days: list[Day]) -> float:
    return sum(each.usd for each in days)


def _finite(seconds: float) -> float | None:
    return seconds if seconds < math.inf else None


def _share(seconds: float, limit_s: float) -> str:
    return f"{seconds / limit_s:.0%}" if 0 < limit_s < math.inf else ""


def _limit(seconds: float) -> str:
    return _clock(seconds) if seconds < math.inf else "none"


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
