"""What Home Assistant's entities are at this moment, as it tells by itself."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

AWAY = ("unavailable", "unknown")
# What an entity is able to do; some of it is not told while it is unavailable, but stays true.
_ABILITIES = (
    "friendly_name", "device_class", "supported_features", "supported_color_modes", "min_color_temp_kelvin",
    "max_color_temp_kelvin", "hvac_modes", "min_temp", "max_temp", "unit_of_measurement", "entity_id", "code_format",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """`at`: when it was last told, on Home Assistant's clock."""

    value: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0

    @property
    def is_away(self) -> bool:
        return self.value == "unavailable"

    def number(self, name: str) -> float | None:
        """An attribute, if it is a number."""
        value = self.attributes.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Mirror:
    """Follows a subscription to entities. `changed`: some of them are able to do something else, or came or went."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._states: dict[str, State] = {}
        self._abilities: dict[str, dict[str, Any]] = {}
        self._news = asyncio.Event()

    def get(self, entity_id: str) -> State | None:
        return self._states.get(entity_id)

    def abilities(self, entity_id: str) -> Mapping[str, Any] | None:
        """Attributes that say what it is able to do; None for an entity that there is not."""
        return self._abilities.get(entity_id)

    def clear(self) -> None:
        """Nothing is known any more, but what the entities are able to do."""
        self._states.clear()

    def keep(self, ids: Iterable[str]) -> None:
        """Forget all but these, and of these what was not told."""
        ids = set(ids)
        self._states = {name: state for name, state in self._states.items() if name in ids}
        self._abilities = {name: able for name, able in self._abilities.items() if name in self._states}

    def take(self, event: Any) -> None:
        """a: those that are new or told in full, c: what is other, r: those that are gone."""
        if not isinstance(event, dict):
            return
        changes = [self._put(entity_id, _state(told)) for entity_id, told in _items(event.get("a"))]
        for entity_id, told in _items(event.get("c")):
            before = self._states.get(entity_id)
            if before is not None:
                changes.append(self._put(entity_id, _altered(before, told)))
        gone = event.get("r")
        for entity_id in gone if isinstance(gone, list) else ():
            self._states.pop(entity_id, None)
            changes.append(self._abilities.pop(entity_id, None) is not None)
        self._news.set()
        if any(changes):
            self._changed()

    async def until(self, holds: Callable[[], bool], limit_s: float) -> bool:
        """Whether it came to hold within the time."""
        try:
            async with asyncio.timeout(limit_s):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return holds()
        return True

    def _put(self, entity_id: str, state: State) -> bool:
        """Whether that changes what the entity is able to do."""
        self._states[entity_id] = state
        before = self._abilities.get(entity_id)
        now = {name: state.attributes[name] for name in _ABILITIES if name in state.attributes}
        if state.value in AWAY and before:
            now = {**before, **now}
        self._abilities[entity_id] = now
        return before != now


def _items(found: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return [(key, value) for key, value in found.items() if isinstance(value, dict)] if isinstance(found, dict) else []


def _state(told: Mapping[str, Any]) -> State:
    attributes = told.get("a")
    return State(str(told.get("s", "unknown")), attributes if isinstance(attributes, dict) else {}, _time(told, 0.0))


def _altered(before: State, told: Mapping[str, Any]) -> State:
    more, less = told.get("+"), told.get("-")
    more = more if isinstance(more, dict) else {}
    gone = less.get("a") if isinstance(less, dict) else None
    gone = gone if isinstance(gone, list) else ()
    attributes = {name: value for name, value in before.attributes.items() if name not in gone}
    new = more.get("a")
    attributes |= new if isinstance(new, dict) else {}
    return State(str(more.get("s", before.value)), attributes, _time(more, before.at))


def _time(told: Mapping[str, Any], otherwise: float) -> float:
    """Last updated, which is left out where it is the same as last changed."""
    value = told.get("lu", told.get("lc", otherwise))
    return float(value) if isinstance(value, int | float) else otherwise
