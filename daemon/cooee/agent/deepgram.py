"""Deepgram's Voice Agent: speech to text, language model and voice behind one WebSocket, paid by the minute."""

import asyncio
import importlib
import re
import ssl
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from cooee import kinds
from cooee.agent import AgentTable, Brief, Link, Refused, Toll, _speak, _think, _token
from cooee.agent._endpoint import Headers, revealed
from cooee.agent._listen import Listen
from cooee.events import Trouble
from cooee.secret import Exposed, secret

ADDRESSES = {
    "us": "wss://agent.deepgram.com/v1/agent/converse",
    "eu": "wss://api.eu.deepgram.com/v1/agent/converse",
    "au": "wss://api.au.deepgram.com/v1/agent/converse",
    "in": "wss://api.in.deepgram.com/v1/agent/converse",
}
WAYS_IN = ("key_file", "token_command", "token_url")
WAY = {*WAYS_IN, "token_method", "token_headers", "url", "region"}
"""What a line depends on that it can't be told once it is open."""


def _id(id: str) -> str:
    if id and not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", id):
        raise ValueError("is no id; it looks like 12345678-90ab-cdef-1234-567890abcdef")
    return id


def _another(kind: str, info: ValidationInfo) -> str:
    known = tuple(name for name in kinds.names("agent") if name != "deepgram")
    if kind and kind not in known:
        raise ValueError(f'must be {" or ".join(map(repr, known))}, or "" for none'.replace("'", '"'))
    return kind


class Settings(AgentTable):
    type: Literal["deepgram"] = "deepgram"
    """Deepgram, with a key of one's own."""
    key_file: str = ""
    """A file that only its owner reads and that holds the key, where DEEPGRAM_API_KEY is not set."""
    token_command: list[Annotated[str, Field(min_length=1)]] = Field(default=[])
    """In place of a key: a program and its arguments, run for each line, whose output is a short-lived access token."""
    token_url: Annotated[str, AfterValidator(_token.check_url)] = ""
    """In place of a key: an address (https://) that answers with a short-lived access token, as text or as JSON."""
    token_method: Literal["GET", "POST"] = "GET"
    """How token_url is asked."""
    token_headers: Headers = Field(default={})
    """What token_url is shown; keys as "secret:NAME" or "Bearer secret:NAME"."""
    region: Literal["us", "eu", "au", "in"] = "us"
    """Where the agent runs, unless url says so."""
    id: Annotated[str, AfterValidator(_id)] = ""
    """An agent that is stored with Deepgram, by its id, in place of the one that is described here."""
    listen: Listen = Listen()
    """Speech to text."""
    think: _think.Thinks = Field(default=[_think.OpenAi()])
    """The language model."""
    speak: _speak.Speaks = Field(default=[_speak.Deepgram()])
    """The voice."""
    mip_opt_out: bool = False
    """Whether Deepgram may not learn from what is said (which may cost more)."""
    tags: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(default=[])
    """Words by which the lines are found in Deepgram's own usage reports."""
    fallback: Annotated[str, AfterValidator(_another)] = "embedded"
    """The agent that takes over while Deepgram can't be reached; empty: none."""
    rate_usd_per_min: Annotated[float, Field(ge=0, le=100)] = 0.08
    """What a minute of open line costs, for the meter."""
    rate_as_of: str = "2026"
    """When that was so."""

    @field_validator(*WAYS_IN)
    @classmethod
    def _is_the_only_way_in(cls, value: Any, info: ValidationInfo) -> Any:
        if value and (others := [name for name in WAYS_IN if info.data.get(name)]):
            raise ValueError(f"can't be set together with {' and '.join(others)}; keep one of them")
        return value


class Deepgram:
    """See `agent.Agent`."""

    def __init__(self, settings: Settings) -> None:
        self.adopt(settings)
        self._tls: ssl.SSLContext | None = None

    def adopt(self, settings: Settings) -> None:
        self._settings = settings
        self.output_rate_hz = settings.output_rate_hz
        self.rate_usd_per_min = settings.rate_usd_per_min
        self.is_metered = True

    async def prepare(self) -> None:
        # The SDK takes half a second to import: at start, not at the wake word.
        await asyncio.to_thread(importlib.import_module, "cooee.agent._line")
        self._tls = await asyncio.to_thread(ssl.create_default_context)
        if self._settings.token_url:
            await asyncio.to_thread(importlib.import_module, "aiohttp")
        # Whether there are keys is told now and not at the first wake.
        await asyncio.to_thread(self._check)

    async def connect(self, toll: Toll | None = None) -> tuple[Link, str]:
        from cooee.agent._line import open_line

        self._tls = self._tls or ssl.create_default_context()
        table = self._settings
        self._brief(Brief())  # a key that is missing is told before anything is dialled
        headers = {"Authorization": await self._authorization()}
        way = table.model_dump(include=WAY)

        def settings(brief: Brief) -> Any:
            return self._brief(brief) if self._settings.model_dump(include=WAY) == way else None

        hint = next((f"[agent] {name}" for name in WAYS_IN[1:] if getattr(table, name)), "")
        url = table.url or ADDRESSES[table.region]
        return await open_line(url, headers, settings, tls=self._tls, toll=toll, token=hint)

    async def close(self) -> None:
        pass

    def _check(self) -> None:
        self._brief(Brief())
        if not (self._settings.token_command or self._settings.token_url):
            self._key()
        revealed(self._settings.token_headers)

    async def _authorization(self) -> str:
        table = self._settings
        if table.token_command:
            return f"Bearer {await _token.from_command(table.token_command)}"
        if table.token_url:
            headers = revealed(table.token_headers)
            return f"Bearer {await _token.from_url(table.token_url, table.token_method, headers)}"
        return f"Token {self._key()}"

    def _key(self) -> str:
        try:
            key = secret("deepgram_api_key", self._settings.key_file)
        except Exposed as error:
            raise Refused(f"The Deepgram key can't be used: {error}.", Trouble.KEY) from error
        if not key:
            raise Refused(
                'There is no Deepgram key: set DEEPGRAM_API_KEY or [agent] key_file, or use [agent] type = "embedded".',
                Trouble.KEY,
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise Refused("The Deepgram key is not one: it has to be one word of plain letters.", Trouble.KEY)
        return key

    def _brief(self, brief: Brief) -> Any:
        """The settings of a line. Raises Refused where a key that they name is missing."""
        from cooee.agent import _settings

        table = self._settings
        top: dict[str, Any] = {"mip_opt_out": True} if table.mip_opt_out else {}
        top |= {"tags": list(table.tags)} if table.tags else {}
        if table.id:
            # Such an agent has its own listener, model, prompt, voice and functions: the protocol takes nothing of it
            # beside the id, neither history nor functions. UpdateThink could give it ours, but would replace its
            # model and prompt, which only the vendor knows. Its functions of the same names as ours are answered.
            return _settings.settings(table.id, table.output_rate_hz, **top)
        instructions = _settings.instructions(brief, table.prompt)
        agent = _settings.described(
            brief,
            table.greeting,
            listen=table.listen.sdk(brief.wake_words, brief.persona.language),
            think=[_think.sdk(each, **instructions) for each in table.think],
            # The persona's voice is one of the first maker's; the others would not know it.
            speak=[_speak.sdk(each, brief.persona.voice if n == 0 else "") for n, each in enumerate(table.speak)],
        )
        return _settings.settings(agent, table.output_rate_hz, **top)


def open(settings: Settings) -> Deepgram:
    return Deepgram(settings)
