"""What the vendor's agent hears with: [agent.listen]."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from cooee.agent._endpoint import plain
from cooee.settings import Table

MULTILINGUAL = "flux-general-multi"
MOST_KEYTERMS = 100
Term = Annotated[str, Field(min_length=1, max_length=100)]
OF_FLUX = ("eot_threshold", "eager_eot_threshold", "eot_timeout_ms")
AMERICAN = "en-US"
OF_NOVA = ("language", "smart_format")


class Listen(Table):
    """Speech to text."""

    model: Annotated[str, Field(min_length=1)] = "flux-general-en"
    """A Flux model ("flux-general-en", "flux-general-multi"), which hears when you have finished, or a Nova model."""
    keyterms: Annotated[list[Term], Field(max_length=MOST_KEYTERMS - 8)] = Field(default=[])
    """Names and rare words that you say; the wake words are told anyway."""
    language: str = ""
    """Nova only: the language ("en-US", "de", "multi"); empty: American English."""
    smart_format: bool = False
    """Nova only: numbers, dates and the like as one writes them."""
    language_hints: list[Annotated[str, Field(min_length=2)]] = Field(default=[])
    """flux-general-multi only: the languages that are spoken here; empty: any."""
    eot_threshold: Annotated[float, Field(ge=0.5, le=1)] | None = None
    """Flux only: how sure it is that you have finished (0.7 if left out); at 1 only the talk button ends a turn."""
    eager_eot_threshold: Annotated[float, Field(ge=0.3, le=0.9)] | None = None
    """Flux only: from this on it begins to think, and forgets it if you go on. Left out: it does not."""
    eot_timeout_ms: Annotated[int, Field(ge=500, le=60_000)] | None = None
    """Flux only: so much silence ends a turn, however unsure it is (5000 if left out)."""

    @field_validator(*OF_NOVA, *OF_FLUX, "language_hints", "keyterms")
    @classmethod
    def _is_of_the_models_family(cls, value: Any, info: ValidationInfo) -> Any:
        model, name = info.data.get("model", ""), info.field_name
        only = ""
        if name in OF_NOVA and _is_flux(model):
            only = "Nova has that"
        elif name in OF_FLUX and not _is_flux(model):
            only = "Flux has that"
        elif name == "language_hints" and model != MULTILINGUAL:
            only = f"{MULTILINGUAL} has that"
        elif name == "keyterms" and not _takes_keyterms(model):
            only = "Flux and Nova-3 have that"
        if value and only and model:
            raise ValueError(f"can't be set for {model}: only {only}")
        return value

    def sdk(self, wake_words: tuple[str, ...], language: str) -> Any:
        """The SDK's provider. `language`: what the persona hears, if that is not the usual."""
        from deepgram.agent.v1.types import (
            AgentV1SettingsAgentListenProvider_V1,
            AgentV1SettingsAgentListenProvider_V2,
        )

        fields = {"type": "deepgram", **plain(self)}
        if not self.smart_format:
            fields.pop("smart_format")
        if _takes_keyterms(self.model) and (wake_words or self.keyterms):
            fields["keyterms"] = list(dict.fromkeys((*wake_words, *self.keyterms)))[:MOST_KEYTERMS]
        if not _is_flux(self.model):
            # Always said, so that an open line can go back to it from a persona's.
            fields["language"] = language or self.language or AMERICAN
            return AgentV1SettingsAgentListenProvider_V1(**fields)
        if language and (self.model == MULTILINGUAL or not language.startswith("en")):
            fields |= {"model": MULTILINGUAL, "language_hints": [language]}
        return AgentV1SettingsAgentListenProvider_V2(**fields)


def _is_flux(model: str) -> bool:
    """Flux exists on the second version of the vendor's endpoint only, Nova on the first."""
    return model.startswith("flux")


def _takes_keyterms(model: str) -> bool:
    return not model.startswith("nova-2")
