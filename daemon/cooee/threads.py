"""A thread that dies or hangs takes the process down: the speaker must not stay up and be deaf."""

import asyncio
import threading
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


async def until(stopping: asyncio.Event) -> None:
    """Returns when `stopping` is set; raises what has ended a thread."""
    loop = asyncio.get_running_loop()
    died: asyncio.Future[None] = loop.create_future()

    def die(error: BaseException) -> None:
        if not died.done():
            died.set_exception(error)

    def tell(thread: threading.ExceptHookArgs) -> None:
        loop.call_soon_threadsafe(die, thread.exc_value or RuntimeError("a thread ended"))

    hook, threading.excepthook = threading.excepthook, tell
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((stopped, died), return_when=asyncio.FIRST_COMPLETED)
        if died.done():
            died.result()
    finally:
        threading.excepthook = hook
        stopped.cancel()
