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
from cooee.actions._at_home import resolved
from cooee.actions._interpreters import code_in
from cooee.actions._parameters import TemplateTable, answered, declared, fill, placeholders
from cooee.actions._words import one_line
from cooee.effects import Function

OUTPUT_LIMIT = 4096
_OF_ITS_OWN = (
    'a value has to be an argument of its own behind the code, as in ["sh", "-c", "echo \\"$1\\"", "sh", "{text}"], '
    "or to go to a script of your own that quotes it"
)
PIPES_S = 0.5
"""A program may leave another one behind that holds its pipes; nobody waits for that one."""


class Settings(TemplateTable):
    """A program on this machine."""

    type: Literal["command"] = "command"
    """A program."""
    command: Annotated[list[str], Field(min_length=1, max_length=50)]
    """The program and its arguments, each a string of its own; no shell reads them, so nothing in them is special."""
    env: dict[str, str] = Field({})
    """Environment variables besides PATH, HOME and LANG, with keys as "secret:NAME", as for http."""

    @model_validator(mode="after")
    def _placeholders_are_parameters(self) -> Self:
        if placeholders(self.command[0]):
            raise ValueError("the program itself can't be a placeholder")
        self.check_placeholders(self.command[1:])
        if (code := code_in(self.command, self._is_text)) is not None:
            raise ValueError(f"{code!r} would be read as code or as the name of a program; {_OF_ITS_OWN}")
        for word in self.command[1:]:
            self._is_no_choice_of_options(word)
        return self

    def _is_text(self, word: str) -> bool:
        """Whether what is said is filled in here: a number is code to nobody."""
        return any(self.parameters[name].type == "string" for name in placeholders(word))

    def _is_no_choice_of_options(self, word: str) -> None:
        names = placeholders(word)
        if word.startswith("-") and not word.lstrip("-").partition("{")[0] and names:
            given = self.parameters[names[0]]
            if given.type == "string" and not given.enum:
                raise ValueError(f"with {word!r}, what is said would choose the option; give {names[0]} an enum")


def declare(name: str, settings: Settings) -> Function:
    return declared(name, settings)


def open(name: str, settings: Settings, report: Report) -> "Command":
    return Command(name, settings)


class Command:
    """Raises Failed where there is no such program, or a key that it needs."""

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
            **{variable: resolved(value) for variable, value in settings.env.items()},
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
        process, output = await asyncio.get_running_loop().subprocess_exec(
            _Output,
            self._program,
            *filled,
            stdin=asyncio.subprocess.DEVNULL,
            cwd="/",
            env=self._env,
            start_new_session=True,
        )
        try:
            await output.exited.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(output.ended.wait(), PIPES_S)
            return process.get_returncode() or 0, bytes(output.stdout), bytes(output.stderr)
        finally:
            if process.get_returncode() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.get_pid(), signal.SIGKILL)
                await output.exited.wait()
            process.close()

    def close(self) -> None:
        pass


class _Output(asyncio.SubprocessProtocol):
    """Keeps the first of stdout and the last of stderr; reads on to the end, lest the program blocks."""

    def __init__(self) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        self.exited, self.ended = asyncio.Event(), asyncio.Event()
        self._pipes = 2

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self.stdout += data[: OUTPUT_LIMIT - len(self.stdout)]
        else:
            self.stderr = (self.stderr + data)[-OUTPUT_LIMIT:]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._pipes -= 1
        if self._pipes == 0:
            self.ended.set()

    def process_exited(self) -> None:
        self.exited.set()


def _argument(template: str, arguments: Mapping[str, Any]) -> str:
    """Raises Failed where what was said would be read as an option; a number by itself may be negative."""
    filled = fill(template, arguments)
    is_number = placeholders(template) == (template[1:-1],) and isinstance(arguments[template[1:-1]], int | float)
    if filled.startswith("-") and not template.startswith("-") and not is_number:
        raise Failed("the text can't begin with a dash.")
    return filled


def _lines(output: bytes) -> list[str]:
    return [line for line in output.decode(errors="replace").splitlines() if line.strip()]
