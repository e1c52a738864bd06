"""What can be done. Imperative, frozen; the only way the conversation moves anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cooee.events import Call, Trouble


class Phase(Enum):
    """What the speaker is doing, as its light shows it."""

    OFFLINE = "offline"
    ASLEEP = "asleep"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Function:
    """Something that the agent may ask for, as it is told: `parameters` is a JSON schema of type "object".

    `side_effect`: it moves something, so it has to wait for the end of the user's turn. `phrases`: what else it may be
    asked for with, for an agent that goes by grammar.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    side_effect: bool = True
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """Have a line to the agent, and keep it."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """No line is wanted any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class OpenUplink:
    """From now on frames follow, the moment before the wake first. `word`: what woke us, if a wake word did."""

    turn: int
    word: str = ""


@dataclass(frozen=True, slots=True)
class ShutUplink:
    """No more frames; what still waits to be sent is forgotten."""


@dataclass(frozen=True, slots=True)
class Send:
    turn: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class EndTurn:
    """The user has said all, as the talk button tells: the agent need not wait for silence."""

    turn: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Have the agent answer this text, which it had understood before its line broke."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """Have the agent say this after what it says already."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Say this in the speaker's own voice, which needs no line.

    `Spoken` or `Unsayable` follows, unless it is hushed.
    """

    turn: int
    text: str


class Outcome(Enum):
    """What became of an announcement (`SayWanted`)."""

    SAID = "said"
    CUT = "cut"
    """Its beginning was heard."""
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    LATE = "late"
    FULL = "full"
    """Too many wait already."""
    MUTED = "muted"
    """No answer can be heard."""
    STOPPED = "stopped"
    """The user wanted quiet."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """Tell who wanted it what became of the announcement; `text` is the user's answer, or why it failed."""

    id: str
    outcome: Outcome
    text: str = ""


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget the conversation, here and at the agent's, once the turn is over."""


@dataclass(frozen=True, slots=True)
class Become:
    """From now on be this persona; an empty name is the usual one."""

    name: str


@dataclass(frozen=True, slots=True)
class Play:
    turn: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """The turn's reply is complete: tell (`Spoken`) when its last sample has sounded."""

    turn: int


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop now and forget the rest."""

    turn: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Say one of our own recorded sentences, such as that the agent can't be reached.

    `Spoken` follows, unless it `is_preface`: then the turn's reply comes right behind it.
    """

    turn: int
    clip: str
    is_preface: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """Let the light show the phase; `fault` says that something (the microphone, the agent) is missing."""

    phase: Phase
    fault: str = ""
    trouble: Trouble | None = None
    """Why the agent is out of reach, when it is."""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Capture:
    """Open or close the microphone itself."""

    on: bool


@dataclass(frozen=True, slots=True)
class Louden:
    """Make it louder by so many percent, or quieter."""

    step_percent: int


@dataclass(frozen=True, slots=True)
class Act:
    """Do it. `is_confirmed`: the user was asked about just this call, and said yes in a turn of his own."""

    turn: int
    call: Call
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Stop the call if it still runs; nobody wants its result."""

    id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Tell the agent, in words, what became of its call."""

    id: str
    name: str
    text: str
    turn: int = 0


# fmt: off
Effect = (
    Connect | Disconnect | OpenUplink | ShutUplink | Send | EndTurn | Ask | Say | Announce | Report | Forget | Become
    | Play | Finish | Hush | Tell | Show | Capture | Louden | Act | Drop | Answer
)
# fmt: on
