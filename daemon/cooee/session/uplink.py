"""What goes up to the agent, in order. A sentence is kept until the agent has understood it, to be said again."""

from collections import deque

FRAME_S = 0.08


class End:
    """Stands in the uplink where the user let go of the talk button."""


END = End()


class Uplink:
    """Pure. Holds `hold_s` of speech at most; the oldest is dropped first, and `dropped` counts what never left."""

    def __init__(self, hold_s: float) -> None:
        self.dropped = 0
        self._items: deque[bytes | End] = deque()
        self._most = round(hold_s / FRAME_S)
        self._sent = 0

    def __bool__(self) -> bool:
        """Whether something waits to be sent."""
        return self._sent < len(self._items)

    def push(self, item: bytes | End) -> None:
        self._items.append(item)
        if len(self._items) > self._most:
            self._items.popleft()
            self.dropped += self._sent == 0
            self._sent = max(0, self._sent - 1)

    def next(self) -> bytes | End:
        return self._items[self._sent]

    def sent(self, item: bytes | End) -> None:
        """It has left, unless it was dropped or forgotten meanwhile."""
        if not self or self._items[self._sent] is not item:
            return
        if self._sent == 0 and isinstance(item, bytes) and not any(item):
            self._items.popleft()  # silence before the first word need not be said again
        else:
            self._sent += 1

    def understood(self) -> None:
        """What was sent need not be said again."""
        while self._sent:
            self._items.popleft()
            self._sent -= 1

    def rewind(self) -> None:
        """The line is gone: the sentence begins anew on the next one."""
        self._sent = 0

    def clear(self) -> None:
        self._items.clear()
        self._sent = 0
