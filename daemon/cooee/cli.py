"""The commands, thin: each reads what it is given, calls one room and turns the outcome into an exit code."""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cooee import __version__, remote

if TYPE_CHECKING:
    from cooee.config import Config
    from cooee.store import Store

EX_CONFIG = 78
"""sysexits(3): the unit does not restart what a restart can't help."""

config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="The config file, if not the usual one."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cooee")
def main() -> None:
    """cooee: a smart speaker that you own.

    Say "hey jarvis", then what you want. Without any hardware, try:

    cooee simulate
    """


@main.command()
@config_option
def run(config_path: Path | None) -> None:
    """Be the speaker, until stopped (Ctrl-C, or systemctl stop)."""
    config = _config(config_path, EX_CONFIG)
    from cooee import control
    from cooee.app import App
    from cooee.service import log_to_the_right_place
    from cooee.store import FILE, Store, folder

    log_to_the_right_place(config.service.log_level)

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        # First of all: one that is in another's way must not touch a pin.
        with control.claimed(remote.own_socket(), *remote.other_sockets()):
            app = App(config, stopping=stopping, store=Store(folder() / FILE), control=remote.own_socket())
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.reload)
            await app.run()

    _run(until_stopped)


@main.command()
@click.argument("wav", type=click.Path(path_type=Path), required=False)
@config_option
@click.option(
    "--reply", type=click.Path(path_type=Path, dir_okay=False), help="Write what the speaker says here (WAV)."
)
@click.option(
    "--timeline", type=click.Path(path_type=Path, dir_okay=False), help="Write what happened here (JSON lines)."
)
@click.option(
    "--pins", type=click.Choice(["mock", "real"]), default="mock", help="Switch real pins, or none (default)."
)
def simulate(wav: Path | None, config_path: Path | None, reply: Path | None, timeline: Path | None, pins: str) -> None:
    """Play WAV to the whole speaker, as if it were said in the room.

    WAV is any recording that begins with the wake word; left out, a bundled "hey jarvis, turn on the lamp". Exits with
    0 after an answer, 3 if no wake word was heard, 4 if the agent could not be reached, 1 if it did not answer.
    """
    config = _config(config_path, 2)
    from rich.console import Console

    from cooee.service import log_to_the_right_place
    from cooee.simulate import simulate

    log_to_the_right_place("warning" if config.service.log_level == "info" else config.service.log_level)
    try:
        ended = simulate(
            config, wav, reply=reply, timeline=timeline, real_pins=pins == "real", console=Console(highlight=False)
        )
    except _unusable() as error:
        _stop(str(error), 2)
    sys.exit(int(ended))


@main.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the file instead, for editors.")
def check(file: Path | None, schema: bool) -> None:
    """Check a config file: every fault at once, or its functions.

    Exits with 1 if there is a fault; else prints the functions that the agent will see. A warning is no fault: it is
    about what may not work on this machine, and for who calls this.
    """
    from cooee import config as files
    from cooee import schema as schemas

    if schema:
        click.echo(json.dumps(schemas.schema(), indent=2))
        return
    config = _config(file, 1)
    from cooee.actions import declare

    for warning in config.warnings:
        click.echo(str(warning), err=True)
    click.echo(f"{config.file}: no faults. The agent will see these functions:")
    for function in declare(config.actions):
        properties = ", ".join(f"{name}: {_kind(each)}" for name, each in function.parameters["properties"].items())
        click.echo(f"  {function.name}({properties})  {function.description}")
    builtins = [name for name in files.BUILT_IN if config.personas or name != "change_persona"]
    click.echo(f"  and, built in: {', '.join(builtins)}")


@main.command()
@click.option("--meter", is_flag=True, help="Show how loud the microphone is, until Ctrl-C.")
@config_option
def devices(meter: bool, config_path: Path | None) -> None:
    """List microphones and loudspeakers, with names to paste."""
    from cooee import meter as meters

    if meter:
        try:
            meters.show_level(_config(config_path, 1).mic)
        except _unusable() as error:
            _stop(str(error), 1)
    else:
        meters.show_devices()


@main.command()
@click.option("-n", "count", type=click.IntRange(1, 500), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known of each, one JSON object a line.")
def turns(count: int, as_json: bool) -> None:
    """Show the last turns and where their time went."""
    from cooee.turns.log import TurnLog, show

    with _visit() as store:
        show(TurnLog(store).last(count), as_json=as_json)


@main.group()
def history() -> None:
    """What was said lately, as it is kept on this machine."""


@history.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def show_history(as_json: bool) -> None:
    """Show who said what when."""
    from cooee.session import report
    from cooee.session.history import said

    with _visit() as store:
        report.show_history(said(store), as_json=as_json)


@history.command("clear")
def clear_history() -> None:
    """Forget what was said, on disk and in a speaker that runs."""
    from cooee.actions import Receipts
    from cooee.session.history import clear, said

    with _visit() as store:
        count = len(said(store))
        Receipts(store).forget()
        is_gone = clear(store).result()
    click.echo(f"{count} message{'' if count == 1 else 's'} removed.")
    if not is_gone:
        _stop("The disk may not have let go of all of it yet: try again in a minute", 1)


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
def usage(config_path: Path | None, as_json: bool) -> None:
    """Show how long lines were open this month, and the price."""
    from datetime import date

    from cooee.session import report
    from cooee.session.usage import days
    from cooee.settings import seconds

    config, today = _config(config_path, 1), date.today()
    with _visit() as store:
        report.show_usage(
            days(store, today),
            today,
            daily_s=seconds(config.session.daily_limit),
            monthly_s=seconds(config.session.monthly_limit),
            usd_per_min=getattr(config.agent, "rate_usd_per_min", 0.0),
            as_of=getattr(config.agent, "rate_as_of", ""),
            as_json=as_json,
        )


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Which port; 0 picks a free one.")
@click.option("--model", type=click.Choice(["tiny.en", "base"]), default="tiny.en", show_default=True)
@click.option("--beyond-loopback", is_flag=True, help="Allow a host that others on the network can reach.")
@click.option("--until-eof", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", hidden=True)
def agent(host: str, port: int, model: str, beyond_loopback: bool, until_eof: bool, log_level: str) -> None:
    """Be the embedded agent alone: no key and no internet.

    Prints {"port": N} when it listens. `cooee run` starts one by itself.
    """
    from cooee.agent.embedded import server
    from cooee.service import log_to_the_right_place

    log_to_the_right_place(log_level)
    try:
        socket.getaddrinfo(host, port)
        server.main(host, port, model, until_eof=until_eof, beyond_loopback=beyond_loopback)  # type: ignore[arg-type]
    except (socket.gaierror, UnicodeError):
        _stop(f'The embedded agent can\'t listen on {host}:{port}: this machine knows no host "{host}"', 1)
    except (OSError, ValueError) as error:
        _stop(f"The embedded agent can't listen on {host}:{port}: {error}", 1)


for command in remote.COMMANDS:
    main.add_command(command)


@contextmanager
def _visit() -> "Iterator[Store]":
    """What the speaker of this machine keeps, or a sentence why it can't be read and exit code 1."""
    from cooee import store

    try:
        with closing(store.visit()) as kept:
            yield kept
    except store.Unreadable as error:
        _stop(str(error), 1)


def _config(path: Path | None, exit_code: int) -> "Config":
    """The config, or every fault in it on stderr and the exit code."""
    from cooee import config

    try:
        return config.load(path or config.find())
    except config.Faulty as refused:
        _stop(str(refused), exit_code)


def _kind(schema: dict[str, object]) -> str:
    options = schema.get("enum")
    return "|".join(map(str, options)) if isinstance(options, list) else str(schema.get("type", "any"))


def _unusable() -> tuple[type[Exception], ...]:
    """What is wrong with a file that the config or the user names; each is a sentence."""
    from cooee.sound.wav import Unplayable
    from cooee.wake import BadModel

    return Unplayable, BadModel


def _run(until_stopped: Callable[[], Awaitable[None]]) -> None:
    """A room that dies takes the process down, and systemd brings it back."""
    from cooee.control import Taken

    try:
        asyncio.run(until_stopped())  # type: ignore[arg-type]
    except _unusable() as error:
        _stop(f"The speaker can't start: {error}", EX_CONFIG)
    except Taken as taken:
        _stop(f"The speaker can't start: {taken}", 1)
    except Exception as died:
        logging.getLogger("cooee.app").critical("a room of the speaker died", exc_info=died)
        sys.exit(1)


def _stop(sentence: str, exit_code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(exit_code)
