"""What is known of a turn when it is over."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, Self

Began = Literal["wake", "button", "follow_up", "barge_in"]
Ended = Literal["answered", "hushed", "dismissed", "no_speech", "no_answer", "line_lost", "trouble"]
"""hushed: the reply was cut by the user. dismissed: the user did not wait for one. line_lost: for good, or in the
reply. trouble: there was no agent."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A function, and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer. What is measured is in seconds, and None where it did not come to it.

    Nothing of what was said, and nothing that a function was given or gave back, is in here.
    """

    number: int
    """Counted from the start of the speaker."""
    started: str
    """Wall time, ISO 8601."""
    began: Began
    ended: Ended
    request_id: str = ""
    """The line's, which the vendor's support asks for."""
    is_fallback: bool = False
    """Whether the stand-in had the line."""
    trouble: str = ""
    """What was wrong with a line meanwhile, even if another one answered."""
    lines_lost: int = 0
    wake_to_light_s: float | None = None
    wake_to_uplink_s: float | None = None
    """Until the first byte had left."""
    speech_to_reply_s: float | None = None
    """From the end of the user's speech, as the microphone heard it, to the first byte of the reply."""
    reply_to_sound_s: float | None = None
    """From that byte to the first sample; None also where a sentence of ours came before it."""
    reply_s: float = 0.0
    """What sounded, a sentence of ours before it included."""
    functions: tuple[Ran, ...] = ()
    latency: Mapping[str, float] = field(default_factory=dict)
    """The agent's own measurements by their names."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A turn as it was kept, perhaps by another version."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in json.loads(text).items() if name in known}
        return cls(**{**values, "functions": tuple(Ran(**ran) for ran in values.get("functions", ()))})

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        """A line for the journal: whatever there is to say, as name=value."""
        told = asdict(self)
        for name in ("number", "started", "ended", "functions", "latency"):
            del told[name]
        told = {name: value for name, value in told.items() if value or isinstance(value, float)}
        told |= {f"{ran.name}_s": ran.seconds for ran in self.functions} | dict(self.latency)
        return f"turn {self.number} {self.ended}: " + " ".join(f"{name}={value}" for name, value in told.items())
