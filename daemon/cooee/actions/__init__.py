"""What the speaker can do for the agent: each [actions.NAME] is a function; its `type` is a module here.

A type's module has `Settings` (an `ActionTable`), `declare(name, settings) -> Function`, which touches no device, and
`open(name, settings, report) -> Action`. Modules with an underscore are no types.
"""

import asyncio
import logging
import math
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field

from cooee import kinds
from cooee.actions._builtin import stop_listening, volume
from cooee.actions._words import misfit, one_line
from cooee.effects import Act, Function
from cooee.events import Acted, Call, Event
from cooee.settings import Table

__all__ = ["Action", "ActionTable", "Actions", "Failed", "Report", "declare", "stop_listening", "volume"]

log = logging.getLogger("cooee.actions")

TEXT_LIMIT = 2000
BUILTIN_LIMIT_S = 8.0
CLEANUP_S = 1.0

Report = Callable[[Event], None]


class ActionTable(Table):
    """What every action has."""

    type: str
    """Which type of action: the name of a module of `cooee.actions`."""
    description: Annotated[str, Field(min_length=3, max_length=300)]
    """What it is, in the words of those who talk to it."""
    time_limit_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    """After so long the agent is told that it took too long."""

    def pins(self) -> tuple[int, ...]:
        """The GPIO pins that this action takes, so that nothing else is given them."""
        return ()


class Failed(Exception):
    """The action did not happen; str() is a sentence for the agent to say."""


class Action(Protocol):
    @property
    def function(self) -> Function: ...

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Do it and say what is true now, as read back. The arguments fit the schema, defaults filled in.

        Raises Failed. Cancelled at the time limit: then it has `CLEANUP_S` to leave nothing half done.
        """

    def close(self) -> None:
        """Put what it moves into its safe state."""


def declare(actions: Mapping[str, ActionTable]) -> tuple[Function, ...]:
    """The functions that these actions give the agent. Touches no device. Raises kinds.Unknown."""
    return tuple(kinds.module("actions", table.type).declare(name, table) for name, table in actions.items())


class _Broken:
    """An action that could not be opened: it stays declared, and says why it can't be done."""

    def __init__(self, function: Function, why: str) -> None:
        self.function = function
        self._why = why

    async def run(self, arguments: Mapping[str, Any]) -> str:
        raise Failed(self._why)

    def close(self) -> None:
        pass


class Actions:
    """Does what the agent asks for, and says in words what really happened: one `Acted` for each `Act`.

    `post` is called on the loop's thread only. Raises kinds.Unknown for an unknown type, ValueError for a name that is
    taken; nothing else stops it.
    """

    def __init__(
        self, actions: Mapping[str, ActionTable], post: Callable[[Event], None], builtins: Iterable[Action] = ()
    ) -> None:
        import jsonschema

        self._post = post
        self._running: dict[str, asyncio.Task[tuple[str, bool]]] = {}
        self._actions: dict[str, tuple[Action, float]] = {}
        for builtin in builtins:
            self._actions[builtin.function.name] = builtin, BUILTIN_LIMIT_S
        for name, table in actions.items():
            if name in self._actions:
                raise ValueError(f"[actions.{name}]: this name is built in; choose another one")
            self._actions[name] = _open(name, table, post), table.time_limit_s
        kind = jsonschema.Draft202012Validator
        checker = kind.TYPE_CHECKER.redefine("number", _is_number).redefine("integer", _is_integer)
        kind = jsonschema.validators.extend(kind, type_checker=checker)  # type: ignore[no-untyped-call]
        self._validators = {each.name: kind(each.parameters) for each in self.functions}

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the agent may be told of, the built in ones first."""
        return tuple(action.function for action, _ in self._actions.values())

    async def run(self, act: Act) -> None:
        """Do it and post exactly one `Acted` within the time limit (none if it is dropped). Never raises."""
        call = act.call
        if call.id in self._running:
            self._post(Acted(act.turn, call.id, call.name, "That is still being done.", False))
            return
        task = self._running[call.id] = asyncio.create_task(self._perform(call), name=f"action {call.name[:80]}")
        _, limit_s = self._actions.get(call.name, (None, BUILTIN_LIMIT_S))
        try:
            done, _ = await asyncio.wait({task}, timeout=limit_s)
            if not done:
                task.cancel()
                await asyncio.wait({task}, timeout=CLEANUP_S)
        finally:
            task.cancel()
            wanted = self._running.pop(call.id, None) is task
        if wanted:
            text, ok = _outcome(task, None if done else limit_s)
            self._post(Acted(act.turn, call.id, call.name, text, ok))

    def drop(self, call_id: str) -> None:
        """Cancel the call if it still runs; nothing more is heard of it."""
        if task := self._running.pop(call_id, None):
            task.cancel()

    def stop(self) -> None:
        """Cancel whatever runs."""
        for call_id in tuple(self._running):
            self.drop(call_id)

    def close(self) -> None:
        """Cancel what runs and put everything into its safe state."""
        self.stop()
        for name, (action, _) in self._actions.items():
            try:
                action.close()
            except Exception as error:
                log.warning("%s could not be closed: %s", name, _bug(error))

    async def _perform(self, call: Call) -> tuple[str, bool]:
        try:
            action, _ = self._actions.get(call.name, (None, 0))
            if action is None:
                raise Failed(f"There is no function {one_line(call.name, 40)}.")
            text = await action.run(self._fitting(call))
            if isinstance(text, str) and text.strip():
                return _cut(text), True
            log.warning("%s answered no text; its module is at fault", call.name)
            return "It gave no answer, so it is not known whether that was done.", False
        except Failed as failed:
            return _cut(f"That did not work: {failed}"), False
        # Also SystemExit, which would end the loop; only being cancelled is left to asyncio.
        except (Exception, SystemExit) as error:
            log.warning("%s: %s", one_line(call.name, 80), _bug(error))
            return "That did not work: something went wrong inside the speaker; its log says where.", False

    def _fitting(self, call: Call) -> dict[str, Any]:
        """The call's arguments if they fit the schema, with defaults and whole numbers made whole. Raises Failed."""
        if not isinstance(call.arguments, Mapping):
            raise Failed("the arguments were not a JSON object.")
        arguments = dict(call.arguments)
        validator = self._validators[call.name]
        error = next(validator.iter_errors(arguments), None)
        if error is not None:
            raise Failed(misfit(error))
        properties: Mapping[str, Any] = validator.schema.get("properties", {})
        for name, schema in properties.items():
            if name not in arguments and "default" in schema:
                arguments[name] = schema["default"]
            if schema.get("type") == "integer" and name in arguments:
                arguments[name] = int(arguments[name])
        return arguments


def _open(name: str, table: ActionTable, report: Report) -> Action:
    module = kinds.module("actions", table.type)
    try:
        action: Action = module.open(name, table, report)
        return action
    except Failed as failed:
        why = str(failed)
        log.warning("[actions.%s]: %s", name, why)
    except ModuleNotFoundError as error:
        why = f'it needs the Python package "{error.name}", which is not installed.'
        log.warning("[actions.%s]: %s", name, why)
    except Exception as error:
        why = "it could not be set up; the speaker's log says where."
        log.warning("[actions.%s] could not be set up: %s", name, _bug(error))
    return _Broken(module.declare(name, table), why)


def _outcome(task: asyncio.Task[tuple[str, bool]], exceeded_s: float | None) -> tuple[str, bool]:
    if task.done() and not task.cancelled():
        return task.result()
    why = "was interrupted" if exceeded_s is None else f"took longer than {exceeded_s:g} seconds and was given up"
    return f"That {why}; it is not known whether it was done.", False


def _cut(text: str) -> str:
    """At most so much, and nothing that can't be sent as JSON in UTF-8."""
    kept = text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"
    return "".join(character for character in kept if character.isprintable() or character == "\n")


def _bug(error: BaseException) -> str:
    """What and where, without the message, which may hold what nobody should read in a log."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__


def _is_integer(_: Any, value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _is_number(_: Any, value: object) -> bool:
    """JSON as Python reads it has NaN and Infinity, which no limit holds back."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, float) and math.isfinite(value)
    )
