"""When to listen, speak and sleep. Everything that changes what the speaker does next is decided here.

           wake word, button                     user's words confirmed
   ASLEEP ───────────────────► LISTENING ──────────────────────────────► THINKING
     ▲ ▲                        ▲  │  ▲                                      │
     │ │      no speech, limit  │  │  │ wake word or voice (barge-in)        │ first piece of reply
     │ └────────────────────────┼──┘  │                                      ▼
     │                          │     └───────────────────────────────── SPEAKING
     │                          │    last sample has sounded, follow-up      │
     │                          └────────────────────────────────────────────┤
     └───────────────────────────────────────────────────────────────────────┘ no follow-up
   OFFLINE is ASLEEP with the agent known to be out of reach; the wake word tries again.
   MUTED is entered from anywhere and left to ASLEEP; the microphone is closed.

The microphone is the clock: each frame, or `Ticked` where none come, looks whether a deadline has passed.
"""

from cooee import effects as do
from cooee import events as on
from cooee.announcements import Announcements
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.floor import AWAKE as AWAKE
from cooee.floor import Floor
from cooee.outage import Outage
from cooee.rescue import Rescue
from cooee.settings import Conversation as Settings


class Conversation:
    """Pure: `handle(event, now)` returns effects, `now` in seconds of any monotonic clock. Never raises."""

    def __init__(
        self, settings: Settings, bytes_per_s: int = 48_000, *, keep_s: float | None, harmless: frozenset[str]
    ) -> None:
        """`bytes_per_s` of the agent's speech; `keep_s`: see Lease; `harmless`: see Calls."""
        self._floor = Floor(settings, bytes_per_s, keep_s, harmless)
        self._outage = Outage()
        self._rescue = Rescue(self._floor, self._outage)
        self._announcements = Announcements()

    @property
    def phase(self) -> Phase:
        return self._floor.phase

    @property
    def turn(self) -> int:
        return self._floor.turn

    @property
    def is_listening(self) -> bool:
        """Whether frames go to the agent, be it silence while it speaks itself."""
        return self._floor.gate.is_listening

    @property
    def is_telling(self) -> bool:
        """Whether our own voice sounds."""
        return self._floor.reply.is_telling

    def change(self, settings: Settings, *, keep_s: float | None, harmless: frozenset[str]) -> None:
        """Go by these settings from now on; the turn under way is not disturbed.

        A yes may have been meant for something that has another name by now.
        """
        self._floor.calls.consent.drop()
        self._floor.change(settings, keep_s, harmless)

    def handle(self, event: Event, now: float) -> list[Effect]:
        self._floor.out = []
        before = (self.phase, self._outage.fault, self._outage.trouble)
        self._outage.take(event, now)
        self._floor.calls.consent.take(event, self.turn, now)
        self._take(event, now)
        self._watch_the_clock(now)
        self._announce(event, now)
        self._let_go(now)
        looks = (self.phase, self._outage.fault, self._outage.trouble)
        if looks != before:
            self._do(do.Show(*looks, self.turn))
        return self._floor.out

    def _take(self, event: Event, now: float) -> None:
        match event:
            case on.SettingsApplied():
                self._rescue.line_is_up(now)
            case on.SessionDown():
                self._rescue.line_is_down(event, now)
            case on.UserStarted() | on.UserText() | on.NothingSaid() | on.AgentThought() | on.Warned():
                self._follow_the_user(event, now)
            case on.AgentText() | on.AgentSpeech() | on.AgentDone() | on.Spoken() | on.Unsayable():
                self._follow_the_reply(event, now)
            case on.Asked() | on.Withdrawn() | on.Triggered() | on.Acted() | on.Doubted():
                self._follow_the_calls(event, now)
            case on.Muted() | on.Unmuted() | on.MuteToggled():
                self._mute(event, now)
            case _:
                self._heed(event, now)

    def _heed(self, event: Event, now: float) -> None:
        """Who is in the room."""
        floor = self._floor
        match event:
            case on.Heard() if self.phase is not Phase.MUTED:
                floor.hear(event.frame, now)
                if event.wake is not None:
                    self._wake(now, event.wake)
            case on.Summoned():
                self._wake(now)
            case on.Released() if self.phase is Phase.LISTENING:
                floor.is_released = True
                self._do(do.EndTurn(self.turn))
            case on.Dismissed() if self.phase is Phase.SPEAKING or floor.calls:
                floor.is_leaving = True
            case on.Dismissed() if floor.is_awake:
                floor.sleep(now)
            case on.Stopped():
                floor.stop(now)
            case on.LoudnessWanted():
                self._do(do.Louden(event.step_percent))
            case on.Forgotten():
                self._do(do.Forget())
            case on.PersonaChosen():
                self._do(do.Become(event.name))

    def _mute(self, event: on.Muted | on.Unmuted | on.MuteToggled, now: float) -> None:
        match event:
            case on.Muted():
                self._floor.mute(now, is_switch=event.is_switch)
            case on.Unmuted():
                self._floor.unmute(is_switch=event.is_switch)
            case on.MuteToggled() if self.phase is Phase.MUTED:
                self._floor.unmute()
            case on.MuteToggled():
                self._floor.mute(now)

    def _follow_the_user(self, event: Event, now: float) -> None:
        """What the agent hears, and makes of it."""
        floor, reply = self._floor, self._floor.reply
        match event:
            case on.UserStarted() if self.is_listening:
                floor.hear_out(now)
            case on.UserText() if self._announcements.is_asked:
                self._do(*self._announcements.answer(event.text))
                floor.sleep(now)
                reply.is_stale = True
            case on.UserText() if floor.is_awake:
                reply.is_stale = floor.is_users = False
                if self.phase is Phase.LISTENING:
                    floor.think(now)
                self._do(*floor.calls.confirm(event.text, self.turn, now))
            case on.NothingSaid() if self.phase is Phase.LISTENING:
                floor.patience.nothing_said(now)
            case on.AgentThought() if self.phase is Phase.LISTENING and not reply.is_stale:
                floor.think(now)
            case on.Warned("SLOW_THINK_REQUEST") if self.phase is Phase.THINKING and not self.is_telling:
                floor.tell("moment", is_preface=True)

    def _follow_the_reply(self, event: Event, now: float) -> None:
        """What the agent says, and what has sounded."""
        floor = self._floor
        match event:
            case on.AgentText():
                floor.calls.worded(event.text, floor.settings.filler)
            case on.AgentSpeech() if self._is_welcome(now):
                clips = [] if self.phase is Phase.SPEAKING else self._outage.preface(now)
                floor.speak(event.pcm, clips, now)
            case on.AgentDone():
                floor.finish(now)
            case on.Spoken() | on.Unsayable() if event.turn == self.turn:
                floor.reply.is_telling = False
                if self.phase is Phase.SPEAKING:
                    floor.pass_on(now)

    def _follow_the_calls(self, event: Event, now: float) -> None:
        """What the agent wants done, and what became of it."""
        floor, calls = self._floor, self._floor.calls
        match event:
            case on.Asked() if not floor.is_awake or floor.reply.is_stale:
                self._do(*calls.refuse(event, self.turn))
            case on.Asked():
                self._do(*calls.ask(event, self.turn, now))
                if self.phase is Phase.LISTENING and calls.is_confirmed:
                    floor.think(now)
            case on.Withdrawn():
                self._do(*calls.withdraw(event))
            case on.Triggered():
                self._do(do.Act(self.turn, event.call))
            case on.Acted() | on.Doubted():
                self._do(*calls.acted(event, self.turn))
                if self.phase is Phase.THINKING:
                    floor.patience.think(now)

    def _wake(self, now: float, word: str = "") -> None:
        floor = self._floor
        is_deaf = self.phase is Phase.SPEAKING and floor.settings.barge_in == "off"
        if self.phase is Phase.LISTENING:
            floor.patience.begin_anew(now)
        if is_deaf or self.phase in (Phase.MUTED, Phase.LISTENING):
            return
        floor.hush()
        if self.phase is Phase.THINKING or self._announcements.is_awaited:
            floor.reply.is_stale = True
        floor.listen(now, is_new=True)
        if not floor.lease.is_up:
            self._do(do.Connect())
        self._do(do.OpenUplink(self.turn, word), *(do.Send(self.turn, frame) for frame in floor.gate.open()))

    def _announce(self, event: Event, now: float) -> None:
        """Say what others want said as soon as nothing else is, by the agent if it has a line; then hear the answer."""
        floor, queue, is_quiet = self._floor, self._announcements, self._floor.is_quiet
        self._do(*queue.follow(event, self.phase, now, is_telling=self.is_telling))
        if queue.is_asked and is_quiet:
            floor.gate.shut()
            self._wake(now)
            floor.patience.expect_echo(now)
        if wanted := queue.due(now, is_quiet=is_quiet):
            floor.stop(now)
            has_line = is_quiet and floor.lease.is_up and self.phase is Phase.ASLEEP
            is_by_agent = has_line and not wanted.is_own_voice and not floor.reply.is_stale
            self._do(*queue.begin(self.turn + 1, now, is_by_agent=is_by_agent))
            floor.reply.is_telling = not is_by_agent
            floor.turn += not is_by_agent

    def _is_welcome(self, now: float) -> bool:
        """Whether the agent may speak now."""
        floor = self._floor
        is_expected = floor.is_awake or floor.settings.speak_unasked or self._announcements.is_awaited
        # A greeting must not talk over a command that came in one breath with the wake word.
        is_rude = self.phase is Phase.LISTENING and floor.is_users
        is_heard = not floor.reply.is_stale and not floor.reply.is_full(now) and not is_rude
        return is_expected and is_heard and self.phase is not Phase.MUTED

    def _let_go(self, now: float) -> None:
        """Of a line whose time is over, but not while the agent says on it what others want said."""
        floor = self._floor
        if floor.is_awake or self._announcements.is_awaited:
            return
        if floor.lease.has_run_out(now, is_muted=self.phase is Phase.MUTED):
            self._do(do.Disconnect("idle"))

    def _watch_the_clock(self, now: float) -> None:
        floor, settings = self._floor, self._floor.settings
        self._do(*floor.calls.tick(now, self.turn, settings.filler, settings.filler_after_s))
        if not floor.patience.is_over(now):
            return
        if self.phase is Phase.SPEAKING:
            floor.pass_on(now) if floor.reply.is_complete else floor.finish(now)
        elif (floor.is_awake and not floor.lease.is_up) or (self.phase is Phase.THINKING and not floor.is_leaving):
            self._rescue.no_answer(now)
        else:
            floor.sleep(now)

    def _do(self, *effects: Effect) -> None:
        self._floor.do(*effects)
