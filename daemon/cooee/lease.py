"""Whether there is a line to the agent, and for how long after the last turn it is still wanted: it costs money."""


class Lease:
    """Pure. `keep_s` after the last turn the line is let go; None means never."""

    def __init__(self, keep_s: float | None) -> None:
        self.is_up = False
        self.is_endless = keep_s is None
        self._keep_s = keep_s
        self._until: float | None = None

    def change(self, keep_s: float | None) -> None:
        """From the next rest on."""
        self.is_endless = keep_s is None
        self._keep_s = keep_s

    def use(self) -> None:
        """A turn began: the line is wanted until `rest`."""
        self._until = None

    def rest(self, now: float) -> None:
        """The turn is over. A line that comes back meanwhile does not begin the time anew."""
        if self._until is None and self._keep_s is not None:
            self._until = now + self._keep_s

    def has_run_out(self, now: float) -> bool:
        """True once, when the time is over; whoever wants a line while this one closes needs a new one."""
        if self._until is None or now < self._until:
            return False
        self._until = None
        self.is_up = False
        return True
