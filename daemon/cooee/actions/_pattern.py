"""Regular expressions that take no longer for a text made to be hard on them. Pure."""

import functools
from collections.abc import Callable

from pydantic_core import SchemaError, SchemaValidator, core_schema


@functools.lru_cache(maxsize=256)
def finder(pattern: str) -> Callable[[str], bool]:
    """Whether it matches somewhere in a text, in a time that grows with the text and no faster.

    Raises ValueError for what is no such expression: look-around and backreferences can't be matched like that.
    """
    try:
        schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
        return SchemaValidator(schema).isinstance_python
    except SchemaError as error:
        told = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ValueError(told[-1].removeprefix("error: ").removeprefix("SchemaError: ").rstrip(".")) from error
