"""Functions that every speaker has, made from what the app can do."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cooee.effects import Function

STEP_PERCENT = 10
USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Builtin:
    function: Function
    do: Callable[[Mapping[str, Any]], str | Awaitable[str]]

    async def run(self, arguments: Mapping[str, Any]) -> str:
        done = self.do(arguments)
        return done if isinstance(done, str) else await done

    def close(self) -> None:
        pass


def volume(
    set_to: Callable[[int], Awaitable[int]], change_by: Callable[[int], Awaitable[int]]
) -> tuple[Builtin, Builtin]:
    """set_volume and change_volume, both of which answer with the percentage that the two return: the one read back."""

    async def said(percent: Awaitable[int]) -> str:
        return f"The volume is {await percent} percent."

    def change(arguments: Mapping[str, Any]) -> Awaitable[str]:
        return said(change_by(STEP_PERCENT if arguments["direction"] == "up" else -STEP_PERCENT))

    level = {"type": "integer", "minimum": 0, "maximum": 100, "description": "The volume in percent."}
    direction = {"type": "string", "enum": ["up", "down"], "description": "up: louder; down: quieter."}
    return (
        Builtin(
            Function("set_volume", "Sets how loud this speaker talks, in percent.", _object(level=level)),
            lambda arguments: said(set_to(arguments["level"])),
        ),
        Builtin(
            Function("change_volume", "Makes this speaker a little louder or quieter.", _object(direction=direction)),
            change,
        ),
    )


def stop_listening(dismiss: Callable[[], None]) -> Builtin:
    """stop_listening: back to sleep, until the wake word."""

    def stop(_: Mapping[str, Any]) -> str:
        dismiss()
        return "No longer listening."

    about = "Ends the conversation, when the user says goodbye, thanks, or that nothing more is wanted."
    return Builtin(Function("stop_listening", about, _object(), side_effect=False), stop)


def forget_conversation(forget: Callable[[], None]) -> Builtin:
    """forget_conversation: nothing that was said so far is known any more, here and to the agent."""

    def do(_: Mapping[str, Any]) -> str:
        forget()
        return "This conversation is forgotten."

    about = "Forgets what was said in this conversation, when the user asks for that."
    return Builtin(Function("forget_conversation", about, _object()), do)


def change_persona(names: Iterable[str], choose: Callable[[str], None]) -> Builtin:
    """change_persona: `choose` is given one of `names`, or "" for the usual one, which the agent calls "usual"."""

    def do(arguments: Mapping[str, Any]) -> str:
        name: str = arguments["persona"]
        choose("" if name == USUAL and name not in named else name)
        return f"From now on, the persona is {name}."

    named = tuple(names)
    options = {"type": "string", "enum": [*named, *([] if USUAL in named else [USUAL])]}
    about = "Lets another persona talk with the user, when the user asks for it by name, or for the usual one again."
    return Builtin(Function("change_persona", about, _object(persona=options)), do)


def declared() -> dict[str, Function]:
    """What each of these is called with; which personas there are is not known here."""

    async def unheard(_: int) -> int:
        return 0

    every = (
        *volume(unheard, unheard),
        stop_listening(lambda: None),
        forget_conversation(lambda: None),
        change_persona((), lambda _: None),
    )
    functions = {each.function.name: each.function for each in every}
    persona = Function("change_persona", "", _object(persona={"type": "string"}))
    return {**functions, persona.name: persona}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
