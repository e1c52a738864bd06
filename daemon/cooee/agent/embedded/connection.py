"""One client's line to the embedded agent: the server side of the Voice Agent protocol, version 1."""

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import Coroutine, Mapping
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from cooee.agent.embedded import wire
from cooee.agent.embedded.hearing import Hearing
from cooee.agent.embedded.speaking import Speaking, Utterance
from cooee.agent.embedded.speech import Speech, Unavailable
from cooee.agent.embedded.turn import Turns
from cooee.agent.embedded.wanted import Wanted, functions, keyterms, wanted
from cooee.agent.embedded.wire import Fault

log = logging.getLogger("cooee.agent")

EARLY_S = 60
"""So much of what was said may come before the voice detection is ready: all that a client may have held."""
_IDLE = (
    "We waited too long for a websocket message. "
    "Please send binary messages with the user's speech, or KeepAlive messages."
)


class Connection:
    """`idle_timeout_s`: without audio or KeepAlive for so long, the line ends.

    `answer_timeout_s`: a function may take so long to answer.
    """

    def __init__(
        self, socket: ServerConnection, speech: Speech, *, idle_timeout_s: float = 10.0, answer_timeout_s: float = 20.0
    ) -> None:
        self._socket = socket
        self._speech = speech
        self._idle_timeout_s = idle_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: asyncio.Future[Fault] = asyncio.get_running_loop().create_future()
        self._wanted: Wanted | None = None
        self._hearing: Hearing | None = None
        self._early = bytearray()
        self._ended_early = False

    async def run(self) -> None:
        """Serve the line until either side ends it."""
        reading = self._spawn(self._read())
        try:
            await asyncio.wait((reading, self._fault), return_when=asyncio.FIRST_COMPLETED)
            if self._fault.done():
                await self._refuse(self._fault.result())
        finally:
            for task in self._tasks:
                task.cancel()
            if self._wanted:
                self._turns.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        await self._send({"type": "Welcome", "request_id": str(uuid.uuid4())})
        loop = asyncio.get_running_loop()
        alive_s = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(alive_s + self._idle_timeout_s):
                    message = await self._socket.recv()
            except TimeoutError:
                raise Fault("CLIENT_MESSAGE_TIMEOUT", _IDLE) from None
            found = message if isinstance(message, bytes) else wire.parse(message)
            if isinstance(found, bytes):
                await self._hear(found)
            else:
                await self._handle(found)
            if isinstance(found, bytes) or found["type"] in ("KeepAlive", "Settings"):
                alive_s = loop.time()

    async def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "Settings":
            await self._apply(message)
            return
        if self._wanted is None:
            raise Fault("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", f"{kind} came before Settings.")
        match kind:
            case "InjectUserMessage":
                self._spawn(self._turns.typed(message["content"]))
            case "InjectAgentMessage":
                await self._inject(message["message"], message.get("behavior", "default"))
            case "FunctionCallResponse":
                self._spawn(self._turns.answered(message.get("id", ""), message["content"]))
            case "ForceEndTurn" if self._hearing:
                await self._turns.heard(self._hearing.end())
            case "ForceEndTurn":
                self._ended_early = True
            case "UpdateThink":
                await self._turns.use(functions=functions(message["think"]))
                await self._send({"type": "ThinkUpdated"})
            case "UpdateListen":
                await self._turns.use(keyterms=keyterms(message["listen"]))
                await self._send({"type": "ListenUpdated"})
            case "UpdateSpeak" | "UpdatePrompt":
                await self._send({"type": f"{kind.removeprefix('Update')}Updated"})

    async def _apply(self, message: Mapping[str, Any]) -> None:
        if self._wanted is not None:
            raise Fault("SETTINGS_ALREADY_APPLIED", "Settings may be sent only once; use the Update messages.")
        asked = wanted(message)
        self._speaking = Speaking(self._speech, self._send, self._said, self._spawn, asked.output_rate_hz)
        self._turns = Turns(
            self._speech, self._speaking, self._send, self._spawn, asked, answer_timeout_s=self._answer_timeout_s
        )
        self._wanted = asked
        await self._turns.use()
        self._spawn(self._listen(asked.input_rate_hz))
        await self._send({"type": "SettingsApplied"})
        if asked.greeting:
            self._speaking.say(Utterance(asked.greeting))

    async def _listen(self, rate_hz: int) -> None:
        """Hear what came before the voice detection was ready; on a thread, so that nothing waits for it."""
        hearing = Hearing(await self._speech.endpointer(), rate_hz)
        events: list[Any] = []
        while self._early:
            early, self._early = bytes(self._early), bytearray()
            events += await asyncio.to_thread(hearing.feed, early)
        if self._ended_early:
            events += hearing.end()
        self._hearing = hearing
        await self._turns.heard(events)

    async def _hear(self, pcm: bytes) -> None:
        if self._wanted is None:
            raise Fault("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "Audio came before Settings.")
        if len(pcm) > wire.MOST_BYTES:
            raise Fault(
                "UNPARSABLE_CLIENT_MESSAGE", f"{len(pcm)} bytes of audio at once; at most {wire.MOST_BYTES} may be."
            )
        if self._hearing is None:
            self._early += pcm
            del self._early[: -EARLY_S * 2 * self._wanted.input_rate_hz]
            return
        events = self._hearing.feed(pcm)
        if not events and self._hearing.talking and self._speaking.busy:
            # The agent began to speak while the user was speaking (an injected message): the user goes first.
            await self._speaking.cut()
            await self._send({"type": "UserStartedSpeaking"})
        await self._turns.heard(events)

    async def _inject(self, text: str, behavior: str) -> None:
        talking = self._hearing is not None and self._hearing.talking
        if behavior == "interrupt":
            await self._speaking.cut()
        elif talking:
            await self._send({"type": "InjectionRefused", "message": "The user is speaking."})
            return
        elif behavior != "queue" and self._speaking.busy:
            await self._send({"type": "InjectionRefused", "message": "The agent is speaking."})
            return
        self._speaking.say(Utterance(text))

    async def _said(self, sentence: str) -> None:
        await self._turns.said(sentence)

    async def _send(self, message: Mapping[str, Any] | bytes) -> None:
        await self._socket.send(message if isinstance(message, bytes) else json.dumps(message))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it beside the rest; what it raises ends the line."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConnectionClosed:
            log.debug("the client is gone")
        except Fault as fault:
            self._end(fault)
        except Unavailable as error:
            self._end(Fault(error.code, str(error)))
        except Exception:
            log.exception("a line ended by a fault of the agent's own")
            self._end(Fault("INTERNAL_SERVER_ERROR", "The agent failed; its log says where."))

    def _end(self, fault: Fault) -> None:
        if not self._fault.done():
            self._fault.set_result(fault)

    async def _refuse(self, fault: Fault) -> None:
        log.warning("ended a line: %s", fault.code)
        ours = fault.code in ("CLIENT_MESSAGE_TIMEOUT", "INTERNAL_SERVER_ERROR")
        with contextlib.suppress(ConnectionClosed):
            await self._send({"type": "Error", "description": str(fault), "code": fault.code})
            await self._socket.close(1011 if ours else 1008, fault.code)
