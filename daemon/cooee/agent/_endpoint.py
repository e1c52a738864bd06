"""Somebody else's model behind the agent: its address, and the keys for it, which are named but not written."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from cooee import address
from cooee.agent import Refused
from cooee.events import Trouble
from cooee.secret import REFERENCE, Exposed, referred
from cooee.settings import Table

_SECRET_HEADER = re.compile(r"(?i)authorization|cookie|token|secret|password|key")


def _address(url: str) -> str:
    parts = address.parts(url)
    if parts.scheme not in ("https", "http", "wss") or not parts.hostname or not re.fullmatch(r"[!-~]+", url):
        raise ValueError('must begin with "https://" (or "wss://") and a host, in plain ASCII without spaces')
    if "@" in parts.netloc:
        raise ValueError("can't hold user and password; use headers with a secret")
    return url


def keyless(headers: dict[str, str]) -> dict[str, str]:
    """Header fields in which no key stands. Raises ValueError."""
    for name, value in headers.items():
        if _SECRET_HEADER.search(name) and not REFERENCE.fullmatch(value):
            raise ValueError(
                f'{name} holds a key, which can\'t stand here; write "secret:NAME" or "Bearer secret:NAME"'
            )
    return headers


def _named(text: str) -> str:
    if text and not REFERENCE.fullmatch(text):
        raise ValueError('is a key, which can\'t stand here; write "secret:NAME"')
    return text


def _of_sts(token: str, info: ValidationInfo) -> str:
    if bool(token) is not (info.data.get("type") == "sts"):
        raise ValueError('is for type "sts" only, which needs it')
    return token


Headers = Annotated[dict[str, str], AfterValidator(keyless)]
Secret = Annotated[str, AfterValidator(_named)]


class Endpoint(Table):
    """Where the vendor finds the model."""

    url: Annotated[str, AfterValidator(_address)]
    """The model's address, as seen from the vendor: not from your home."""
    headers: Headers = Field(default={})
    """What the vendor shows there. A key is never written here, but as "secret:NAME" or "Bearer secret:NAME": it is
    looked for in the environment variable NAME, in the systemd credential NAME, or, if NAME is a path, in that file."""


class Credentials(Table):
    """What Amazon wants to see."""

    type: Literal["iam", "sts"] = "iam"
    """Long-lived (iam) or short-lived (sts)."""
    region: Annotated[str, Field(min_length=1)]
    """Such as "eu-central-1"."""
    access_key_id: Annotated[Secret, Field(min_length=1)]
    """As "secret:NAME"."""
    secret_access_key: Annotated[Secret, Field(min_length=1)]
    """As "secret:NAME"."""
    session_token: Annotated[Secret, AfterValidator(_of_sts), Field(validate_default=True)] = ""
    """As "secret:NAME"; sts needs it."""


def plain(table: Table, *left_out: str) -> dict[str, Any]:
    """What is set, with the keys that it names, as the protocol takes it. Raises Refused where a key is missing."""
    found: dict[str, Any] = revealed(table.model_dump(exclude=set(left_out), exclude_none=True))
    return found


def revealed(value: Any) -> Any:
    """The value with the keys that it names. What is empty is left out. Raises Refused."""
    match value:
        case dict():
            return {name: revealed(each) for name, each in value.items() if each not in ("", [])}
        case list():
            return [revealed(each) for each in value]
        case str() if found := REFERENCE.fullmatch(value):
            return found[1] + _secret(found[2])
    return value


def _secret(name: str) -> str:
    try:
        found = referred(name)
    except Exposed as error:
        raise Refused(f"A key in [agent] can't be used: {error}.", Trouble.KEY) from error
    if not found:
        why = f"The key {name} of [agent] is missing: set it as environment variable or as systemd credential."
        raise Refused(why, Trouble.KEY)
    return found
