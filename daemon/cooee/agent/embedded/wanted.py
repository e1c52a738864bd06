"""What a client's Settings ask of the embedded agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cooee.agent.embedded.wire import Fault

INPUT_RATES_HZ = range(8_000, 96_001)
OUTPUT_RATES_HZ = range(8_000, 48_001)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parts of the Settings that an agent without a language model can follow. Rates in Hz, PCM 16 bit mono."""

    input_rate_hz: int
    output_rate_hz: int
    functions: tuple[Mapping[str, Any], ...]
    keyterms: tuple[str, ...]
    messages: tuple[Mapping[str, Any], ...]
    greeting: str
    history: bool


def wanted(settings: Mapping[str, Any]) -> Wanted:
    """The Settings, already checked for their form. Raises Fault for what this agent cannot do."""
    agent = settings["agent"]
    if not isinstance(agent, dict):
        raise Fault("INVALID_AGENT_ID", "The embedded agent keeps no stored agents; give the agent's settings.")
    if "think_live" in agent:
        raise Fault("INVALID_SETTINGS", "The embedded agent has no agent.think_live.")
    return Wanted(
        _input_rate_hz(settings["audio"].get("input", {})),
        _output_rate_hz(settings["audio"].get("output", {})),
        functions(agent.get("think")),
        keyterms(agent.get("listen")),
        tuple(agent.get("context", {}).get("messages", ())),
        agent.get("greeting", ""),
        settings.get("flags", {}).get("history", True),
    )


def functions(think: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> tuple[Mapping[str, Any], ...]:
    """The client's functions; those that a server would have to call are out of reach."""
    first = think[0] if isinstance(think, list) and think else think
    found = first.get("functions", ()) if isinstance(first, dict) else ()
    return tuple(function for function in found if "endpoint" not in function)


def keyterms(listen: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(listen["provider"].get("keyterms", ())) if listen else ()


def _input_rate_hz(audio: Mapping[str, Any]) -> int:
    encoding, rate_hz = audio.get("encoding", "linear16"), audio.get("sample_rate", 24_000)
    if encoding != "linear16":
        raise Fault("USER_AUDIO_FORMAT", "audio.input.encoding must be linear16 for the embedded agent.")
    if rate_hz not in INPUT_RATES_HZ:
        raise Fault("USER_AUDIO_FORMAT", "audio.input.sample_rate must be from 8000 to 96000; 16000 is best.")
    return int(rate_hz)


def _output_rate_hz(audio: Mapping[str, Any]) -> int:
    rate_hz = audio.get("sample_rate", 24_000)
    if audio.get("encoding", "linear16") != "linear16":
        raise Fault("INVALID_SETTINGS", "audio.output.encoding must be linear16 for the embedded agent.")
    if audio.get("container", "none") != "none":
        raise Fault("INVALID_SETTINGS", 'audio.output.container must be "none" for the embedded agent.')
    if rate_hz not in OUTPUT_RATES_HZ:
        raise Fault("INVALID_SETTINGS", "audio.output.sample_rate must be from 8000 to 48000.")
    return int(rate_hz)
