"""The embedded agent as a process: a WebSocket server on this machine's loopback, spoken to like the vendor's."""

import asyncio
import hmac
import ipaddress
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.http11 import Request, Response

from cooee.agent.embedded import TOKEN
from cooee.agent.embedded.connection import Connection
from cooee.agent.embedded.speech import Model, Speech
from cooee.agent.embedded.wire import MOST_BYTES

log = logging.getLogger("cooee.agent")


async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    model: Model = "tiny.en",
    token: str | None = None,
    ready: Callable[[int], None],
    idle_timeout_s: float = 10.0,
    answer_timeout_s: float = 20.0,
    beyond_loopback: bool = False,
) -> None:
    """Serve until cancelled; `ready` is told the port.

    With a `token`, only who sends it in the Authorization header may enter. Raises OSError for a port in use, and
    ValueError for a host that others on the network can reach, unless `beyond_loopback`.
    """
    if not beyond_loopback and not _is_loopback(host):
        raise ValueError(f'host is "{host}", which others can reach; use 127.0.0.1, or allow it: --beyond-loopback')

    def admit(connection: ServerConnection, request: Request) -> Response | None:
        given = request.headers.get("Authorization", "").rpartition(" ")[2]
        if token is None or hmac.compare_digest(given.encode(), token.encode()):
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "The Authorization header does not carry the token.\n")

    speech = Speech(model)

    async def attend(socket: ServerConnection) -> None:
        await Connection(socket, speech, idle_timeout_s=idle_timeout_s, answer_timeout_s=answer_timeout_s).run()

    # Frames above this are answered with an Error; above four times of it the socket is closed while still receiving.
    async with listen(attend, host, port, process_request=admit, compression=None, max_size=4 * MOST_BYTES) as server:
        speech.load()
        ready(next(iter(server.sockets)).getsockname()[1])
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await speech.close()


def main(
    host: str = "127.0.0.1",
    port: int = 0,
    model: Model = "tiny.en",
    *,
    until_eof: bool = False,
    beyond_loopback: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, or, if `until_eof`, until standard input ends; prints {"port": N} when listening.

    The token, if there is to be one, is taken from the environment. Raises as `serve`.
    """
    asyncio.run(_until_told(host, port, model, until_eof, beyond_loopback))
    # Models that still load have threads of their own, which abort a process that ends in the usual way.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


async def _until_told(host: str, port: int, model: Model, until_eof: bool, beyond_loopback: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        threading.Thread(target=_wait_for_eof, args=(loop, stop), daemon=True).start()

    def ready(port: int) -> None:
        print(json.dumps({"port": port}), flush=True)

    serving = asyncio.create_task(
        serve(host, port, model=model, token=os.environ.get(TOKEN), ready=ready, beyond_loopback=beyond_loopback)
    )
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if serving.done():
        serving.result()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def _wait_for_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Not sys.stdin: its lock, held by a thread that reads, aborts the interpreter on its way out.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
