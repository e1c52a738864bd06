"""What can be done with one kind of thing in a home: the shape that the kinds share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cooee.actions._hass_home import Entity
from cooee.actions._hass_mirror import State
from cooee.actions._words import subject

Arguments = Mapping[str, Any]
Properties = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Home:
    """What the kinds have to know of the whole."""

    entities: Mapping[str, Entity] = field(default_factory=dict)
    celsius: bool = True

    def degrees(self, celsius: float) -> float:
        """So many degrees Celsius in the home's own unit."""
        return celsius if self.celsius else celsius * 9 / 5 + 32


@dataclass(frozen=True, slots=True)
class Step:
    """A call of one of Home Assistant's services, and how one sees that it was done.

    `moving`: states on the way there. `said`: what is told in place of the state that was read back. `is_visible`:
    where it is not, a state that stays the same says nothing.
    """

    domain: str
    service: str
    data: Mapping[str, Any]
    reached: Callable[[State], bool]
    moving: tuple[str, ...] = ()
    said: str = ""
    is_visible: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """`group`: what those of an area are called together ("lights"); "": they can't be worked together.

    `step` raises Failed for what the thing is not able to do. `is_risky` is None where nothing ever is.
    """

    key: str
    about: str
    domains: tuple[str, ...]
    properties: Callable[[Sequence[Entity], Home], Properties]
    step: Callable[[Entity, State, Arguments, Home], Step]
    required: tuple[str, ...] = ()
    group: str = ""
    is_risky: Callable[[Entity, State | None, Arguments, Home], bool] | None = None
    riskiest: Arguments = field(default_factory=dict)
    """What may be risky, if anything is."""
    deed: Callable[[str, Arguments, Home], str] = lambda name, arguments, home: f"work {the(name)}"
    groups: Callable[[Entity], bool] = lambda entity: True
    """Whether it may be worked together with the others of its area."""


def the(name: str) -> str:
    """ "Front door" -> "the front door"."""
    who = subject(name)
    return who[0].lower() + who[1:]


def one_of(*values: str, about: str = "") -> dict[str, Any]:
    return {"type": "string", "enum": list(values), **({"description": about} if about else {})}


def whole(low: float, high: float, about: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": int(low), "maximum": int(high), "description": about}


def is_state(*values: str) -> Callable[[State], bool]:
    return lambda state: state.value in values
