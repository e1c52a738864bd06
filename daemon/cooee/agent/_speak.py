"""What the vendor's agent speaks with: [agent.speak], or [[agent.speak]] several times, as fallbacks in order."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from cooee.agent._endpoint import Credentials, Endpoint, plain
from cooee.settings import Table

Word = Annotated[str, Field(min_length=1)]


def _is_flux(info: ValidationInfo) -> bool:
    return str(info.data.get("model", "")).startswith("flux")


def _speed(speed: float | None, info: ValidationInfo) -> float | None:
    if speed is not None and not _is_flux(info) and speed < 0.7:
        raise ValueError("must be from 0.7 to 1.5 for an Aura voice")
    if speed is not None and _is_flux(info) and abs(speed * 20 - round(speed * 20)) > 1e-6:
        raise ValueError("must be in steps of 0.05 for a Flux voice")
    return speed


def _expressivity(value: int | None, info: ValidationInfo) -> int | None:
    if value is not None and not _is_flux(info):
        raise ValueError("can only be set for a Flux voice")
    return value


class Deepgram(Table):
    type: Literal["deepgram"] = "deepgram"
    """Deepgram's own."""
    model: Word = "aura-2-thalia-en"
    """The voice: Aura ("aura-2-thalia-en") or Flux ("flux-alexis-en")."""
    speed: Annotated[Annotated[float, Field(ge=0.5, le=1.5)] | None, AfterValidator(_speed)] = None
    """How fast: Aura 0.7 to 1.5, Flux 0.5 to 1.5; 1 if left out."""
    expressivity: Annotated[Annotated[int, Field(ge=-2, le=2)] | None, AfterValidator(_expressivity)] = None
    """Flux voices only: calm (-2) to animated (2); 0 if left out."""
    endpoint: Endpoint | None = None
    """A server of your own."""


class ElevenLabs(Table):
    type: Literal["eleven_labs"]
    """ElevenLabs'."""
    model_id: Word
    """Which model."""
    version: Literal["v1"] | None = None
    """The version of its protocol."""
    language: str = ""
    """Such as "en-US"; empty: what the text is in."""
    voice: str = ""
    """Put in place of {voice} in the endpoint's URL."""
    endpoint: Endpoint
    """ElevenLabs' address with the voice in it, and your key."""


class CartesiaVoice(Table):
    """Which of Cartesia's voices."""

    mode: Word = "id"
    """How the voice is named."""
    id: Word
    """The voice's name there."""


class Cartesia(Table):
    type: Literal["cartesia"]
    """Cartesia's."""
    model_id: Word
    """Which model."""
    version: Literal["2025-03-17"] | None = None
    """The version of its protocol."""
    voice: CartesiaVoice
    """Which voice."""
    language: str = ""
    """Such as "en"; empty: as the model has it."""
    volume: Annotated[float, Field(ge=0.5, le=2)] | None = None
    """How loud, before the speaker's own volume."""
    endpoint: Endpoint
    """Cartesia's address, with your key."""


class OpenAi(Table):
    type: Literal["open_ai"]
    """OpenAI's."""
    model: Word = "tts-1"
    """Which model."""
    version: Literal["v1"] | None = None
    """The version of its protocol."""
    voice: Word = "alloy"
    """Which voice."""
    endpoint: Endpoint
    """OpenAI's address, with your key."""


class AwsPolly(Table):
    type: Literal["aws_polly"]
    """Amazon Polly's."""
    voice: Word
    """Such as "Joanna"."""
    language: Word
    """Such as "en-US"."""
    engine: Literal["generative", "long-form", "standard", "neural"] = "neural"
    """How it makes the voice."""
    credentials: Credentials
    """Your account's."""
    endpoint: Endpoint
    """Polly's address."""


def _listed(written: Any) -> Any:
    """One table is a list of one, and Deepgram's where it does not say whose."""
    tables = written if isinstance(written, list) else [written]
    return [{"type": "deepgram", **each} if isinstance(each, dict) else each for each in tables]


Speak = Annotated[Deepgram | ElevenLabs | Cartesia | OpenAi | AwsPolly, Field(discriminator="type")]
Speaks = Annotated[
    list[Speak],
    Field(min_length=1, max_length=8),
    BeforeValidator(_listed, json_schema_input_type=Speak | list[Speak]),
]


def sdk(table: Speak, voice: str = "") -> Any:
    """The SDK's speak settings; `voice` takes the place of the table's own."""
    from deepgram.types import speak_settings_v1provider as providers
    from deepgram.types.speak_settings_v1 import SpeakSettingsV1
    from deepgram.types.speak_settings_v1endpoint import SpeakSettingsV1Endpoint

    fields = plain(table, "endpoint")
    endpoint = {"headers": {}, **plain(table.endpoint)} if table.endpoint else None
    match table:
        case Deepgram():
            # Flux voices exist on the second version of the vendor's endpoint only.
            if voice:
                another = voice.startswith("flux") is not table.model.startswith("flux")
                fields = {"type": "deepgram"} if another else fields  # their speeds and moods are not the same
                fields["model"] = voice
            fields |= {"version": "v2"} if fields["model"].startswith("flux") else {}
            provider: Any = providers.SpeakSettingsV1Provider_Deepgram(**fields)
        case ElevenLabs():
            own = fields.pop("voice", "")
            endpoint = {**(endpoint or {}), "url": table.endpoint.url.replace("{voice}", voice or own)}
            provider = providers.SpeakSettingsV1Provider_ElevenLabs(**fields)
        case Cartesia():
            fields["voice"] |= {"id": voice} if voice else {}
            provider = providers.SpeakSettingsV1Provider_Cartesia(**fields)
        case OpenAi():
            provider = providers.SpeakSettingsV1Provider_OpenAi(**fields | ({"voice": voice} if voice else {}))
        case AwsPolly():
            provider = providers.SpeakSettingsV1Provider_AwsPolly(**fields | ({"voice": voice} if voice else {}))
    more = {"endpoint": SpeakSettingsV1Endpoint(**endpoint)} if endpoint else {}
    return SpeakSettingsV1(provider=provider, **more)
