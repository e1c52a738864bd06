"""The commands that talk to the speaker which runs on this machine, through its control socket."""

import contextlib
import http.client
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from cooee import store

FILE = "control.sock"
SERVICE = Path("/run/cooee") / FILE
CONNECT_S = 3.0
ANSWER_S = 4000.0
"""An announcement may have to wait for long."""

NOT_RUNNING, UNANSWERED = 3, 4


def own_socket() -> Path:
    """Where a daemon of ours makes its socket."""
    return next(_own_sockets())


def other_sockets() -> tuple[Path, ...]:
    """Where another speaker would be in our way; one that was given a folder of its own is alone in it on purpose."""
    return () if os.environ.get("RUNTIME_DIRECTORY") else tuple({*_own_sockets(), SERVICE} - {own_socket()})


def _own_sockets() -> Iterator[Path]:
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        yield Path(given.split(":")[0]) / FILE
    home = Path(os.environ.get("XDG_RUNTIME_DIR") or "")
    if home.is_absolute() and home.is_dir():
        yield home / "cooee" / FILE
    yield store.folder() / FILE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all of it as a JSON object.")
def status(as_json: bool) -> None:
    """Show what the speaker is doing and how it is."""
    known = _ask("GET", "/status")
    if as_json:
        click.echo(json.dumps(known, indent=2))
        return
    from cooee.screen import show

    show(known)


@click.command()
@click.option("--texts", is_flag=True, help="Also what is said and asked for (root and the speaker's own user).")
def watch(texts: bool) -> None:
    """Show what happens, live, as lines of JSON."""
    with _connected() as connection, contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        connection.request("GET", f"/watch?texts={int(texts)}")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            _refuse(json.loads(response.read()))
        connection.sock.settimeout(None)
        while line := response.readline():
            if line.strip():
                click.echo(line, nl=False)
    sys.exit(0)


@click.command()
@click.argument("text")
@click.option("--urgent", is_flag=True, help="Cut whatever is being said.")
@click.option("--own-voice", is_flag=True, help="In the speaker's own voice, even if its agent has a line.")
def say(text: str, urgent: bool, own_voice: bool) -> None:
    """Have the speaker say TEXT, now or in a quiet moment.

    Returns when it was heard.
    """
    voice = {"voice": "own"} if own_voice else {}
    _ask("POST", "/say", text=text, priority="urgent" if urgent else "normal", **voice)


@click.command()
@click.argument("text")
@click.option("--timeout", "timeout_s", type=click.FloatRange(1, 3600), default=60, show_default=True, help="Seconds.")
@click.option("--urgent", is_flag=True, help="Cut whatever is being said.")
def ask(text: str, timeout_s: float, urgent: bool) -> None:
    """Have the speaker ask TEXT; prints the answer.

    Exits with 4 if nobody answers. The timeout is for the moment in which it can be asked.
    """
    priority = "urgent" if urgent else "normal"
    click.echo(_ask("POST", "/ask", text=text, timeout_s=timeout_s, priority=priority)["answer"])


@click.command()
def talk() -> None:
    """Wake the speaker, as the wake word does."""
    _ask("POST", "/talk")


@click.command()
def stop() -> None:
    """Be quiet and rest."""
    _ask("POST", "/stop")


@click.command()
def mute() -> None:
    """Shut the microphone.

    It stays so until it is unmuted, also over a restart.
    """
    _ask("POST", "/mute")


@click.command()
def unmute() -> None:
    """Open the microphone again."""
    _ask("POST", "/unmute")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("level", required=False, metavar="[N|+N|-N]")
def volume(level: str | None) -> None:
    """Print or set the volume, in percent.

    N sets it, +N makes it louder, -N quieter.
    """
    wish: dict[str, int] = {}
    if level is not None:
        if not (number := re.fullmatch(r"([+-]?)[0-9]{1,3}", level.strip())):
            raise click.BadParameter("must be a whole number such as 40, +10 or -10", param_hint="N")
        if abs(int(number[0])) > 100:
            raise click.BadParameter("must be from 0 to 100, or a step from -100 to +100", param_hint="N")
        wish = {"step" if number[1] else "percent": int(number[0])}
    click.echo(_ask("POST", "/volume", **wish)["percent"])


@click.command()
def reload() -> None:
    """Read the config anew; a faulty one changes nothing.

    Prints what changed, or every fault.
    """
    click.echo(_ask("POST", "/reload")["text"])


COMMANDS = (status, watch, say, ask, talk, stop, mute, unmute, volume, reload)


def _ask(method: str, path: str, **wish: Any) -> dict[str, Any]:
    """What the speaker answers; a refusal is a sentence on stderr and an exit code."""
    with _connected() as connection:
        connection.request(method, path, json.dumps(wish) if wish else None)
        response = connection.getresponse()
        known: dict[str, Any] = json.loads(response.read())
    if response.status != http.HTTPStatus.OK:
        _refuse(known)
    return known


def _refuse(known: dict[str, Any]) -> NoReturn:
    for fault in known.get("faults", ()):
        click.echo(fault, err=True)
    error = str(known.get("error", "the speaker refused"))
    _stop(f"{error[:1].upper()}{error[1:]}", UNANSWERED if known.get("outcome") == "unanswered" else 1)


@contextlib.contextmanager
def _connected() -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("cooee")
    connection.sock = _socket()
    try:
        yield connection
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        _stop("The speaker has ended, or does not answer: see its log (journalctl -u cooee)", NOT_RUNNING)
    finally:
        connection.close()


def _socket() -> socket.socket:
    """To the first speaker that answers."""
    for path in dict.fromkeys((*_own_sockets(), SERVICE)):
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.settimeout(CONNECT_S)
        try:
            caller.connect(str(path))
        except PermissionError:
            _stop(f"{path} is for root, the speaker's own user and its group: run it with sudo", NOT_RUNNING)
        except OSError:
            caller.close()
        else:
            caller.settimeout(ANSWER_S)
            return caller
    _stop("No speaker runs here: start it with `cooee run`, or `sudo systemctl start cooee`", NOT_RUNNING)


def _stop(sentence: str, exit_code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(exit_code)
