"""Deepgram's Voice Agent: speech to text, language model and voice behind one WebSocket, paid by the minute."""

import asyncio
import importlib
import ssl
from typing import Annotated, Any, Literal

from pydantic import Field

from cooee.agent import AgentTable, Brief, Link, Refused, Toll
from cooee.events import Trouble
from cooee.secret import Exposed, secret

ADDRESS = "wss://agent.deepgram.com/v1/agent/converse"


class Settings(AgentTable):
    type: Literal["deepgram"] = "deepgram"
    """Deepgram, with a key of one's own."""
    key_file: str = ""
    """A file that only its owner reads and that holds the key, where DEEPGRAM_API_KEY is not set."""
    listen_model: Annotated[str, Field(min_length=1)] = "flux-general-en"
    """Speech to text: a Flux or Nova model."""
    think_provider: Literal["open_ai", "anthropic", "google", "deepgram"] = "open_ai"
    """Whose language model."""
    think_model: Annotated[str, Field(min_length=1)] = "gpt-4o-mini"
    """Which language model."""
    speak_model: Annotated[str, Field(min_length=1)] = "aura-2-thalia-en"
    """The voice."""
    rate_usd_per_min: Annotated[float, Field(ge=0, le=100)] = 0.08
    """What a minute of open line costs, for the meter."""


class Deepgram:
    """See `agent.Agent`."""

    def __init__(self, settings: Settings) -> None:
        self.adopt(settings)
        self._tls: ssl.SSLContext | None = None

    def adopt(self, settings: Settings) -> None:
        self._settings = settings
        self.output_rate_hz = settings.output_rate_hz
        self.rate_usd_per_min = settings.rate_usd_per_min

    async def prepare(self) -> None:
        # The SDK takes half a second to import: at start, not at the wake word.
        await asyncio.to_thread(importlib.import_module, "cooee.agent._line")
        self._tls = await asyncio.to_thread(ssl.create_default_context)
        # Whether there is a key is told now and not at the first wake.
        await asyncio.to_thread(self._key)

    async def connect(self, toll: Toll | None = None) -> tuple[Link, str]:
        from cooee.agent._line import open_line

        self._tls = self._tls or ssl.create_default_context()
        headers = {"Authorization": f"Token {self._key()}"}
        way = self._way()

        def settings(brief: Brief) -> Any:
            return self._brief(brief) if self._way() == way else None

        return await open_line(self._settings.url or ADDRESS, headers, settings, tls=self._tls, toll=toll)

    async def close(self) -> None:
        pass

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

    def _way(self) -> tuple[str, ...]:
        """What a line depends on that can't be told it once it is open."""
        return (self._settings.url, self._settings.key_file)

    def _brief(self, brief: Brief) -> Any:
        from cooee.agent import _settings

        table = self._settings
        # Flux exists on the second version of the listen endpoint only, Nova on the first.
        version = "v2" if table.listen_model.startswith("flux") else "v1"
        listen: dict[str, Any] = {"type": "deepgram", "version": version, "model": table.listen_model}
        if brief.wake_words and not table.listen_model.startswith("nova-2"):
            listen["keyterms"] = list(brief.wake_words)
        think = {"type": table.think_provider, "model": table.think_model}
        return _settings.settings(
            table, brief, listen=listen, think=think, speak={"type": "deepgram", "model": table.speak_model}
        )


def open(settings: Settings) -> Deepgram:
    return Deepgram(settings)
