"""What the vendor's agent thinks with: [agent.think], or [[agent.think]] several times, as fallbacks in order."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from cooee.agent._endpoint import Credentials, Endpoint, plain
from cooee.settings import Table

Model = Annotated[str, Field(min_length=1)]
Reasoning = Literal["none", "minimal", "low", "medium", "high"]


def _of_an_endpoint(length: int | str | None, info: ValidationInfo) -> int | str | None:
    if length is not None and not info.data.get("endpoint"):
        raise ValueError("can only be set together with an endpoint")
    return length


class ThinkTable(Table):
    """What every language model has. What is left out is as its maker has it."""

    type: str
    """Whose model."""
    model: Model
    """Which model."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """The higher, the less predictable (0 to 2)."""
    endpoint: Endpoint | None = None
    """A model of your own, or your own account with its maker."""
    context_length: Annotated[Annotated[int, Field(ge=1)] | Literal["max"] | None, AfterValidator(_of_an_endpoint)] = (
        None
    )
    """With an endpoint only: so many characters of the conversation it is told, or "max" for all."""


class OpenAi(ThinkTable):
    type: Literal["open_ai"] = "open_ai"
    """OpenAI's, or whatever speaks like it behind an endpoint."""
    model: Model = "gpt-4o-mini"
    """Which model."""
    version: Literal["v1"] | None = None
    """The version of its protocol."""
    reasoning_mode: Reasoning | None = None
    """How long it reasons before it speaks."""


class Anthropic(ThinkTable):
    type: Literal["anthropic"]
    """Anthropic's."""
    model: Model
    """Which model."""
    version: Literal["v1"] | None = None
    """The version of its protocol."""
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    """The higher, the less predictable (0 to 1)."""


class Google(ThinkTable):
    type: Literal["google"]
    """Google's."""
    model: Model
    """Which model."""
    version: Literal["v1beta", "ai-studio-v1beta", "gemini-enterprise-agent-v1"] | None = None
    """The version of its protocol."""


class Groq(ThinkTable):
    type: Literal["groq"]
    """Groq's; its other models go as "open_ai" with an endpoint."""
    # The library's class takes no other model.
    model: Literal["openai/gpt-oss-20b"] = "openai/gpt-oss-20b"
    """Which model."""
    version: Literal["v1"] | None = None
    """The version of its protocol."""
    reasoning_mode: Reasoning | None = None
    """How long it reasons before it speaks."""
    endpoint: Endpoint
    """Groq's address, with your key."""


class AwsBedrock(ThinkTable):
    type: Literal["aws_bedrock"]
    """Amazon Bedrock's."""
    model: Model
    """Which model."""
    credentials: Credentials | None = None
    """Your account's."""
    endpoint: Endpoint
    """Bedrock's address."""


class Deepgram(ThinkTable):
    type: Literal["deepgram"]
    """Deepgram's own, for those who were let in."""
    model: Model
    """Which model."""
    version: Literal["v1"] | None = None
    """The version of its protocol."""
    reasoning_mode: Reasoning | None = None
    """How long it reasons before it speaks."""
    voice_prompt_opt_out: bool | None = None
    """Whether to leave out the maker's own advice on speaking."""
    endpoint: None = None
    """There is none."""
    context_length: None = None
    """It can't be set without an endpoint."""


def _listed(written: Any) -> Any:
    """One table is a list of one, and OpenAI's where it does not say whose."""
    tables = written if isinstance(written, list) else [written]
    return [{"type": "open_ai", **each} if isinstance(each, dict) else each for each in tables]


Think = Annotated[OpenAi | Anthropic | Google | Groq | AwsBedrock | Deepgram, Field(discriminator="type")]
Thinks = Annotated[
    list[Think],
    Field(min_length=1, max_length=8),
    BeforeValidator(_listed, json_schema_input_type=Think | list[Think]),
]


def sdk(table: Think, **more: Any) -> Any:
    """The SDK's think settings; `more` is the prompt and the functions."""
    from deepgram.types import think_settings_v1provider as providers
    from deepgram.types.think_settings_v1 import ThinkSettingsV1
    from deepgram.types.think_settings_v1endpoint import ThinkSettingsV1Endpoint

    provider: Any = {
        "open_ai": providers.ThinkSettingsV1Provider_OpenAi,
        "anthropic": providers.ThinkSettingsV1Provider_Anthropic,
        "google": providers.ThinkSettingsV1Provider_Google,
        "groq": providers.ThinkSettingsV1Provider_Groq,
        "aws_bedrock": providers.ThinkSettingsV1Provider_AwsBedrock,
        "deepgram": providers.ThinkSettingsV1Provider_Deepgram,
    }[table.type]
    fields = {"provider": provider(**plain(table, "endpoint", "context_length")), **more}
    if table.endpoint:
        fields["endpoint"] = ThinkSettingsV1Endpoint(**{"headers": {}, **plain(table.endpoint)})
    if table.context_length:
        fields["context_length"] = table.context_length
    return ThinkSettingsV1(**fields)
