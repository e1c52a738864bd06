"""What opens, closes or is locked, by what it is called: what that is said with, to it and about it. Pure."""

import re
from dataclasses import dataclass

from cooee.actions._words import PREPOSITIONS, subject

_OPENS = re.compile(
    r"(?:gate|door|garage|barrier|hatch|trapdoor|flap|valve|window|skylight|blind|shutter|curtain|drape|awning)s?$"
)
_LOCKS = re.compile(r"(?:lock|bolt|deadbolt|latch|strike)s?$")
_PART = re.compile(r"(?:^|['\u2019]s |['\u2019] | )(?:opener|relay|motor|actuator|controller|button|switch)$")
_BY_HAND = re.compile(r"(?<!garage )(?:doors?|locks?|bolts?|deadbolts?|latch(?:es)?|strikes?)$")


@dataclass(frozen=True, slots=True)
class Way:
    """`on` and `off`: the verbs that switch it so; `is_on` and `is_off`: how it is then told to be."""

    on: str
    off: str
    is_on: str
    is_off: str


OPENING = Way("open", "close", "open", "closed")
LOCKING = Way("unlock", "lock", "unlocked", "locked")


@dataclass(frozen=True, slots=True)
class Moved:
    """What is opened or locked. `is_part`: what the description speaks of only works it, as an opener does."""

    thing: str
    way: Way
    is_part: bool

    def asked(self) -> tuple[str, ...]:
        """How something is asked for that is pressed for a moment: what swings to by itself is only opened so."""
        verbs = ["open"]
        if self.way is LOCKING or re.search(r"(?:door|gate|garage)s?$", self.thing):
            verbs.append("unlock")
        if not _BY_HAND.search(self.thing):
            verbs += ["close", "shut"]
        return tuple(f"{verb} the {self.thing}" for verb in verbs)


def moved(description: str) -> Moved | None:
    """ "The garden gate", "The front door's opener" and "The motor of the blinds" open; a lamp at the gate does not.

    None for whatever neither opens nor is locked.
    """
    phrase = re.sub(r"^(?:the|an?|your) ", "", subject(description).lower())
    head, *rest = PREPOSITIONS.split(phrase, maxsplit=1)
    is_part = bool(_PART.search(head))
    if is_part:
        head = _PART.sub("", head) or re.sub(r"^ ?(?:the|my|our) ", "", rest[0] if rest else "")
    way = OPENING if _OPENS.search(head) else LOCKING if _LOCKS.search(head) else None
    thing = head if is_part else phrase
    return Moved(thing.replace("\u2019", "'"), way, is_part) if way else None
