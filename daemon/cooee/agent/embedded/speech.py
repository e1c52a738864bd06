"""Ears and mouth of the embedded agent: the models, loaded in the background, and a thread for each of the two."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar, cast

log = logging.getLogger("cooee.agent")
T = TypeVar("T")
Model = Literal["tiny.en", "base"]


class Unavailable(Exception):
    """A model could not be loaded; str() is a sentence for the user, `code` the protocol's word for it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Speech:
    """What all lines share. Call `load` once, inside the running loop; each use waits only for the model it needs."""

    def __init__(self, model: Model = "tiny.en") -> None:
        self._model = model
        self._ears = ThreadPoolExecutor(1, thread_name_prefix="ears")
        self._mouth = ThreadPoolExecutor(1, thread_name_prefix="mouth")
        self._loading: dict[str, asyncio.Task[Any]] = {}

    def load(self) -> None:
        """Start to load everything; returns at once."""
        for name, make in (("voice", _voice), ("voice detection", _endpointer), ("speech to text", self._whisper)):
            self._loading[name] = asyncio.create_task(_loaded(name, make))

    async def endpointer(self) -> Any:
        """A fresh `endpoint.Endpointer`. Raises Unavailable."""
        await self._ready("voice detection")
        return await apart(_endpointer)

    async def transcribe(self, samples: Any, hints: Sequence[str]) -> Any:
        """A `whisper.Transcript` of 16 kHz samples. Raises Unavailable."""
        whisper = await self._ready("speech to text")
        return await _on(self._ears, lambda: whisper.transcribe(samples, hints))

    async def second_opinion(self, sentences: Iterable[str]) -> Any:
        """A `sphinx.SecondOpinion` for these sentences. Raises Unavailable."""
        from cooee.agent.embedded.sphinx import SecondOpinion

        return await apart(lambda: SecondOpinion(list(sentences)))

    async def second(self, opinion: Any, samples: Any) -> str:
        return str(await _on(self._ears, lambda: opinion.transcribe(samples)))

    async def speak(self, text: str, rate_hz: int) -> AsyncIterator[bytes]:
        """Speech as PCM, 16 bit mono, in pieces as they are made. Raises Unavailable."""
        voice = await self._ready("voice")
        pieces = voice.speak(text, rate_hz)
        try:
            while (piece := await _on(self._mouth, lambda: next(pieces, None))) is not None:
                yield piece
        except OSError as error:
            raise Unavailable("FAILED_TO_SPEAK", f"the voice failed: {error}") from error
        finally:
            # Behind the piece that may still be under way: a generator cannot be closed while it runs.
            with contextlib.suppress(RuntimeError):  # the process is ending
                self._mouth.submit(pieces.close)

    async def close(self) -> None:
        for task in self._loading.values():
            task.cancel()
        found = await asyncio.gather(*self._loading.values(), return_exceptions=True)
        for worker in (self._ears, self._mouth):
            worker.shutdown(wait=False, cancel_futures=True)
        voice = next(iter(found), None)
        if voice is not None and not isinstance(voice, BaseException):
            voice.close()

    async def _ready(self, name: str) -> Any:
        return await asyncio.shield(self._loading[name])

    def _whisper(self) -> Any:
        # Threads that wait for each other by spinning take the processor from the detector and the voice.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from cooee.agent.embedded import models
        from cooee.agent.embedded.whisper import Whisper

        return Whisper(models.whisper(self._model))


async def _on(worker: ThreadPoolExecutor, do: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(worker, do)


async def apart(do: Callable[[], T]) -> T:
    """Do it on a thread of its own, for which the end of the process does not wait."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def work() -> None:
        result, error = None, None
        try:
            result = do()
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=work, daemon=True).start()
    return await done


async def _loaded(name: str, make: Callable[[], T]) -> T:
    started = time.monotonic()
    try:
        made = await apart(make)
    except Exception as error:
        log.error("%s is not available: %s", name, error)
        code = "FAILED_TO_SPEAK" if name == "voice" else "FAILED_TO_START_LISTENING"
        raise Unavailable(code, f"{name} is not available: {error}") from error
    log.info("%s ready after %.1f s", name, time.monotonic() - started)
    return made


def _voice() -> Any:
    from cooee.agent.embedded import voice

    return voice.open()


def _endpointer() -> Any:
    from cooee.agent.embedded.endpoint import Endpointer

    return Endpointer()
