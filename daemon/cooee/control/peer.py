"""Who is at the other end of a Unix socket, as the kernel tells: unix(7), SO_PEERCRED and SO_PEERGROUPS."""

import os
import socket
import struct
from dataclasses import dataclass
from typing import Any

SO_PEERGROUPS = 59
"""Python has no name for it."""
MOST_GROUPS = 256
"""Python asks for no more than 1024 bytes."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`is_owner`: root or our own user. `is_allowed`: also a member of the group that we run as."""

    is_owner: bool
    is_allowed: bool


def peer_of(connected: Any) -> Peer:
    """Of a connected socket, or what asyncio shows of one."""
    _, uid, gid = struct.unpack("iII", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        groups = connected.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * MOST_GROUPS)
    except OSError:
        groups = b""
    is_owner = uid in (0, os.geteuid())
    members = {gid, *struct.unpack(f"{len(groups) // 4}I", groups)}
    return Peer(is_owner, is_owner or os.getegid() in members)
