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

The microphone is the clock: a frame comes 12.5 times a second, so `handle` itself looks whether the deadline has
passed; `Ticked` does the same while no frames come.
"""

from cooee import effects as do
from cooee import events as on
from cooee.calls import Calls
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.gate import Gate
from cooee.lease import Lease
from cooee.reply import GAP_S, Reply
from cooee.settings import Conversation as Settings

FRAME_S = 0.08
AWAKE = (Phase.LISTENING, Phase.THINKING, Phase.SPEAKING)


class Conversation:
    """Pure: `handle(event, now)` returns effects, `now` in seconds of any monotonic clock. Never raises."""

    def __init__(self, settings: Settings, *, bytes_per_s: int = 48_000, keep_s: float | None = 600.0) -> None:
        """`bytes_per_s` of the agent's speech; the line is let go `keep_s` after the last turn, None means never."""
        self.phase = Phase.ASLEEP
        self.turn = 0
        self.is_listening = False
        """Whether frames go to the agent, be it silence while it speaks itself."""
        self._settings = settings
        self._lease = Lease(keep_s)
        self._gate = Gate(max(1, round(settings.preroll_s / FRAME_S)))
        self._reply = Reply(bytes_per_s)
        self._deadline: float | None = None
        self._turn_until = 0.0
        self._quiet_until = 0.0
        self._is_leaving = False
        self.is_telling = False
        self._calls = Calls()
        self._faults: dict[str, str] = {}
        self._out: list[Effect] = []

    @property
    def fault(self) -> str:
        return " ".join(self._faults.values())

    def handle(self, event: Event, now: float) -> list[Effect]:
        self._out = []
        before = (self.phase, self.fault)
        self._take(event, now)
        self._watch_the_clock(now)
        if (self.phase, self.fault) != before:
            self._do(do.Show(self.phase, self.fault))
        return self._out

    def _take(self, event: Event, now: float) -> None:  # noqa: C901 (one match, one place to read)
        match event:
            case on.Heard():
                self._hear(event, now)
            case on.Summoned():
                self._wake(now)
            case on.Dismissed():
                self._dismiss(now)
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
            case on.NothingSaid() if self.phase is Phase.LISTENING:
                self._deadline = now + self._settings.no_speech_timeout_s
            case on.AgentThought() if self.phase is Phase.LISTENING and not self._reply.is_stale:
                self._think(now)
            case on.AgentSpeech():
                self._agent_speaks(event.pcm, now)
            case on.AgentDone():
                self._agent_is_done(now)
            case on.Asked():
                self._asked(event, now)
            case on.Withdrawn():
                self._do(*self._calls.withdraw(event))
            case on.Acted():
                self._acted(event, now)
            case on.Spoken() if event.turn == self.turn:
                self.is_telling = False
                if self.phase is Phase.SPEAKING:
                    self._reply_sounded(now)
            case on.MicLost() | on.SpeakerLost():
                self._faults[event.room] = event.reason
            case on.MicFound() | on.SpeakerFound():
                self._faults.pop(event.room, None)

    def _hear(self, event: on.Heard, now: float) -> None:
        if self.phase is Phase.MUTED:
            return
        if self.is_listening:
            self._gate.pause() if self._is_half_duplex(now) else self._gate.resume()
        sent = self._gate.push(event.frame)
        if event.wake is not None:
            self._wake(now)
        if self.is_listening and not self._gate.is_open:
            sent = [bytes(len(event.frame))]
        self._do(*(do.Send(self.turn, frame) for frame in sent))

    def _is_half_duplex(self, now: float) -> bool:
        """The agent gets silence while it speaks, and while the room still does, or it would hear itself."""
        echoes = self.phase is Phase.SPEAKING or now < self._quiet_until
        return echoes and self._settings.barge_in != "voice"

    def _wake(self, now: float) -> None:
        if self.phase is Phase.MUTED or (self.phase is Phase.SPEAKING and self._settings.barge_in == "off"):
            return
        if self.phase is Phase.LISTENING:
            self._deadline = max(self._deadline or now, now + self._settings.no_speech_timeout_s)
            return
        if self.phase is Phase.SPEAKING or self.is_telling:
            self._hush()
        elif self.phase is Phase.THINKING:
            self._reply.is_stale = True
        self._listen(now)
        if not self._lease.is_up:
            self._do(do.Connect())
        if not self.is_listening:
            self.is_listening = True
            self._do(do.OpenUplink(self.turn))
        self._do(*(do.Send(self.turn, frame) for frame in self._gate.open()))

    def _listen(self, now: float) -> None:
        self.turn += 1
        self.phase = Phase.LISTENING
        self._is_leaving = False
        self._reply.is_complete = False
        self._quiet_until = 0.0
        self._lease.use()
        limits = self._settings
        self._turn_until = now + limits.connect_timeout_s + limits.no_speech_timeout_s
        self._deadline = now + (limits.no_speech_timeout_s if self._lease.is_up else limits.connect_timeout_s)

    def _hush(self) -> None:
        self._do(do.Hush(self.turn))
        if self.phase is Phase.SPEAKING:
            self._reply.hush()
        self.is_telling = False

    def _dismiss(self, now: float) -> None:
        if self.phase is Phase.SPEAKING or self._calls:
            self._is_leaving = True
        elif self.phase in AWAKE:
            self._sleep(now)

    def _mute(self, now: float) -> None:
        if self.phase is Phase.MUTED:
            return
        if self.phase is Phase.SPEAKING or self.is_telling:
            self._hush()
        self._sleep(now)
        self.phase = Phase.MUTED
        self._do(do.Capture(False))

    def _line_is_up(self, now: float) -> None:
        self._lease.is_up = True
        if self.phase is Phase.OFFLINE:
            self.phase = Phase.ASLEEP
        elif self.phase is Phase.LISTENING:
            # A line that comes and goes does not keep the user waiting for ever.
            self._deadline = min(now + self._settings.no_speech_timeout_s, self._turn_until)
        if self.phase not in AWAKE:
            self._lease.rest(now)

    def _line_is_down(self, event: on.SessionDown, now: float) -> None:
        was_up, self._lease.is_up = self._lease.is_up, False
        self._calls.forget()
        if event.hopeless and self.phase in AWAKE:
            self._give_up("refused", now)
        elif was_up and self.phase in (Phase.LISTENING, Phase.THINKING):
            self.phase = Phase.LISTENING
            self._deadline = min(now + self._settings.connect_timeout_s, self._turn_until)
        elif self.phase is Phase.SPEAKING and not self._reply.is_complete:
            self._agent_is_done(now)
        elif self.phase is Phase.ASLEEP and event.fault:
            self.phase = Phase.OFFLINE

    def _user_started(self, now: float) -> None:
        if self.phase is Phase.SPEAKING:
            self._hush()
        if self.phase is not Phase.LISTENING:
            self._listen(now)
        self._reply.is_stale = False
        self._deadline = self._turn_until = now + self._settings.utterance_limit_s

    def _think(self, now: float) -> None:
        self.phase = Phase.THINKING
        self._deadline = now + self._settings.thinking_timeout_s

    def _agent_speaks(self, pcm: bytes, now: float) -> None:
        unasked = self.phase not in AWAKE
        if self._reply.is_stale or self.phase is Phase.MUTED or (unasked and not self._settings.speak_unasked):
            return
        self._calls.is_owed = False
        self.turn += unasked
        self.phase = Phase.SPEAKING
        if self._reply.add(len(pcm), now):
            self.turn += 1
        self._deadline = self._reply.overdue_at
        self._do(do.Play(self.turn, pcm))

    def _agent_is_done(self, now: float) -> None:
        if self.phase is Phase.SPEAKING and not self._reply.is_stale:
            self._reply.is_complete = True
            self._deadline = max(self._reply.overdue_at, now + GAP_S)
            self._do(do.Finish(self.turn))
        self._reply.is_stale = False

    def _asked(self, event: on.Asked, now: float) -> None:
        if self.phase not in AWAKE or self._reply.is_stale:
            self._do(*self._calls.refuse(event))
            return
        self._do(*self._calls.ask(event, self.turn))
        if self.phase is Phase.LISTENING:
            self._think(now)

    def _acted(self, event: on.Acted, now: float) -> None:
        self._do(*self._calls.acted(event))
        if self.phase is Phase.THINKING:
            self._deadline = now + self._settings.thinking_timeout_s

    def _reply_sounded(self, now: float) -> None:
        if self._calls:
            self._think(now)
        elif self._is_leaving or not self._lease.is_up or self._settings.follow_up_s == 0 or not self.is_listening:
            self._sleep(now)
        else:
            self._listen(now)
            self._quiet_until = now + self._settings.room_tail_s
            self._deadline = self._quiet_until + self._settings.follow_up_s

    def _watch_the_clock(self, now: float) -> None:
        if self._lease.has_run_out(now):
            self._do(do.Disconnect("idle"))
        if self._deadline is None or now < self._deadline:
            return
        if self.phase is Phase.SPEAKING:
            self._reply_sounded(now) if self._reply.is_complete else self._agent_is_done(now)
        elif self.phase is Phase.LISTENING and not self._lease.is_up:
            self._give_up("unreachable", now)
        elif self.phase is Phase.THINKING and not self._is_leaving:
            self._give_up("no_answer", now)
        else:
            self._sleep(now)

    def _give_up(self, clip: str, now: float) -> None:
        """Say once, in our own recorded voice, what is wrong; then rest."""
        if self.phase is Phase.SPEAKING:
            self._hush()
        self._sleep(now)
        if clip != "no_answer":
            self.phase = Phase.OFFLINE
        if clip == "refused" or (clip == "unreachable" and not self._lease.is_endless):
            self._do(do.Disconnect(clip))
        self.turn += 1
        self.is_telling = True
        self._do(do.Tell(self.turn, clip))

    def _sleep(self, now: float) -> None:
        is_owed = self.phase is Phase.THINKING
        self._gate.shut()
        if self.is_listening:
            self.is_listening = False
            self._do(do.ShutUplink())
        self.phase = Phase.ASLEEP
        self._lease.rest(now)
        self._do(*self._calls.drop())
        self._deadline = None
        self._is_leaving = False
        self._reply.forget()
        self._reply.is_stale = is_owed  # what comes after all is no answer to the next turn

    def _do(self, *effects: Effect) -> None:
        self._out.extend(effects)
