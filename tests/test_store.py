import contextlib
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cooee import store
from cooee.store import FILE, Store, Unreadable, _file, folder, visit
from running import clean_env

TABLE = "CREATE TABLE IF NOT EXISTS kept(id INTEGER PRIMARY KEY, text TEXT)"
ADD = "INSERT INTO kept(text) VALUES(?)"
ALL = "SELECT text FROM kept ORDER BY id"


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[Store]:
    it = Store(path)
    it.write(TABLE)
    try:
        yield it
    finally:
        it.close()


def texts(it: Store) -> list[str]:
    return [text for (text,) in it.read(ALL)]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "cooee.store"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / FILE


def test_what_was_written_is_read_back_in_order_now_and_after_a_restart(path: Path) -> None:
    with opened(path) as it:
        for number in range(100):
            it.write(ADD, str(number))
        assert texts(it) == [str(number) for number in range(100)]
    with opened(path) as it:
        assert texts(it) == [str(number) for number in range(100)]


def test_a_write_that_is_done_is_seen_by_another_process(path: Path) -> None:
    with opened(path) as it:
        it.write(ADD, "committed").result()
        with contextlib.closing(sqlite3.connect(path)) as other:
            assert other.execute(ALL).fetchall() == [("committed",)]


def test_nobody_else_may_look(path: Path) -> None:
    with opened(path) as it:
        it.write(ADD, "secret").result()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    path.chmod(0o644)
    with opened(path) as it:
        assert texts(it) == ["secret"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_faulty_statement_harms_nobody_but_its_writer(path: Path) -> None:
    with opened(path) as it:
        before, faulty, after = it.write(ADD, "a"), it.write("INSERT INTO nowhere VALUES(1)"), it.write(ADD, "b")
        unfit = it.write(ADD, 2**80)
        assert isinstance(faulty.exception(), sqlite3.OperationalError)
        assert isinstance(unfit.exception(), OverflowError)
        assert before.result() is after.result() is None
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            it.read("SELECT * FROM nowhere")
    with opened(path) as it:
        assert texts(it) == ["a", "b"]


def test_a_closed_store_refuses_in_the_future_it_returns(path: Path) -> None:
    before = set(threading.enumerate())
    with opened(path) as it:
        pass
    it.close()
    assert isinstance(it.write(ADD, "late").exception(), RuntimeError)
    assert set(threading.enumerate()) <= before


def test_a_writer_who_gives_up_waiting_has_written_all_the_same(path: Path) -> None:
    with opened(path) as it:
        assert not it.write(ADD, "kept").cancel()
        assert texts(it) == ["kept"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_store_that_died(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_: Path) -> None:
        raise AssertionError("a fault of ours")

    monkeypatch.setattr(store, "opened", die)
    it = Store(path)
    with pytest.raises(RuntimeError):
        it.read("SELECT 1")
    it.close()


def test_memory_serves_where_no_file_is_wanted() -> None:
    with opened(None) as it:
        it.write(ADD, "a")
        assert texts(it) == ["a"]
        assert it.scrub().result()


def in_the_middle(data: bytes) -> bytes:
    return data[:4096] + os.urandom(len(data) - 4096)


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"a letter to the editor", lambda data: os.urandom(len(data)), in_the_middle, lambda data: data[:5000]],
    ids=["text", "noise", "noise after the first page", "cut short"],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    path: Path, caplog: pytest.LogCaptureFixture, damage: Any
) -> None:
    with opened(path) as it:
        for _ in range(50):
            it.write(ADD, "old" * 1000)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    for text in ("new", "newer"):
        with opened(path) as it:
            it.write(ADD, text)
    with opened(path) as it:
        assert texts(it) == ["new", "newer"]
    assert path.with_name("cooee.db.damaged").read_bytes() == damaged
    assert len(warnings(caplog)) == 1
    assert "cooee.db.damaged" in warnings(caplog)[0]


def killed(path: Path) -> None:
    """Leaves a log behind that was never merged."""
    code = f"import os; from cooee.store import Store; from pathlib import Path; it = Store(Path({str(path)!r}))\n"
    code += f"it.write({TABLE!r})\nfor n in range(50): it.write({ADD!r}, str(n)).result()\nos._exit(0)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert Path(f"{path}-wal").stat().st_size > 0


@pytest.mark.slow
def test_a_damaged_log_costs_at_most_what_was_in_it(path: Path) -> None:
    chance = random.Random(5)
    for _ in range(8):
        killed(path)
        wal = Path(f"{path}-wal")
        data = bytearray(wal.read_bytes())
        at = chance.randrange(len(data))
        wal.write_bytes(data[:at] + chance.randbytes(min(2000, len(data) - at)) + data[at + 2000 :])
        with opened(path) as it:
            found = texts(it)
            assert found == [str(number) for number in range(len(found))]
            it.write(ADD, "goes on")
            assert texts(it)[-1] == "goes on"
        path.unlink()


@pytest.mark.slow
def test_the_log_of_a_damaged_file_is_not_taken_for_the_new_ones(path: Path) -> None:
    with opened(path) as it:
        for _ in range(50):
            it.write(ADD, "old" * 1000)
    killed(path)
    path.write_text("a letter to the editor")
    with opened(path) as it:
        assert texts(it) == []


WRITER = """
import sys
from pathlib import Path
from cooee.store import Store
it = Store(Path(sys.argv[1]))
it.write("CREATE TABLE IF NOT EXISTS kept(id INTEGER PRIMARY KEY, text TEXT)")
number = len(it.read("SELECT id FROM kept"))
while True:
    it.write("INSERT INTO kept(text) VALUES(?)", str(number)).result()
    number += 1
    print(number, flush=True)
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing_that_was_done(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    done = 0
    for _ in range(30):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
            timer = threading.Timer(chance.uniform(0.1, 0.4), writer.kill)
            timer.start()
            assert writer.stdout
            for line in writer.stdout:
                done = int(line)
        with opened(path) as it:
            found = [int(text) for text in texts(it)]
        assert len(found) >= done
        assert found == list(range(len(found)))
    assert done > 100
    assert warnings(caplog) == []


@pytest.mark.slow
def test_what_was_not_waited_for_is_there_after_an_end_in_order(path: Path) -> None:
    code = f"from cooee.store import Store; from pathlib import Path; it = Store(Path({str(path)!r}))\n"
    code += f"it.write({TABLE!r})\nfor n in range(500): it.write({ADD!r}, str(n))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
    with opened(path) as it:
        assert len(texts(it)) == 500


@pytest.mark.parametrize("obstacle", ["a file where the folder should be", "a folder where the file should be"])
def test_without_a_place_to_write_memory_serves(path: Path, caplog: pytest.LogCaptureFixture, obstacle: str) -> None:
    if obstacle.startswith("a folder"):
        path.mkdir(parents=True)
    else:
        path.parent.write_text("")
    with opened(path) as it:
        it.write(ADD, "a").result()
        assert texts(it) == ["a"]
    assert len(warnings(caplog)) == 1


FULL = """
import logging, resource, sys
from pathlib import Path
from cooee.store import Store

logging.basicConfig(level=logging.WARNING, format="%(name)s")
path = Path(sys.argv[1])
it = Store(path)
it.write("CREATE TABLE IF NOT EXISTS t(text TEXT)")
it.write("INSERT INTO t VALUES(?)", "before").result()
# No file of this process may grow any more; SIGXFSZ is ignored by Python.
resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, -1))
writes = [it.write("INSERT INTO t VALUES(?)", "x" * 5000) for _ in range(3)]
assert [write.exception() for write in writes] == [None] * 3
assert it.read("SELECT text FROM t") == [("before",)] + [("x" * 5000,)] * 3
it.close()
"""


def test_a_disk_that_fills_up_costs_nothing_until_the_end(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", FULL, str(path)]
    done = subprocess.run(command, env=clean_env(), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.split()) == (0, ["cooee.store"]), done.stderr


def test_a_file_that_another_program_locks_is_waited_for_and_then_left(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_file, "BUSY_TIMEOUT_S", 0.3)
    with opened(path) as it:
        it.write(ADD, "before").result()
        other = sqlite3.connect(path, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        patient = it.write(ADD, "while it is locked")
        threading.Timer(0.1, other.rollback).start()
        patient.result()
        assert other.execute("SELECT count(*) FROM kept").fetchall() == [(2,)]
        assert warnings(caplog) == []
        other.execute("BEGIN IMMEDIATE")
        it.write(ADD, "for ever").result()
        assert texts(it) == ["before", "while it is locked", "for ever"]
        other.close()
    assert len(warnings(caplog)) == 1


def test_a_file_that_is_damaged_while_in_use_is_no_fault_of_its_writers(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path) as it:
        for _ in range(50):
            it.write(ADD, "old" * 1000)
        it.write("CREATE INDEX IF NOT EXISTS by_text ON kept(text)").result()
        assert it.scrub().result()
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
        # Only pages that are not in the cache any more are read anew.
        it.write("PRAGMA shrink_memory")
        assert it.write(ADD, "new").exception() is None
        assert texts(it)[-1] == "new"
    with opened(path) as it:
        it.write(ADD, "next").result()
    assert len(warnings(caplog)) == 2


def traces(path: Path, marker: str) -> list[str]:
    return [file.name for file in path.parent.iterdir() if marker.encode() in file.read_bytes()]


@pytest.mark.parametrize("rows", [3, 300], ids=["all in the log", "most in the file"])
def test_what_was_deleted_can_not_be_found_in_any_file(path: Path, rows: int) -> None:
    path.parent.mkdir()
    path.with_name("cooee.db.damaged").write_text("PLANTED")
    path.with_name("cooee.db.damaged-wal").write_text("PLANTED")
    with opened(path) as it:
        for number in range(rows):
            it.write(ADD, f"PLANTED {number} " * random.Random(number).randrange(1, 900))
            it.write("UPDATE kept SET text = text || 'PLANTED' WHERE id % 7 = ?", number % 7)
        it.write("DELETE FROM kept WHERE id % 3 > 1").result()
        assert traces(path, "PLANTED")
        it.write("DELETE FROM kept")
        assert it.scrub().result()
        assert traces(path, "PLANTED") == []


def test_the_folder_is_the_services_or_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = tmp_path / "lib"
    service.mkdir()
    monkeypatch.setattr(store, "SERVICE_FOLDER", service)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("STATE_DIRECTORY", "/run/given:/run/other")
    assert folder() == Path("/run/given")
    monkeypatch.delenv("STATE_DIRECTORY")
    assert folder() == service
    service.rmdir()
    assert folder() == Path("/home/me/state/cooee")
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert folder() == Path("/home/me/.local/state/cooee")


@pytest.fixture
def home(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(path.parent))
    return path


def test_a_visitor_reads_and_writes_beside_the_daemon(home: Path) -> None:
    with opened(home) as daemon:
        daemon.write(ADD, "said").result()
        guest = visit()
        assert texts(guest) == ["said"]
        guest.write("DELETE FROM kept").result()
        assert guest.scrub().result()
        guest.close()
        assert texts(daemon) == []


def test_a_visitor_makes_no_file(home: Path) -> None:
    guest = visit()
    guest.write(TABLE)
    assert texts(guest) == []
    guest.close()
    assert not home.exists()


def test_a_visitor_is_told_what_is_wrong_and_leaves_it_as_it_is(home: Path) -> None:
    home.parent.mkdir()
    home.write_text("a letter to the editor")
    with pytest.raises(Unreadable, match=r"cooee\.db can't be read .* the next start sets it aside"):
        visit()
    assert home.read_text() == "a letter to the editor"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_visitor_who_may_not_look_is_told_to_use_sudo(home: Path) -> None:
    with opened(home):
        pass
    home.parent.chmod(0)
    reading, writing = os.pipe()
    if not (child := os.fork()):
        if os.geteuid() == 0:  # root may look everywhere
            os.setuid(65534)
        try:
            visit()
        except Unreadable as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    home.parent.chmod(0o700)
    os.close(writing)
    assert "run it with sudo" in os.fdopen(reading).read()
