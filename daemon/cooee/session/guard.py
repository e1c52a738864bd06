"""Ends a socket that outlives its permission, whatever else hangs: a thread of its own that needs no event loop."""

import ctypes
import fcntl
import os
import socket
import struct
import threading
import time
from contextlib import suppress

LIBC = ctypes.CDLL(None)
SIOCOUTQNSD = 0x894B
"""linux/sockios.h: how many bytes the peer's window has not yet let out."""


class Permit:
    """A socket may live for some time; made by `Guard.watch`. Every method may be called from any thread, at any time.

    While it stands, the socket is not gone by closing it elsewhere: `end` must follow.
    """

    cut_at: float | None = None
    """When the guard ended the socket, in `time.monotonic()`."""

    def __init__(self, guard: "Guard", held: socket.socket | None, until: float) -> None:
        self.until = until
        self._guard = guard
        self._held = held

    def renew(self, seconds: float) -> None:
        """The socket may live for so long from now, be that more or less than before."""
        self._guard.renew(self, time.monotonic() + seconds)

    def end(self) -> None:
        """The socket is not used any more. What its peer has not let out by now is thrown away."""
        self._guard.end(self)

    def cut(self) -> None:
        """The guard's: end the socket at once."""
        if self._held:
            self.cut_at = time.monotonic()
            _reset(self._held)
            self.release()

    def release(self) -> None:
        """The guard's: let go of the socket."""
        if self._held:
            self._held.close()
            self._held = None

    def finish(self) -> None:
        """The guard's: end the socket in order, unless its peer does not even read."""
        if self._held:
            with suppress(OSError):
                if _unsent_bytes(self._held):
                    _reset(self._held)
                else:
                    self._held.shutdown(socket.SHUT_RDWR)
            self.release()


class Guard:
    """Sleeps until the first permit runs out, and for as long as there is none. Says nothing: a log can hang, too."""

    def __init__(self) -> None:
        self._permits: set[Permit] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def watch(self, sock: socket.socket, seconds: float) -> Permit:
        """From now on the socket lives for `seconds`, unless renewed. One that can't be watched is ended at once."""
        try:
            # A descriptor of our own: the number of the other one may stand for something else by then.
            held = socket.socket(fileno=os.dup(sock.fileno()))
        except OSError:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            permit = Permit(self, None, 0)
            permit.cut_at = time.monotonic()
            return permit
        permit = Permit(self, held, time.monotonic() + seconds)
        with self._changed:
            self._permits.add(permit)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cooee-guard", daemon=True)
                self._thread.start()
            self._changed.notify()
        return permit

    def renew(self, permit: Permit, until: float) -> None:
        with self._changed:
            is_sooner, permit.until = until < permit.until, until
            if is_sooner:
                self._changed.notify()

    def end(self, permit: Permit) -> None:
        with self._changed:
            self._permits.discard(permit)
            permit.finish()

    def close(self) -> None:
        """Ends what is still watched, and the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread:
            self._thread.join()

    def _work(self) -> None:
        with self._changed:
            while not self._is_closed:
                for permit in [each for each in self._permits if each.until <= time.monotonic()]:
                    self._permits.discard(permit)
                    permit.cut()
                first = min((permit.until for permit in self._permits), default=None)
                self._changed.wait(None if first is None else min(first - time.monotonic(), threading.TIMEOUT_MAX))
            for permit in self._permits:
                permit.finish()
            self._permits.clear()


def _unsent_bytes(sock: socket.socket) -> int:
    answer = fcntl.ioctl(sock.fileno(), SIOCOUTQNSD, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


def _reset(sock: socket.socket) -> None:
    """The peer's end is gone at once (RST), even when it does not read: a FIN would wait behind what is unread.

    Connecting a TCP socket to nowhere (AF_UNSPEC) does that, connect(2); Python's own `connect` can't say it.
    """
    nowhere = bytes(16)  # a struct sockaddr whose family is AF_UNSPEC, which is 0
    if LIBC.connect(sock.fileno(), nowhere, len(nowhere)) != 0:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
