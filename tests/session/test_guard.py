import asyncio
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cooee.session.guard import Guard

Pair = tuple[socket.socket, socket.socket]


def connected() -> Pair:
    """Ours, and the peer's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        peer, _ = listening.accept()
    peer.settimeout(5)
    return ours, peer


@pytest.fixture
def pair() -> Iterator[Pair]:
    both = connected()
    yield both
    for each in both:
        each.close()


@pytest.fixture
def guard() -> Iterator[Guard]:
    it = Guard()
    yield it
    it.close()


def fill(ours: socket.socket) -> int:
    """Send until neither kernel takes any more; returns how many bytes."""
    ours.setblocking(False)
    sent = 0
    try:
        while True:
            sent += ours.send(bytes(65536))
    except BlockingIOError:
        return sent


def is_connected(sock: socket.socket) -> bool:
    """Whether the kernel still holds the connection open, without reading from it."""
    state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == 1  # TCP_ESTABLISHED, netinet/tcp.h


def until(holds: Callable[[], object]) -> None:
    give_up = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.005)


@pytest.mark.slow
def test_a_socket_that_outlives_its_permission_is_ended_and_not_before(guard: Guard, pair: Pair) -> None:
    ours, peer = pair
    began = time.monotonic()
    permit = guard.watch(ours, 0.3)
    with pytest.raises(ConnectionResetError):
        peer.recv(1)
    assert permit.cut_at
    assert permit.cut_at - began >= 0.3
    with pytest.raises(OSError):
        ours.recv(1)


@pytest.mark.slow
def test_a_peer_that_does_not_read_is_gone_all_the_same(guard: Guard, pair: Pair) -> None:
    ours, peer = pair
    fill(ours)
    permit = guard.watch(ours, 0.1)
    until(lambda: permit.cut_at)
    until(lambda: not is_connected(peer))


@pytest.mark.slow
def test_a_permit_that_is_renewed_in_time_is_never_cut_and_one_that_is_not_is(guard: Guard) -> None:
    (renewed, renewed_peer), (left, left_peer) = connected(), connected()
    permit, other = guard.watch(renewed, 0.2), guard.watch(left, 0.5)
    for _ in range(20):
        time.sleep(0.05)
        permit.renew(0.2)
    assert permit.cut_at is None
    assert other.cut_at
    renewed.sendall(b"alive")
    assert renewed_peer.recv(5) == b"alive"
    permit.end()
    for each in (renewed, renewed_peer, left, left_peer):
        each.close()


@pytest.mark.slow
def test_a_permit_can_be_made_shorter(guard: Guard, pair: Pair) -> None:
    permit = guard.watch(pair[0], float("inf"))
    time.sleep(0.05)
    permit.renew(0)
    with pytest.raises(ConnectionResetError):
        pair[1].recv(1)
    permit.renew(10)
    permit.end()
    assert permit.cut_at


@pytest.mark.slow
async def test_a_blocked_loop_does_not_keep_a_line_open(guard: Guard) -> None:
    seen = threading.Event()

    def serve(peer: socket.socket) -> None:
        with peer, pytest.raises(ConnectionResetError):
            peer.recv(1)
        seen.set()

    ours, peer = connected()
    thread = threading.Thread(target=serve, args=(peer,))
    thread.start()
    reader, writer = await asyncio.open_connection(sock=ours)
    permit = guard.watch(writer.get_extra_info("socket"), 0.2)
    time.sleep(0.6)  # nothing runs on the loop meanwhile
    assert seen.is_set()
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    permit.end()
    writer.close()
    thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout - -out -"
    made = subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost"], capture_output=True, check=True
    )
    path.write_bytes(made.stdout)
    return path


@pytest.mark.slow
async def test_a_line_with_tls_to_a_peer_that_reads_nothing_ends_and_its_user_notices(
    guard: Guard, certificate: Path
) -> None:
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate)
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await accepted.put(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=theirs)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(certificate))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
    peer = await accepted.get()
    writer.write(bytes(20_000_000))
    permit = guard.watch(writer.get_extra_info("socket"), 0.2)
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
    assert permit.cut_at
    assert not is_connected(peer.get_extra_info("socket"))
    permit.end()
    for each in (writer, peer):
        each.transport.abort()
    server.close()
    await asyncio.sleep(0)


def test_an_end_in_order_delivers_what_was_sent(guard: Guard, pair: Pair) -> None:
    ours, peer = pair
    permit = guard.watch(ours, 60)
    ours.sendall(b"goodbye")
    ours.close()
    permit.end()
    permit.end()
    assert peer.recv(100) == b"goodbye"
    assert peer.recv(100) == b""
    assert permit.cut_at is None


def test_an_end_does_not_wait_for_a_peer_that_does_not_read(guard: Guard, pair: Pair) -> None:
    ours, peer = pair
    fill(ours)
    permit = guard.watch(ours, 60)
    ours.close()
    permit.end()
    until(lambda: not is_connected(peer))


@pytest.mark.slow
def test_a_number_that_is_used_again_is_not_hit(guard: Guard) -> None:
    ours, peer = connected()
    permit = guard.watch(ours, 0.2)
    number = ours.fileno()
    ours.close()
    other, other_peer = connected()
    again = socket.socket(fileno=os.dup2(other.fileno(), number))
    until(lambda: permit.cut_at)
    again.sendall(b"alive")
    assert other_peer.recv(5) == b"alive"
    for each in (peer, other, again, other_peer):
        each.close()


def test_a_socket_that_can_not_be_watched_is_ended(guard: Guard, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "dup", no_more)
    permit = guard.watch(pair[0], 60)
    assert permit.cut_at
    assert pair[1].recv(1) == b""
    permit.renew(10)
    permit.end()


def test_a_thousand_lines_leave_nothing_behind(guard: Guard, pair: Pair) -> None:
    guard.watch(pair[0], 60).end()
    process = psutil.Process()
    before = process.num_fds(), threading.active_count()
    lines = [connected() for _ in range(20)]
    for number in range(1000):
        permit = guard.watch(lines[number % 20][0], 60 if number % 2 else 0)
        permit.end()
    for ours, peer in lines:
        ours.close()
        peer.close()
    assert (process.num_fds(), threading.active_count()) == before


def test_closing_ends_what_is_watched_and_the_thread(pair: Pair) -> None:
    guard = Guard()
    guard.watch(pair[0], 60)
    guard.close()
    assert pair[1].recv(1) == b""
    assert not [each for each in threading.enumerate() if each.name == "cooee-guard"]


def test_a_guard_with_nothing_to_watch_has_no_thread() -> None:
    Guard().close()
    assert not [each for each in threading.enumerate() if each.name == "cooee-guard"]
