"""What shows the phase: each kind of light is a module here, named in [lights] type.

A kind's module has `Settings` (a `LightTable`) and `open(settings) -> Light`. Modules with an underscore are no kinds.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, Self

from cooee import kinds
from cooee.effects import Phase, Show
from cooee.events import Lit
from cooee.settings import Table

log = logging.getLogger("cooee.lights")

HUNG_S = 5.0


class LightTable(Table):
    """What every kind of light has."""

    type: str
    """Which kind of light: the name of a module of `cooee.lights`."""

    def pins(self) -> tuple[int, ...]:
        """The GPIO pins that this light takes, so that nothing else is given them."""
        return ()

    def can_be_seen(self) -> bool:
        """Whether there is a light at all."""
        return True


class Light(Protocol):
    def show(self, show: Show) -> Iterator[float]:
        """Show this from now on: each item is the number of seconds until the next step of a look that moves.

        Called, and gone through, by the lights' own thread only; may block, may raise. Ends when the look is steady.
        """

    def close(self) -> None:
        """Leave the light dark."""


class Lights:
    """Shows the latest phase on the configured light, on a thread of its own: no light can hold anything up.

    A light that can't be opened, raises or hangs costs one warning and is tried again every `retry_s`.
    `report` is told, on that thread, of each phase when the light really shows it.
    """

    def __init__(
        self, settings: LightTable, *, report: Callable[[Lit], None] = lambda lit: None, retry_s: float = 30.0
    ) -> None:
        self._settings = settings
        self._report = report
        self._retry_s = retry_s
        self._wanted: Show | None = None
        self._lit: Phase | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._busy_since: float | None = None
        self._warned = False
        self._thread = threading.Thread(target=self._serve, name="lights", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(1.0)

    def show(self, show: Show) -> None:
        """Show this instead of what is shown now. Never blocks, never raises."""
        with self._changed:
            self._wanted = show
            self._changed.notify()
        busy_since = self._busy_since
        if busy_since is not None and time.monotonic() - busy_since > HUNG_S:
            self._warn("do not answer")

    def _warn(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("the lights (%s) %s; everything else goes on without them", self._settings.type, what)

    def _serve(self) -> None:
        while not self._closing:
            try:
                self._drive()
            except Exception as error:
                self._warn(f"do not work: {error or type(error).__name__}")
                log.debug("the lights' fault in full", exc_info=True)
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, self._retry_s)

    def _drive(self) -> None:
        """Open the light and show what is wanted until closing. Raises whatever the light raises."""
        light: Light | None = None
        try:
            with self._at_work():
                light = kinds.module("lights", self._settings.type).open(self._settings)
            shown: Show | None = None
            while (wanted := self._next(shown)) is not None:
                shown = wanted
                self._play(light, wanted)
        finally:
            if light is not None:
                with self._at_work(), contextlib.suppress(Exception):
                    light.close()

    def _play(self, light: Light, show: Show) -> None:
        steps = light.show(show)
        while True:
            with self._at_work():
                delay_s = next(steps, None)
            if self._warned:
                self._warned = False
                log.info("the lights (%s) work again", self._settings.type)
            self._tell(show)
            if delay_s is None:
                return
            with self._changed:
                if self._changed.wait_for(lambda: self._closing or not _alike(self._wanted, show), delay_s):
                    return

    def _tell(self, show: Show) -> None:
        # A fault is shown in place of the phase.
        lit = None if show.fault else show.phase
        if lit is not None and lit is not self._lit and self._settings.can_be_seen():
            self._report(Lit(show.turn, lit.value))
        self._lit = lit

    def _next(self, shown: Show | None) -> Show | None:
        """Waits for something else to show than `shown`; None when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or not _alike(self._wanted, shown))
            return None if self._closing else self._wanted

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        self._busy_since = time.monotonic()
        try:
            yield
        finally:
            self._busy_since = None


def _alike(one: Show | None, other: Show | None) -> bool:
    """Whether both look the same; in which turn makes no difference."""
    if one is None or other is None:
        return one is other
    return (one.phase, one.fault, one.trouble) == (other.phase, other.fault, other.trouble)
