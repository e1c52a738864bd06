"""A thread that dies or hangs takes the process down: the speaker must not stay up and be deaf."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Device(Protocol):
    @property
    def stuck(self) -> bool: ...


class Stuck(Exception):
    """A thread hangs in its device: only a new process helps."""


def check(**devices: Device) -> None:
    """Raises Stuck if one of them hangs."""
    for name, device in devices.items():
        if device.stuck:
            raise Stuck(f"the {name}'s thread hangs")


@contextmanager
def deaths() -> Iterator["asyncio.Future[None]"]:
    """It fails with what has ended a thread meanwhile; to be entered before any thread is begun."""
    loop = asyncio.get_running_loop()
    died: asyncio.Future[None] = loop.create_future()

    def die(error: BaseException) -> None:
        if not died.done():
            died.set_exception(error)

    def tell(thread: threading.ExceptHookArgs) -> None:
        loop.call_soon_threadsafe(die, thread.exc_value or RuntimeError("a thread ended"))

    hook, threading.excepthook = threading.excepthook, tell
    try:
        yield died
    finally:
        threading.excepthook = hook
        if not died.cancel():
            died.exception()  # what nobody waited for any more is not to be told at the end


async def until(stopping: asyncio.Event, died: "asyncio.Future[None]") -> None:
    """Returns when `stopping` is set; raises what has ended a thread."""
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((stopped, died), return_when=asyncio.FIRST_COMPLETED)
        if died.done():
            died.result()
    finally:
        stopped.cancel()
