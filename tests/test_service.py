"""The daemon as systemd sees it, from systemd's end of the socket."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from card import Card
from cooee import service
from cooee.mic import read_wav
from cooee.service import Service
from running import DAEMON, Running, clean_env

LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"
UNIT = DAEMON.parent / "systemd" / "cooee.service"


class Supervisor:
    """What a Service in this process tells, one note at a time; its clock stands still unless it is moved."""

    def __init__(self, path: Path) -> None:
        self.now_s = 100.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def notes(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    found = Supervisor(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(service.time, "monotonic", lambda: found.now_s)
    yield found
    found.close()


def test_tells_how_it_is(supervisor: Supervisor) -> None:
    told = Service()
    told.ready()
    told.status("asleep")
    told.status("asleep")
    told.status("listening")
    told.stopping()
    assert supervisor.notes() == ["READY=1", "STATUS=asleep", "STATUS=listening", "STOPPING=1"]


def test_tells_when_it_reads_its_config_anew(supervisor: Supervisor) -> None:
    told = Service()
    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told.reloading()
    told.ready()
    reloading, ready = supervisor.notes()
    state, clock = reloading.splitlines()
    assert (state, ready) == ("RELOADING=1", "READY=1")
    name, at_us = clock.split("=")
    assert name == "MONOTONIC_USEC"
    assert before_us <= int(at_us) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_the_level_of_the_log_can_change() -> None:
    before = logging.getLogger("cooee").level
    service.log_from("error")
    assert not logging.getLogger("cooee.app").isEnabledFor(logging.WARNING)
    logging.getLogger("cooee").setLevel(before)


def test_pats_the_watchdog_several_times_within_its_limit_and_not_more_often(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "8000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    told = Service()
    for _ in range(100):
        told.alive()
        supervisor.now_s += 0.08
    assert 3 <= supervisor.notes().count("WATCHDOG=1") <= 5


def test_asks_for_patience_while_the_microphone_is_missing_and_gives_it_back(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Service().wait_for_microphone(missing=True)
    assert supervisor.notes() == []
    monkeypatch.setenv("WATCHDOG_USEC", "8000000")
    told = Service()
    told.wait_for_microphone(missing=True)
    told.wait_for_microphone(missing=False)
    assert supervisor.notes() == ["WATCHDOG_USEC=600000000", "WATCHDOG_USEC=8000000"]


@pytest.mark.parametrize(
    "env", [{}, {"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "soon"}]
)
def test_pats_no_watchdog_that_is_not_its_own(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    told = Service()
    told.alive()
    assert supervisor.notes() == []


def test_without_a_supervisor_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    told = Service()
    told.ready()
    told.alive()


@pytest.mark.parametrize(
    ("stream", "handler"),
    [("{dev}:{inode}", "JournalHandler"), ("{dev}:1", "StreamHandler"), ("", "StreamHandler"), (None, "StreamHandler")],
)
def test_logs_to_the_journal_only_where_stderr_is_the_journal(tmp_path: Path, stream: str | None, handler: str) -> None:
    code = (
        "import logging; from cooee.service import log_to_the_right_place; log_to_the_right_place('info');"
        "print(*(type(each).__name__ for each in logging.root.handlers)); logging.getLogger('cooee.app').info('hello')"
    )
    env = clean_env()
    with (tmp_path / "stderr").open("w+") as errors:
        stat = os.fstat(errors.fileno())
        if stream is not None:
            env["JOURNAL_STREAM"] = stream.format(dev=stat.st_dev, inode=stat.st_ino)
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=30
        )
    assert done.stdout.split() == [handler]
    assert ("hello" in (tmp_path / "stderr").read_text()) is (handler == "StreamHandler")


EXCEPTIONS = """
import asyncio, logging, sys
from cooee.agent import Unreachable
from cooee.service import log_to_the_right_place
log_to_the_right_place(sys.argv[1])
WORDS = "what was " + "said"
def fail(error, cause=None):
    raise error from cause
async def forgotten():
    asyncio.get_running_loop().create_task(asyncio.to_thread(fail, ValueError(WORDS)))
    await asyncio.sleep(0.1)
asyncio.run(forgotten())
try:
    group = ExceptionGroup(WORDS, [OSError(2, "No such file", WORDS), Unreachable("it hangs")])
    fail(group, KeyError(WORDS))
except Exception:
    logging.getLogger("cooee.app").critical("a room died", exc_info=True)
"""


@pytest.mark.parametrize("level", ["info", "debug"])
def test_an_exceptions_own_words_are_for_debugging_only(level: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXCEPTIONS, level], env=clean_env(), capture_output=True, text=True, timeout=30
    )
    assert ("said" in done.stderr) is (level == "debug")
    assert "ValueError" in done.stderr.partition("a room died")[0], "asyncio's own report"
    for told in ("line 8, in fail", "KeyError", "ExceptionGroup", "No such file", "Unreachable: it hangs"):
        assert told in done.stderr


@pytest.mark.slow
def test_a_whole_life_as_the_supervisor_sees_it(tmp_path: Path) -> None:
    card = Card(tmp_path / "card").start()
    config = (
        "[conversation]\nfollow_up_s = 0.0\n"
        '[actions.desk_lamp]\ntype = "gpio"\npin = 17\ndescription = "The lamp on the desk"\n'
    )
    env = {**card.env, "DEEPGRAM_API_KEY": "no-real-key"}
    with Running(tmp_path, config, env, watchdog_s=2) as speaker:
        speaker.wait_for("READY=1")
        speaker.wait_for("WATCHDOG=1")
        card.speak(read_wav(LAMP_WAV))
        for phase in ("listening", "thinking", "speaking", "asleep"):
            speaker.wait_for(f"STATUS={phase}")
        pats = [at_s for at_s, note in speaker.notes if note == "WATCHDOG=1"]
        assert max(after - before for before, after in pairwise(pats)) < 2

        card.stall()
        stalled_s = time.monotonic() + 1
        time.sleep(3)
        assert not speaker.since(stalled_s, "WATCHDOG=1"), "it claims to live without hearing anything"
        speaker.wait_for("STATUS=asleep: .*gives no samples.*")
        speaker.wait_for("WATCHDOG_USEC=600000000")
        card.plug()
        speaker.wait_for("STATUS=asleep")
        speaker.wait_for("WATCHDOG_USEC=2000000")
        speaker.wait_for("WATCHDOG=1")

        code, took_s = speaker.terminate()
        speaker.wait_for("STOPPING=1")
    assert (code, took_s < 2) == (0, True)
    # What was said, asked for and answered, and the key, are nobody's business.
    for secret in ("The lamp", "the lamp", "Turn on", "is on", '"on"', "no-real-key", "Traceback"):
        assert secret not in speaker.stderr
    assert "cooee.app: listening" in speaker.stderr


@pytest.mark.slow
def test_an_abstract_socket_and_no_watchdog(tmp_path: Path) -> None:
    config = f'[mic]\ntype = "file"\nfile = "{LAMP_WAV}"\n[speaker]\ntype = "file"\nfile = "{tmp_path / "out.wav"}"\n'
    with Running(tmp_path, config, {}, notify=f"@cooee-{os.getpid()}-{tmp_path.name}") as speaker:
        speaker.wait_for("READY=1")
        speaker.wait_for("STATUS=listening")
        assert speaker.terminate()[0] == 0
        speaker.wait_for("STOPPING=1")
    assert not speaker.since(0, "WATCHDOG=1")


BROKEN = """
import time
from cooee import cli, speaker, wake
from cooee.sound import flight
def score(*_): raise RuntimeError("the model broke")
def hang(*_): time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("wake.Wake.score = score", "in score"),
        ("speaker.STUCK_S = 0.5; flight.Clock.room = hang", "the loudspeaker's thread hangs"),
    ],
)
def test_a_thread_that_dies_or_hangs_takes_the_process_down(tmp_path: Path, fault: str, says: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[mic]\ntype = "file"\nfile = "{LAMP_WAV}"\n[speaker]\ntype = "file"\nfile = "{tmp_path / "out.wav"}"\n'
    )
    env = clean_env(RUNTIME_DIRECTORY=str(tmp_path), STATE_DIRECTORY=str(tmp_path))
    code = f"{BROKEN}\n{fault}\ncli.main(['run', '--config', {str(config)!r}])"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "CRITICAL cooee.app: a room of the speaker died" in done.stderr and says in done.stderr
    assert "Error: the model broke" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_unit_is_clean() -> None:
    done = subprocess.run(["systemd-analyze", "verify", UNIT], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
