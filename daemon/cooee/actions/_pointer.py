"""JSON pointers, RFC 6901. Pure."""

import json
import re
from typing import Any


def check(pointer: str) -> str:
    """The pointer. Raises ValueError unless it is one."""
    if not re.fullmatch(r"(?:/(?:[^~/]|~[01])*)*", pointer):
        raise ValueError('must be empty or begin with "/", such as "/sensors/0/value"')
    return pointer


def pick(document: Any, pointer: str) -> Any:
    """What the pointer points at. Raises LookupError where there is nothing."""
    found = document
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", token):
            found = found[int(token)]
        elif isinstance(found, dict):
            found = found[token]
        else:
            raise LookupError(token)
    return found


def text_at(body: bytes, pointer: str) -> str:
    """What it points at in JSON, as text; all of the body where it is empty. Raises ValueError, LookupError."""
    text = body.decode(errors="replace")
    if not pointer:
        return text
    value = pick(json.loads(text), pointer)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
