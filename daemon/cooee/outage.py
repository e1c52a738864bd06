"""What is wrong, with the agent or a device, and which of our own sentences about it is due. Each is said once."""

from cooee import events as on
from cooee.events import Event, Trouble

FOREVER = float("inf")
NEWS_S = 4 * 3600.0
"""That the day's limit is near is told for so long: the next day has its own."""


class Outage:
    """Pure, `now` in seconds of any monotonic clock.

    `trouble`: why the agent is out of reach, also while a stand-in speaks for it.
    """

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self._lost: dict[str, str] = {}
        self._is_stand_in = False
        self._due: dict[str, float] = {}  # each clip, and until when it is news
        self._told: set[str] = set()

    @property
    def fault(self) -> str:
        """Which devices are missing, in sentences."""
        return " ".join(self._lost.values())

    def take(self, event: Event, now: float) -> None:
        match event:
            case on.MicLost() | on.SpeakerLost():
                self._lost[event.room] = event.reason
            case on.MicFound() | on.SpeakerFound():
                self._lost.pop(event.room, None)
            case on.SessionDown() if event.trouble:
                self.trouble = event.trouble
            case on.SessionUp():
                self._is_stand_in = event.is_fallback
            case on.SettingsApplied() if self._is_stand_in:
                self._announce()
            case on.SettingsApplied():
                self.trouble = None
                self._due = {clip: until for clip, until in self._due.items() if clip not in self._told}
                self._told.clear()
            case on.LimitNear():
                until = now + NEWS_S if event.scope == "day" else FOREVER
                self._due["limit_near"] = max(until, self._due.get("limit_near", until))

    def preface(self, now: float) -> list[str]:
        """The clips to be heard before the next reply."""
        due = [clip for clip, until in self._due.items() if now < until]
        self._due.clear()
        return due

    def sentence(self, *, was_heard: bool) -> str:
        """The clip that says why there is no answer. `was_heard`: the line broke while the user spoke."""
        if self.trouble is None or self.trouble is Trouble.NETWORK:
            return "lost" if was_heard else "network"
        return str(self.trouble.value)

    def _announce(self) -> None:
        """Somebody else answers meanwhile: the user is to know it, and why, if he can do something about it."""
        clip = self.trouble.value if self.trouble and self.trouble.is_hopeless else "fallback"
        if clip not in self._told:
            self._told.add(clip)
            self._due[clip] = FOREVER
