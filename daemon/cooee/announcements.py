"""What others than the agent want said: in which order, when, by whom, and what became of it."""

from dataclasses import dataclass, replace
from enum import Enum

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Outcome, Phase
from cooee.events import Event

MOST = 32
"""So many wait at most."""
AWAIT_S = 6.0
"""The agent begins to speak within so long, or our own voice does."""
RETRY_S = 1.0
REFUSALS = 3
"""An agent that refuses so often is not asked any more."""


class _Stage(Enum):
    AWAITED = "the agent was asked to say it"
    SOUNDING = "it is being said"
    ASKED = "it was said; the user's next words are wanted"


@dataclass(frozen=True, slots=True)
class _Current:
    wanted: on.SayWanted
    turn: int
    stage: _Stage
    is_by_agent: bool
    since: float
    """When it was wanted."""
    began: float
    is_complete: bool = False
    """The agent has sent all of it."""


class Announcements:
    """Pure. One is under way at a time. `follow` is told of every event, after what it did.

    Urgent ones come first, else the order is kept. One that nobody has heard anything of is tried again.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[on.SayWanted, float]] = []
        self._current: _Current | None = None
        self._not_before = 0.0
        self._refusals = 0
        self._owed_until = 0.0

    @property
    def is_awaited(self) -> bool:
        """The agent was asked to say one, and has not begun."""
        return self._is(_Stage.AWAITED)

    @property
    def is_asked(self) -> bool:
        """The user's next words are an answer, and not for the agent."""
        return self._is(_Stage.ASKED)

    def due(self, now: float, *, is_quiet: bool) -> on.SayWanted | None:
        """Which one is to be begun now; if it is urgent, whatever else is being said is to be stopped first."""
        if not self._waiting or now < self._not_before:
            return None
        wanted, _ = self._waiting[0]
        if now < self._owed_until:
            wanted = replace(wanted, is_own_voice=True)
        may_cut = wanted.is_urgent and not self.is_awaited and not (self._current and self._current.wanted.is_urgent)
        return wanted if may_cut or (is_quiet and self._current is None) else None

    def begin(self, turn: int, now: float, *, is_by_agent: bool) -> list[Effect]:
        """The one that is due; `turn` is the one in which it will sound."""
        effects = self._end(Outcome.CUT) if self._current else []
        wanted, since = self._waiting.pop(0)
        stage = _Stage.AWAITED if is_by_agent else _Stage.SOUNDING
        self._current = _Current(wanted, turn, stage, is_by_agent, since, now)
        return [*effects, do.Say(turn, wanted.text) if is_by_agent else do.Announce(turn, wanted.text)]

    def follow(self, event: Event, phase: Phase, now: float, *, is_telling: bool) -> list[Effect]:
        """`phase` and `is_telling` (our own voice sounds) are as the event has left them."""
        match event:
            case on.SayWanted():
                effects = self._add(event, now)
            case on.SayUnwanted():
                effects = self._forget(event.id)
            case on.Stopped():
                effects = self._clear(now)
            case _:
                effects = self._go_on(event, phase, now, is_telling)
        late = [wanted for wanted, since in self._waiting if now - since > wanted.patience_s]
        muted = [wanted for wanted, _ in self._waiting if wanted.wants_answer and phase is Phase.MUTED]
        effects += [do.Report(wanted.id, Outcome.LATE) for wanted in late]
        effects += [do.Report(wanted.id, Outcome.MUTED) for wanted in muted if wanted not in late]
        self._waiting = [each for each in self._waiting if each[0] not in (*late, *muted)]
        return effects

    def answer(self, text: str) -> list[Effect]:
        """What the user said to the one that asked."""
        return self._end(Outcome.ANSWERED, text)

    def _is(self, stage: _Stage) -> bool:
        return self._current is not None and self._current.stage is stage

    def _add(self, wanted: on.SayWanted, now: float) -> list[Effect]:
        if len(self._waiting) >= MOST:
            return [do.Report(wanted.id, Outcome.FULL)]
        self._waiting.insert(self._urgent() if wanted.is_urgent else len(self._waiting), (wanted, now))
        return []

    def _forget(self, id_: str) -> list[Effect]:
        """Nobody waits for it any more. What is being said is said to its end, but never again, and asks nothing.

        If it was asked already, the user's next words are no others' all the same.
        """
        self._waiting = [each for each in self._waiting if each[0].id != id_]
        if self._current and self._current.wanted.id == id_ and self._current.stage is not _Stage.ASKED:
            wanted = replace(self._current.wanted, wants_answer=False, patience_s=0.0)
            self._current = replace(self._current, wanted=wanted)
        return []

    def _clear(self, now: float) -> list[Effect]:
        """The user wants quiet, also of what still waits."""
        if self.is_awaited:
            self._owe(now)
        waiting, self._waiting = self._waiting, []
        effects = self._end(Outcome.STOPPED) if self._current else []
        return [*effects, *(do.Report(wanted.id, Outcome.STOPPED) for wanted, _ in waiting)]

    def _go_on(self, event: Event, phase: Phase, now: float, is_telling: bool) -> list[Effect]:
        match self._current:
            case _Current(stage=_Stage.AWAITED):
                self._await(event, phase, now)
            case _Current(stage=_Stage.SOUNDING):
                return self._sound(event, phase, is_telling)
            case _Current(stage=_Stage.ASKED) if phase is Phase.MUTED:
                return self._end(Outcome.MUTED)
            case _Current(stage=_Stage.ASKED) if phase not in (Phase.LISTENING, Phase.THINKING, Phase.SPEAKING):
                return self._end(Outcome.UNANSWERED)
        return []

    def _owe(self, now: float) -> None:
        """The agent may still say what it was asked to; until then what it says would be taken for the next one."""
        self._owed_until = now + AWAIT_S

    def _urgent(self) -> int:
        """How many of those that wait are; they are the first."""
        return sum(each.is_urgent for each, _ in self._waiting)

    def _await(self, event: Event, phase: Phase, now: float) -> None:
        assert self._current
        is_silent = now - self._current.began > AWAIT_S
        if phase is Phase.SPEAKING:
            self._current = replace(self._current, stage=_Stage.SOUNDING)
            self._refusals = 0
        elif is_silent or phase is not Phase.ASLEEP or isinstance(event, on.InjectionRefused | on.SessionDown):
            self._refusals += isinstance(event, on.InjectionRefused)
            if not isinstance(event, on.InjectionRefused | on.SessionDown):
                self._owe(now)
            wanted = replace(self._current.wanted, is_own_voice=is_silent or self._refusals >= REFUSALS)
            self._not_before = now + RETRY_S if isinstance(event, on.InjectionRefused) else now
            self._waiting.insert(self._urgent() * (not wanted.is_urgent), (wanted, self._current.since))
            self._current = None

    def _sound(self, event: Event, phase: Phase, is_telling: bool) -> list[Effect]:
        assert self._current
        match event:
            case on.Unsayable(turn=self._current.turn):
                return self._end(Outcome.FAILED, event.reason)
            case on.Spoken(turn=self._current.turn):
                return self._said(phase)
            case on.AgentDone() if self._current.is_by_agent:
                self._current = replace(self._current, is_complete=True)
            case on.SessionDown() if self._current.is_by_agent and event.trouble and not self._current.is_complete:
                return self._end(Outcome.CUT)
        if phase is Phase.SPEAKING if self._current.is_by_agent else is_telling:
            return []
        # The agent's may end without a word about it; silence is no cut.
        is_over = self._current.is_by_agent and phase is Phase.ASLEEP
        return self._said(phase) if is_over else self._end(Outcome.CUT)

    def _said(self, phase: Phase) -> list[Effect]:
        assert self._current
        if not self._current.wanted.wants_answer:
            return self._end(Outcome.SAID)
        self._current = replace(self._current, stage=_Stage.ASKED)
        return []

    def _end(self, outcome: Outcome, text: str = "") -> list[Effect]:
        assert self._current
        ended, self._current = self._current, None
        return [do.Report(ended.wanted.id, outcome, text)]
