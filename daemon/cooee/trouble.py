"""Why there can be no agent."""

from enum import Enum


class Trouble(Enum):
    """Why there is no agent: each has its own sentence (the clip of that name), light and rule for trying again."""

    NETWORK = "network"
    VENDOR = "vendor"
    BUSY = "busy"
    CLOCK = "clock"
    KEY = "key"
    CREDIT = "credit"
    PERMISSION = "permission"
    SETTINGS = "settings"
    LIMIT = "limit"

    @property
    def is_hopeless(self) -> bool:
        """Trying again cannot help before somebody does something, or a new day begins."""
        return self in (Trouble.KEY, Trouble.CREDIT, Trouble.PERMISSION, Trouble.SETTINGS, Trouble.LIMIT)
