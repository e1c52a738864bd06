"""Which GPIO numbers a Raspberry Pi has on its header, by its model."""

import functools
import re
from pathlib import Path

MODEL = Path("/proc/device-tree/model")

EEPROM = (0, 1)
"""On headers of 40 pins they belong to the memory of a HAT."""
_FIRST_26 = frozenset((0, 1, 4, 7, 8, 9, 10, 11, 14, 15, 17, 18, 21, 22, 23, 24, 25))
_LATER_26 = frozenset((2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 17, 18, 22, 23, 24, 25, 27))


def model() -> str:
    """Such as "Raspberry Pi 4 Model B Rev 1.4"; empty where nothing says so."""
    try:
        return MODEL.read_text("ascii", errors="replace").rstrip("\0\n ")
    except OSError:
        return ""


@functools.cache
def _on_26_pins(model: str) -> frozenset[int]:
    """Those of the first boards, whose headers had 26 pins; empty for all others."""
    found = re.fullmatch(r"Raspberry Pi Model [AB](?: Rev (\d+))?", model)
    return frozenset() if not found else _FIRST_26 if found[1] == "1" else _LATER_26


def lacks(pin: int, model: str) -> str:
    """Why that board has no such pin (0 to 27) to offer; empty if it has. `model` may be unknown: ""."""
    if known := _on_26_pins(model):
        there = ", ".join(map(str, sorted(known)))
        return "" if pin in known else f"is not on the header of this {model}; there are {there}"
    return "is a line to the memory of a HAT; there are 2 to 27" if pin in EEPROM else ""
