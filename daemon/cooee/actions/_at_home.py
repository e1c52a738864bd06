"""Requests to what is at home: no key stands anywhere, no address is outside, and no answer too large."""

import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from cooee.actions import Failed
from cooee.secret import REFERENCE, Exposed, referred

if TYPE_CHECKING:
    import aiohttp

_SECRET_HEADER = re.compile(r"(?i)authorization|cookie|token|secret|password|api[-_]?key")


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not _is_field(value):
            raise ValueError(f"{name!r} can't be sent: a header's name has no spaces, and its value is one line")
        if _SECRET_HEADER.search(name) and not REFERENCE.fullmatch(value):
            raise ValueError(
                f'{name} holds a key, which can\'t stand here; write "secret:NAME" or "Bearer secret:NAME"'
            )
    return headers


Headers = Annotated[dict[str, str], AfterValidator(_headers)]


@asynccontextmanager
async def asked(
    method: str, url: str, headers: Mapping[str, str], body: Any, *, allow_public: bool
) -> "AsyncIterator[aiohttp.ClientResponse]":
    """The answer, still to be read. Raises Failed in words, also for what goes wrong while it is read."""
    import aiohttp
    import yarl

    outside: list[str] = []

    def at_home(address: Any) -> socket.socket:
        # Here, and not by the name: what a name leads to may change between looking and connecting.
        if not allow_public and is_public(address[4][0]):
            outside.append(address[4][0])
            raise OSError("not at home")
        return socket.socket(*address[:3])

    connector = aiohttp.TCPConnector(socket_factory=at_home)
    target = yarl.URL(url, encoded=True)
    try:
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, target, headers=headers, json=body, allow_redirects=False) as response,
        ):
            yield response
    except aiohttp.ClientSSLError as error:
        raise Failed("its certificate can't be trusted.") from error
    except (aiohttp.ClientConnectionError, OSError) as error:
        if outside:
            raise Failed("it is outside the home network, which allow_public = true would permit.") from error
        raise Failed("the device can't be reached.") from error
    except aiohttp.ClientError as error:
        raise Failed("the device gave an answer that is no HTTP.") from error


async def limited(content: Any, most: int) -> bytes:
    """All of it. Raises Failed if that is more."""
    body = bytearray()
    while piece := await content.read(most):
        body += piece
        if len(body) > most:
            raise Failed(f"the answer was larger than {most // 1024} kB.")
    return bytes(body)


def _is_field(value: str) -> bool:
    return value.replace("\t", " ").isprintable()


def resolved(header: str) -> str:
    """The header field with its key. Raises Failed where there is none."""
    reference = REFERENCE.fullmatch(header)
    if reference is None:
        return header
    prefix, name = reference.groups()
    try:
        value = referred(name)
    except Exposed as error:
        raise Failed(f"{error}.") from error
    if not value:
        raise Failed(f"the key {name} is missing: set it as environment variable or as systemd credential.")
    if not _is_field(value):
        raise Failed(f"the key {name} can't be sent: it has to be one line.")
    return prefix + value


def is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_global
