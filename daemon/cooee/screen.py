"""The speaker's status on one screen, for people."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"offline": "bold yellow", "muted": "bold red", "asleep": "dim"}


def show(known: dict[str, Any]) -> None:
    """Print what `GET /status` answered."""
    drawn = Table.grid(padding=(0, 2, 0, 0))
    for name, text, style in _rows(known):
        drawn.add_row(Text(name, "dim"), Text(_printable(text), style))
    Console(highlight=False).print(drawn)


def _rows(known: dict[str, Any]) -> list[tuple[str, str, str]]:
    ears, devices, used = known["ears"], known["devices"], known["used"]
    lost = known["lost"]
    rows = [
        ("phase", f"{known['phase']}, turn {known['turn']}", STYLES.get(known["phase"], "bold green")),
        ("ears", lost.get("mic") or f"{devices['mic']}, {_ears(ears)}", "red" if "mic" in lost else ""),
        ("wakes on", ", ".join(known["wake_words"]), ""),
        ("link", _link(known), ""),
        ("voice", f"{lost.get('speaker') or devices['speaker'] or 'not open'}", "red" if "speaker" in lost else ""),
        ("volume", f"{known['volume_percent']} %", ""),
        ("light", devices["lights"], ""),
        ("actions", str(devices["actions"]), ""),
        *(
            (table.removeprefix("actions."), f"{why[:1].upper()}{why[1:]}", "red")
            for table, why in known["away"].items()
        ),
    ]
    if used["month_s"]:
        rows.append(("used", f"{_of(used['today_s'], used['daily_limit_s'])} today, {_month(used)} this month", ""))
    if error := known["last_error"]:
        rows.append(("last error", f"{error['text']} ({_span(error['ago_s'])} ago)", "yellow"))
    about = f"cooee {known['version']}, {known['config']}, up for {_span(known['uptime_s'])}"
    return [*rows, ("about", about, "dim")]


def _ears(ears: dict[str, Any]) -> str:
    if ears["is_muted"]:
        return "shut"
    return f"{ears['level_dbfs']:.0f} dBFS" if ears["silent_s"] < 1 else f"silent for {_span(ears['silent_s'])}"


def _link(known: dict[str, Any]) -> str:
    link = known["link"]
    who = "the stand-in" if link["is_stand_in"] else known["agent"]
    if not link["is_up"]:
        return f"{known['agent']}, none open" + (f": {link['trouble']}" if link["trouble"] else "")
    request = f", request {link['request_id']}" if link["request_id"] else ""
    return f"{who}, open for {_span(link['up_s'])}{request}"


def _month(used: dict[str, Any]) -> str:
    return _of(used["month_s"], used["monthly_limit_s"])


def _of(seconds: float, limit_s: float | None) -> str:
    return _span(seconds) + (f" of {_span(limit_s)}" if limit_s is not None else "")


def _span(seconds: float) -> str:
    """Such as "3 min"."""
    for unit_s, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds:.0f} s"


def _printable(text: str) -> str:
    """What a device or an agent calls itself must not steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
