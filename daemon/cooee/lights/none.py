"""No light at all."""

from collections.abc import Iterator
from typing import Literal

from cooee.effects import Show
from cooee.lights import LightTable


class Settings(LightTable):
    """Nothing to set."""

    type: Literal["none"] = "none"
    """No light."""

    def can_be_seen(self) -> bool:
        return False


class Dark:
    def show(self, show: Show) -> Iterator[float]:
        return iter(())

    def close(self) -> None:
        pass


def open(settings: Settings) -> Dark:
    return Dark()
