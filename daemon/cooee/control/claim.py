"""One speaker has a machine: two would fight over its microphone, its pins and its socket."""

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path


class Taken(Exception):
    """Another speaker runs here; str() is a sentence that says which."""


@contextlib.contextmanager
def claimed(path: Path, *others: Path) -> Iterator[None]:
    """The control socket at `path` is ours meanwhile; a process that is killed leaves nothing that would hold it.

    `others`: sockets of which none may have a speaker either. Raises Taken. Where no file can be made beside the
    socket, there is none to be had at `path`, and nothing to claim.
    """
    for other in others:
        refuse(other)
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError:
        yield
        return
    try:
        _lock(lock, path)
        yield
    finally:
        os.close(lock)


def refuse(path: Path) -> None:
    """Raises Taken if a speaker answers there."""
    if (number := _speaker_at(path)) is not None:
        raise Taken(_sentence(path, number))


def _speaker_at(path: Path) -> int | None:
    """The process that answers there, 0 if it can't be told; None if nobody does. One that was killed leaves its socket
    behind.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(str(path))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return None
        except OSError as error:
            return None if error.errno is None else 0  # none: the path is too long for any socket
        number, _, _ = struct.unpack("iII", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(number)


def _lock(lock: int, path: Path) -> None:
    """Raises Taken."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(lock, 20, 0)
        raise Taken(_sentence(path, int(holder) if holder.isdigit() else 0)) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def _sentence(path: Path, number: int) -> str:
    who = f"process {number}" if number else "another user's process"
    return (
        f"another speaker runs on this machine already: {who} has {path}. Stop it first (sudo systemctl stop cooee, "
        "if it is the service)"
    )
