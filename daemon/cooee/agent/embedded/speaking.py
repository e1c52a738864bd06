"""The agent's voice on one line: replies queue up here and leave as sentences of text and pieces of sound."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from cooee.agent.embedded.speech import Speech
from cooee.agent.embedded.words import sentences

FRAME_BYTES = 4800
Send = Callable[[Mapping[str, Any] | bytes], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """A reply. `asked_s`: the loop's time when the user had finished asking; `latency`: what it took until here."""

    text: str
    asked_s: float | None = None
    latency: Mapping[str, float] | None = None


class Speaking:
    """Says one utterance after the other; `said` is told each sentence that is sent."""

    def __init__(
        self, speech: Speech, send: Send, said: Callable[[str], Awaitable[None]], spawn: Spawn, rate_hz: int
    ) -> None:
        self._speech = speech
        self._send = send
        self._said = said
        self._spawn = spawn
        self._rate_hz = rate_hz
        self._queue: deque[Utterance] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    def say(self, utterance: Utterance) -> None:
        """Say this after what is being said; returns at once."""
        self._queue.append(utterance)
        if not self.busy:
            self._task = self._spawn(self._run())

    async def cut(self) -> bool:
        """Stop and forget the rest; whether anything was being said. Nothing more is sent once this has returned."""
        self._queue.clear()
        if not self.busy or self._task is None:
            return False
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        return True

    async def _run(self) -> None:
        """The turn is done when the queue is empty; only then the client is told so."""
        report: dict[str, float] = {}
        while self._queue:
            report |= await self._one(self._queue.popleft(), first=not report)
        await self._send({"type": "AgentAudioDone"})
        await self._send({"type": "LatencyReport", **report})

    async def _one(self, utterance: Utterance, *, first: bool) -> dict[str, float]:
        loop = asyncio.get_running_loop()
        report = dict(utterance.latency or {})
        for sentence in sentences(utterance.text):
            started = loop.time()
            await self._said(sentence)
            async for piece in self._speech.speak(sentence, self._rate_hz):
                if "tts_latency" not in report:
                    now = loop.time()
                    report["tts_latency"] = round(now - started, 3)
                    report["total_latency"] = round(now - (utterance.asked_s or started), 3)
                    if first:
                        await self._send(_started(report))
                for at in range(0, len(piece), FRAME_BYTES):
                    await self._send(piece[at : at + FRAME_BYTES])
        return report


def _started(report: Mapping[str, float]) -> Mapping[str, Any]:
    thought = report.get("ttt_tool_latency", report.get("ttt_text_latency", 0.0))
    return {
        "type": "AgentStartedSpeaking",
        "total_latency": report["total_latency"],
        "tts_latency": report["tts_latency"],
        "ttt_latency": thought,
    }
