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

    def pause(self) -> None:
        """Let nothing through for a while, but remember what a barge-in would need."""
        self.is_open = False

    def resume(self) -> None:
        """Let through what comes from now on; what was remembered in the pause, such as our own echo, never leaves."""
        if not self.is_open:
            self._before.clear()
            self.is_open = True

    def shut(self) -> None:
        """Shut, and remember nothing from before."""
        self.is_open = False
        self._before.clear()
