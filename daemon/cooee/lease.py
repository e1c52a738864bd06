"""Whether there is a line to the agent, and for how long after the last turn it is still wanted: it costs money."""


class Lease:
    """Pure. `keep_s` after the last turn the line is let go; None means never, unless the speaker is muted."""

    def __init__(self, keep_s: float | None) -> None:
        self.is_up = False
        self.is_endless = keep_s is None
        self._keep_s = keep_s
        self._rested_at: float | None = None

    def change(self, keep_s: float | None) -> None:
        """At once, also where the line rests already."""
        self.is_endless = keep_s is None
        self._keep_s = keep_s

    def use(self) -> None:
        """A turn began: the line is wanted until `rest`."""
        self._rested_at = None

    def rest(self, now: float) -> None:
        """The turn is over. A line that comes back meanwhile does not begin the time anew."""
        if self._rested_at is None:
            self._rested_at = now

    def has_run_out(self, now: float, *, is_muted: bool = False) -> bool:
        """True once, when the time is over; whoever wants a line while this one closes needs a new one."""
        keep_s = 0.0 if self.is_endless and is_muted else self._keep_s
        if self._rested_at is None or keep_s is None or now - self._rested_at < keep_s:
            return False
        self._rested_at = None
        self.is_up = False
        return True
