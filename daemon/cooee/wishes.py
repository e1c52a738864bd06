"""What somebody wants of the speaker, by a button, a command or a function: events, as in `events`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summoned:
    """Woken by something else than the wake word: a button, the command line."""

    by: str


@dataclass(frozen=True, slots=True)
class Released:
    """The talk button was let go: what was said is all."""

    by: str


@dataclass(frozen=True, slots=True)
class Dismissed:
    """Asked to stop listening; a reply that is being spoken is finished first."""

    by: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Asked to be quiet and to rest, now."""

    by: str


@dataclass(frozen=True, slots=True)
class SayWanted:
    """Somebody else than the agent wants this said, and perhaps the user's next words in return (`wants_answer`).

    `is_urgent`: it may cut whatever is being said. `is_own_voice`: in the speaker's own voice, even if the agent has a
    line. What could not be begun within `patience_s` is dropped.
    """

    id: str
    text: str
    is_urgent: bool = False
    wants_answer: bool = False
    is_own_voice: bool = False
    patience_s: float = 600.0


@dataclass(frozen=True, slots=True)
class SayUnwanted:
    """Who wanted it said has gone away."""

    id: str


@dataclass(frozen=True, slots=True)
class Muted:
    by: str
    is_switch: bool = False
    """A switch holds it: nothing else unmutes."""


@dataclass(frozen=True, slots=True)
class Unmuted:
    by: str
    is_switch: bool = False


@dataclass(frozen=True, slots=True)
class MuteToggled:
    by: str


@dataclass(frozen=True, slots=True)
class LoudnessWanted:
    """Somebody wants it louder by so many percent, or quieter."""

    by: str
    step_percent: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The user wants this conversation forgotten."""

    by: str


@dataclass(frozen=True, slots=True)
class PersonaChosen:
    """The user wants to talk to another persona; an empty name is the usual one."""

    name: str
