"""What an agent is told, in the SDK's types: the settings of a new line, and the updates of one that is open.

No field is ever null, which the vendor refuses: what is not set is not there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepgram.agent.v1.types import (
    AgentV1Settings,
    AgentV1SettingsAgent,
    AgentV1SettingsAgentContextContext,
    AgentV1SettingsAgentListen,
    AgentV1SettingsAudio,
    AgentV1SettingsAudioInput,
    AgentV1SettingsAudioOutput,
    AgentV1SettingsFlags,
    AgentV1UpdateListen,
    AgentV1UpdateSpeak,
    AgentV1UpdateThink,
)
from deepgram.types.think_settings_v1functions_item import ThinkSettingsV1FunctionsItem

from cooee.agent import Brief
from cooee.agent._wire import remembered
from cooee.effects import Function

MICROPHONE_RATE_HZ = 16_000
Update = AgentV1UpdateThink | AgentV1UpdateSpeak | AgentV1UpdateListen
_UPDATES: dict[str, type[Any]] = {
    "think": AgentV1UpdateThink,
    "speak": AgentV1UpdateSpeak,
    "listen": AgentV1UpdateListen,
}


def settings(agent: AgentV1SettingsAgent | str, output_rate_hz: int, **top: Any) -> AgentV1Settings:
    """The settings of a line; the agent is described or, where the vendor keeps it, named."""
    return AgentV1Settings(
        **top,
        flags=AgentV1SettingsFlags(history=True),
        audio=AgentV1SettingsAudio(
            input=AgentV1SettingsAudioInput(encoding="linear16", sample_rate=MICROPHONE_RATE_HZ),
            # Any other container begins with a header, which would be played as a click.
            output=AgentV1SettingsAudioOutput(encoding="linear16", sample_rate=output_rate_hz, container="none"),
        ),
        agent=agent,
    )


def described(
    brief: Brief, greeting: str, *, listen: Any, think: Sequence[Any], speak: Sequence[Any]
) -> AgentV1SettingsAgent:
    """An agent: the listen provider, and think and speak settings, of which each is for when the one before failed."""
    fields: dict[str, Any] = {
        "listen": AgentV1SettingsAgentListen(provider=listen),
        "think": think[0] if len(think) == 1 else list(think),
        "speak": speak[0] if len(speak) == 1 else list(speak),
    }
    history: list[Any] = [kept for each in brief.history if (kept := remembered(each))]
    if history:
        fields["context"] = AgentV1SettingsAgentContextContext(messages=history)
    if greeting and brief.greet:
        fields["greeting"] = greeting
    return AgentV1SettingsAgent(**fields)


def instructions(brief: Brief, prompt: str, *, has_grammar: bool = False) -> dict[str, Any]:
    """What a think block says besides whose model it is."""
    fields: dict[str, Any] = {"prompt": brief.persona.prompt or prompt}
    functions = [function(each, has_grammar=has_grammar) for each in brief.functions]
    return fields | ({"functions": functions} if functions else {})


def function(each: Function, *, has_grammar: bool = False) -> ThinkSettingsV1FunctionsItem:
    # Calls come speculatively, before the user has finished; what moves something has to wait.
    fields: dict[str, Any] = {"defer_until_eot": True} if each.side_effect else {}
    # The protocol has no place for phrases, and some makers of models refuse a schema with words that they don't know.
    phrases = {"phrases": list(each.phrases)} if has_grammar and each.phrases else {}
    fields |= {"name": each.name, "description": each.description, "parameters": {**each.parameters, **phrases}}
    return ThinkSettingsV1FunctionsItem(**fields)


def updates(sent: AgentV1Settings, wanted: AgentV1Settings) -> tuple[Update, ...] | None:
    """What tells an open line of the difference; None where only a new line does."""
    before, after = sent.dict(), wanted.dict()
    agents = before.pop("agent"), after.pop("agent")
    if before != after:
        return None
    if not all(isinstance(agent, dict) for agent in agents):
        return () if agents[0] == agents[1] else None
    if _is_another_ear(*(agent["listen"] for agent in agents)):
        return None
    return tuple(_differences(agents[0], agents[1], wanted.agent))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], wanted: Any) -> Iterator[Update]:
    """The whole block of each that differs. UpdatePrompt is not used: it adds to the prompt and replaces nothing."""
    for name, update in _UPDATES.items():
        if before.get(name) == after.get(name):
            continue
        if name != "listen":
            yield update(**{name: getattr(wanted, name)})
            continue
        provider = dict(after[name]["provider"])
        if provider["version"] == "v1":
            provider.pop("keyterms", None)  # Nova's are told at the start and can't be told again
        # The settings and the updates name the same listener by classes of their own.
        yield update(listen={"provider": provider})


def _is_another_ear(before: Any, after: Any) -> bool:
    """Whether the listener differs in what can't be changed under way (developers.deepgram.com, Update Listen).

    That is the version, and the keyterms of Nova; and what was set and is not any more stays as it was, but for the
    languages, which are forgotten.
    """
    was, will_be = before["provider"], after["provider"]
    if was["version"] != will_be["version"] or was.keys() - will_be.keys() - {"language_hints"}:
        return True
    return bool(was["version"] == "v1" and was.get("keyterms") != will_be.get("keyterms"))
