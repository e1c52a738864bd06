"""The last turns, in the store, and as a table for people."""

from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cooee.store import Store
from cooee.turns.turn import Turn

MOST = 500


class TurnLog:
    """Keeps the last 500 turns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.write("CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY, turn TEXT NOT NULL)")

    def keep(self, turn: Turn) -> None:
        """Returns at once, never raises."""
        self._store.write("INSERT INTO turns (turn) VALUES (?)", turn.to_json())
        self._store.write("DELETE FROM turns WHERE id <= (SELECT max(id) FROM turns) - ?", MOST)

    def last(self, count: int) -> list[Turn]:
        """Oldest first."""
        rows = self._store.read("SELECT turn FROM turns ORDER BY id DESC LIMIT ?", count)
        return [Turn.from_json(text) for (text,) in reversed(rows)]


def show(turns: list[Turn], *, as_json: bool) -> None:
    """Print them: a JSON object a line, or a table."""
    if as_json:
        for turn in turns:
            print(turn.to_json())
    elif turns:
        Console().print(_table(turns))
    else:
        print("No turns yet: each is kept here when it is over.")


def _table(turns: list[Turn]) -> Table:
    caption = "Seconds. answer: from the end of your words to the first byte of the reply."
    drawn = Table(box=SIMPLE_HEAD, padding=0, caption=caption)
    for heading in ("when", "began", "ended"):
        drawn.add_column(heading, no_wrap=heading != "ended", min_width=9)
    for heading in ("light", "uplink", "answer", "sound", "reply"):
        drawn.add_column(heading, justify="right", min_width=len(heading))
    drawn.add_column("functions", min_width=9)
    for turn in turns:
        ended = turn.ended.replace("_", " ") + (f" ({turn.trouble})" if turn.trouble else "")
        times = (turn.wake_to_light_s, turn.wake_to_uplink_s, turn.speech_to_reply_s, turn.reply_to_sound_s)
        drawn.add_row(
            datetime.fromisoformat(turn.started).strftime("%b %d %H:%M:%S"),
            turn.began.replace("_", " "),
            ended + (", stand-in" if turn.is_fallback else ""),
            *(f"{s:.2f}" if s is not None else "" for s in times),
            f"{turn.reply_s:.1f}",
            ", ".join(f"{ran.name} {ran.seconds:.2f}" for ran in turn.functions),
        )
    return drawn
