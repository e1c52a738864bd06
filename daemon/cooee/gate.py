"""What lets audio out of the house: shut, it only remembers the moment before; open, it lets every frame through."""

from collections import deque

FRAME_S = 0.08


class Gate:
    """Pure. Frames are opaque; as many as make `preroll_s` are remembered while shut or paused."""

    def __init__(self, preroll_s: float) -> None:
        self.is_open = self.is_paused = False
        self._before: deque[bytes] = deque(maxlen=_frames(preroll_s))

    @property
    def is_listening(self) -> bool:
        """Whether something leaves, be it silence."""
        return self.is_open or self.is_paused

    def change(self, preroll_s: float) -> None:
        self._before = deque(self._before, maxlen=_frames(preroll_s))

    def push(self, frame: bytes) -> list[bytes]:
        """Take a frame from the microphone; returns what may leave now: silence while it is paused."""
        if self.is_open:
            return [frame]
        self._before.append(frame)
        return [bytes(len(frame))] if self.is_paused else []

    def open(self) -> list[bytes]:
        """Open; returns the moment before, oldest first, including the last frame pushed. Nothing if open already."""
        self.is_open, self.is_paused = True, False
        before = list(self._before)
        self._before.clear()
        return before

    def pause(self) -> None:
        """Let only silence through for a while, but remember what a barge-in would need. Nothing if it is shut."""
        if self.is_open:
            self.is_open, self.is_paused = False, True

    def resume(self) -> None:
        """Let through what comes from now on; what was remembered in the pause, such as our own echo, never leaves."""
        if self.is_paused:
            self._before.clear()
            self.is_open, self.is_paused = True, False

    def shut(self) -> None:
        """Shut, and remember nothing from before."""
        self.is_open = self.is_paused = False
        self._before.clear()


def _frames(seconds: float) -> int:
    return max(1, round(seconds / FRAME_S))
