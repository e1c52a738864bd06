"""Which GPIO numbers a Raspberry Pi has on its header, by its model, and what owns them."""

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from cooee.settings import Pin

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


class Owners:
    """Each pin has one owner: a table of the config."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._owners: dict[int, str] = {}

    def claim(
        self, owner: str, pins: tuple[int, ...], model: Any, table: Mapping[str, Any]
    ) -> Iterator[tuple[str, int, str]]:
        """What is wrong with the pins of a table: the setting, the pin, a sentence.

        `pins`: what it takes; what a table with faults claims is seen in itself, as its `model` has it.
        """
        named = {table[name]: name for name in _pin_settings(model) if type(table.get(name)) is int}
        for pin in dict.fromkeys((*pins, *named)):
            if 0 <= pin <= 27 and (why := lacks(pin, self._model)):
                yield named.get(pin, "pin"), pin, why
            if self._owners.setdefault(pin, owner) != owner:
                yield named.get(pin, "pin"), pin, f"is used by [{self._owners[pin]}] already; each pin has one owner"


def _pin_settings(model: Any) -> Iterator[str]:
    """The names of the settings that are pins."""
    pin = FieldInfo.from_annotation(Pin)
    for name, field in model.model_fields.items():
        may_be_none = Pin in get_args(field.annotation)
        if may_be_none or (field.annotation, field.metadata) == (pin.annotation, pin.metadata):
            yield name
