"""What of a home may be worked, and by which names: from Home Assistant's lists and those of the config. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cooee.actions._words import one_line

NAME_LIMIT = 60
MOST_ENTITIES = 300


@dataclass(frozen=True, slots=True)
class Area:
    id: str
    names: tuple[str, ...]
    """What it is called, its own name first."""


@dataclass(frozen=True, slots=True)
class Entity:
    """`names`: what it is called, its own name first. `is_named`: the config's `allow` names it itself."""

    id: str
    names: tuple[str, ...]
    area: Area | None = None
    abilities: Mapping[str, Any] = field(default_factory=dict, hash=False)
    is_named: bool = False

    @property
    def domain(self) -> str:
        return self.id.partition(".")[0]

    @property
    def spoken(self) -> tuple[str, ...]:
        """Its names, and its id as words: who renamed the gate to "Otto" has not made it safe."""
        return (*self.names, self.id.partition(".")[2].replace("_", " "))

    @property
    def device_class(self) -> str:
        return str(self.abilities.get("device_class") or "")

    def has(self, feature: int) -> bool:
        """Whether it has this bit of Home Assistant's `supported_features`."""
        features = self.abilities.get("supported_features")
        return bool(features & feature) if isinstance(features, int) else False

    def number(self, ability: str, otherwise: float) -> float:
        value = self.abilities.get(ability)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise

    def texts(self, ability: str) -> tuple[str, ...]:
        """An ability that is a list of words."""
        value = self.abilities.get(ability)
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()


class Registry:
    """What Home Assistant answered to the questions for its lists."""

    def __init__(
        self,
        entities: Sequence[Mapping[str, Any]],
        areas: Sequence[Mapping[str, Any]],
        devices: Sequence[Mapping[str, Any]],
        exposed: Mapping[str, Any],
    ) -> None:
        self.entities = entities
        self.areas = areas
        self.exposed = exposed
        device_areas = {each.get("id"): each.get("area_id") for each in devices}
        self._area_of = {
            str(each.get("entity_id")): str(each.get("area_id") or device_areas.get(each.get("device_id")) or "")
            for each in entities
        }

    def area_of(self, entity_id: str) -> str:
        """An entity is where it was put, or else where its device is; "" where that is nowhere."""
        return self._area_of.get(entity_id, "")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entities may be worked. `unknown`: what the config names and Home Assistant does not have."""

    ids: tuple[str, ...]
    named: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    is_cut: bool = False


def chosen(registry: Registry, allow: Sequence[str], deny: Sequence[str], domains: Iterable[str]) -> Choice:
    """By `allow` (entities, domains and areas), or else what is exposed to Home Assistant's assistant; less `deny`."""
    known = {str(each.get("entity_id")): each for each in registry.entities}
    enabled = [name for name, each in known.items() if not each.get("disabled_by")]
    exposed = [name for name, told in registry.exposed.items() if isinstance(told, dict) and told.get("conversation")]
    everything = tuple(dict.fromkeys((*enabled, *registry.exposed)))
    usable = frozenset(domains)
    unknown = [entry for entry in (*allow, *deny) if not _matching(entry, everything, registry)]
    wanted = [name for entry in allow for name in _matching(entry, everything, registry)] if allow else exposed
    refused = {name for entry in deny for name in _matching(entry, everything, registry)}
    ids = [name for name in dict.fromkeys(wanted) if name not in refused and name.partition(".")[0] in usable]
    disabled = known.keys() - set(enabled)
    ids = [name for name in ids if name not in disabled]
    named = frozenset(entry for entry in allow if "." in entry)
    return Choice(tuple(sorted(ids)[:MOST_ENTITIES]), named, tuple(unknown), len(ids) > MOST_ENTITIES)


def _matching(entry: str, everything: Sequence[str], registry: Registry) -> list[str]:
    """The entities that an entry of `allow` or `deny` means: one, those of a domain, or those of an area."""
    if "." in entry:
        return [name for name in everything if name == entry]
    of_domain = [name for name in everything if name.partition(".")[0] == entry]
    areas = {str(area.get("area_id")) for area in registry.areas if _is_called(area, entry)}
    return of_domain or [name for name in everything if registry.area_of(name) in areas]


def _is_called(area: Mapping[str, Any], entry: str) -> bool:
    names = (area.get("area_id"), *_area_names(area))
    return entry.casefold() in {str(name).casefold() for name in names}


def _area_names(area: Mapping[str, Any]) -> tuple[str, ...]:
    aliases = area.get("aliases")
    return _names((area.get("name"), *(sorted(aliases) if isinstance(aliases, list) else ())))


def _names(found: Iterable[object]) -> tuple[str, ...]:
    """Fit to be said and to be told to the agent, each once."""
    cleaned = (one_line(name, NAME_LIMIT) for name in found if isinstance(name, str))
    return tuple({name.casefold(): name for name in reversed([name for name in cleaned if name])}.values())[::-1]


def entities(
    choice: Choice,
    registry: Registry,
    aliases: Mapping[str, Sequence[str]],
    abilities: Callable[[str], Mapping[str, Any] | None],
) -> tuple[Entity, ...]:
    """Those of the chosen ones that there are at present (`abilities` is not None)."""
    areas = {str(area.get("area_id")): Area(str(area.get("area_id")), _area_names(area)) for area in registry.areas}
    found = []
    for name in choice.ids:
        able = abilities(name)
        if able is None:
            continue
        plain = name.partition(".")[2].replace("_", " ")
        called = _names((able.get("friendly_name"), *aliases.get(name, ()))) or _names((plain,))
        area = areas.get(registry.area_of(name))
        found.append(Entity(name, called, area if area and area.names else None, able, name in choice.named))
    return tuple(found)


def by_name(found: Sequence[Entity]) -> dict[str, tuple[Entity, ...]]:
    """What each name means. Things in different areas that share a name are told apart by the area, where that helps;
    a name that still means several is kept, for who uses it is to be told so."""
    shared: dict[str, list[Entity]] = {}
    spelled: dict[str, str] = {}
    for entity in found:
        for name in entity.names:
            spelled.setdefault(name.casefold(), name)
            shared.setdefault(name.casefold(), []).append(entity)
    named: dict[str, tuple[Entity, ...]] = {}
    for key, several in shared.items():
        placed = {each.area.names[0]: each for each in several if each.area}
        if len(several) > 1 and len(placed) == len(several):
            named |= {f"{area} {spelled[key]}": (each,) for area, each in placed.items()}
        else:
            named[spelled[key]] = tuple(several)
    return named
