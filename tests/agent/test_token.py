"""The ways in: a short-lived token from a program or an address, fetched anew for each line, shown to nobody else."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from cooee.agent import Refused, Unreachable, deepgram
from cooee.events import Trouble
from fakes import Refusal, server

TOKEN = "t0ken-that-nobody-may-see"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    monkeypatch.setenv("MY_SECRET", "s3cret")


def program(tmp_path: Path, body: str) -> list[str]:
    (tmp_path / "get.py").write_text(f"import os, sys, time, subprocess\n{body}\n")
    return [sys.executable, str(tmp_path / "get.py")]


async def shown(url: str, lines: int = 1, **table: Any) -> None:
    agent = deepgram.open(deepgram.Settings(url=url, **table))
    await agent.prepare()
    for _ in range(lines):
        link, _ = await agent.connect()
        await link.close()


async def trouble(**table: Any) -> Refused | Unreachable:
    """What is said when there is no token, which has to hold nothing that is private."""
    async with server() as it:
        with pytest.raises((Refused, Unreachable)) as raised:
            await deepgram.open(deepgram.Settings(url=it.url, **table)).connect()
        assert it.requests == []
    assert not any(word in str(raised.value) for word in (TOKEN, "s3cret", "127.0.0.1", "get.py", "marmalade"))
    return raised.value


async def test_a_programs_output_is_the_token_and_each_line_has_its_own(tmp_path: Path) -> None:
    count = tmp_path / "count"
    body = f"n = int(open({str(count)!r}).read()); open({str(count)!r}, 'w').write(str(n + 1)); print(f'  token-{{n}}')"
    count.write_text("1")
    async with server() as it:
        await shown(it.url, lines=2, token_command=program(tmp_path, body))
    assert [each.headers["Authorization"] for _, each in it.requests] == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    ("body", "says", "kind"),
    [
        ("print('marmalade'); sys.exit(3)", "status 3", Trouble.KEY),
        ("print('two marmalade words')", "gave no token", Trouble.KEY),
        ("pass", "gave no token", Trouble.KEY),
        ('print(\'{"token": "marmalade"}\')', "gave no token", Trouble.KEY),
        ("sys.stdout.buffer.write(bytes([255]) * 100_000)", "gave no token", Trouble.KEY),
    ],
)
async def test_a_program_that_gives_none_is_a_sentence(tmp_path: Path, body: str, says: str, kind: Trouble) -> None:
    told = await trouble(token_command=program(tmp_path, body))
    assert isinstance(told, Refused) and told.trouble is kind and says in str(told)


async def test_a_program_that_is_not_there_is_a_sentence() -> None:
    told = await trouble(token_command=["/nowhere/get.py"])
    assert isinstance(told, Refused) and told.trouble is Trouble.KEY and "can't be run" in str(told)


@pytest.mark.slow
@pytest.mark.parametrize("give_up", [False, True])
async def test_a_program_that_hangs_ends_with_all_that_it_started(
    tmp_path: Path, give_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cooee.agent._token.TIME_LIMIT_S", 1.0)
    body = f"print(subprocess.Popen(['sleep', '60']).pid, file=open({str(tmp_path / 'pid')!r}, 'w')); time.sleep(60)"
    began = time.monotonic()
    asking = asyncio.create_task(trouble(token_command=program(tmp_path, body)))
    if give_up:
        async with asyncio.timeout(5):
            while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n")):
                await asyncio.sleep(0.02)
        asking.cancel()
        await asyncio.wait([asking])
    else:
        assert isinstance(await asking, Unreachable)
    assert time.monotonic() - began < 5
    child = int((tmp_path / "pid").read_text())
    async with asyncio.timeout(2):
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def tokens(answer: Any) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """An address that gives tokens."""
    asked: list[web.Request] = []

    async def give(request: web.Request) -> Any:
        asked.append(request)
        return await answer(request) if asyncio.iscoroutinefunction(answer) else answer()

    app = web.Application()
    app.router.add_route("*", "/token", give)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/token?for=cooee", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("as_json", [True, False])
async def test_an_address_gives_the_token_to_who_shows_the_secret(as_json: bool) -> None:
    def answer() -> web.Response:
        return web.json_response({"access_token": TOKEN, "expires_in": 30}) if as_json else web.Response(text=TOKEN)

    headers = {"Authorization": "Bearer secret:MY_SECRET", "X-Room": "kitchen"}
    async with server() as it, tokens(answer) as (url, asked):
        await shown(it.url, lines=2, token_url=url, token_method="POST", token_headers=headers)
    assert [each.headers["Authorization"] for _, each in it.requests] == [f"Bearer {TOKEN}"] * 2
    assert [(each.method, each.query["for"]) for each in asked] == [("POST", "cooee")] * 2
    assert asked[0].headers["Authorization"] == "Bearer s3cret" and asked[0].headers["X-Room"] == "kitchen"


@pytest.mark.parametrize(
    ("status", "text", "raised", "kind"),
    [
        (401, "marmalade", Refused, Trouble.KEY),
        (302, "", Refused, Trouble.KEY),
        (200, '{"error": "marmalade"}', Refused, Trouble.KEY),
        (200, "[" * 30_000, Refused, Trouble.KEY),
        (200, "marmalade " * 20_000, Refused, Trouble.KEY),
        (503, "marmalade", Unreachable, Trouble.VENDOR),
    ],
)
async def test_an_address_that_gives_none_is_a_sentence(status: int, text: str, raised: Any, kind: Any) -> None:
    async with tokens(lambda: web.Response(status=status, text=text, headers={"Location": "/token"})) as (url, _):
        told = await trouble(token_url=url)
    assert isinstance(told, raised) and told.trouble is kind


async def test_nobody_there_or_nobody_answering_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    monkeypatch.setattr("cooee.agent._token.TIME_LIMIT_S", 0.2)
    async with tokens(hang) as (url, _):
        assert isinstance(await trouble(token_url=url), Unreachable)
    gone = await trouble(token_url=url)
    assert isinstance(gone, Unreachable) and gone.trouble is Trouble.NETWORK


async def test_a_token_that_is_refused_is_not_called_a_key(tmp_path: Path) -> None:
    async with server(Refusal(401)) as it:
        agent = deepgram.open(deepgram.Settings(url=it.url, token_command=program(tmp_path, f"print({TOKEN!r})")))
        with pytest.raises(Refused, match=r"access token. Check \[agent\] token_command") as refused:
            await agent.connect()
    assert refused.value.trouble is Trouble.KEY and TOKEN not in str(refused.value)


async def test_a_secret_that_is_missing_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_SECRET")
    table = {"token_url": "https://x.example/", "token_headers": {"Authorization": "Bearer secret:MY_SECRET"}}
    with pytest.raises(Refused, match="MY_SECRET") as refused:
        await deepgram.open(deepgram.Settings(**table)).prepare()
    assert refused.value.trouble is Trouble.KEY
