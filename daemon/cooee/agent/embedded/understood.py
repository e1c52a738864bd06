"""What a sentence can mean to the embedded agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Call:
    """A declared function and what it is to be called with; `missing` names the required parameters still unknown."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calls:
    """One call or several, in the order they were said."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several things fit; `options` pairs what each is called ("desk lamp") with the call it would be."""

    options: tuple[tuple[str, Call], ...]


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A number that the function does not take, with the numbers that it takes."""

    name: str
    parameter: str
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that needs no function."""

    about: Literal["time", "date", "help"]


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The user wants nothing more; `call` is the declared function that stops listening, if there is one."""

    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Not understood, or nothing that may be done."""


Understood = Calls | Ambiguous | OutOfRange | Asked | Dismissed | Nothing
