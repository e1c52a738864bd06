"""The home's MQTT broker: one connection for all that needs it, and the speaker as Home Assistant sees it.

`link` is the connection that `client` makes, `discovery` what Home Assistant is told once, `mirror` what it is told
from then on and what it may want.
"""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from cooee import __version__, settings
from cooee.effects import Effect, Outcome, Report
from cooee.events import Event, LoudnessSet, Muted, SayWanted, Stopped, Unmuted
from cooee.mqtt.client import Message
from cooee.mqtt.discovery import Identity, messages
from cooee.mqtt.link import Link
from cooee.mqtt.mirror import Mirror, VolumeWanted

COMMANDS_PER_S = 20
"""More than that is no person's doing. What makes the speaker deaf or quiet counts all the same, and so does the last
value of a switch or a number.
"""
COUNT_S = 60.0


class Volume(Protocol):
    percent: int

    async def set(self, percent: int) -> int: ...


class Mqtt:
    """`post` is given what somebody wants, on the loop's thread. Nothing here takes the process down.

    An edge that needs the broker is handed this object for its `away`, `publish`, `listen` and `listening`.
    """

    def __init__(self, settings: settings.Mqtt, post: Callable[[Event], None]) -> None:
        name = settings.id or machine_id()
        self.identity = Identity(name, f"{settings.topic}/{name}", settings.name, settings.area, __version__)
        self._settings = settings
        self._post = post
        self._mirror = Mirror(self.identity)
        offline = Message(self.identity.status_topic, "offline", retain=True)
        self._link = Link(settings, name, self._hello, offline)
        self._loop = asyncio.get_running_loop()
        self._second, self._obeyed = 0, 0
        self._unmute: Unmuted | None = None
        self._percent: int | None = None
        self._is_wanted = asyncio.Event()
        self.publish = self._link.publish
        self.listen = self._link.listen
        self.listening = self._link.listening

    @property
    def away(self) -> str:
        """Why there is no broker, in a sentence; "" while there is one."""
        return self._link.away if self._settings.host else "there is no MQTT broker; [mqtt] host would name it."

    @property
    def missed(self) -> str:
        """The same of a broker that there should be; "" where none is named."""
        return self._link.away if self._settings.host else ""

    async def run(self, volume: Volume, status: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        """Keeps the connection until it is cancelled; ends at once where there is no broker to connect to.

        `status` tells, among other things, how long lines were open today: {"used": {"today_s": ...}}.
        """
        if not self._settings.host:
            self._link.away = self.away
            return
        if self._settings.discovery != "off":
            self.listen(f"{self._settings.discovery_topic}/status", self._take_status)
        self.listen(f"{self.identity.root}/+/set", self._take_command)
        self._mirror.watch(LoudnessSet(volume.percent))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run())
            tasks.create_task(self._count(status))
            tasks.create_task(self._set(volume))

    def watch(self, now: float, item: Event | Effect) -> None:
        """To be told every event and effect."""
        self._tell(self._mirror.watch(item))

    async def _set(self, volume: Volume) -> None:
        """The last values that were wanted, so often at most."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            if self._unmute:
                self._post(self._unmute)
            percent, self._percent, self._unmute = self._percent, None, None
            if percent is not None:
                with contextlib.suppress(Exception):  # the card may be gone; what is so is shown all the same
                    await volume.set(percent)
            await asyncio.sleep(1 / COMMANDS_PER_S)

    async def _count(self, status: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        while True:
            with contextlib.suppress(Exception):  # a number that is not to be had is no reason to go
                self._tell(self._mirror.use((await status())["used"]["today_s"]))
            await asyncio.sleep(COUNT_S)

    def _hello(self) -> list[Message]:
        about = messages(self.identity, self._settings.discovery_topic, self._settings.discovery)
        return [*about, *self._mirror.states(), Message(self.identity.status_topic, "online", retain=True)]

    def _take_status(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """Home Assistant was started anew, and knows no more than the broker has kept."""
        if payload == b"online" and not is_retained:
            self._tell(self._hello())

    def _take_command(self, topic: str, payload: bytes, is_retained: bool) -> None:
        match self._mirror.obey(topic, payload, is_retained=is_retained):
            case Muted() as wanted:
                self._unmute = None
                self._post(wanted)
            case Stopped() as wanted:
                self._post(wanted)
            case Unmuted() as wanted:
                self._unmute = wanted
                self._is_wanted.set()
            case VolumeWanted() as wanted:
                self._percent = wanted.percent
                self._is_wanted.set()
            case None:
                self._tell(self._mirror.echo(topic))
            case list() as told:
                self._tell(told)
            case wanted if self._is_bearable():
                self._post(wanted)
            case SayWanted() as wanted:
                self._tell(self._mirror.watch(Report(wanted.id, Outcome.FULL)))

    def _is_bearable(self) -> bool:
        second = int(self._loop.time())
        self._second, self._obeyed = second, self._obeyed + 1 if second == self._second else 1
        return self._obeyed <= COMMANDS_PER_S

    def _tell(self, messages: list[Message]) -> None:
        for message in messages:
            self._link.tell(message)


def machine_id() -> str:
    """What sets this machine apart, and tells nobody its own number, which machine-id(5) asks to keep to oneself."""
    try:
        own = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        own = ""
    return f"cooee_{hashlib.sha256(f'cooee {own or socket.gethostname()}'.encode()).hexdigest()[:8]}"
