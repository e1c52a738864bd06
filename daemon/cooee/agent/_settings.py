"""What an agent is told, in the SDK's types: the settings of a new line, and the updates of one that is open."""

from collections.abc import Iterator, Mapping
from typing import Any

from deepgram.agent.v1.types import (
    AgentV1Settings,
    AgentV1UpdateListen,
    AgentV1UpdateSpeak,
    AgentV1UpdateThink,
)

from cooee.agent import AgentTable, Brief
from cooee.effects import Function

MICROPHONE_RATE_HZ = 16_000
Update = AgentV1UpdateThink | AgentV1UpdateSpeak | AgentV1UpdateListen
_UPDATES: dict[str, type[Any]] = {
    "think": AgentV1UpdateThink,
    "speak": AgentV1UpdateSpeak,
    "listen": AgentV1UpdateListen,
}


def settings(
    table: AgentTable, brief: Brief, *, listen: Mapping[str, Any], think: Mapping[str, Any], speak: Mapping[str, Any]
) -> AgentV1Settings:
    """The settings of a line; `listen`, `think` and `speak` are provider objects. No field is ever null."""
    agent: dict[str, Any] = {
        "listen": {"provider": dict(listen)},
        "think": {"provider": dict(think), "prompt": table.prompt},
        "speak": {"provider": dict(speak)},
    }
    if brief.functions:
        agent["think"]["functions"] = [function(each) for each in brief.functions]
    if brief.history:
        agent["context"] = {"messages": list(brief.history)}
    if table.greeting and brief.greet:
        agent["greeting"] = table.greeting
    return AgentV1Settings.model_validate(
        {
            "flags": {"history": True},
            "audio": {
                "input": {"encoding": "linear16", "sample_rate": MICROPHONE_RATE_HZ},
                # Any other container begins with a header, which would be played as a click.
                "output": {"encoding": "linear16", "sample_rate": table.output_rate_hz, "container": "none"},
            },
            "agent": agent,
        }
    )


def function(each: Function) -> dict[str, Any]:
    declared = {"name": each.name, "description": each.description, "parameters": dict(each.parameters)}
    # Calls come speculatively, before the user has finished; what moves something has to wait.
    return {**declared, "defer_until_eot": True} if each.side_effect else declared


def updates(sent: AgentV1Settings, wanted: AgentV1Settings) -> tuple[Update, ...] | None:
    """What tells an open line of the difference; None where only a new line does."""
    before, after = sent.dict(), wanted.dict()
    agents = before.pop("agent"), after.pop("agent")
    if before != after:
        return None
    if not all(isinstance(agent, dict) for agent in agents):
        return () if agents[0] == agents[1] else None
    if _is_another_ear(*(agent.get("listen") for agent in agents)):
        return None
    return tuple(_differences(*agents))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Update]:
    """The whole block of each that differs. UpdatePrompt is not used: it adds to the prompt and replaces nothing."""
    for name, update in _UPDATES.items():
        if before.get(name) != after.get(name):
            yield update.model_validate({name: after[name]})


def _is_another_ear(before: Any, after: Any) -> bool:
    """Whether the listener differs in what can't be changed under way: the version, or the keyterms of Nova."""
    if before == after:
        return False
    was, will_be = before["provider"], after["provider"]
    if was.get("version") != will_be.get("version"):
        return True
    return bool(was.get("version") == "v1" and was.get("keyterms") != will_be.get("keyterms"))
