"""What the user has set by word or button, so that a restart keeps it."""

from concurrent.futures import Future

from cooee.store import Store

TABLE = "CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, value TEXT NOT NULL)"
SET = "INSERT INTO kept VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value"


class Kept:
    """Short texts by their names; `get` blocks, `set` returns at once.

    What `set` returns is done when the process may be killed, or, if it `is_durable`, its power cut.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        store.write(TABLE)

    @property
    def is_safe(self) -> bool:
        """Whether it outlives the process, as far as it is to."""
        return not self._store.has_lost_the_disk

    def get(self, name: str) -> str:
        """Empty where there is none."""
        found = self._store.read("SELECT value FROM kept WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def set(self, name: str, value: str, *, is_durable: bool = False) -> Future[None]:
        return self._store.write(SET, name, value, is_durable=is_durable)
