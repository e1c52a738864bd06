"""How long each phase waits, and for what: the deadlines of the conversation."""

from cooee.settings import Conversation as Settings


class Patience:
    """Pure. One deadline at a time; `now` in seconds of any monotonic clock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._deadline: float | None = None
        self._turn_until = 0.0
        self._quiet_until = 0.0

    def is_over(self, now: float) -> bool:
        return self._deadline is not None and now >= self._deadline

    def is_echoing(self, now: float) -> bool:
        """Whether the room still sounds of our own reply."""
        return now < self._quiet_until

    def rest(self) -> None:
        """Nothing is waited for."""
        self._deadline = None

    def listen(self, now: float, *, is_up: bool) -> None:
        """For the first word, or first for a line on which it can be heard."""
        limits = self.settings
        self._quiet_until = 0.0
        self._turn_until = now + limits.connect_timeout_s + limits.no_speech_timeout_s
        self._deadline = now + (limits.no_speech_timeout_s if is_up else limits.connect_timeout_s)

    def expect_echo(self, now: float) -> None:
        """We have just asked something ourselves."""
        self._quiet_until = now + self.settings.room_tail_s

    def follow_up(self, now: float, seconds: float) -> None:
        """For what the user may say after a reply."""
        self.expect_echo(now)
        self._deadline = self._quiet_until + seconds

    def begin_anew(self, now: float) -> None:
        """For the first word once more."""
        self._deadline = max(self._deadline or now, now + self.settings.no_speech_timeout_s)

    def expect_words(self, now: float) -> None:
        """The line is up. One that comes and goes does not keep the user waiting for ever."""
        self._deadline = min(now + self.settings.no_speech_timeout_s, self._turn_until)

    def nothing_said(self, now: float) -> None:
        self._deadline = now + self.settings.no_speech_timeout_s

    def hear_out(self, now: float) -> None:
        """For the end of what the user says."""
        self._deadline = self._turn_until = now + self.settings.utterance_limit_s

    def think(self, now: float) -> None:
        """For the answer."""
        self._deadline = now + self.settings.thinking_timeout_s
        self._turn_until = max(self._turn_until, self._deadline)

    def reconnect(self, now: float) -> None:
        """For a new line, in the user's turn."""
        self._deadline = min(now + self.settings.connect_timeout_s, max(now, self._turn_until))

    def sound(self, until: float) -> None:
        """For the last sample of a reply."""
        self._deadline = until
