"""Who has a machine: one speaker at a time, and none that was killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cooee.control import Taken, claimed
from running import clean_env

HOLD = (
    "import sys, time; from pathlib import Path; from cooee.control import claimed\n"
    "with claimed(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@contextmanager
def another(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has it."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, env=clean_env(), stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout and holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def test_a_second_one_is_told_who_has_it_and_what_to_do(path: Path) -> None:
    with another(path) as holder, pytest.raises(Taken) as taken, claimed(path):
        pass
    assert f"process {holder.pid} has {path}. Stop it first" in str(taken.value)


def test_one_that_was_killed_holds_nothing(path: Path) -> None:
    with another(path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with claimed(path):
            pass


def test_it_can_be_had_again_when_it_was_given_back(path: Path) -> None:
    for _ in range(2):
        with claimed(path):
            pass


def test_one_that_answers_elsewhere_is_in_the_way_and_a_stale_socket_is_not(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(elsewhere))
        with claimed(path, elsewhere):
            pass
        listening.listen()
        with pytest.raises(Taken, match=f"process {os.getpid()} has {elsewhere}"), claimed(path, elsewhere):
            pass
    with claimed(path, elsewhere):
        pass


def test_a_place_that_no_socket_can_have_is_in_nobodys_way(path: Path, tmp_path: Path) -> None:
    with claimed(path, tmp_path / ("x" * 120) / "control.sock"):
        pass


def test_where_no_file_can_be_made_there_is_nothing_to_claim(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with claimed(tmp_path / "file" / "control.sock"):
        pass
