"""Which speaker a command talks to, and what it makes of the answer; at the other end of a real socket."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from cooee import remote


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One on which nothing runs, with a service's folder, a user's and the state's."""
    for name in ("service", "user", "state"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(remote, "SERVICE", tmp_path / "service" / remote.FILE)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "user"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path


def whole(connected: socket.socket) -> bytes:
    """The request with its body, which comes in a piece of its own."""
    came = b""
    while True:
        head, end, body = came.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if end and len(body) >= (int(length[1]) if length else 0):
            return came
        if not (piece := connected.recv(65536)):
            return came
        came += piece


@contextmanager
def answering(path: Path, status: str = "200 OK", **known: object) -> Iterator[list[bytes]]:
    """A speaker that gives everybody this answer; what it was asked."""
    path.parent.mkdir(exist_ok=True)
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                with connected:
                    asked.append(whole(connected))
                    body = json.dumps(known).encode()
                    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                    connected.sendall(head.encode() + body)

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield asked
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()


def ran(*arguments: str) -> tuple[int, str, str]:
    command = next(command for command in remote.COMMANDS if command.name == arguments[0])
    done = CliRunner().invoke(command, arguments[1:])
    return done.exit_code, done.stdout, done.stderr


def test_the_users_own_speaker_comes_before_the_service_and_a_dead_one_is_passed_over(machine: Path) -> None:
    own = machine / "user" / "cooee" / remote.FILE
    assert remote.own_socket() == own
    with answering(remote.SERVICE, percent=1), answering(own, percent=2):
        assert ran("volume") == (0, "2\n", "")
    own.touch()
    remote.SERVICE.unlink()
    with answering(remote.SERVICE, percent=1):
        assert ran("volume") == (0, "1\n", "")


def test_a_daemon_with_a_folder_of_its_own_is_in_nobodys_way(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote.SERVICE in remote.other_sockets()
    assert remote.own_socket() not in remote.other_sockets()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(machine / "another"))
    assert (remote.own_socket().parent, remote.other_sockets()) == (machine / "another", ())


@pytest.mark.parametrize("command", [["mute"], ["unmute"], ["say", "x"], ["ask", "x"], ["stop"]])
def test_a_refusal_is_a_sentence_and_an_exit_code(command: list[str]) -> None:
    with answering(remote.SERVICE, "409 Conflict", error="the switch on the speaker says mute"):
        assert ran(*command) == (1, "", "The switch on the speaker says mute\n")


def test_a_question_that_nobody_answers_has_an_exit_code_of_its_own() -> None:
    with answering(remote.SERVICE, "409 Conflict", error="nobody answered", outcome="unanswered"):
        assert ran("ask", "Tea?") == (remote.UNANSWERED, "", "Nobody answered\n")
    remote.SERVICE.unlink()
    with answering(remote.SERVICE, outcome="answered", answer="Yes, please."):
        assert ran("ask", "Tea?") == (0, "Yes, please.\n", "")


@pytest.mark.parametrize(
    ("level", "wish"),
    [("40", {"percent": 40}), ("+10", {"step": 10}), ("-10", {"step": -10}), (" 40 ", {"percent": 40})],
)
def test_a_volume_is_one_to_be_set_or_a_step(level: str, wish: dict[str, int]) -> None:
    with answering(remote.SERVICE, percent=40) as asked:
        assert ran("volume", level)[0] == 0
    assert json.loads(asked[0].split(b"\r\n\r\n")[1]) == wish


@pytest.mark.parametrize("level", ["1e3", "NaN", "4_0", "٣", "+-5", "", "40%"])
def test_a_volume_that_is_no_plain_number_is_refused_without_asking_the_speaker(level: str) -> None:
    code, _, error = ran("volume", level)
    assert code == 2 and "must be a whole number such as 40, +10 or -10" in error


@pytest.mark.parametrize("level", ["101", "+101", "-200"])
def test_a_volume_that_no_speaker_has_is_refused_in_the_words_of_who_typed_it(level: str) -> None:
    code, _, error = ran("volume", level)
    assert code == 2 and "must be from 0 to 100, or a step from -100 to +100" in error
