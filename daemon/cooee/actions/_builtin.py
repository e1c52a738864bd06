"""Functions that every speaker has, made from what the app can do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cooee.effects import Function

STEP_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Builtin:
    function: Function
    do: Callable[[Mapping[str, Any]], str]

    async def run(self, arguments: Mapping[str, Any]) -> str:
        return self.do(arguments)

    def close(self) -> None:
        pass


def volume(get_percent: Callable[[], int], set_percent: Callable[[int], None]) -> tuple[Builtin, Builtin]:
    """set_volume and change_volume, both of which answer with the volume as `get_percent` reads it afterwards."""

    def set_to(percent: int) -> str:
        set_percent(percent)
        return f"The volume is {get_percent()} percent."

    def change(arguments: Mapping[str, Any]) -> str:
        step = STEP_PERCENT if arguments["direction"] == "up" else -STEP_PERCENT
        return set_to(min(100, max(0, get_percent() + step)))

    level = {"type": "integer", "minimum": 0, "maximum": 100, "description": "The volume in percent."}
    direction = {"type": "string", "enum": ["up", "down"], "description": "up: louder; down: quieter."}
    return (
        Builtin(
            Function("set_volume", "Sets how loud this speaker talks, in percent.", _object(level=level)),
            lambda arguments: set_to(arguments["level"]),
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


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
