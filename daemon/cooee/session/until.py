"""Work that is given up when it is not wanted any more."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


async def until(unwanted: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work, or give it up when the event is set; returns whether it was given up. Raises what the work does."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(unwanted.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
    left = not waiting.cancelled()
    with suppress(asyncio.CancelledError):
        working.result()
    return left
