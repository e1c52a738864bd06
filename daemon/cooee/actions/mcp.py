"""Tools of a server in the home that speaks the Model Context Protocol, each of them only if it is allowed by name."""

import asyncio
import itertools
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cooee import __version__, address
from cooee.actions import ActionTable, Failed, Report, Risk, Unsure
from cooee.actions._at_home import Headers, resolved
from cooee.actions._mcp_tools import Offer, Unfit, answer, function_name, offer
from cooee.actions._mcp_wire import Gone, HttpWire, Message, ProgramWire, Wire
from cooee.actions._words import join, one_line
from cooee.effects import Function
from cooee.retry import Retry

log = logging.getLogger("cooee.actions")

REVISION = "2025-06-18"
OPEN_S = 15.0
REFRESH_S = 300.0
FIRST_S, MOST_S = 1.0, 60.0
PAGES = 10


def _url(url: str) -> str:
    parts = address.parts(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!-~]+", url)):
        raise ValueError('must begin with "http://" or "https://" and a host')
    if "@" in parts.netloc:
        raise ValueError("can't hold user and password; use headers with a secret")
    return url


Names = list[Annotated[str, Field(min_length=1, max_length=100)]]


class Settings(ActionTable):
    """Tools of a server that speaks the Model Context Protocol."""

    type: Literal["mcp"] = "mcp"
    """Tools of a server that speaks the Model Context Protocol."""
    url: Annotated[str, AfterValidator(_url)] = ""
    """Where the server is, if it speaks HTTP."""
    headers: Headers = Field({})
    """Header fields, with keys as "secret:NAME" or "Bearer secret:NAME", as for http."""
    command: Annotated[list[str], Field(max_length=50)] = Field([])
    """The server's program and its arguments, if it is one to be started here; no shell reads them."""
    env: Headers = Field({})
    """Environment variables of the program, besides PATH, HOME and LANG; keys as in headers."""
    tools: Annotated[Names, Field(max_length=50)] = Field([])
    """Which of its tools may be used, each after the user's yes."""
    read_only_tools: Annotated[Names, Field(max_length=50)] = Field([])
    """Which may be used at once, if the server too says that they only read; else a yes is needed as well."""
    allow_public: bool = False
    """Whether the host may be outside the home network."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.url) is bool(self.command):
            raise ValueError("needs either url or command")
        if not self.tools and not self.read_only_tools:
            raise ValueError("allows no tool; name some in tools or in read_only_tools")
        if self.risk == "safe":
            raise ValueError('risk = "safe" is not for strangers\' tools; name what only reads in read_only_tools')
        return self


def declare(name: str, settings: Settings) -> Function:
    about = f"{settings.description.rstrip('. ')}. Tells whether its tools can be used just now."
    nothing = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    return Function(name, about, nothing, side_effect=False)


def open(name: str, settings: Settings, report: Report) -> "Mcp":
    return Mcp(name, settings)


class Tool:
    """One of the server's tools."""

    def __init__(self, table: str, offer: Offer, server: "Mcp", *, may_be_safe: bool) -> None:
        self.offer = offer
        self.is_safe = may_be_safe and offer.is_read_only
        about, schema = offer.about, offer.schema
        self.function = Function(function_name(table, offer.name), about, schema, side_effect=not self.is_safe)
        self._server = server

    def risk(self, arguments: Mapping[str, Any]) -> Risk:
        return "safe" if self.is_safe else "confirm"

    def question(self, arguments: Mapping[str, Any]) -> str:
        said = [" ".join(re.sub(r"[^\w'°%-]+", " ", one_line(f"{each}", 60)).split()) for each in arguments.values()]
        what = " ".join(re.sub(r"[\W_]+", " ", self.offer.name).split())
        return f"Do you really want me to do this: {what}{', with ' + join(said, 'and') if said else ''}?"

    async def run(self, arguments: Mapping[str, Any]) -> str:
        try:
            return await self._server.call(self.offer.name, arguments) or "That is done."
        except Gone as gone:
            if self.is_safe:
                raise
            raise Unsure(f"The tool was called, but {gone} It is not known whether that was done.") from gone

    def close(self) -> None:
        pass


class Mcp:
    """Its own function tells about the line; `parts` are the tools. Raises Failed for a missing key or program."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.function = declare(name, settings)
        self.parts: tuple[Tool, ...] = ()
        self._settings = settings
        self._away = "its server has not been reached yet."
        self._warned: set[str] = set()
        self._numbers = itertools.count(1)
        self._wire = _wire(settings)

    async def attend(self, changed: Callable[[], None]) -> None:
        retry, loop = Retry(FIRST_S, MOST_S), asyncio.get_running_loop()
        try:
            while True:
                began, self._wire.news = loop.time(), asyncio.Event()
                try:
                    async with asyncio.timeout(OPEN_S):
                        self._offer(await self._listed(), changed)
                    self._away = ""
                    await self._until_news()
                except (Failed, TimeoutError) as error:
                    self._away = str(error) if isinstance(error, Failed) else "its server does not answer."
                    self._warn(self._away)
                    self._wire.close()
                if not self._wire.is_open:
                    retry.fail(loop.time(), held_s=loop.time() - began)
                    await asyncio.sleep(max(0.0, retry.ready_at - loop.time()))
        finally:
            self._wire.close()
            await self._wire.ended()

    async def run(self, arguments: Mapping[str, Any]) -> str:
        if self._away:
            raise Failed(self._away)
        names = [part.offer.name for part in self.parts]
        return (
            f"It is there, with {join(names, 'and')}." if names else "It is there, but has none of the allowed tools."
        )

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """What the tool says. Raises Failed, Gone."""
        if not self._wire.is_open:
            raise Failed(self._away or "its server has gone.")
        return answer(await self._ask("tools/call", name=tool, arguments=dict(arguments)))

    def close(self) -> None:
        self._wire.close()

    async def _until_news(self) -> None:
        try:
            async with asyncio.timeout(REFRESH_S):
                await self._wire.news.wait()
        except TimeoutError:
            pass

    async def _listed(self) -> list[Any]:
        """All tools of the server, from an open line. Raises Failed."""
        if not self._wire.is_open:
            await self._wire.open()
            who = {"name": "cooee", "version": __version__}
            made = await self._ask("initialize", protocolVersion=REVISION, capabilities={}, clientInfo=who)
            self._wire.agree(one_line(made.get("protocolVersion", REVISION), 20))
            await self._wire.ask({"jsonrpc": "2.0", "method": "notifications/initialized"})
        found: list[Any] = []
        cursor: dict[str, Any] = {}
        for _ in range(PAGES):
            page = await self._ask("tools/list", **cursor)
            found += page["tools"] if isinstance(page.get("tools"), list) else []
            if not isinstance(page.get("nextCursor"), str):
                break
            cursor = {"cursor": page["nextCursor"]}
        return found

    async def _ask(self, method: str, **parameters: Any) -> Message:
        request = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        answered = await self._wire.ask(request)
        if isinstance(error := answered.get("error"), dict):
            raise Failed(f"the server says: {one_line(error.get('message', 'no'), 200)}")
        result = answered.get("result")
        return result if isinstance(result, dict) else {}

    def _offer(self, listed: list[Any], changed: Callable[[], None]) -> None:
        """The allowed ones are the parts from now on; one that is as before stays the same object."""
        safe = self._settings.read_only_tools
        before = {part.offer.name: part for part in self.parts}
        now: list[Tool] = []
        for name in dict.fromkeys((*self._settings.tools, *safe)):
            found = next((each for each in listed if isinstance(each, dict) and each.get("name") == name), None)
            if found is None:
                self._warn(f"its server has no tool {name}.")
                continue
            try:
                offered = offer(found)
            except Unfit as unfit:
                self._warn(f"its tool {name} {unfit}.")
                continue
            part = before.get(name)
            if part is None or part.offer != offered:
                part = Tool(self.function.name, offered, self, may_be_safe=name in safe)
            now.append(part)
        if tuple(now) != self.parts:
            self.parts = tuple(now)
            changed()

    def _warn(self, sentence: str) -> None:
        """Once each."""
        if sentence not in self._warned:
            self._warned.add(sentence)
            log.warning("[actions.%s]: %s", self.function.name, sentence)


def _wire(settings: Settings) -> Wire:
    if settings.url:
        headers = {field: resolved(value) for field, value in settings.headers.items()}
        return HttpWire(settings.url, headers, allow_public=settings.allow_public)
    program = shutil.which(settings.command[0])
    if program is None:
        raise Failed(f"there is no program {settings.command[0]}.")
    usual = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    own = {name: resolved(value) for name, value in settings.env.items()}
    return ProgramWire([os.path.abspath(program), *settings.command[1:]], {**usual, **own})
