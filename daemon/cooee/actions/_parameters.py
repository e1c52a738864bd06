"""Typed parameters of functions that are described in config.toml alone, and texts with {placeholders} for them."""

import math
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cooee.actions import ActionTable, Failed
from cooee.actions._pattern import finder
from cooee.effects import Function
from cooee.settings import Table

_NUMBERS = ("integer", "number")
_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")


class Parameter(Table):
    """A parameter of the function: [actions.NAME.parameters.PARAMETER]."""

    type: Literal["string", "integer", "number", "boolean"]
    """What it is."""
    description: Annotated[str, Field(max_length=300)] = ""
    """What it means, for the agent."""
    required: bool = True
    """Whether the agent has to give it; if not, `default` is needed."""
    default: str | int | float | bool | None = None
    """What it is when the agent leaves it out."""
    minimum: int | float | None = None
    """The smallest number allowed."""
    maximum: int | float | None = None
    """The largest number allowed."""
    max_length: Annotated[int, Field(ge=1, le=2000)] = 200
    """The most characters that a string may have."""
    pattern: str = ""
    """A regular expression that the whole string has to match; without look-around and backreferences."""
    enum: Annotated[list[str], Field(max_length=100)] = Field([])
    """The strings that are allowed; none: any."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type not in _NUMBERS and (self.minimum is not None or self.maximum is not None):
            raise ValueError("minimum and maximum are only for integer and number")
        if any(
            isinstance(each, float) and not math.isfinite(each) for each in (self.minimum, self.maximum, self.default)
        ):
            raise ValueError("minimum, maximum and default are numbers, not nan or inf")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum ({self.minimum}) is larger than maximum ({self.maximum})")
        if self.type != "string" and (self.pattern or self.enum):
            raise ValueError("pattern and enum are only for string")
        try:
            finder(self.pattern)
            finder(self._anchored)
        except ValueError as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error
        if not self.required and self.default is None:
            raise ValueError("required = false needs a default")
        if self.default is not None and not self._may_be(self.default):
            raise ValueError(f"default = {self.default!r} is not allowed by the parameter's own type and limits")
        return self

    def _may_be(self, value: str | int | float | bool) -> bool:
        match value:
            case bool():
                return self.type == "boolean"
            case str():
                text_fits = len(value) <= self.max_length and finder(self._anchored)(value)
                return self.type == "string" and text_fits and (not self.enum or value in self.enum)
        fits = self.type == "number" or (self.type == "integer" and isinstance(value, int))
        return (
            fits and (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)
        )

    @property
    def _anchored(self) -> str:
        return f"^(?:{self.pattern})$" if self.pattern else ""

    def schema_of(self) -> dict[str, Any]:
        """Its JSON schema, in an order in which the cheapest check comes first."""
        schema: dict[str, Any] = {
            "type": self.type,
            "description": self.description,
            "enum": self.enum,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "maxLength": self.max_length if self.type == "string" and not self.enum else None,
            "pattern": self._anchored,
            "default": self.default,
        }
        return {key: value for key, value in schema.items() if value is not None and value not in ("", [])}


Parameters = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], Parameter]


class TemplateTable(ActionTable):
    """What the types have whose functions are described in config.toml alone."""

    side_effect: bool = True
    """Whether it moves something; false only for what merely reads."""
    parameters: Parameters = Field({})
    """What the agent may say with the call; where the text above has {name}, the value is filled in."""
    answer: Annotated[str, Field(max_length=500)] = ""
    """What the agent is told, with {name} of parameters and {output}; left out: the output, or that it is done."""

    def check_placeholders(self, templates: Iterable[str]) -> None:
        """Raises ValueError if these name no parameter, or if a parameter is named nowhere."""
        if "output" in self.parameters:
            raise ValueError('a parameter can\'t be called "output", which answer uses')
        used = {name for template in templates for name in placeholders(template)}
        for name in sorted((used | set(placeholders(self.answer))) - set(self.parameters) - {"output"}):
            raise ValueError(f"{{{name}}} is no parameter: there is no [actions.NAME.parameters.{name}]")
        if "output" in used:
            raise ValueError("{output} can only stand in answer")
        for name in sorted(set(self.parameters) - used):
            raise ValueError(f"the parameter {name} is used nowhere: write {{{name}}} where it belongs")


def declared(name: str, table: TemplateTable) -> Function:
    properties = {each: parameter.schema_of() for each, parameter in table.parameters.items()}
    required = [each for each, parameter in table.parameters.items() if parameter.required]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Function(name, table.description, schema, side_effect=table.side_effect)


def placeholders(template: str) -> tuple[str, ...]:
    """The names in the braces. Raises ValueError for braces that hold no name."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r}: {error}; a brace that is meant as such is doubled") from error
    for _, name, spec, conversion in parts:
        if name is not None and (spec or conversion or not re.fullmatch(r"[a-z][a-z0-9_]*", name)):
            raise ValueError(f"{template!r}: braces hold the name of a parameter; a brace meant as such is doubled")
    return tuple(name for _, name, _, _ in parts if name is not None)


def fill(template: str, values: Mapping[str, Any], quote: Callable[[str], str] = str) -> str:
    """The template with the values, each put through `quote`; nothing within a value is ever read as a template."""
    parts = string.Formatter().parse(template)
    return "".join(text + ("" if name is None else quote(plain(values[name]))) for text, name, _, _ in parts)


def fill_json(template: Any, arguments: Mapping[str, Any]) -> Any:
    """The same for all strings in what is to be JSON; one that is nothing but {name} becomes the value itself."""
    match template:
        case str():
            names = placeholders(template)
            text = fill(template, arguments)
            return arguments[names[0]] if names and template == f"{{{names[0]}}}" else text
        case dict():
            return {key: fill_json(value, arguments) for key, value in template.items()}
        case list():
            return [fill_json(value, arguments) for value in template]
    return template


def texts(body: Any) -> list[str]:
    """All strings in what is to be JSON."""
    match body:
        case str():
            return [body]
        case dict():
            return [text for value in body.values() for text in texts(value)]
        case list():
            return [text for value in body for text in texts(value)]
    return []


def plain(value: Any) -> str:
    """An argument as text.

    Raises Failed for text with control characters, which may end a line or a string early, and with what is no
    character at all (a half of a surrogate pair, U+FFFF and the like).
    """
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if any(unicodedata.category(character) in _NO_TEXT or _is_no_character(character) for character in text):
        raise Failed("the text has characters that can't be used.")
    return text


def _is_no_character(character: str) -> bool:
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def answered(table: TemplateTable, arguments: Mapping[str, Any], output: str) -> str:
    """What the agent is told of a call that went well."""
    if table.answer:
        return fill(table.answer, {**arguments, "output": " ".join(output.split())})
    return output.strip() or "That is done."
