"""Who has the floor: the phase and the turn, and all that follows when it passes from one to the other."""

from cooee import effects as do
from cooee.calls import Calls
from cooee.effects import Effect, Phase
from cooee.gate import Gate
from cooee.lease import Lease
from cooee.patience import Patience
from cooee.reply import Reply
from cooee.settings import Conversation as Settings

YES_S = 8.0
"""Who was asked for a yes is listened to for so long."""
AWAKE = (Phase.LISTENING, Phase.THINKING, Phase.SPEAKING)


class Floor:
    """Pure. Its methods are the arrows of the conversation's diagram; what is to be done gathers in `out`.

    `is_leaving`: asleep as soon as the reply has been heard. `breaks`: how often the line broke since the user was
    answered last. `is_cut`: it broke in the reply. `is_users`: nothing that the user says in this turn was understood
    yet. `is_released`: the user let go of the talk button and is not heard any more. `is_switched_off`: what mutes is
    a switch, and only the switch can unmute.
    """

    def __init__(self, settings: Settings, bytes_per_s: int, keep_s: float | None, harmless: frozenset[str]) -> None:
        self.phase = Phase.ASLEEP
        self.turn = 0
        self.breaks = 0
        self.is_leaving = self.is_cut = self.is_released = self.is_users = self.is_switched_off = False
        self.lease = Lease(keep_s)
        self.gate = Gate(settings.preroll_s)
        self.reply = Reply(bytes_per_s)
        self.calls = Calls(harmless)
        self.patience = Patience(settings)
        self.settings = settings
        self.out: list[Effect] = []

    @property
    def is_awake(self) -> bool:
        return self.phase in AWAKE

    @property
    def is_quiet(self) -> bool:
        """Nobody has it, and nothing of ours is being said."""
        return not self.is_awake and not self.reply.is_telling

    def change(self, settings: Settings, keep_s: float | None, harmless: frozenset[str]) -> None:
        self.settings = self.patience.settings = settings
        self.lease.change(keep_s)
        self.gate.change(settings.preroll_s)
        self.calls.harmless = harmless

    def hear(self, frame: bytes, now: float) -> None:
        """The agent gets silence while it speaks, and while the room still does, or it would hear itself."""
        echoes = self.phase is Phase.SPEAKING or self.patience.is_echoing(now)
        is_deaf = self.is_released or (echoes and self.settings.barge_in != "voice")
        self.gate.pause() if is_deaf else self.gate.resume()
        self.do(*(do.Send(self.turn, each) for each in self.gate.push(frame)))

    def listen(self, now: float, *, is_new: bool = False) -> None:
        """To the user, in a turn that `is_new` or goes on after a reply."""
        self.turn += 1
        self.phase = Phase.LISTENING
        self.is_users = is_new
        self.is_leaving = self.is_cut = self.is_released = self.reply.is_complete = False
        if is_new:
            self.breaks = 0
        self.lease.use()
        self.do(*self.calls.begin(is_new=is_new))
        self.patience.listen(now, is_up=self.lease.is_up)

    def hear_out(self, now: float) -> None:
        """The user has begun to speak."""
        self.hush()
        if self.phase is not Phase.LISTENING:
            self.listen(now)
        self.is_users = True
        self.calls.go_on()
        self.reply.is_stale = False
        self.patience.hear_out(now)

    def think(self, now: float) -> None:
        self.phase = Phase.THINKING
        self.patience.think(now)

    def speak(self, pcm: bytes, clips: list[str], now: float) -> None:
        """A piece of the agent's reply; `clips` are heard before its first."""
        self.calls.replied()
        self.turn += not self.is_awake
        if self.phase is not Phase.SPEAKING:
            self.do(*self.reply.preface(self.turn, clips, now))
        self.phase = Phase.SPEAKING
        self.turn += self.reply.add(len(pcm), now)
        self.patience.sound(self.reply.overdue_at)
        self.do(do.Play(self.turn, pcm))

    def finish(self, now: float) -> None:
        """No more of the reply will come."""
        if self.phase is Phase.SPEAKING and not self.reply.is_stale:
            self.do(*self.reply.finish(self.turn, now))
            self.patience.sound(self.reply.overdue_at)
        self.reply.is_stale = False

    @property
    def _follow_up_s(self) -> float:
        return max(self.settings.follow_up_s, YES_S if self.calls.consent else 0.0)

    def pass_on(self, now: float) -> None:
        """The reply has been heard."""
        if self.calls:
            self.think(now)
        elif self.is_cut:
            self.sleep(now)
            self.tell("lost")
        elif self.is_leaving or not (self.lease.is_up and self._follow_up_s and self.gate.is_listening):
            self.sleep(now)
        else:
            self.listen(now)
            self.breaks = 0
            self.patience.follow_up(now, self._follow_up_s)

    def tell(self, clip: str, *, is_preface: bool = False) -> None:
        """In our own recorded voice: in this turn, before the reply, or in one of its own."""
        self.turn += not is_preface
        self.do(*self.reply.tell(self.turn, clip, is_preface=is_preface))

    def hush(self) -> None:
        self.do(*self.reply.hush(self.turn, is_speaking=self.phase is Phase.SPEAKING))

    def stop(self, now: float) -> None:
        """Be quiet and rest; what still comes of the reply is no other's."""
        self.hush()
        is_stale = self.reply.is_stale
        if self.is_awake:
            self.sleep(now)
        self.reply.is_stale |= is_stale

    def sleep(self, now: float) -> None:
        is_owed = self.phase is Phase.THINKING
        if is_owed:
            self.hush()
        if self.gate.is_listening:
            self.do(do.ShutUplink())
        self.gate.shut()
        self.phase = Phase.ASLEEP
        self.lease.rest(now)
        self.do(*self.calls.drop())
        self.patience.rest()
        self.is_leaving = False
        self.reply.forget(is_owed=is_owed)

    def mute(self, now: float, *, is_switch: bool = False) -> None:
        self.is_switched_off |= is_switch
        if self.phase is not Phase.MUTED:
            self.stop(now)
            self.phase = Phase.MUTED
            self.do(do.Capture(False))

    def unmute(self, *, is_switch: bool = False) -> None:
        self.is_switched_off &= not is_switch
        if self.phase is Phase.MUTED and not self.is_switched_off:
            self.phase = Phase.ASLEEP
            self.do(do.Capture(True))
            if self.lease.is_endless and not self.lease.is_up:
                self.do(do.Connect())

    def do(self, *effects: Effect) -> None:
        self.out.extend(effects)
