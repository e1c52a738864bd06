"""What the embedded agent says it can do, in the names that things have for those who live with them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cooee.agent.embedded.names import ACTING, GENERIC
from cooee.agent.embedded.samples import in_words
from cooee.agent.embedded.skill import Skill

MANY, FEW = 6, 4
"""So many things are named when that was asked, and when something could not be done."""
_ARTICLED = re.compile(r"(?:the|an?|my|our|your|all|both)\b", re.IGNORECASE)
_ASKING = re.compile(r"(?:how|whether|what|when|where|who|which|if)\b", re.IGNORECASE)
_UNCOUNTED = re.compile(r"(?:motion|movement|presence)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Sorted:
    """`works`, `does` and `tells` as they are said after "I can work", "I can" and "I can tell you"."""

    works: list[str] = field(default_factory=list)
    does: list[str] = field(default_factory=list)
    tells: list[str] = field(default_factory=list)
    example: str = ""
    is_counted: bool = True
    """False where one thing may have several names."""


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Joined for speech: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def abilities(skills: Iterable[Skill]) -> str:
    """What all there is to ask for: "I can work the lamp on the desk. I can tell you the time."."""
    found = _sorted(skills)
    parts = [f"I can work {_cut(found.works, MANY, found)}."] if found.works else []
    parts += [f"I can {_cut(found.does, FEW, found)}."] if found.does else []
    parts.append(f"I can tell you {_told(found, FEW)}.")
    return " ".join([*parts, *([f"Just say, for example: {found.example}."] if found.example else [])])


def briefly(skills: Iterable[Skill]) -> str:
    """The same in one sentence, for who did not ask."""
    found = _sorted(skills)
    works = f"work {_cut(found.works, FEW, found)}, and " if found.works else ""
    return f"I can {works}tell you {_told(found, 2)}."


def spoken_name(skill: Skill) -> str:
    """What its description calls it: "the strip on the shelf", "how long the speaker has been running"."""
    clause = re.split(r"[.,;:(!?\n]", skill.description.strip(), maxsplit=1)[0].strip()
    first, _, rest = clause.partition(" ")
    if _ARTICLED.match(clause):
        return f"{'your' if first.lower() in ('my', 'our') else first.lower()} {rest}"
    lowered = clause if first[1:] != first[1:].lower() else clause[:1].lower() + clause[1:]
    if _ASKING.match(clause):
        return lowered
    if _UNCOUNTED.match(clause):
        return f"whether there is {lowered}"
    return f"the {skill.names.label if not clause or _is_verb(first.lower(), rest) else lowered}"


def _is_verb(first: str, rest: str) -> bool:
    """Whether the description begins with what it does: "Sets how loud", "Open the gate", but not "Lights in"."""
    known = ACTING | GENERIC
    if first in known:
        return _ARTICLED.match(rest) is not None
    return first.removesuffix("s") in known and not re.match(r"(?:in|on|at|of|by|over|under|for)\b", rest)


def _sorted(skills: Iterable[Skill]) -> _Sorted:
    skills = list(skills)
    found = _Sorted()
    rest = []
    for skill in sorted(skills, key=lambda skill: skill.names.label == "volume"):
        is_whole = sum(other.name.startswith(f"{skill.name}_") for other in skills) > 1
        if re.search(r"\bconversation\b", skill.description) or (skill.reading and is_whole):
            continue
        if (skill.reading and not skill.verbs) or _ASKING.match(skill.description):
            rest.append(skill)
        elif phrase := next(iter(skill.names.phrases[-1:]), ""):
            _add(found.does, [phrase])
        else:
            names = list(_names(skill))
            found.is_counted &= not skill.selector
            found.example = found.example or _example(skill, names)
            _add(found.works, names)
    for skill in rest:
        _add(found.tells, [name for name in _names(skill) if name not in found.works])
    return found


def _names(skill: Skill) -> Iterator[str]:
    if not skill.selector:
        yield spoken_name(skill)
        return
    for name in skill.spoken(skill.selector):
        if not name.startswith("all "):
            yield f"the {name}"


def _example(skill: Skill, names: Sequence[str]) -> str:
    verb = next((said for verb, said in (("open", "open"), ("on", "turn on")) if verb in skill.verbs), "")
    return f"{verb} {names[0]}" if verb and names else ""


def _add(into: list[str], names: Iterable[str]) -> None:
    into += [name for name in dict.fromkeys(names) if name not in into]


def _cut(parts: Sequence[str], most: int, found: _Sorted) -> str:
    left = len(parts) - most
    if left < 2:
        return listed(parts)
    return listed([*parts[:most], f"{in_words(left)} more" if found.is_counted else "others"])


def _told(found: _Sorted, most: int) -> str:
    left = len(found.tells) - most
    return listed([*found.tells[:most], "the time", *(["more"] if left > 0 else [])])
