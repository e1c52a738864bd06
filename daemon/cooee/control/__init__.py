"""The speaker as other programs of this machine see it: HTTP over a Unix socket.

Only root, the user that the speaker runs as and members of its group may use it; there is no TCP port. The commands
`cooee status`, `say` and the like are its first users.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cooee.control import wanted
from cooee.control.claim import Taken, claimed, refuse
from cooee.control.peer import Peer, peer_of
from cooee.control.streams import Streams
from cooee.settings import Table

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Control", "Controls", "Refused", "Taken", "claimed"]

log = logging.getLogger("cooee.control")
# At any fault of a client's, aiohttp logs a traceback and what it was sent.
http_log = logging.getLogger("cooee.control.http")
http_log.setLevel(logging.CRITICAL)

REQUEST_S = 5.0
"""A request has to be complete within so long."""
MOST_CONNECTIONS = 64
WHO = "Only root, the user that the speaker runs as and members of its group may do this"


class Refused(Exception):
    """The wish can't be fulfilled; str() is a sentence, `known` what else is to be told."""

    def __init__(self, reason: str, **known: Any) -> None:
        super().__init__(reason)
        self.known = known


@dataclass(frozen=True, slots=True)
class Controls:
    """What can be wished for, each with what the request held; a JSON object is answered. They may raise Refused."""

    status: Callable[[], Awaitable[Mapping[str, Any]]]
    say: Callable[[wanted.Say], Awaitable[Mapping[str, Any]]]
    ask: Callable[[wanted.Ask], Awaitable[Mapping[str, Any]]]
    volume: Callable[[wanted.Volume], Awaitable[Mapping[str, Any]]]
    reload: Callable[[], Awaitable[Mapping[str, Any]]]
    mute: Callable[[], Awaitable[Mapping[str, Any]]]
    unmute: Callable[[], Awaitable[Mapping[str, Any]]]
    talk: Callable[[], None]
    stop: Callable[[], None]


class Control:
    """An async context manager. A socket that can't be had is one warning: the speaker is one without it. Raises Taken
    where another speaker has it.

    `path` None: no socket. `tell` passes on what happens to those who watch; it never waits.
    """

    def __init__(self, path: Path | None, controls: Controls) -> None:
        self._path = path
        self._controls = controls
        self._streams = Streams()
        self._asking: set[Any] = set()
        self.tell = self._streams.tell

    async def __aenter__(self) -> "Control":
        self._open = contextlib.AsyncExitStack()
        if self._path:
            try:
                await self._listen(self._path)
            except OSError as error:
                log.warning("no control socket: %s", error.strerror or error)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._streams.close()
        await self._open.aclose()

    async def _listen(self, path: Path) -> None:
        from aiohttp import web

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._guard(request, handler)

        application = web.Application(client_max_size=wanted.MOST_BYTES, middlewares=[guard])
        application.add_routes(self._routes())
        patience: dict[str, Any] = {"lingering_time": 0.5, "shutdown_timeout": 0.2, "logger": http_log}
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, **patience)
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        listening = _bound(path)
        self._open.callback(_remove, path, os.stat(path).st_ino)
        server = await asyncio.get_running_loop().create_unix_server(lambda: self._accept(runner), sock=listening)
        self._open.callback(server.close)
        log.info("controlled through %s", path)

    def _accept(self, runner: Any) -> Any:
        """One that says nothing, or not all of it, does not keep its place."""
        connection = runner.server()

        def let_go() -> None:
            if connection not in self._asking:
                connection.force_close()

        is_full = len(runner.server.connections) >= MOST_CONNECTIONS
        asyncio.get_running_loop().call_later(0 if is_full else REQUEST_S, let_go)
        return connection

    def _routes(self) -> list["web.RouteDef"]:
        from aiohttp import web

        controls = self._controls
        bare = {"reload": controls.reload, "mute": controls.mute, "unmute": controls.unmute}
        bare |= {"talk": _plain(controls.talk), "stop": _plain(controls.stop)}
        return [
            web.get("/status", self._status),
            web.get("/watch", self._watch),
            web.post("/say", self._with(wanted.Say, controls.say)),
            web.post("/ask", self._with(wanted.Ask, controls.ask)),
            web.post("/volume", self._with(wanted.Volume, controls.volume)),
            *(web.post(f"/{name}", self._with(wanted.Nothing, _bare(wish))) for name, wish in bare.items()),
        ]

    async def _guard(self, request: "web.Request", handler: Any) -> "web.StreamResponse":
        """Whatever goes wrong is answered in a sentence."""
        from aiohttp import web

        self._asking.add(request.protocol)
        try:
            if request.transport is None or not peer_of(request.transport.get_extra_info("socket")).is_allowed:
                return _answer({"error": WHO}, 403)
            response: web.StreamResponse = await handler(request)
            return response
        except wanted.Bad as bad:
            return _answer({"error": str(bad)}, 400)
        except Refused as refused:
            return _answer({"error": str(refused), **refused.known}, 409)
        except TimeoutError:
            return _answer({"error": "the request did not come to its end"}, 408)
        except web.HTTPRequestEntityTooLarge:
            return _answer({"error": f"the body may have {wanted.MOST_BYTES} bytes at most"}, 413)
        except web.HTTPException as wrong:
            return _answer({"error": _about(wrong, request)}, wrong.status)
        except Exception:
            log.exception("a wish could not be fulfilled")
            return _answer({"error": "the speaker failed; its log says where"}, 500)
        finally:
            self._asking.discard(request.protocol)

    async def _status(self, request: "web.Request") -> "web.Response":
        return _answer(await self._controls.status())

    def _with(self, model: type[Table], wish: Callable[[Any], Awaitable[Mapping[str, Any]]]) -> Any:
        async def handle(request: "web.Request") -> "web.Response":
            async with asyncio.timeout(REQUEST_S):
                body = await request.read()
            return _answer(await wish(wanted.read(model, body)))

        return handle

    async def _watch(self, request: "web.Request") -> "web.StreamResponse":
        texts = request.query.get("texts", "0")
        if texts not in ("0", "1"):
            raise wanted.Bad("texts: must be 0 or 1")
        peer: Peer = peer_of(request.transport.get_extra_info("socket")) if request.transport else Peer(False, False)
        if texts == "1" and not peer.is_owner:
            return _answer({"error": "Only root and the user that the speaker runs as may read what is said"}, 403)
        return await self._streams.serve(request, with_texts=texts == "1")


def _plain(wish: Callable[[], None]) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    async def fulfil() -> Mapping[str, Any]:
        wish()
        return {}

    return fulfil


def _bare(wish: Callable[[], Awaitable[Mapping[str, Any]]]) -> Callable[[Any], Awaitable[Mapping[str, Any]]]:
    return lambda nothing: wish()


def _answer(known: Mapping[str, Any], status: int = 200) -> "web.Response":
    from aiohttp import web

    return web.Response(text=json.dumps(known) + "\n", status=status, content_type="application/json")


def _about(wrong: "web.HTTPException", request: "web.Request") -> str:
    match wrong.status:
        case 404:
            return "there is no such thing; there are /status, /watch, /say, /ask, /talk, /stop, /mute, /volume, ..."
        case 405:
            return f"this is not done by {request.method[:20]}"
    return wrong.reason


def _bound(path: Path) -> socket.socket:
    """The listening socket. Raises OSError with a sentence, Taken."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(0, f"{path} is in the way, and no socket")
        refuse(path)
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        os.chmod(path, 0o660)
    except OSError as error:
        listening.close()
        raise OSError(error.errno or 0, f"{path} can't be made: {error.strerror or error}") from error
    return listening


def _remove(path: Path, inode: int) -> None:
    """Unless it is another's by now."""
    with contextlib.suppress(OSError):
        if os.stat(path).st_ino == inode:
            path.unlink()
