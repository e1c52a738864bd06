"""What shows the phase: each kind of light is a module here, named in [lights] type.

A kind's module has `Settings` (a `settings.Table`) and `open(settings) -> Light`.
"""

from typing import Protocol

from cooee.effects import Show


class Light(Protocol):
    def show(self, show: Show) -> None:
        """Show this from now on. Called by the lights' own thread; may block, may raise."""

    def close(self) -> None: ...
