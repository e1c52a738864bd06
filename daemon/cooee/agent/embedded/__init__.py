"""The agent that needs no key and no internet: a process of its own on this machine, speaking the same protocol.

This file is the daemon's side: it starts the process, finds its port and opens lines to it. The process is `server`.
Its models stall nobody's audio there, and a crash of theirs is no crash of ours: the next line starts it anew.
"""

import asyncio
import contextlib
import importlib
import json
import logging
import os
import secrets
import sys
from typing import Any, Literal

from cooee.agent import AgentTable, Brief, Link, Refused, Toll

log = logging.getLogger("cooee.agent")

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 0.5
HUNG_S = 1.0
DID_NOT_START = "The embedded agent did not start; run `cooee agent` to see why"
TOKEN = "COOEE_AGENT_TOKEN"
"""Only who started the process may talk to it; the token never appears on a command line."""


class Settings(AgentTable):
    type: Literal["embedded"] = "embedded"
    """The agent that comes with cooee."""
    model: Literal["tiny.en", "base"] = "tiny.en"
    """Speech to text: "tiny.en" for a Pi 4, "base" for a Pi 5 (needs the extra offline-base)."""


class Embedded:
    """See `agent.Agent`."""

    rate_usd_per_min = 0.0
    is_metered = False

    def __init__(self, settings: Settings) -> None:
        self.adopt(settings)
        self._token = secrets.token_urlsafe(24)
        self._process: asyncio.subprocess.Process | None = None
        self._model = ""
        self._url = ""
        self._starting: asyncio.Task[None] | None = None

    def adopt(self, settings: Settings) -> None:
        self._settings = settings
        self.output_rate_hz = settings.output_rate_hz

    async def prepare(self) -> None:
        # The SDK takes half a second to import: at start, not at the wake word.
        await asyncio.gather(asyncio.to_thread(importlib.import_module, "cooee.agent._line"), self._have_process())

    async def connect(self, toll: Toll | None = None) -> tuple[Link, str]:
        from cooee.agent._line import open_line

        await self._have_process()
        url, model = self._settings.url, self._settings.model
        headers = {"Authorization": f"Token {self._token}"}

        def settings(brief: Brief) -> Any:
            return self._brief(brief) if (self._settings.url, self._settings.model) == (url, model) else None

        began_s = asyncio.get_running_loop().time()
        try:
            return await open_line(url or self._url, headers, settings, toll=toll)
        except (OSError, asyncio.CancelledError) as error:
            # It runs but does not answer: the next line gets a new one.
            is_hung = asyncio.get_running_loop().time() - began_s > HUNG_S
            if not url and (is_hung or isinstance(error, OSError)):
                await self.close()
            raise

    async def close(self) -> None:
        starting, self._starting = self._starting, None
        process, self._process = self._process, None
        if starting:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        if process:
            await _stop(process)

    async def _have_process(self) -> None:
        """Start the process unless it runs, or somebody else's agent is to be used.

        It goes on starting when who waits for it gives up, or one who has little patience would never get it.
        """
        if self._settings.url:
            return
        if self._process and (self._process.returncode is not None or self._model != self._settings.model):
            await self.close()
        if self._starting is None:
            self._model = self._settings.model
            self._starting = asyncio.create_task(self._start())
        starting = self._starting
        try:
            await asyncio.shield(starting)
        except Refused:
            self._starting = None if self._starting is starting else self._starting
            raise

    async def _start(self) -> None:
        process = await self._spawn()
        try:
            self._url = f"ws://127.0.0.1:{await self._port(process)}/v1/agent/converse"
        except BaseException:
            await _stop(process)
            raise
        self._process = process

    async def _spawn(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cooee", "agent", "--until-eof", f"--model={self._settings.model}"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, TOKEN: self._token, "NOTIFY_SOCKET": ""},
            )
        except OSError as error:
            raise Refused(f"{DID_NOT_START} ({error.strerror}).", retry_after_s=10) from error

    async def _port(self, process: asyncio.subprocess.Process) -> int:
        """The process says on its first line where it listens."""
        assert process.stdout is not None
        with contextlib.suppress(TimeoutError, ValueError, KeyError, TypeError):
            line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
            return int(json.loads(line)["port"])
        raise Refused(f"{DID_NOT_START}.", retry_after_s=10)

    def _brief(self, brief: Brief) -> Any:
        from cooee.agent import _settings, _speak, _think
        from cooee.agent._listen import Listen

        table = self._settings
        instructions = _settings.instructions(brief, table.prompt, has_grammar=True)
        agent = _settings.described(
            brief,
            table.greeting,
            listen=Listen(model=table.model).sdk(brief.wake_words, ""),
            think=[_think.sdk(_think.OpenAi(model="embedded"), **instructions)],
            speak=[_speak.sdk(_speak.Deepgram(model="embedded"))],
        )
        return _settings.settings(agent, table.output_rate_hz)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def open(settings: Settings) -> Embedded:
    return Embedded(settings)
