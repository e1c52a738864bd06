"""What lets audio out of the house: shut, it only remembers the moment before; open, it lets every frame through."""

from collections import deque


class Gate:
    """Pure. Frames are opaque; `preroll_frames` of them are remembered while shut."""

    def __init__(self, preroll_frames: int) -> None:
        self.is_open = False
        self._before: deque[bytes] = deque(maxlen=preroll_frames)

    def push(self, frame: bytes) -> list[bytes]:
        """Take a frame from the microphone; returns what may leave now."""
        if self.is_open:
            return [frame]
        self._before.append(frame)
        return []

    def open(self) -> list[bytes]:
        """Open; returns the moment before, oldest first, including the last frame pushed. Nothing if open already."""
        self.is_open = True
        before = list(self._before)
        self._before.clear()
        return before

    def shut(self) -> None:
        """Shut, and remember nothing from before."""
        self.is_open = False
        self._before.clear()
