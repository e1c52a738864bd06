"""A home as Home Assistant tells of it: the line is kept, and what is known of the home with it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from cooee.actions._action import Failed, where
from cooee.actions._hass_home import Choice, Registry, entities
from cooee.actions._hass_kind import Home, Step
from cooee.actions._hass_link import CONNECT_S, Denied, Gone, Link, TokenRefused, linked
from cooee.actions._hass_mirror import Mirror
from cooee.retry import HOPELESS_S, Retry

log = logging.getLogger("cooee.actions")

FIRST_S, MOST_S = 0.5, 10.0
"""The longest first wait before connecting anew, and the longest of all."""
REFRESH_S, STARTING_REFRESH_S = 300.0, 3.0
SETTLE_S = 0.2
"""Changes come in swarms."""
_REGISTRIES = ("entity_registry_updated", "area_registry_updated", "device_registry_updated")
_REFUSED = "Home Assistant does not accept the token; it wants a new long-lived access token."


class House:
    """`away` says why nothing can be done, "" while it can. `home` is what is known, also while it is away.

    `token` is asked for anew before each line, and may raise Failed. `choose` says what of the registry is followed.
    """

    def __init__(
        self,
        name: str,
        url: str,
        token: Callable[[], str],
        choose: Callable[[Registry], Choice],
    ) -> None:
        self.away = "Home Assistant has not been reached yet."
        self.home = Home()
        self.choice = Choice(())
        self._name, self._url, self._token, self._choose = name, url, token, choose
        self._link: Link | None = None
        self._altered = asyncio.Event()
        self._is_outdated = False
        self._celsius = True
        self.mirror = Mirror(self._altered.set)
        self._registry = Registry((), (), (), {})
        self._aliases: dict[str, Sequence[str]] = {}
        self._watched: tuple[tuple[str, ...], int] = ((), 0)
        self._undecided: frozenset[str] = frozenset()

    async def call(self, step: Step, ids: Sequence[str]) -> None:
        """Have the service called. Raises Denied, Gone, TimeoutError."""
        if self._link is None:
            raise Gone(self.away)
        await self._link.ask(
            "call_service", domain=step.domain, service=step.service, service_data=dict(step.data),
            target={"entity_id": list(ids)},
        )  # fmt: skip

    async def keep(self, changed: Callable[[], None]) -> None:
        """Keeps the line until it is cancelled; `changed` is told when the home is another one. Never raises."""
        retry, clock, refused = Retry(FIRST_S, MOST_S), asyncio.get_running_loop().time, ""
        while True:
            began, token = clock(), ""
            try:
                token = self._token()
                # A token that was refused is not shown again: Home Assistant counts the attempts and locks out.
                if token != refused:
                    await self._serve(token, changed)
            except TokenRefused:
                refused = token
                self._leave(_REFUSED)
            except (Gone, Failed) as away:
                self._leave(str(away))
            except Denied:
                self._leave("Home Assistant does not tell this speaker what there is; see the token's user.")
            except TimeoutError:
                self._leave("Home Assistant does not answer.")
            except Exception as error:
                self._leave("the line to Home Assistant broke; the speaker's log says where.")
                log.warning("[actions.%s]: %s", self._name, where(error))
            retry.fail(clock(), held_s=clock() - began)
            await asyncio.sleep(HOPELESS_S if token and token == refused else max(0.0, retry.ready_at - clock()))

    def _leave(self, why: str) -> None:
        if why != self.away:
            log.warning("[actions.%s]: %s", self._name, why)
        self.away, self._link = why, None
        self.mirror.take({})  # whoever waits for news is to see that there will be none

    async def _serve(self, token: str, changed: Callable[[], None]) -> None:
        async with linked(self._url, token) as link:
            reading = asyncio.create_task(link.read(), name="hass.read")
            following = asyncio.create_task(self._follow(link, changed), name="hass.follow")
            try:
                await asyncio.wait((reading, following), return_when=asyncio.FIRST_COMPLETED)
                for task in (following, reading):
                    if task.done():
                        task.result()
            finally:
                self._link = None
                for task in (reading, following):
                    task.cancel()
                await asyncio.gather(reading, following, return_exceptions=True)

    async def _follow(self, link: Link, changed: Callable[[], None]) -> None:
        """What there is, and from then on whatever changes. Never returns; raises what `Link.ask` does."""
        self._watched = ((), 0)
        self.mirror.clear()
        for registry in _REGISTRIES:
            await link.subscribe("subscribe_events", lambda event: self._outdated(), event_type=registry)
        while True:
            self._is_outdated = False
            is_running = await self._load(link)
            await self._look(link)
            until = asyncio.get_running_loop().time() + (REFRESH_S if is_running else STARTING_REFRESH_S)
            while not self._is_outdated:
                self._altered.clear()
                self._offer(link, changed)
                if not await _is_set(self._altered, until):
                    break
                await asyncio.sleep(SETTLE_S)

    def _outdated(self) -> None:
        self._is_outdated = True
        self._altered.set()

    async def _load(self, link: Link) -> bool:
        """The lists, and whether Home Assistant has all of them yet."""
        config = await link.ask("get_config")
        units = config.get("unit_system", {}) if isinstance(config, dict) else {}
        self._celsius = not (isinstance(units, dict) and units.get("temperature") == "°F")
        found = await link.ask("config/entity_registry/list")
        self._registry = Registry(
            _objects(found),
            _objects(await link.ask("config/area_registry/list")),
            _objects(await link.ask("config/device_registry/list")),
            await self._exposed(link, found),
        )
        self.choice = self._choose(self._registry)
        entries = await link.ask("config/entity_registry/get_entries", entity_ids=list(self.choice.ids))
        entries = entries if isinstance(entries, dict) else {}
        aliases = {name: each.get("aliases") for name, each in entries.items() if isinstance(each, dict)}
        self._aliases = {name: sorted(map(str, each)) for name, each in aliases.items() if isinstance(each, list)}
        return not isinstance(config, dict) or config.get("state", "RUNNING") == "RUNNING"

    async def _exposed(self, link: Link, entries: Any) -> dict[str, Any]:
        """What Assist may work. Home Assistant decides about a new thing only when Assist is used next: here."""
        try:
            exposed = await self._ask_exposed(link)
            undecided = frozenset(str(each.get("entity_id")) for each in _objects(entries)) - {
                name for name, told in exposed.items() if isinstance(told, dict) and "conversation" in told
            }
            if undecided and undecided != self._undecided:
                self._undecided = undecided
                with contextlib.suppress(Denied, TimeoutError):
                    await link.ask("conversation/agent/homeassistant/debug", sentences=["hello"])
                exposed = await self._ask_exposed(link)
        except Denied:
            return {}
        return exposed

    async def _ask_exposed(self, link: Link) -> dict[str, Any]:
        found = await link.ask("homeassistant/expose_entity/list")
        exposed = found.get("exposed_entities") if isinstance(found, dict) else None
        return exposed if isinstance(exposed, dict) else {}

    async def _look(self, link: Link) -> None:
        """Follow the states of what was chosen, and of nothing else."""
        ids, before = self._watched
        if ids == self.choice.ids:
            return
        told = asyncio.Event()

        def take(event: Any) -> None:
            self.mirror.take(event)
            told.set()

        number = 0
        # Without ids it would be everything.
        if self.choice.ids:
            number = await link.subscribe("subscribe_entities", take, entity_ids=list(self.choice.ids))
            await _is_set(told, asyncio.get_running_loop().time() + CONNECT_S)
        self._watched = (self.choice.ids, number)
        self.mirror.keep(self.choice.ids)
        if before:
            await link.unsubscribe(before)

    def _offer(self, link: Link, changed: Callable[[], None]) -> None:
        found = entities(self.choice, self._registry, self._aliases, self.mirror.abilities)
        home = Home({entity.id: entity for entity in found}, self._celsius)
        if self.away:
            log.info("[actions.%s]: Home Assistant is there", self._name)
        self._link, self.away = link, ""
        if home != self.home:
            self.home = home
            changed()


async def _is_set(event: asyncio.Event, until: float) -> bool:
    """Whether it came to be set by then."""
    try:
        async with asyncio.timeout_at(until):
            return await event.wait()
    except TimeoutError:
        return False


def _objects(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
