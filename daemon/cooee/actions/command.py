"""A program on this machine: started without a shell, with a limit on its time and on what it may say."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cooee.actions import Failed, Report
from cooee.actions._parameters import TemplateTable, answered, declared, fill, placeholders
from cooee.actions._words import one_line
from cooee.effects import Function

OUTPUT_LIMIT = 4096
PIPES_S = 0.5
"""A program may leave another one behind that holds its pipes; nobody waits for that one."""


class Settings(TemplateTable):
    """A program on this machine."""

    type: Literal["command"] = "command"
    """A program."""
    command: Annotated[list[str], Field(min_length=1, max_length=50)]
    """The program and its arguments, each a string of its own; no shell reads them, so nothing in them is special."""
    env: dict[str, str] = Field({})
    """Environment variables besides PATH, HOME and LANG."""

    @model_validator(mode="after")
    def _placeholders_are_parameters(self) -> Self:
        if placeholders(self.command[0]):
            raise ValueError("the program itself can't be a placeholder")
        self.check_placeholders(self.command[1:])
        return self


def declare(name: str, settings: Settings) -> Function:
    return declared(name, settings)


def open(name: str, settings: Settings, report: Report) -> "Command":
    return Command(name, settings)


class Command:
    """Raises Failed where there is no such program."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.function = declare(name, settings)
        self._settings = settings
        program = shutil.which(settings.command[0])
        if program is None:
            raise Failed(f"there is no program {settings.command[0]}.")
        self._program = os.path.abspath(program)
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": os.environ.get("HOME", "/"),
            **settings.env,
        }

    async def run(self, arguments: Mapping[str, Any]) -> str:
        filled = [_argument(template, arguments) for template in self._settings.command[1:]]
        try:
            status, output, complaint = await self._call(filled)
        except OSError as error:
            raise Failed("the program can't be started.") from error
        if status != 0:
            raise Failed(one_line(_lines(complaint)[-1]) if _lines(complaint) else f"it ended with status {status}.")
        return answered(self._settings, arguments, one_line((_lines(output) or [""])[0], OUTPUT_LIMIT))

    async def _call(self, filled: list[str]) -> tuple[int, bytes, bytes]:
        """Exit status, the first of what was written to stdout and the last of what was written to stderr."""
        process = await asyncio.create_subprocess_exec(
            self._program,
            *filled,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env=self._env,
            start_new_session=True,
        )
        output, complaint = bytearray(), bytearray()
        pipes = {
            asyncio.create_task(_drain(process.stdout, output, slice(OUTPUT_LIMIT, None))),
            asyncio.create_task(_drain(process.stderr, complaint, slice(None, -OUTPUT_LIMIT))),
        }
        try:
            status = await process.wait()
            await asyncio.wait(pipes, timeout=PIPES_S)
            return status, bytes(output), bytes(complaint)
        finally:
            for pipe in pipes:
                pipe.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    def close(self) -> None:
        pass


async def _drain(pipe: asyncio.StreamReader | None, kept: bytearray, surplus: slice) -> None:
    """Read until the end, lest the program blocks, and keep all but the surplus."""
    while pipe is not None and (piece := await pipe.read(OUTPUT_LIMIT)):
        kept += piece
        del kept[surplus]


def _argument(template: str, arguments: Mapping[str, Any]) -> str:
    """Raises Failed where what the user said would be read as an option."""
    filled = fill(template, arguments)
    names = placeholders(template)
    if filled.startswith("-") and not template.startswith("-") and isinstance(arguments[names[0]], str):
        raise Failed("the text can't begin with a dash.")
    return filled


def _lines(output: bytes) -> list[str]:
    return [line for line in output.decode(errors="replace").splitlines() if line.strip()]
