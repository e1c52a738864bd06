"""The user's turns on one line: from speech or text to what the agent says and which functions it asks for."""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cooee.agent.embedded.dialogue import Dialogue, Reply
from cooee.agent.embedded.grammar import Grammar
from cooee.agent.embedded.speaking import Send, Spawn, Speaking, Utterance
from cooee.agent.embedded.speech import Speech
from cooee.agent.embedded.wanted import Wanted

log = logging.getLogger("cooee.agent")

ALIKE_ENOUGH = 70.0
"""A second opinion counts only if the two texts are so much alike, of 100."""
PAUSE_S = 1.5
"""Who goes on speaking within so long, before the first part was understood, is still in the same turn."""
LONGEST_SAMPLES = 30 * 16_000


class Turns:
    """One conversation's turns, one at a time; `use` comes first."""

    def __init__(
        self, speech: Speech, speaking: Speaking, send: Send, spawn: Spawn, wanted: Wanted, *, answer_timeout_s: float
    ) -> None:
        self._speech, self._speaking, self._send, self._spawn = speech, speaking, send, spawn
        self._answer_timeout_s = answer_timeout_s
        self._functions, self._keyterms = wanted.functions, wanted.keyterms
        self._reports_history = wanted.history
        self._grammar = Grammar((), ())
        self._dialogue = Dialogue(self._grammar, lambda: f"call_{uuid.uuid4().hex[:16]}", wanted.messages)
        self._opinion: asyncio.Task[Any] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._in_order = asyncio.Lock()
        self._recognising: asyncio.Task[None] | None = None
        self._held: Any = None
        self._ended_at_s = 0.0
        self._asked_s = 0.0
        self._latency: dict[str, float] = {}

    async def use(
        self, functions: Sequence[Mapping[str, Any]] | None = None, keyterms: Sequence[str] | None = None
    ) -> None:
        """From now on these functions and names; what is None stays."""
        self._functions = tuple(functions) if functions is not None else self._functions
        self._keyterms = tuple(keyterms) if keyterms is not None else self._keyterms
        async with self._one_at_a_time:
            self._grammar = await asyncio.to_thread(_warm_grammar, self._functions, self._keyterms)
            self._dialogue.use(self._grammar)
        if self._opinion:
            self._opinion.cancel()
        self._opinion = asyncio.create_task(self._speech.second_opinion(self._grammar.sentences()))

    def close(self) -> None:
        if self._opinion:
            self._opinion.cancel()

    async def heard(self, events: Sequence[Any]) -> None:
        """What the endpointer found: the beginning or the end of something said."""
        from cooee.agent.embedded.endpoint import Started

        async with self._in_order:
            for event in events:
                if isinstance(event, Started):
                    await self._began(event.at_s)
                else:
                    self._ended(event)

    async def typed(self, text: str) -> None:
        """A turn that came as text."""
        self._latency = {}
        await self._confirmed(text, asyncio.get_running_loop().time())

    async def answered(self, id_: str, content: str) -> None:
        """A function's result; one that nobody waits for is dropped."""
        async with self._one_at_a_time:
            message = self._dialogue.done(id_, content)
            if message is None:
                return
            await self._keep(message)
            reply = self._dialogue.answered(id_, content, asyncio.get_running_loop().time())
            if reply:
                await self._act(reply)

    async def said(self, sentence: str) -> None:
        """The agent says this now."""
        await self._spoken("assistant", sentence)

    async def _began(self, at_s: float) -> None:
        """The user speaks: silence first, then the news, then take back what was asked for."""
        if self._recognising and not self._recognising.done() and at_s - self._ended_at_s < PAUSE_S:
            self._recognising.cancel()
        else:
            self._held = None
        await self._speaking.cut()
        await self._send({"type": "UserStartedSpeaking"})
        async with self._one_at_a_time:
            cancelled = self._dialogue.interrupted()
            await self._speaking.cut()
        if cancelled:
            taken_back = [{"id": request.id, "name": request.name} for request in cancelled]
            await self._send({"type": "FunctionCallCancelled", "functions": taken_back})

    def _ended(self, event: Any) -> None:
        """If the user paused and went on before the first part was understood, both parts are one turn."""
        import numpy as np

        self._ended_at_s = event.speech_ended_at_s
        samples = event.samples if self._held is None else np.concatenate((self._held, event.samples))
        self._held = samples if len(samples) <= LONGEST_SAMPLES else event.samples
        ended_s = asyncio.get_running_loop().time() - (event.at_s - event.speech_ended_at_s)
        self._recognising = self._spawn(self._recognised(self._held, ended_s))

    async def _recognised(self, samples: Any, ended_s: float) -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        transcript = await self._speech.transcribe(samples, (*self._keyterms, *self._grammar.labels))
        text = await asyncio.to_thread(self._grammar.heard, transcript.text) if transcript.heard else ""
        if text and not await asyncio.to_thread(self._dialogue.understands, text):
            text = await self._second(samples, text)
        self._held = None
        if text:
            self._latency = {"stt_latency": round(loop.time() - started_s, 3)}
            # Confirmed: from here on the turn is answered, whatever is said meanwhile.
            self._spawn(self._confirmed(text, ended_s))
        else:
            # Or the client would go on listening to somebody who does not speak.
            nothing = "What began as speech was none, or no more than the wake word."
            await self._send({"type": "Warning", "code": "NOTHING_SAID", "description": nothing})

    async def _second(self, samples: Any, text: str) -> str:
        """The second opinion's text if it can be followed and sounds like the first; else the first."""
        from cooee.agent.embedded.sphinx import alike

        if not self._opinion or not self._opinion.done() or self._opinion.cancelled() or self._opinion.exception():
            return text
        other = self._grammar.unaddressed(await self._speech.second(self._opinion.result(), samples))
        if not other or alike(text, other) < ALIKE_ENOUGH:
            return text
        understood = await asyncio.to_thread(self._dialogue.understands, other)
        return f"{other[:1].upper()}{other[1:]}." if understood else text

    async def _confirmed(self, text: str, asked_s: float) -> None:
        loop = asyncio.get_running_loop()
        async with self._one_at_a_time:
            await self._spoken("user", text)
            started_s, self._asked_s = loop.time(), asked_s
            reply = await asyncio.to_thread(self._dialogue.heard, text, started_s, datetime.now())
            kind = "ttt_tool_latency" if reply.requests else "ttt_text_latency"
            self._latency[kind] = round(loop.time() - started_s, 3)
            await self._act(reply)

    async def _act(self, reply: Reply) -> None:
        if reply.say:
            self._speaking.say(Utterance(reply.say, self._asked_s, self._latency))
        if not reply.requests:
            return
        asked = [
            {"id": request.id, "name": request.name, "arguments": request.arguments, "client_side": True}
            for request in reply.requests
        ]
        await self._send({"type": "FunctionCallRequest", "functions": asked})
        self._spawn(self._overdue({request.id for request in reply.requests}))

    async def _overdue(self, ids: set[str]) -> None:
        await asyncio.sleep(self._answer_timeout_s)
        async with self._one_at_a_time:
            if ids & {request.id for request in self._dialogue.waiting}:
                reply = self._dialogue.overdue(asyncio.get_running_loop().time())
                if reply:
                    await self._act(reply)

    async def _spoken(self, role: str, content: str) -> None:
        await self._send({"type": "ConversationText", "role": role, "content": content})
        await self._keep(self._dialogue.said(role, content))

    async def _keep(self, message: Mapping[str, Any]) -> None:
        if self._reports_history:
            await self._send(message)


def _warm_grammar(functions: Sequence[Mapping[str, Any]], keyterms: Sequence[str]) -> Grammar:
    """The first sentence makes hassil compile its templates; better now than in the user's first turn."""
    grammar = Grammar(functions, keyterms)
    grammar.parse("what is the answer to this")
    return grammar
