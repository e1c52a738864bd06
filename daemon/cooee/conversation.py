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
from cooee.calls import Calls
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.gate import Gate
from cooee.lease import Lease
from cooee.outage import Outage
from cooee.patience import Patience
from cooee.reply import Reply
from cooee.settings import Conversation as Settings

AWAKE = (Phase.LISTENING, Phase.THINKING, Phase.SPEAKING)


class Conversation:
    """Pure: `handle(event, now)` returns effects, `now` in seconds of any monotonic clock. Never raises."""

    def __init__(
        self, settings: Settings, bytes_per_s: int = 48_000, *, keep_s: float | None, harmless: frozenset[str]
    ) -> None:
        """`bytes_per_s` of the agent's speech; `keep_s`: see Lease; `harmless`: see Calls."""
        self.phase = Phase.ASLEEP
        self.turn = 0
        self._settings = settings
        self._lease = Lease(keep_s)
        self._gate = Gate(settings.preroll_s)
        self._reply = Reply(bytes_per_s)
        self._calls = Calls(harmless)
        self._patience = Patience(settings)
        self._outage = Outage()
        self._is_leaving = self._is_broken = False
        self._out: list[Effect] = []

    @property
    def is_listening(self) -> bool:
        """Whether frames go to the agent, be it silence while it speaks itself."""
        return self._gate.is_listening

    @property
    def is_telling(self) -> bool:
        return self._reply.is_telling

    def change(self, settings: Settings, *, keep_s: float | None, harmless: frozenset[str]) -> None:
        """Go by these settings from now on; the turn under way is not disturbed."""
        self._settings = self._patience.settings = settings
        self._lease.change(keep_s)
        self._gate.change(settings.preroll_s)
        self._calls.harmless = harmless

    def handle(self, event: Event, now: float) -> list[Effect]:
        self._out = []
        before = (self.phase, self._outage.fault, self._outage.trouble)
        self._outage.take(event)
        self._take(event, now)
        self._watch_the_clock(now)
        looks = (self.phase, self._outage.fault, self._outage.trouble)
        if looks != before:
            self._do(do.Show(*looks, self.turn))
        return self._out

    def _take(self, event: Event, now: float) -> None:  # noqa: C901 (one match, one place to read)
        match event:
            case on.Heard():
                self._hear(event, now)
            case on.Summoned():
                self._wake(now)
            case on.Released() if self.phase is Phase.LISTENING:
                self._do(do.EndTurn(self.turn))
            case on.Dismissed() if self.phase is Phase.SPEAKING or self._calls:
                self._is_leaving = True
            case on.Dismissed() if self.phase in AWAKE:
                self._sleep(now)
            case on.Muted():
                self._mute(now)
            case on.Unmuted() if self.phase is Phase.MUTED:
                self.phase = Phase.ASLEEP
                self._do(do.Capture(True))
            case on.SettingsApplied():
                self._line_is_up(now)
            case on.SessionDown():
                self._line_is_down(event, now)
            case on.UserStarted() if self.is_listening:
                self._user_started(now)
            case on.UserText() if self.phase in AWAKE:
                self._reply.is_stale = False
                if self.phase is Phase.LISTENING:
                    self._think(now)
                self._do(*self._calls.confirm(event.text, now))
            case on.NothingSaid() if self.phase is Phase.LISTENING:
                self._patience.nothing_said(now)
            case on.AgentThought() if self.phase is Phase.LISTENING and not self._reply.is_stale:
                self._think(now)
            case on.Warned("SLOW_THINK_REQUEST") if self.phase is Phase.THINKING and not self.is_telling:
                self._do(*self._reply.tell(self.turn, "moment", is_preface=True))
            case on.AgentSpeech() if not self._is_unwelcome(now):
                self._agent_speaks(event.pcm, now)
            case on.AgentDone():
                self._agent_is_done(now)
            case on.Asked() if self.phase not in AWAKE or self._reply.is_stale:
                self._do(*self._calls.refuse(event, self.turn))
            case on.Asked():
                self._do(*self._calls.ask(event, self.turn, now))
                if self.phase is Phase.LISTENING and self._calls.is_confirmed:
                    self._think(now)
            case on.Withdrawn():
                self._do(*self._calls.withdraw(event))
            case on.Acted():
                self._do(*self._calls.acted(event, self.turn))
                if self.phase is Phase.THINKING:
                    self._patience.think(now)
            case on.Spoken() if event.turn == self.turn:
                self._reply.is_telling = False
                if self.phase is Phase.SPEAKING:
                    self._reply_sounded(now)
            case on.Forgotten():
                self._do(do.Forget())
            case on.PersonaChosen():
                self._do(do.Become(event.name))

    def _hear(self, event: on.Heard, now: float) -> None:
        if self.phase is Phase.MUTED:
            return
        self._gate.pause() if self._is_half_duplex(now) else self._gate.resume()
        self._do(*(do.Send(self.turn, frame) for frame in self._gate.push(event.frame)))
        if event.wake is not None:
            self._wake(now, event.wake)

    def _is_half_duplex(self, now: float) -> bool:
        """The agent gets silence while it speaks, and while the room still does, or it would hear itself."""
        echoes = self.phase is Phase.SPEAKING or self._patience.is_echoing(now)
        return echoes and self._settings.barge_in != "voice"

    def _wake(self, now: float, word: str = "") -> None:
        is_deaf = self.phase is Phase.SPEAKING and self._settings.barge_in == "off"
        if self.phase is Phase.LISTENING:
            self._patience.begin_anew(now)
        if is_deaf or self.phase in (Phase.MUTED, Phase.LISTENING):
            return
        self._hush()
        if self.phase is Phase.THINKING:
            self._reply.is_stale = True
        self._listen(now, is_new=True)
        if not self._lease.is_up:
            self._do(do.Connect())
        self._do(do.OpenUplink(self.turn, word), *(do.Send(self.turn, frame) for frame in self._gate.open()))

    def _listen(self, now: float, *, is_new: bool = False) -> None:
        self.turn += 1
        self.phase = Phase.LISTENING
        self._is_leaving = self._is_broken = False
        self._reply.is_complete = False
        self._lease.use()
        self._do(*self._calls.begin(is_new=is_new))
        self._patience.listen(now, is_up=self._lease.is_up)

    def _hush(self) -> None:
        self._do(*self._reply.hush(self.turn, is_speaking=self.phase is Phase.SPEAKING))

    def _mute(self, now: float) -> None:
        if self.phase is Phase.MUTED:
            return
        self._hush()
        self._sleep(now)
        self.phase = Phase.MUTED
        self._do(do.Capture(False))

    def _line_is_up(self, now: float) -> None:
        self._lease.is_up = True
        if self.phase is Phase.OFFLINE:
            self.phase = Phase.ASLEEP
        elif self.phase is Phase.LISTENING:
            self._patience.expect_words(now)
        elif self.phase is Phase.THINKING:
            self._think(now)
        if self.phase not in AWAKE:
            self._lease.rest(now)

    def _line_is_down(self, event: on.SessionDown, now: float) -> None:
        was_up, self._lease.is_up = self._lease.is_up, False
        self._calls.lose_the_line()
        if self.phase is Phase.SPEAKING:
            self._do(*(self._calls.recover(self.turn) or ()))
            self._agent_is_done(now)
        elif self.phase in AWAKE and event.is_final:
            self._give_up(self._outage.sentence(was_heard=False), now)
        elif was_up and self.phase in (Phase.LISTENING, Phase.THINKING):
            self._recover(now)
        elif self.phase is Phase.ASLEEP and event.trouble:
            self.phase = Phase.OFFLINE

    def _recover(self, now: float) -> None:
        """The line broke in the user's turn. What is not understood yet the session sends again by itself."""
        self._is_broken = True
        self._patience.reconnect(now)
        if self.phase is Phase.LISTENING or (told := self._calls.recover(self.turn)) is None:
            self.phase = Phase.LISTENING
        else:
            self._do(*told)

    def _user_started(self, now: float) -> None:
        self._hush()
        if self.phase is not Phase.LISTENING:
            self._listen(now)
        self._calls.go_on()
        self._reply.is_stale = False
        self._patience.hear_out(now)

    def _think(self, now: float) -> None:
        self.phase = Phase.THINKING
        self._patience.think(now)

    def _is_unwelcome(self, now: float) -> bool:
        unasked = self.phase not in AWAKE and not self._settings.speak_unasked
        return unasked or self._reply.is_stale or self._reply.is_full(now) or self.phase is Phase.MUTED

    def _agent_speaks(self, pcm: bytes, now: float) -> None:
        self._calls.replied()
        self.turn += self.phase not in AWAKE
        if self.phase is not Phase.SPEAKING:
            self._do(*self._reply.preface(self.turn, self._outage.preface(), now))
        self.phase = Phase.SPEAKING
        self.turn += self._reply.add(len(pcm), now)
        self._patience.sound(self._reply.overdue_at)
        self._do(do.Play(self.turn, pcm))

    def _agent_is_done(self, now: float) -> None:
        if self.phase is Phase.SPEAKING and not self._reply.is_stale:
            self._do(*self._reply.finish(self.turn, now))
            self._patience.sound(self._reply.overdue_at)
        self._reply.is_stale = False

    def _reply_sounded(self, now: float) -> None:
        if self._calls:
            self._think(now)
        elif self._is_leaving or not self._lease.is_up or self._settings.follow_up_s == 0 or not self.is_listening:
            self._sleep(now)
        else:
            self._listen(now)
            self._patience.follow_up(now)

    def _watch_the_clock(self, now: float) -> None:
        self._do(*self._calls.tick(now, self.turn, self._settings.filler, self._settings.filler_after_s))
        if self._lease.has_run_out(now):
            self._do(do.Disconnect("idle"))
        if not self._patience.is_over(now):
            return
        if self.phase is Phase.SPEAKING:
            self._reply_sounded(now) if self._reply.is_complete else self._agent_is_done(now)
        elif self.phase in (Phase.LISTENING, Phase.THINKING) and not self._lease.is_up:
            self._give_up(self._outage.sentence(was_heard=self._is_broken), now)
        elif self.phase is Phase.THINKING and not self._is_leaving:
            self._give_up("no_answer", now)
        else:
            self._sleep(now)

    def _give_up(self, clip: str, now: float) -> None:
        """Say once, in our own recorded voice, what is wrong; then rest."""
        self._hush()
        self._sleep(now)
        if clip != "no_answer":
            self.phase = Phase.OFFLINE
            if not self._lease.is_endless or (self._outage.trouble and self._outage.trouble.is_hopeless):
                self._do(do.Disconnect(clip))
        self.turn += 1
        self._do(*self._reply.tell(self.turn, clip))

    def _sleep(self, now: float) -> None:
        is_owed = self.phase is Phase.THINKING
        if is_owed:
            self._hush()
        if self._gate.is_listening:
            self._do(do.ShutUplink())
        self._gate.shut()
        self.phase = Phase.ASLEEP
        self._lease.rest(now)
        self._do(*self._calls.drop())
        self._patience.rest()
        self._is_leaving = False
        self._reply.forget(is_owed=is_owed)

    def _do(self, *effects: Effect) -> None:
        self._out.extend(effects)
