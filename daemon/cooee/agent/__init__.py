"""What an agent is: something that takes a voice and answers with one. Each kind is a module, named in [agent] type.

A kind's module has `Settings` (an `AgentTable`) and `open(settings) -> Agent`. Deepgram's names are known only here.
"""

import re
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator

from cooee import address
from cooee.effects import Answer, Function
from cooee.events import Event, Trouble
from cooee.settings import Table


def _address(url: str) -> str:
    parts = address.parts(url)
    if url and (parts.scheme not in ("ws", "wss") or not parts.hostname):
        raise ValueError('must begin with "ws://" or "wss://" and a host')
    return url


class AgentTable(Table):
    """What every agent has."""

    url: Annotated[str, AfterValidator(_address)] = ""
    """An address to use verbatim in place of the kind's own, path and query included (ws:// or wss://)."""
    prompt: str = (
        "You are the voice of a smart speaker at home. Answer in one or two short spoken sentences, without lists or "
        "markup. Use the functions for what they describe, and say that something was done only if the function's "
        "result says so."
    )
    """Who the agent is, in words to it."""
    greeting: str = ""
    """Said by the agent at the start of a conversation; empty: nothing."""
    output_rate_hz: Literal[8000, 16000, 24000, 32000, 48000] = 24000
    """The sample rate of the agent's speech."""


class Refused(Exception):
    """The agent will not talk to us; str() is a sentence for the user.

    `setting`: the place in the settings that the agent objects to ("agent.think.provider.model"), if it names one.
    """

    def __init__(
        self,
        reason: str,
        trouble: Trouble = Trouble.VENDOR,
        *,
        retry_after_s: float | None = None,
        setting: str = "",
    ) -> None:
        super().__init__(reason)
        self.trouble = trouble
        self.retry_after_s = retry_after_s
        self.setting = setting


class Unreachable(ConnectionError):
    """There is no line to the agent, or it broke; str() is a sentence without an address."""

    def __init__(self, reason: str, trouble: Trouble = Trouble.NETWORK) -> None:
        super().__init__(reason)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Remembered:
    """A message of the conversation as the agent keeps it, to be handed to the next line unread."""

    message: Any


@dataclass(frozen=True, slots=True)
class Persona:
    """Another character of the agent's: what is empty is as usual."""

    prompt: str = ""
    voice: str = ""
    """The speak provider's model or voice."""
    language: str = ""
    """What is spoken, as a BCP 47 tag ("de", "en-GB")."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the agent is told at the start of a line. `greet`: only the first line of a conversation greets.

    `wake_words`, as spoken, help it to recognise them; they stand at the head of what it hears.
    """

    wake_words: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    history: tuple[Any, ...] = ()
    greet: bool = True
    persona: Persona = Persona()


class Toll(Protocol):
    """Told of a line's socket: the vendor's clock runs from `opened` to `closed`. None of them raises."""

    def dialled(self, socket: socket.socket) -> None:
        """It is connected and the upgrade is yet to come: for who must be able to end it by force."""

    def opened(self, socket: socket.socket) -> None:
        """The upgrade was answered."""

    def closed(self, socket: socket.socket) -> None:
        """Nothing more can be sent or come. Called once for each that was dialled, also when the line broke."""


class Link(Protocol):
    """One line to the agent. All methods raise OSError (also its subclass ConnectionError) when the line is broken."""

    heard_at: float
    """When the last thing came, a pong included, on the loop's clock."""

    async def settle(self, brief: Brief) -> None:
        """Send the settings and return when they are applied. Raises Refused or OSError."""

    async def send(self, pcm: bytes) -> None: ...

    async def keep_alive(self) -> None: ...

    async def ping(self) -> None:
        """Send a ping and return at once; the pong moves `heard_at`."""

    async def answer(self, answer: Answer) -> None: ...

    async def ask(self, text: str) -> None:
        """A user's turn that comes as text."""

    async def say(self, text: str) -> None:
        """The agent says this, after what it says already."""

    async def end_turn(self) -> None:
        """The user has said all."""

    async def update(self, brief: Brief) -> bool:
        """Tell the agent what is new since `settle`; false if that needs a new line."""

    def events(self) -> AsyncIterator[Event | Remembered]:
        """What the agent does, until the line ends; raises Refused or OSError unless it ended in order."""

    async def close(self) -> None: ...


class Agent(Protocol):
    output_rate_hz: int
    rate_usd_per_min: float
    """What an open line costs."""
    is_metered: bool
    """Whether its lines are counted, and end at the limits."""

    async def prepare(self) -> None:
        """Get ready, at start, what takes long. Raises Refused if it can't be."""

    async def connect(self, toll: Toll | None = None) -> tuple[Link, str]:
        """A welcomed line and its request id. Raises Refused, OSError or TimeoutError."""

    def adopt(self, settings: Any) -> None:
        """Use these settings (of the same type) from now on, for new lines and for `Link.update` of open ones."""

    async def close(self) -> None:
        """Let go of what the agent needs besides lines, such as a process."""


def stand_in(settings: Any) -> Agent | None:
    """The agent that takes over while the one with these settings can't be reached; None where there is none."""
    from cooee import kinds

    name = getattr(settings, "fallback", "")
    if not name:
        return None
    module = kinds.module("agent", name)
    agent: Agent = module.open(module.Settings(output_rate_hz=settings.output_rate_hz, prompt=settings.prompt))
    return agent


def spoken_by(table: AgentTable, persona: Persona) -> str:
    """The language that the agent speaks, such as "de"; empty where that is not known, or where there are several.

    The persona's, else that of the voice, else the only one that is listened for.
    """
    voices: Sequence[Any] = getattr(table, "speak", ())
    listen: Any = getattr(table, "listen", None)
    stored: str = getattr(table, "id", "")
    if stored or not voices:
        return ""
    voice = re.fullmatch(r"(?:aura|flux)-.*-([a-z]{2})", persona.voice or getattr(voices[0], "model", ""))
    known = persona.language or getattr(voices[0], "language", "") or (voice[1] if voice else "")
    heard = (getattr(listen, "language", ""), *getattr(listen, "language_hints", ()))
    languages = {tag.split("-")[0].lower() for tag in ([known] if known else heard) if tag}
    return languages.pop() if len(languages) == 1 and languages != {"multi"} else ""
