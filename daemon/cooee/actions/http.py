"""A request to a device or a service at home that speaks HTTP."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, Field, JsonValue, model_validator

from cooee import address
from cooee.actions import Failed, Report
from cooee.actions._at_home import Headers, asked, limited, resolved
from cooee.actions._parameters import TemplateTable, answered, declared, fill, fill_json, placeholders, texts
from cooee.actions._pointer import check, text_at
from cooee.effects import Function

SIZE_LIMIT = 65536
_STATUS = {
    401: "it wants a key, and the one that it got is missing or wrong.",
    403: "it does not allow that.",
    404: "it knows nothing of that kind.",
    408: "it took too long itself.",
    429: "it was asked too often.",
    504: "it took too long itself.",
}


def _url(url: str) -> str:
    placeholders(url)
    parts = address.parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('must begin with "http://" or "https://" and a host')
    if not re.fullmatch(r"[!-~]+", url):
        raise ValueError("must be plain ASCII without spaces; write %20 for a space")
    if "{" in parts.netloc:
        raise ValueError("the host can't have placeholders")
    if "@" in parts.netloc:
        raise ValueError("can't hold user and password; use headers with a secret")
    return url


class Settings(TemplateTable):
    """A request by HTTP."""

    type: Literal["http"] = "http"
    """A request by HTTP."""
    url: Annotated[str, AfterValidator(_url)]
    """Where to; {name} of parameters may stand in the path and after it, never in the host."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """What kind of request."""
    headers: Headers = Field({})
    """Header fields. A key is never written here, but as "secret:NAME" or "Bearer secret:NAME": it is looked for in
    the environment variable NAME, in the systemd credential NAME, or, if NAME is a path, in a file of its owner's."""
    body: dict[str, JsonValue] = Field({})
    """Sent as JSON, with {name} of parameters; a string that is nothing but {name} becomes the value itself."""
    pointer: Annotated[str, AfterValidator(check)] = ""
    """Which part of a JSON answer is the output, as a JSON pointer such as "/state"; left out: the whole answer."""
    allow_public: bool = False
    """Whether the host may be outside the home network."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.check_placeholders([self.url, *texts(self.body)])
        if self.body and self.method in ("GET", "DELETE"):
            raise ValueError(f"{self.method} sends no body; use POST, PUT or PATCH")
        return self


def declare(name: str, settings: Settings) -> Function:
    return declared(name, settings)


def open(name: str, settings: Settings, report: Report) -> "Http":
    return Http(name, settings)


class Http:
    """Raises Failed where a key is missing."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.function = declare(name, settings)
        self._settings = settings
        self._headers = {field: resolved(value) for field, value in settings.headers.items()}

    async def run(self, arguments: Mapping[str, Any]) -> str:
        status, body = await self._request(_filled_url(self._settings.url, arguments), arguments)
        if not 200 <= status < 300:
            raise Failed(_status(status))
        return answered(self._settings, arguments, _output(body, self._settings.pointer))

    async def _request(self, url: str, arguments: Mapping[str, Any]) -> tuple[int, bytes]:
        body = fill_json(self._settings.body, arguments) if self._settings.body else None
        method, allow_public = self._settings.method, self._settings.allow_public
        async with asked(method, url, self._headers, body, allow_public=allow_public) as response:
            return response.status, await limited(response.content, SIZE_LIMIT)

    def close(self) -> None:
        pass


def _filled_url(template: str, arguments: Mapping[str, Any]) -> str:
    """Raises Failed for what would lead to another path, also where somebody decodes it more often than he should."""
    for segment in filter(placeholders, urlsplit(template).path.split("/")):
        name = _decoded(fill(segment, arguments))
        if not name or name.partition(";")[0] in (".", "..") or re.search(r"[/\\\x00-\x1f\x7f-\x9f]", name):
            raise Failed("that text can't be used here.")
    return fill(template, arguments, lambda text: quote(text, safe=""))


def _decoded(text: str) -> str:
    while (decoded := unquote(text)) != text:
        text = decoded
    return text


def _output(body: bytes, pointer: str) -> str:
    try:
        return text_at(body, pointer)
    except (ValueError, LookupError) as error:
        raise Failed(f"the answer has nothing at {pointer}.") from error


def _status(status: int) -> str:
    if status in _STATUS:
        return _STATUS[status]
    if status < 400:
        return "it wanted to send the request elsewhere, which is not followed."
    return f"it refused the request ({status})." if status < 500 else f"it had a fault of its own ({status})."
