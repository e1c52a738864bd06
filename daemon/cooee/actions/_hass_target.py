"""What the names of a home mean: one thing, or those of an area together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cooee.actions import Failed
from cooee.actions._hass_home import Entity, by_name
from cooee.actions._hass_kind import Kind
from cooee.actions._words import join, one_line


@dataclass(frozen=True, slots=True)
class Target:
    """What a name means. A name that means several things by mistake is no group."""

    entities: tuple[Entity, ...]
    is_group: bool = False


def targets(kind: Kind, things: Sequence[Entity]) -> dict[str, Target]:
    """What can be named: each thing, and together those of an area and all that there are."""
    named = {name: Target(entities) for name, entities in by_name(things).items()}
    together: dict[str, list[Entity]] = {}
    for entity in things if kind.group else ():
        if kind.groups(entity):
            together.setdefault(f"all {kind.group}", []).append(entity)
            for area in entity.area.names if entity.area else ():
                together.setdefault(f"{area} {kind.group}", []).append(entity)
    known = {name.casefold() for name in named}
    groups = {name: Target(tuple(each), True) for name, each in together.items() if name.casefold() not in known}
    return named | groups


def found(known: Mapping[str, Target], name: str, *, is_reading: bool = False) -> Target:
    """What the name means. Raises Failed where that is nothing, or too much."""
    target = known.get(name)
    if target is None:
        raise Failed(f"there is no {one_line(name, 60)} in Home Assistant any more.")
    if is_ambiguous(target) and not is_reading:
        raise Failed(ambiguous(name, target))
    return target


def is_ambiguous(target: Target) -> bool:
    return len(target.entities) > 1 and not target.is_group


def ambiguous(name: str, target: Target) -> str:
    ids = join([entity.id for entity in target.entities], "and")
    return f"{name} is the name of several things in Home Assistant, {ids}: give each a name of its own there."
