"""What can happen. Past tense, frozen; the only way an edge tells the conversation anything.

PCM here is signed 16 bit little endian, mono: the microphone's at 16 kHz in frames of 80 ms (1280 samples), the
agent's at the rate that was asked of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cooee.trouble import Trouble as Trouble
from cooee.wishes import Dismissed as Dismissed
from cooee.wishes import Forgotten as Forgotten
from cooee.wishes import LoudnessWanted as LoudnessWanted
from cooee.wishes import Muted as Muted
from cooee.wishes import MuteToggled as MuteToggled
from cooee.wishes import PersonaChosen as PersonaChosen
from cooee.wishes import Released as Released
from cooee.wishes import SayUnwanted as SayUnwanted
from cooee.wishes import SayWanted as SayWanted
from cooee.wishes import Stopped as Stopped
from cooee.wishes import Summoned as Summoned
from cooee.wishes import Unmuted as Unmuted


@dataclass(frozen=True, slots=True)
class Call:
    """The agent asks for a function. `arguments` is None where they were no JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame of the microphone went through the wake model; `wake` names the word if this frame completed one."""

    frame: bytes
    at_s: float = 0.0
    """Position of the frame's end on the microphone's time line."""
    score: float = 0.0
    wake: str | None = None


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed while perhaps no frame came (muted, or the microphone is gone)."""


@dataclass(frozen=True, slots=True)
class MicLost:
    """The microphone gives no frames; the sentence says which and what there is instead."""

    room: ClassVar[str] = "mic"
    reason: str


@dataclass(frozen=True, slots=True)
class MicFound:
    room: ClassVar[str] = "mic"
    device: str


@dataclass(frozen=True, slots=True)
class SpeakerLost:
    """The loudspeaker takes no samples; the sentence says which and what there is instead."""

    room: ClassVar[str] = "speaker"
    reason: str


@dataclass(frozen=True, slots=True)
class SpeakerFound:
    room: ClassVar[str] = "speaker"
    device: str


@dataclass(frozen=True, slots=True)
class Unsayable:
    """The speaker's own voice could not say the turn's announcement, for this reason."""

    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class MicShut:
    """The capture device is closed, for the speaker is muted, and a restart keeps it so."""


@dataclass(frozen=True, slots=True)
class LoudnessSet:
    """The volume is this now, as it was read back."""

    percent: int


@dataclass(frozen=True, slots=True)
class SessionUp:
    """The agent welcomed us; `request_id` is what the vendor's support asks for. `is_fallback`: it is the stand-in."""

    request_id: str = ""
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class SettingsApplied:
    """Audio may flow now."""


@dataclass(frozen=True, slots=True)
class SessionDown:
    """The line ended. `trouble`: not by our wish, and why. `is_final`: none is tried until somebody wants one again."""

    reason: str
    trouble: Trouble | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class LimitNear:
    """Four fifths of what the lines of this "day" or "month" may last are used up."""

    scope: str


@dataclass(frozen=True, slots=True)
class Uplinked:
    """The first byte of the turn's speech has left."""

    turn: int


@dataclass(frozen=True, slots=True)
class Lit:
    """The light shows the phase now."""

    turn: int
    phase: str


@dataclass(frozen=True, slots=True)
class Warned:
    """The agent warns of something, by its code; the line goes on."""

    code: str


@dataclass(frozen=True, slots=True)
class LatencyReported:
    """The agent's own measurements, in seconds by their names; it sends several for each turn."""

    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class InjectionRefused:
    """What we asked the agent to say was refused, because somebody speaks."""


@dataclass(frozen=True, slots=True)
class UserStarted:
    """The agent hears someone speak; it has stopped its own speech."""


@dataclass(frozen=True, slots=True)
class UserText:
    """What the agent understood; the user's turn is confirmed."""

    text: str


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """What began as speech (`UserStarted`) was none, or no more than the wake word."""


@dataclass(frozen=True, slots=True)
class AgentThought:
    """The agent is at work on an answer."""


@dataclass(frozen=True, slots=True)
class AgentText:
    text: str


@dataclass(frozen=True, slots=True)
class AgentSpeech:
    """A piece of reply, of any length, even an odd number of bytes; comes faster than it plays."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class AgentDone:
    """The reply's last piece has been *sent*. It ends when the loudspeaker has played it (`Spoken`)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The agent asks for functions, perhaps before the user's turn is confirmed."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The agent takes calls back; their results are not wanted any more."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acted:
    """A call ended, in words that say what really happened."""

    turn: int
    id: str
    name: str
    text: str
    ok: bool
    is_known: bool = True
    """False: there is no such function, so its name is the agent's own invention."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """A call was not done: the user has to say yes to the question first."""

    turn: int
    id: str
    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Switched:
    """A pin, as read back: 1.0 on, 0.0 off, in between for PWM."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Triggered:
    """The sensor `name` sets off a call, as somebody could have asked for it; but nobody is there to say yes to it."""

    name: str
    call: Call


@dataclass(frozen=True, slots=True)
class Sounded:
    """The first sample of the turn's reply left the loudspeaker."""

    turn: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """The last sample of the turn's reply has left the loudspeaker, `played_s` after its first."""

    turn: int
    played_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Hushed:
    """The turn's reply was cut; so much of it was never heard."""

    turn: int
    dropped_s: float = 0.0


# fmt: off
Event = (
    Heard | Ticked | MicLost | MicFound | SpeakerLost | SpeakerFound | Summoned | Released | Dismissed | Stopped
    | SayWanted | SayUnwanted | Unsayable | Muted | MicShut | Unmuted | MuteToggled | LoudnessWanted | LoudnessSet
    | SessionUp | SettingsApplied | SessionDown | LimitNear | Uplinked | Lit | Warned | LatencyReported
    | InjectionRefused | Forgotten | PersonaChosen | UserStarted | UserText | NothingSaid | AgentThought | AgentText
    | AgentSpeech | AgentDone | Asked | Withdrawn | Acted | Doubted | Switched | Triggered | Sounded | Spoken | Hushed
)
# fmt: on
