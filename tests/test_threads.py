"""A speaker that is deaf or dumb must not stay up: what ends the process, and what does not."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from cooee import threads


async def test_a_thread_that_dies_ends_the_process_with_its_reason() -> None:
    def die() -> None:
        raise ZeroDivisionError("the wake model")

    with threads.deaths() as died:
        thread = threading.Thread(target=die)
        thread.start()
        thread.join()
        # It may have died before anybody waits.
        with pytest.raises(ZeroDivisionError, match="the wake model"):
            await threads.until(asyncio.Event(), died)


async def test_two_threads_that_die_at_once_are_one_end() -> None:
    barrier = threading.Barrier(2)

    def die() -> None:
        barrier.wait()
        raise ZeroDivisionError

    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
    both = [threading.Thread(target=die) for _ in range(2)]
    with threads.deaths() as died:
        for each in both:
            each.start()
        for each in both:
            each.join()
        with pytest.raises(ZeroDivisionError):
            await threads.until(asyncio.Event(), died)
    assert not failures


async def test_asked_to_stop_it_stops_and_leaves_other_programs_their_way_with_dying_threads() -> None:
    stopping, before = asyncio.Event(), threading.excepthook
    stopping.set()
    with threads.deaths() as died:
        await threads.until(stopping, died)
    assert threading.excepthook is before


def test_a_thread_that_hangs_is_named() -> None:
    well, hung = SimpleNamespace(stuck=False), SimpleNamespace(stuck=True)
    threads.check(microphone=well, loudspeaker=well)
    with pytest.raises(threads.Stuck, match="loudspeaker"):
        threads.check(microphone=well, loudspeaker=hung)
