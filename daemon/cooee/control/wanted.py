"""What a request may hold, and what is wrong with one, in a sentence."""

import json
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from cooee.faults import allowed
from cooee.settings import Percent, Table

MOST_BYTES = 16_384


class Bad(Exception):
    """str() says what is wrong with the request."""


def _speakable(text: str) -> str:
    """One line, without what no voice can say."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not re.search(r"\w", line):
        raise ValueError("must have a word in it")
    return line


Text = Annotated[str, Field(max_length=1000), AfterValidator(_speakable)]


class Say(Table):
    text: Text
    """What is to be said."""
    priority: Literal["normal", "urgent"] = "normal"
    """"urgent" cuts what is being said."""
    voice: Literal["agent", "own"] = "agent"
    """"agent": the agent's, where it has a line; "own": the speaker's own voice."""
    timeout_s: Annotated[float, Field(ge=1, le=3600)] = 600.0
    """Dropped if it could not be begun within so long."""


class Ask(Table):
    text: Text
    """The question."""
    priority: Literal["normal", "urgent"] = "normal"
    """"urgent" cuts what is being said."""
    timeout_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    """Dropped if it could not be asked within so long."""


class Volume(Table):
    percent: Percent | None = None
    """How loud; without this and `step`, it is only read."""
    step: Annotated[int, Field(ge=-100, le=100)] | None = None
    """So many percent louder, or quieter."""

    @model_validator(mode="after")
    def _is_one_at_most(self) -> "Volume":
        if self.percent is not None and self.step is not None:
            raise ValueError("percent and step can't be wanted both")
        return self


class Nothing(Table):
    pass


T = TypeVar("T", bound=Table)


def read(model: type[T], body: bytes) -> T:
    """The request's body, which is a JSON object or nothing. Raises Bad."""
    try:
        found = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Bad('the body is not JSON; expected is an object such as {"text": "Dinner is ready."}') from None
    if not isinstance(found, dict):
        raise Bad("the body must be a JSON object")
    try:
        return model.model_validate(found)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise Bad("; ".join(dict.fromkeys(_sentence(each, model, found) for each in faults))) from None


def _sentence(error: Any, model: type[Table], found: dict[str, Any]) -> str:
    name = str(error["loc"][0])[:40] if error["loc"] else ""
    known = ", ".join(model.model_fields)
    if error["type"] == "extra_forbidden":
        return f"{name}: no such field; there {f'are {known}' if known else 'is none'}"
    return f"{name}: {allowed(error, model, found)}".removeprefix(": ")
