"""What the vendor is told: the key, the address, and settings that it does not refuse."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cooee.agent import Brief, Refused, deepgram
from cooee.agent._listen import Listen
from cooee.effects import Function
from cooee.events import Trouble
from fakes import Refusal, Server, server

KEY = "k3y-that-nobody-may-see"
LAMP = Function(
    "lamp",
    "The lamp",
    {"type": "object", "properties": {"level": {"type": "number", "minimum": 0.0, "maximum": 1.0}}},
)
WEATHER = Function("weather", "The weather", {"type": "object", "properties": {}}, side_effect=False)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", KEY)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


async def settled(it: Server, brief: Brief = Brief(), **table: Any) -> Mapping[str, Any]:  # noqa: B008 (frozen)
    """The settings that arrive."""
    agent = deepgram.open(deepgram.Settings(**{"url": it.url, **table}))
    await agent.prepare()
    link, _ = await agent.connect()
    await link.settle(brief)
    await link.close()
    await agent.close()
    arrived = it.peers[-1].settings
    assert arrived is not None
    return arrived


async def refusal(it: Server | None = None, **table: Any) -> Refused:
    agent = deepgram.open(deepgram.Settings(**({"url": it.url} if it else {}) | table))
    with pytest.raises(Refused) as refused:
        await agent.connect()
    assert KEY not in str(refused.value)
    return refused.value


@pytest.mark.parametrize(
    ("model", "version", "hints"), [("flux-general-en", "v2", True), ("nova-3", "v1", True), ("nova-2", "v1", False)]
)
async def test_settings_are_what_the_vendor_takes(model: str, version: str, hints: bool) -> None:
    async with server() as it:
        brief = Brief(wake_words=("hey jarvis",), functions=(LAMP, WEATHER))
        sent = await settled(
            it, brief, listen=Listen(model=model), output_rate_hz=48000, prompt="Be kind.", greeting="Hi"
        )
    assert sent["flags"] == {"history": True}
    assert sent["audio"]["input"] == {"encoding": "linear16", "sample_rate": 16000}
    assert sent["audio"]["output"] == {"encoding": "linear16", "sample_rate": 48000, "container": "none"}
    listen = {"type": "deepgram", "version": version, "model": model}
    listen |= {"language": "en-US"} if version == "v1" else {}
    assert sent["agent"]["listen"]["provider"] == listen | ({"keyterms": ["hey jarvis"]} if hints else {})
    assert sent["agent"]["think"]["prompt"] == "Be kind."
    assert sent["agent"]["speak"]["provider"] == {"type": "deepgram", "model": "aura-2-thalia-en"}
    assert sent["agent"]["greeting"] == "Hi"
    lamp, weather = sent["agent"]["think"]["functions"]
    assert lamp["parameters"] == LAMP.parameters
    assert lamp["defer_until_eot"] is True, "what moves something waits for the end of the turn"
    assert "defer_until_eot" not in weather


async def test_what_is_not_set_is_not_sent() -> None:
    async with server() as it:
        sent = await settled(it)
    assert set(sent["agent"]) == {"listen", "think", "speak"}
    assert set(sent["agent"]["think"]) == {"provider", "prompt"}
    assert "keyterms" not in sent["agent"]["listen"]["provider"]


async def test_the_address_is_used_as_it_stands_even_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with server() as it:
        await settled(it, url=it.url.replace("/v1/agent/converse", "/my/own%20path?scenario=func&x=1"))
    assert it.requests[0][1].path == "/my/own%20path?scenario=func&x=1"


def test_without_an_address_it_is_the_vendors() -> None:
    assert deepgram.ADDRESSES["us"] == "wss://agent.deepgram.com/v1/agent/converse"


async def test_the_key_of_the_environment_a_credential_or_a_file_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY")
    file = tmp_path / "key"
    file.write_text("of-the-file\n")
    file.chmod(0o600)
    (tmp_path / "deepgram_api_key").write_text("of-systemd\n")
    async with server() as it:
        await settled(it, key_file=str(file))
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        await settled(it, key_file=str(file))
        monkeypatch.setenv("DEEPGRAM_API_KEY", KEY)
        await settled(it, key_file=str(file))
    shown = [request.headers["Authorization"] for _, request in it.requests]
    assert shown == ["Token of-the-file", "Token of-systemd", f"Token {KEY}"]


async def test_a_key_that_cannot_be_used_is_refused_in_a_sentence_before_anything_is_dialled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server() as it:
        for unusable in ("two words", "näh", "line\r\nX-Evil: 1"):
            monkeypatch.setenv("DEEPGRAM_API_KEY", unusable)
            refused = await refusal(it)
            assert refused.trouble is Trouble.KEY and unusable not in str(refused)
        monkeypatch.delenv("DEEPGRAM_API_KEY")
        missing = await refusal(it)
        assert missing.trouble is Trouble.KEY and "DEEPGRAM_API_KEY" in str(missing)
        file = tmp_path / "key"
        file.write_text(KEY)
        file.chmod(0o644)
        exposed = await refusal(it, key_file=str(file))
        assert exposed.trouble is Trouble.KEY and "chmod 600" in str(exposed) and "\n" not in str(exposed)
    assert it.requests == []


@pytest.mark.parametrize(
    ("status", "trouble", "says"),
    [
        (401, Trouble.KEY, "key"),
        (402, Trouble.CREDIT, "credit"),
        (403, Trouble.PERMISSION, "permission"),
        (404, Trouble.SETTINGS, "url"),
        (429, Trouble.BUSY, "many"),
    ]
    + [(status, Trouble.VENDOR, "trouble") for status in (500, 502, 503)]
    + [(418, Trouble.VENDOR, "refused the connection")],
)
async def test_a_refusal_says_what_to_do(status: int, trouble: Trouble, says: str) -> None:
    async with server(Refusal(status, {"dg-request-id": "rid-7"})) as it:
        refused = await refusal(it)
    assert refused.trouble is trouble
    assert says in str(refused) and f"HTTP {status}" in str(refused) and "rid-7" in str(refused)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 5),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "soon"}, 5),
        ({"Retry-After": "999999999"}, 600),
        ({"Retry-After": "0"}, 5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 5),
        ({"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, 5),
    ],
)
async def test_too_many_connections_wait_as_long_as_is_asked(headers: dict[str, str], wait_s: float) -> None:
    async with server(Refusal(429, headers)) as it:
        assert (await refusal(it)).retry_after_s == wait_s


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "127.0.0.1:80", "ws://[", "ws://host:port/", "nonsense"])
def test_an_address_that_is_none_is_refused_before_anything_starts(url: str) -> None:
    with pytest.raises(ValidationError, match=r"ws://|is no URL"):
        deepgram.Settings(url=url)


@pytest.mark.parametrize(("file", "says"), [("", "no Deepgram key"), ("missing", "no such file")])
async def test_a_missing_key_is_told_at_the_start(file: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY")
    with pytest.raises(Refused, match=says):
        await deepgram.open(deepgram.Settings(key_file=file)).prepare()


async def test_it_connects_before_it_was_prepared() -> None:
    async with server() as it:
        link, request_id = await deepgram.open(deepgram.Settings(url=it.url)).connect()
        await asyncio.wait_for(link.close(), 2)
    assert request_id == "rid-1"
