"""How a light moves: brightness over time, the same for every kind of light. Pure."""

import math
from typing import Literal

from cooee.events import Trouble

Motion = Literal["steady", "blink", "flash", "pulse", "breathe"]

FLASHES = {
    Trouble.NETWORK: 1,
    Trouble.VENDOR: 2,
    Trouble.BUSY: 3,
    Trouble.CLOCK: 4,
    Trouble.KEY: 5,
    Trouble.CREDIT: 6,
    Trouble.PERMISSION: 7,
    Trouble.SETTINGS: 8,
    Trouble.LIMIT: 9,
}
"""What "code" counts out for each trouble."""

STEP_S = 0.04
"""Between two steps of a look that fades; 25 a second look smooth."""


def brightness(
    motion: Motion | Literal["code"], at_s: float, trouble: Trouble | None = None
) -> tuple[float, float | None]:
    """How bright (0..1) a look is `at_s` after its start, and seconds until that changes; None: never.

    blink: half a second on, half a second off. flash: 0.1 s on every two seconds. pulse: up and down within a second.
    breathe: the same in four seconds, softly. code: the trouble's number of flashes, then dark for 1.2 s.
    """
    match motion:
        case "steady":
            return 1.0, None
        case "blink":
            return _on_for(0.5, at_s % 1.0, 1.0)
        case "flash":
            return _on_for(0.1, at_s % 2.0, 2.0)
        case "pulse":
            return _swell(at_s / 1.0), STEP_S
        case "breathe":
            return _swell(at_s / 4.0) ** 2, STEP_S
        case "code":
            return brightness("flash", at_s) if trouble is None else _count(FLASHES[trouble], at_s)


def _count(flashes: int, at_s: float) -> tuple[float, float]:
    """Flashes of 0.2 s, 0.3 s apart: slow enough to be counted."""
    before_last_s = 0.5 * (flashes - 1)
    at_s %= before_last_s + 1.4
    if at_s < before_last_s:
        return _on_for(0.2, at_s % 0.5, 0.5)
    return _on_for(0.2, at_s - before_last_s, 1.4)


def _on_for(on_s: float, at_s: float, period_s: float) -> tuple[float, float]:
    bright, until_s = (1.0, on_s) if at_s < on_s else (0.0, period_s)
    # Rounding may leave next to nothing to wait for.
    return bright, max(until_s - at_s, 0.005)


def _swell(periods: float) -> float:
    return (1 - math.cos(2 * math.pi * periods)) / 2
