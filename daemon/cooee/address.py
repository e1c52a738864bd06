"""Addresses, as they stand in the config."""

import ipaddress
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit


def parts(url: str) -> SplitResult:
    """Its parts, of which host and port can be read. Raises ValueError, whose sentence holds nothing of it."""
    try:
        found = urlsplit(url)
        _ = found.hostname, found.port
    except ValueError as error:
        raise ValueError("is no URL: check its host and its port") from error
    return found


def is_here(host: str | None) -> bool:
    """Whether it is this machine, where no proxy helps."""
    with suppress(ValueError):
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    return False
