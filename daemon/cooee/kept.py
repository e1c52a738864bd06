"""What the user has set by word or button, so that a restart keeps it."""

from cooee.store import Store

TABLE = "CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, value TEXT NOT NULL)"
SET = "INSERT INTO kept VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value"


class Kept:
    """Short texts by their names; `get` blocks, `set` returns at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.write(TABLE)

    def get(self, name: str) -> str:
        """Empty where there is none."""
        found = self._store.read("SELECT value FROM kept WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def set(self, name: str, value: str) -> None:
        self._store.write(SET, name, value)
