"""A home that Home Assistant keeps: what it exposes becomes a few functions, with the names that things have there."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cooee import address
from cooee.actions import ActionTable, Failed, Report
from cooee.actions._hass_home import Choice, Entity, Registry, by_name, chosen
from cooee.actions._hass_house import House
from cooee.actions._hass_kind import Kind, one_of
from cooee.actions._hass_lights import FAN, LIGHT, SWITCH
from cooee.actions._hass_moves import CLIMATE, COVER, LOCK
from cooee.actions._hass_part import AskingPart, Part, Reading
from cooee.actions._hass_runs import MEDIA, SCENE, SCRIPT
from cooee.actions._hass_target import Target, targets
from cooee.effects import Function
from cooee.secret import REFERENCE, Exposed, referred

log = logging.getLogger("cooee.actions")

KINDS = (LIGHT, SWITCH, FAN, CLIMATE, COVER, LOCK, SCENE, SCRIPT, MEDIA)
READ_ONLY = ("sensor", "binary_sensor", "person", "device_tracker", "weather", "sun", "input_number", "number",
             "input_select", "select", "input_text", "input_datetime", "counter", "timer", "vacuum", "lawn_mower",
             "alarm_control_panel", "event", "calendar", "todo", "zone")  # fmt: skip


def _url(url: str) -> str:
    parts = address.parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!-~]+", url):
        raise ValueError(
            'must begin with "http://" or "https://" and a host, such as "http://homeassistant.local:8123"'
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("can't hold user, password or anything behind the path")
    return url


def _reference(token: str) -> str:
    named = REFERENCE.fullmatch(token)
    if named is None or named[1]:
        raise ValueError('must be "secret:NAME" or "secret:/path/of/a/file"; the token itself never stands here')
    return token


def _entry(entry: str) -> str:
    if not entry.strip() or ("." in entry and not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", entry)):
        raise ValueError(
            'must be an entity such as "light.kitchen", a domain such as "light" or an area such as "Kitchen"'
        )
    return entry


OnePart = Part | AskingPart | Reading
Entries = list[Annotated[str, AfterValidator(_entry), Field(max_length=100)]]


class Settings(ActionTable):
    """A home that Home Assistant keeps."""

    type: Literal["home_assistant"] = "home_assistant"
    """Home Assistant."""
    url: Annotated[str, AfterValidator(_url)] = "http://homeassistant.local:8123"
    """Where Home Assistant is."""
    token: Annotated[str, AfterValidator(_reference)] = "secret:home_assistant_token"
    """Where its long-lived access token is: "secret:NAME" is looked for in the environment variable and the systemd
    credential of that name, and, if NAME is a path, in a file of its owner's."""
    allow: Annotated[Entries, Field(max_length=300)] = Field([])
    """What may be worked: entities ("light.kitchen_lamp"), whole domains ("light") or areas ("Kitchen"); left out:
    what Home Assistant exposes to Assist. A script that is named here runs without asking."""
    deny: Annotated[Entries, Field(max_length=300)] = Field([])
    """What may not, even so."""


def declare(name: str, settings: Settings) -> Function:
    about = f"{settings.description.rstrip('. ')}. Tells whether Home Assistant can be reached, and what it offers."
    return Function(name, about, _schema({}, ()), side_effect=False)


def open(name: str, settings: Settings, report: Report) -> "HomeAssistant":
    return HomeAssistant(name, settings)


class HomeAssistant:
    """Its own function tells about the line; `parts` work the home. Raises Failed where there is no token."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.function = declare(name, settings)
        self.parts: tuple[OnePart, ...] = ()
        self._settings = settings
        self._warned: set[str] = set()
        _token(settings.token)
        self._house = House(name, settings.url, lambda: _token(settings.token), self._choose)

    @property
    def away(self) -> str:
        """Why nothing can be done at home; "" while it can."""
        return self._house.away

    async def attend(self, changed: Callable[[], None]) -> None:
        def renew() -> None:
            before, self.parts = self.parts, self._parts()
            for trouble in set(self._troubles()) - self._warned:
                self._warned.add(trouble)
                log.warning("[actions.%s]: %s", self.function.name, trouble)
            if before != self.parts:
                changed()

        await self._house.keep(renew)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        if self._house.away:
            raise Failed(self._house.away)
        count = len(self._house.home.entities)
        said = f"Home Assistant is there, with {count} things." if count else _NOTHING
        return " ".join([said, *self._troubles()])

    def close(self) -> None:
        pass

    def _choose(self, registry: Registry) -> Choice:
        domains = [domain for kind in KINDS for domain in kind.domains]
        return chosen(registry, self._settings.allow, self._settings.deny, (*domains, *READ_ONLY))

    def _troubles(self) -> list[str]:
        """What in the config or in Home Assistant hinders, for its owner."""
        choice = self._house.choice
        return [
            *(f'Home Assistant has no entity, domain or area "{entry}".' for entry in choice.unknown),
            *(["There are more things than can be told of; allow fewer."] if choice.is_cut else []),
            *dict.fromkeys(trouble for part in self.parts for trouble in part.troubles()),
        ]

    def _parts(self) -> tuple[OnePart, ...]:
        """As the home is now; a part stays the same object for as long as its function does."""
        known = {part.function.name: part for part in self.parts}
        found = tuple(self._house.home.entities.values())
        parts: list[OnePart] = []
        everything: dict[str, Target] = {}
        for kind in KINDS:
            mine = [entity for entity in found if entity.domain in kind.domains]
            if mine:
                named = targets(kind, mine)
                everything |= {name: target for name, target in named.items() if target.is_group}
                parts.append(self._part(kind, mine, named, known))
        everything |= {name: Target(entities) for name, entities in by_name(found).items()}
        return (*parts, self._reading(everything, known)) if found else ()

    def _part(
        self, kind: Kind, mine: Sequence[Entity], named: Mapping[str, Target], known: Mapping[str, OnePart]
    ) -> OnePart:
        properties = kind.properties(mine, self._house.home)
        function = self._function(kind.key, f"{kind.about}.", named, properties, kind.required)
        judge, home = kind.is_risky, self._house.home
        asks = judge is not None and any(judge(each, None, kind.riskiest, home) for each in mine)
        part = known.get(function.name)
        if part is None or part.function != function or isinstance(part, AskingPart) is not asks:
            plain = Part(kind, function, self._house, self._settings.time_limit_s)
            part = AskingPart(plain, self._house) if asks else plain
        part.aim(named)
        return part

    def _reading(self, named: Mapping[str, Target], known: Mapping[str, OnePart]) -> OnePart:
        about = "Tells what something in the home is just now: on or off, open or closed, or what it measures."
        function = self._function("state", about, named, {}, (), side_effect=False)
        part = known.get(function.name)
        if part is None or part.function != function:
            part = Reading(function, self._house)
        part.aim(named)
        return part

    def _function(
        self,
        key: str,
        about: str,
        named: Mapping[str, Target],
        properties: Mapping[str, Any],
        required: Sequence[str],
        *,
        side_effect: bool = True,
    ) -> Function:
        schema = _schema({"name": one_of(*named), **properties}, ("name", *required))
        return Function(f"{self.function.name}_{key}", about, schema, side_effect=side_effect)


_NOTHING = "Home Assistant is there, but exposes nothing to this speaker."


def _schema(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _token(reference: str) -> str:
    name = reference.removeprefix("secret:")
    try:
        value = referred(name)
    except Exposed as error:
        raise Failed(f"{error}.") from error
    if not value:
        raise Failed(
            f"its token {name} is missing: make a long-lived access token in Home Assistant, at the end of your "
            "profile's security page, and set it as environment variable or as systemd credential."
        )
    return value
