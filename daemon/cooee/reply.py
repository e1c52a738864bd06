"""How far the agent's reply has come: it arrives faster than it plays, and goes on arriving after it was hushed."""

GAP_S = 3.0
"""A reply whose end was never announced is taken as over when nothing has come for so long after its last sample."""


class Reply:
    """Pure. `is_complete`: its end was announced. `is_stale`: it was hushed, and what still comes of it is dropped."""

    def __init__(self, bytes_per_s: int) -> None:
        self.is_complete = False
        self.is_stale = False
        self._bytes_per_s = bytes_per_s
        self._ends_at = 0.0

    @property
    def overdue_at(self) -> float:
        """When its end, announced or not, must have sounded."""
        return self._ends_at + GAP_S

    def add(self, size_bytes: int, now: float) -> bool:
        """Take a piece; true if it begins a second reply behind one that is complete."""
        is_another, self.is_complete = self.is_complete, False
        self._ends_at = max(self._ends_at, now) + size_bytes / self._bytes_per_s
        return is_another

    def hush(self) -> None:
        self.is_stale = not self.is_complete
        self.is_complete = False
        self._ends_at = 0.0

    def forget(self) -> None:
        self.is_complete = self.is_stale = False
