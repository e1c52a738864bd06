"""A computer that is woken through the network (AMD, "Magic Packet Technology", white paper 20213, 1995)."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cooee.actions import ActionTable, Failed, Report, Unsure
from cooee.effects import Function

PORT = 9
"""Discard: nobody answers there."""
LOOK_S = 0.5


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError('must be an IPv4 address such as "192.168.1.255"') from None


class Settings(ActionTable):
    """A computer that is woken through the network."""

    type: Literal["wake_on_lan"] = "wake_on_lan"
    """A computer that is woken."""
    mac: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$")]
    """The address of its network card, such as "3c:7c:3f:01:02:03"."""
    broadcast: Annotated[str, AfterValidator(_address)] = "255.255.255.255"
    """Where the packet goes."""
    host: str = ""
    """Its name or address, to see that it is awake; empty: that is not known."""
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    """Where something on it answers once it is awake."""


def declare(name: str, settings: Settings) -> Function:
    state = {"type": "string", "enum": ["on"]}
    schema = {"type": "object", "properties": {"state": state}, "required": ["state"], "additionalProperties": False}
    return Function(name, settings.description, schema, phrases=tuple(settings.phrases))


def open(name: str, settings: Settings, report: Report) -> "WakeOnLan":
    return WakeOnLan(name, settings)


class WakeOnLan:
    def __init__(self, name: str, settings: Settings) -> None:
        self.function = declare(name, settings)
        self._settings = settings
        self._packet = b"\xff" * 6 + bytes.fromhex(settings.mac.replace(":", "").replace("-", "")) * 16

    async def run(self, arguments: Mapping[str, Any]) -> str:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
                sending.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sending.sendto(self._packet, (self._settings.broadcast, PORT))
        except OSError as error:
            raise Failed("the network takes no packet just now.") from error
        if not self._settings.host:
            raise Unsure("The computer was called; whether it wakes up is not known.")
        try:
            async with asyncio.timeout(self._settings.time_limit_s - 2 * LOOK_S):
                await self._until_awake()
        except TimeoutError:
            raise Unsure("The computer was called, but it does not answer yet.") from None
        return "The computer is on."

    async def _until_awake(self) -> None:
        while True:
            with suppress(OSError):
                _, line = await asyncio.open_connection(self._settings.host, self._settings.port)
                line.close()
                return
            await asyncio.sleep(LOOK_S)

    def close(self) -> None:
        pass
