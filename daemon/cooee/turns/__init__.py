"""How long each turn took, and where the time went: for the journal, and kept for `cooee turns`."""

import logging
from collections.abc import Callable
from datetime import datetime

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.turns._under_way import UnderWay, name_of
from cooee.turns.turn import Began, Ran, Turn

__all__ = ["Ran", "Turn", "Turns"]

_log = logging.getLogger("cooee.turns")  # `log` is a module here

RESTING = (Phase.ASLEEP, Phase.OFFLINE, Phase.MUTED)


def _wall_clock() -> datetime:
    return datetime.now().astimezone()


class Turns:
    """Watches every event and effect; logs each turn when it is over, and gives it to `keep`, which must not raise.

    A turn begins with the wake word or button, or with words after or into a reply. A time to go on that nobody used is
    no turn, nor is what the speaker says by itself. The user's speech ends with the last 20 ms of the microphone's
    frames before the agent's confirmation (`UserText`) that stand out of the room, as `Speech` tells: so it is the same
    for every agent. A frame is timed when the loop got it; the microphone's own delay is not in it.
    """

    def __init__(self, keep: Callable[[Turn], None], wall_clock: Callable[[], datetime] = _wall_clock) -> None:
        self._keep = keep
        self._wall_clock = wall_clock
        self._turn: UnderWay | None = None
        self._number = 0
        self._line = ("", False)
        self._is_up = False

    def watch(self, now: float, item: Event | Effect) -> None:
        """Take an event or an effect at the loop's time `now`."""
        self._follow_line(item)
        self._begin(now, item)
        if self._turn:
            self._turn.take(now, item)
        self._wait_for_end(item)

    def _follow_line(self, item: Event | Effect) -> None:
        match item:
            case on.SessionUp():
                self._line, self._is_up = (name_of(item.request_id), item.is_fallback), True
                if self._turn:
                    self._turn.use_line(*self._line)
            case on.SessionDown():
                if self._turn and item.trouble:
                    self._turn.lose_line(item.trouble, was_up=self._is_up)
                self._is_up = False
                self._line = ("", False)

    def _begin(self, now: float, item: Event | Effect) -> None:
        turn = self._turn
        is_unused = turn is not None and turn.began == "follow_up" and not turn.is_understood
        match item:
            case do.OpenUplink():
                self._open(item.turn, "wake" if item.word else "button", now)
            case do.Send() | do.Show(phase=Phase.LISTENING) if item.turn > self._number:
                self._open(item.turn, "barge_in" if turn and turn.was_hushed else "follow_up", now)
            case do.Play() | do.Tell() if item.turn > self._number:
                self._number = item.turn
                if turn:
                    turn.last = item.turn
            case on.Heard(wake=str()) | on.Summoned() if turn and is_unused:
                # The speaker listens anyway, so it goes on in the same turn.
                turn.began, turn.began_s = "wake" if isinstance(item, on.Heard) else "button", now
                turn.started = self._now()
            case on.UserStarted() if turn and is_unused:
                turn.started = self._now()

    def _open(self, number: int, began: Began, now: float) -> None:
        if self._turn:
            self._turn.was_dismissed = True
            self._end(self._turn)
        self._number = number
        self._turn = UnderWay(number, began, now, self._now())
        self._turn.use_line(*self._line)

    def _wait_for_end(self, item: Event | Effect) -> None:
        match item:
            case on.Dismissed() | on.Muted() if self._turn:
                self._turn.was_dismissed = True
            case do.Show() if self._turn and item.phase in RESTING:
                self._end(self._turn)

    def _end(self, turn: UnderWay) -> None:
        self._turn = None
        made = turn.end()
        if made.began == "follow_up" and not turn.is_understood and made.ended in ("no_speech", "dismissed"):
            return
        _log.info("%s", made)
        self._keep(made)

    def _now(self) -> str:
        return self._wall_clock().isoformat(timespec="seconds")
