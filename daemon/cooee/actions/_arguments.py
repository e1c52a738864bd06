"""Nothing moves before the arguments fit the schema that was declared."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from cooee.actions._action import Failed
from cooee.actions._pattern import finder
from cooee.actions._words import misfit

TOO_LARGE = 10**20
"""No number at home is as large as that, and Python does not even write down much larger ones."""


class Arguments:
    """Checks the arguments of one function against its JSON schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _kind()(schema)
        self._properties: Mapping[str, Any] = schema.get("properties", {})

    def fitting(self, found: Any) -> dict[str, Any]:
        """They, with defaults filled in and whole numbers made whole. Raises Failed if they do not fit."""
        if not isinstance(found, Mapping):
            raise Failed("the arguments were not a JSON object.")
        arguments = dict(found)
        try:
            error = next(self._validator.iter_errors(arguments), None)
        except (RecursionError, ValueError, OverflowError):
            # The library's own message of what is wrong holds the whole value.
            raise Failed("the arguments hold something too large or too deeply nested.") from None
        if error is not None:
            raise Failed(misfit(error))
        for name, schema in self._properties.items():
            if name not in arguments and "default" in schema:
                arguments[name] = schema["default"]
            if schema.get("type") == "integer" and name in arguments:
                arguments[name] = int(arguments[name])
            if schema.get("type") == "number" and arguments.get(name) == 0:
                arguments[name] = abs(arguments[name])  # "-0.0" would begin like an option
        return arguments


@functools.cache
def _kind() -> Any:
    import jsonschema

    kind = jsonschema.Draft202012Validator
    checker = kind.TYPE_CHECKER.redefine("number", _is_number).redefine("integer", _is_integer)
    matching = {"pattern": _matches}
    return jsonschema.validators.extend(kind, matching, type_checker=checker)  # type: ignore[no-untyped-call]


def _matches(_: Any, pattern: str, found: object, __: Any) -> Iterator[Any]:
    """As the library does, but with an engine that no text keeps busy."""
    import jsonschema

    if isinstance(found, str) and not finder(pattern)(found):
        yield jsonschema.ValidationError("does not match")


def _is_integer(checker: Any, value: object) -> bool:
    return _is_number(checker, value) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _is_number(_: Any, value: object) -> bool:
    """JSON as Python reads it has NaN and Infinity, which no limit holds back."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -TOO_LARGE < value < TOO_LARGE
