import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from cooee.actions import Failed, command
from cooee.actions._parameters import Parameter
from cooee.actions.command import Command, Settings

TEXT = {"text": Parameter(type="string")}


def table(*words: str, **settings: Any) -> Settings:
    return Settings(description="A command.", command=list(words), **settings)


def make(*words: str, parameters: dict[str, Parameter] | None = None, **settings: Any) -> Command:
    return command.open("it", table(*words, parameters=parameters or {}, **settings), lambda event: None)


def python(code: str, *words: str, **settings: Any) -> Command:
    return make(sys.executable, "-c", code.replace("{", "{{").replace("}", "}}"), *words, **settings)


async def test_the_first_line_is_the_answer() -> None:
    assert await make("printf", r"\n21 degrees\nmore\n").run({}) == "21 degrees"


async def test_a_command_that_says_nothing_is_done() -> None:
    assert await make("true").run({}) == "That is done."


async def test_an_answer_of_ones_own() -> None:
    thermometer = make("echo", "21", "{text}", parameters=TEXT, answer="In {text} it is {output}.")
    assert await thermometer.run({"text": "the {output} hall"}) == "In the {output} hall it is 21 the {output} hall."


@pytest.mark.parametrize("text", ["$(id)", "`id`", "; id", "a b c", "*", "'", '"', "{text}", "%s", "ä€😀", "a=-b", ""])
async def test_no_shell_reads_what_the_user_said(text: str) -> None:
    echo = python("import sys; print(repr(sys.argv[1:]))", "{text}", "--to={text}", parameters=TEXT)
    assert await echo.run({"text": text}) == repr([text, f"--to={text}"])


@pytest.mark.parametrize("text", ["-rf", "--help", "-"])
async def test_what_the_user_said_can_be_no_option(text: str) -> None:
    with pytest.raises(Failed, match="begin with a dash"):
        await make("echo", "{text}", parameters=TEXT).run({"text": text})
    both = make("echo", "{a}{text}", parameters={**TEXT, "a": Parameter(type="string")})
    with pytest.raises(Failed, match="begin with a dash"):
        await both.run({"a": "", "text": text})


@pytest.mark.parametrize("words", [("{n}{text}",), ("{text}{n}",), ("{b}", "x")])
async def test_no_number_makes_an_option_of_what_stands_behind_it(words: tuple[str, ...]) -> None:
    known = {**TEXT, "n": Parameter(type="integer"), "b": Parameter(type="string")}
    used = {name: each for name, each in known.items() if any(f"{{{name}}}" in word for word in words)}
    with pytest.raises(Failed, match="begin with a dash"):
        await make("echo", *words, parameters=used).run({"n": -1, "text": "", "b": "-e"})


CODE = [
    ["sh", "-c", "echo {text}"],
    ["/bin/sh", "-ec", "echo {text}"],
    ["bash", "-o", "pipefail", "-c", "echo '{text}'"],
    ["bash", "-c{text}"],
    ["bash", "{text}"],
    ["bash", "--rcfile", "{text}", "-i"],
    ["python3.11", "-c", "print('{text}')"],
    ["python3", "-m", "{text}"],
    ["python3", "{text}.py"],
    ["perl", "-e", "print '{text}'"],
    ["perl", "-we", "1", "-e", "{text}"],
    ["perl", "-ne", "print", "{text}"],
    ["ruby", "-e", "{text}"],
    ["node", "--eval", "{text}"],
    ["php", "-r", "{text}"],
    ["awk", 'BEGIN {{ print "{text}" }}'],
    ["gawk", "-f", "{text}"],
    ["sed", "s/x/{text}/"],
    ["sed", "s/x/y/", "/etc/hostname", "-e", "{text}"],
    ["sqlite3", "/var/db", "{text}"],
    ["ssh", "host", "say {text}"],
    ["ssh", "host", "say", "{text}"],
    ["ssh", "{text}", "uptime"],
    ["env", "sh", "-c", "echo {text}"],
    ["env", "-i", "A=b", "sh", "-c", "echo {text}"],
    ["env", "-S", "echo {text}"],
    ["env", "LD_PRELOAD={text}", "true"],
    ["env", "{text}"],
    ["sudo", "sh", "-c", "echo {text}"],
    ["sudo", "-u", "pi", "-n", "bash", "-lc", "echo {text}"],
    ["sudo", "-u", "pi", "{text}"],
    ["nice", "-n", "5", "timeout", "-k", "1", "5", "sh", "-c", "{text}"],
    ["timeout", "5", "{text}"],
    ["busybox", "sh", "-c", "{text}"],
    ["find", "/srv", "-exec", "sh", "-c", "echo {text}", ";"],
    ["find", "/srv", "-exec", "{text}", ";"],
    ["docker", "exec", "box", "sh", "-c", "echo {text}"],
    ["eval", "{text}"],
    ["xargs", "{text}"],
    ["su", "-c", "echo {text}", "pi"],
    ["sh", "-c", "--", "{text}"],
    ["bash", "-c", "-e", "{text}"],
    ["sh", "-c", "-x", "{text}"],
    ["sh", "-cx", "{text}"],
    ["bash", "-euo", "pipefail", "-c", "{text}"],
    ["bash", "-c", "-o", "pipefail", "{text}"],
    ["bash", "--rcfile", "/etc/bashrc", "{text}"],
    ["fish", "--command", "{text}"],
    ["runuser", "-u", "pi", "--", "{text}"],
    ["runuser", "pi", "-c", "{text}"],
    ["pkexec", "--user", "pi", "{text}"],
    ["setpriv", "--reuid", "1000", "{text}"],
    ["sudo", "--user", "pi", "{text}"],
    ["sudo", "-nu", "pi", "{text}"],
    ["sudo", "-n", "{text}"],
    ["sudo", "-uroot", "ssh", "h", "{text}"],
    ["env", "-S", "ssh h", "x", "{text}"],
    ["systemd-run", "--uid", "1000", "{text}"],
    ["timeout", "{text}", "sh", "-c", "{text}"],
    ["deno", "run", "{text}"],
    ["bun", "run", "{text}"],
    ["deno", "eval", "{text}"],
    ["sshpass", "-p", "x", "ssh", "h", "{text}"],
    ["docker", "exec", "x", "{text}"],
    ["docker", "exec", "-it", "-u", "pi", "x", "{text}"],
    ["podman", "run", "--rm", "alpine", "{text}"],
    ["xterm", "-e", "{text}"],
    ["sg", "audio", "-c", "{text}"],
    ["make", "-C", "/srv", "{text}"],
    ["git", "-c", "{text}", "status"],
    ["rsync", "-e", "{text}", "/a", "/b"],
    ["/opt/run", "--eval={text}"],
    ["bwrap", "ssh", "h", "{text}"],
    ["bwrap", "sudo", "{text}"],
    ["perl", "-e", "while(<>){{print}}", "{text}"],
    ["perl", "-I", "/srv", "{text}"],
    ["python3", "-m", "timeit", "{text}"],
    ["node", "-r", "/srv/first.js", "{text}"],
    ["lua", "-e", "x = 1", "{text}"],
    ["expect", "-c", "set x 1", "{text}"],
    ["pwsh", "-Command", "echo", "x", "{text}"],
    ["bash", "-c", "-", "{text}"],
    *([program, "-c", "{text}"] for program in ("ipython", "xonsh", "yash", "unheard-of")),
    *([program, "-e", "{text}"] for program in ("julia", "raku", "unheard-of")),
]


@pytest.mark.parametrize("words", CODE, ids=" ".join)
def test_nothing_is_filled_into_code(words: list[str]) -> None:
    with pytest.raises(ValidationError, match=r"code or as the name of a program.*argument of its own.*\$1"):
        table(*words, parameters=TEXT)


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", 'echo "$1"', "sh", "{text}"],
        ["sudo", "-u", "pi", "sh", "-c", 'echo "$1"', "sh", "{text}"],
        ["bash", "/usr/local/bin/say.sh", "-c", "{text}"],
        ["python3", "/usr/local/bin/say.py", "-e", "{text}"],
        ["python3", "-c", "import sys; print(sys.argv)", "{text}"],
        ["awk", "-v", "x={text}", "BEGIN {{ print x }}"],
        ["sed", "-n", "-e", "s/x/y/", "{text}"],
        ["env", "LANG=C", "echo", "{text}"],
        ["timeout", "5", "echo", "{text}"],
        ["find", "/srv/music", "-name", "{text}"],
        ["mpc", "-c", "{text}"],
        ["amixer", "-c", "1", "--name={text}"],
        ["notify-send", "python", "{text}"],
        ["timeout", "{text}", "/usr/local/bin/tea"],
        ["systemd-run", "--user", "--on-active={text}", "/usr/local/bin/tea"],
        ["bc", "{text}"],
        ["perl", "/usr/local/bin/say.pl", "-n", "{text}"],
        ["perl", "-e", "print @ARGV", "{text}"],
        ["perl", "-I", "/srv", "/srv/say.pl", "{text}"],
        ["python3", "-m", "say", "{text}"],
        ["node", "-r", "/srv/first.js", "/srv/say.js", "{text}"],
        ["lua", "-e", "x = 1", "/srv/say.lua", "{text}"],
        ["sh", "-c", "--", 'echo "$1"', "sh", "{text}"],
        ["sudo", "-n", "-u", "pi", "echo", "{text}"],
        ["runuser", "-u", "pi", "--", "echo", "{text}"],
        ["docker", "restart", "{text}"],
        ["docker", "exec", "-it", "box", "echo", "{text}"],
        ["deno", "run", "/usr/local/bin/say.ts", "{text}"],
        ["/usr/local/bin/media", "watch", "{text}"],
        ["grep", "-e", "{text}", "/etc/hostname"],
    ],
    ids=" ".join,
)
def test_what_is_data_may_be_filled_in(words: list[str]) -> None:
    assert table(*words, parameters=TEXT)


def test_a_number_is_code_to_nobody() -> None:
    number = {"text": Parameter(type="integer")}
    assert table("sudo", "nice", "-n", "{text}", "echo", parameters=number)
    assert table("ssh", "host", "sleep", "{text}", parameters=number)


def test_what_is_said_chooses_no_option() -> None:
    with pytest.raises(ValidationError, match="would choose the option; give text an enum"):
        table("uname", "-{text}", parameters=TEXT)
    letter = {"text": Parameter(type="string", enum=["r", "s"])}
    assert table("uname", "-{text}", parameters=letter)


async def test_what_is_handed_to_a_shell_as_an_argument_is_no_code(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    say = make("sh", "-c", 'echo "$1"', "sh", "{text}", parameters=TEXT)
    assert await say.run({"text": f"$(touch {trap}); touch {trap}"}) == f"$(touch {trap}); touch {trap}"
    assert not trap.exists()


async def test_a_negative_number_is_a_number() -> None:
    degrees = make("echo", "{n}", parameters={"n": Parameter(type="integer", minimum=-40)})
    assert await degrees.run({"n": -5}) == "-5"


async def test_a_control_character_is_refused() -> None:
    with pytest.raises(Failed, match="can't be used"):
        await make("echo", "{text}", parameters=TEXT).run({"text": "a\x00b"})


async def test_a_status_other_than_0_is_told_by_the_last_complaint() -> None:
    broken = python("import sys; print('fine'); sys.exit('first\\n\\x1b[31mthe bulb is missing\\n')")
    with pytest.raises(Failed, match=r"^\[31mthe bulb is missing$"):
        await broken.run({})
    with pytest.raises(Failed, match=r"^it ended with status 1\.$"):
        await make("false").run({})


async def test_a_flood_of_output_is_cut_and_blocks_nothing() -> None:
    flood = python("import sys; sys.stderr.write('y' * 9_000_000); sys.stdout.write('x' * 9_000_000)")
    assert len(await flood.run({})) <= 4096


async def test_output_that_is_no_text_is_told_all_the_same() -> None:
    assert "\ufffd" in await python("import os; os.write(1, b'\\xff\\xfe ok')").run({})


async def test_the_environment_and_the_folder_are_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "secret")
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}), os.getcwd())"
    assert await python(code, env={"ROOM": "hall"}).run({}) == "['HOME', 'LANG', 'PATH', 'ROOM'] /"


async def test_a_program_is_given_the_keys_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAR_TOKEN", "k-17")
    assert await python("import os; print(os.environ['KEY'])", env={"KEY": "Bearer secret:CAR_TOKEN"}).run({}) == (
        "Bearer k-17"
    )
    with pytest.raises(Failed, match="the key NOT_THERE is missing"):
        python("pass", env={"KEY": "secret:NOT_THERE"})


async def test_a_cancelled_command_ends_with_all_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time; child = subprocess.Popen(['sleep', '600']);"
        "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid} '); time.sleep(600)"
    )
    task = asyncio.create_task(python(code, str(note)).run({}))
    while not note.exists() or not note.read_text().endswith(" "):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pids = [int(pid) for pid in note.read_text().split()]
    async with asyncio.timeout(5):
        while any(runs(pid) for pid in pids):
            await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_child_left_behind_keeps_nobody_waiting() -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"
    pid = int(await asyncio.wait_for(python(code).run({}), 20))
    os.kill(pid, 9)


def test_a_program_that_there_is_not() -> None:
    with pytest.raises(Failed, match=r"there is no program frobnicate\."):
        make("frobnicate")


async def test_a_program_that_can_not_be_started(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELFnot")
    program.chmod(0o755)
    with pytest.raises(Failed, match="can't be started"):
        await make(str(program)).run({})
