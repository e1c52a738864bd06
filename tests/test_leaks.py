"""No log line, crash report, note to the supervisor or command's output holds a key, a word, an argument or an address.

Markers are planted in all of them, and in whatever the agent may send besides. `cooee history show` alone is left
out: it is there to show what was said.
"""

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fakes import Peer, Refusal, hold, server
from markers import BODY, FAULTY, HEADERS, MARKS, Speaker, leaks, mark, until
from running import clean_env, cooee

PIECE = b"\x00\x10" * 2400


def text(role: str, kind: str, type_: str = "ConversationText") -> dict[str, Any]:
    return {"type": type_, "role": role, "content": f"this is {mark(kind)}"}


def call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id, "name": name, "arguments": arguments, "client_side": True}


CALLS = [
    call("good", "note", json.dumps({"text": mark("argument")})),
    call("fails", "fails", "{}"),
    call("away", "ask", json.dumps({"text": mark("argument")})),
    call("long", "note", json.dumps({"text": mark("argument") * 9})),
    call("strange", "lamp", json.dumps({"state": mark("argument"), mark("argument"): 1})),
    call("unknown", mark("name"), json.dumps({"text": mark("argument")})),
    call("no json", "note", f'{{"text": {mark("argument")}'),
    call("no object", "note", f'["{mark("argument")}"]'),
]
NONSENSE: list[Any] = [
    f"{{no json {mark('said')}",
    {"type": mark("said")},
    {"type": "ConversationText", "role": mark("said"), "content": {"text": mark("said")}},
    {"type": "FunctionCallRequest", "functions": mark("argument")},
    {"type": "FunctionCallRequest", "functions": [{"id": 5, "name": mark("name"), "arguments": {"a": mark("said")}}]},
    {"type": "History", "role": mark("said"), "content": [mark("said")], "function_calls": mark("argument")},
    {"type": "LatencyReport", "total_latency": mark("said")},
    {"type": "Welcome", "request_id": {"id": mark("said")}},
    f'["{mark("said")}"]',
    mark("said"),
]  # fmt: skip


async def warns_and_fails(peer: Peer) -> None:
    await peer.apply()
    await peer.say({"type": "Warning", "code": "SLOW_THINK_REQUEST", "description": mark("description")})
    await peer.error("FAILED_TO_THINK", mark("description"))


async def talks_nonsense(peer: Peer) -> None:
    await peer.apply()
    await peer.say(*NONSENSE)
    await peer.socket.close(1008, mark("reason"))


async def is_cut(peer: Peer) -> None:
    await listen(peer)
    await peer.say(
        {"type": "FunctionCallRequest", "functions": [call("cut", "note", json.dumps({"text": mark("argument")}))]}
    )
    peer.abort()


async def answers(peer: Peer) -> None:
    await listen(peer)
    await peer.say({"type": "FunctionCallRequest", "functions": CALLS})
    await peer.until(lambda: len(peer.of("FunctionCallResponse")) == len(CALLS))
    called = [{**each, "response": mark("result")} for each in CALLS]
    await peer.say({"type": "History", "function_calls": called})
    await peer.say({"type": "FunctionCallCancelled", "functions": CALLS}, text("assistant", "reply"), *[PIECE] * 3)
    await peer.say(text("assistant", "reply", "History"), {"type": "AgentAudioDone"})


async def listen(peer: Peer) -> None:
    """To the words, or to what stands for those that were understood on an earlier line."""
    await peer.apply()
    async with asyncio.timeout(20):
        while not (peer.frames or peer.of("InjectUserMessage") or peer.of("InjectAgentMessage")):
            with suppress(TimeoutError):
                await peer.until(lambda: peer.frames or len(peer.messages) > 1)
    await peer.say({"type": "UserStartedSpeaking"}, text("user", "said"), text("user", "said", "History"))


@pytest.mark.slow
async def test_faults_calls_and_reloads_tell_nothing(tmp_path: Path) -> None:
    refusals = [Refusal(status, HEADERS, BODY) for status in (503, 429)]
    async with server(*refusals, warns_and_fails, talks_nonsense, is_cut, answers, hold) as it:
        with Speaker(tmp_path, it, DEEPGRAM_API_KEY=mark("key")) as speaker:
            await until(lambda: len(it.peers) > 3 and len(it.peers[-1].of("FunctionCallResponse")) == len(CALLS))
            await speaker.told("STATUS=speaking")
            await speaker.told("INFO    cooee.app: asleep")
            it.peers[-1].abort()
            await until(lambda: {"said", "reply", "argument", "result"} <= leaks(json.dumps(it.peers[-1].settings)))
            speaker.reload(FAULTY.format(**MARKS))
            await speaker.told("the file is refused")
            speaker.reload(speaker.config.replace("You are", "Be"))
            await speaker.told("[agent] changed")
            await until(lambda: mark("prompt") in json.dumps(it.peers[-1].messages))
            speaker.running.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(speaker.running.process.wait, 20) == 0
    sent = json.dumps([peer.messages for peer in it.peers])
    assert mark("key") in str(it.requests[-1][1].headers) and mark("address") in it.requests[-1][1].path
    assert leaks(sent) >= {"said", "argument", "result", "name"}, "the markers were where they can leak from"
    assert speaker.everything.count("FAILED_TO_THINK") == 1
    assert leaks(speaker.everything) == set()

    shown = await asyncio.to_thread(cooee, "history", "show", **speaker.env)
    assert {"said", "reply"} <= leaks(shown.stdout), "what this command is for"
    for command in (["turns"], ["usage"], ["history", "--help"], ["check", tmp_path / "config.toml"], ["--help"]):
        done = await asyncio.to_thread(cooee, *command, **speaker.env)
        warned = [line for line in done.stderr.splitlines() if "looks like a key" not in line]
        assert (done.returncode, warned) == (0, []), command
        assert leaks(done.stdout + done.stderr) == set(), command
    (tmp_path / "config.toml").write_text(FAULTY.format(**MARKS))
    done = await asyncio.to_thread(cooee, "check", tmp_path / "config.toml")
    assert done.returncode == 1 and done.stderr.count("config.toml:") > 20
    assert leaks(done.stdout + done.stderr) == {"address"}, "who mends the file sees the address that he wrote"


KEYS = {"file": 'key_file = "{folder}/key"', "command": """token_command = ["cat", "{folder}/key"]"""}


async def refused_for_good(folder: Path, key: str) -> None:
    folder.mkdir()
    refusals = [Refusal(status, HEADERS, BODY) for status in (401, 402, 403, 400)]
    async with server(*refusals) as it:
        with Speaker(folder, it, keep="10m", key=key) as speaker:
            await until(lambda: len(it.requests) >= 4, lambda: speaker.everything)
            await asyncio.sleep(0.5)
    assert all(mark("key") in str(request.headers) for _, request in it.requests)
    assert leaks(speaker.everything) == set()


@pytest.mark.slow
async def test_a_refusal_for_good_tells_nothing(tmp_path: Path) -> None:
    """One try a turn: the two ways to a key side by side."""
    await asyncio.gather(*(refused_for_good(tmp_path / name, key) for name, key in KEYS.items()))


@pytest.mark.slow
@pytest.mark.parametrize("output", ["{key}\\n{key}", "error: {key}", ""])
async def test_a_token_command_that_fails_tells_nothing(tmp_path: Path, output: str) -> None:
    code = "1" if output.startswith("error") else "0"
    script = f"printf '{output.format(**MARKS)}'; printf '{mark('key')}' >&2; exit {code}"
    async with server() as it:
        with Speaker(tmp_path, it, key=f'token_command = ["sh", "-c", {json.dumps(script)}]') as speaker:
            await speaker.told("cooee.session: ")
            await asyncio.sleep(0.5)
    assert it.requests == []
    assert leaks(speaker.everything) == set()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
async def test_a_crash_tells_nothing_but_where(tmp_path: Path, number: signal.Signals) -> None:
    async with server(answers) as it:
        with Speaker(tmp_path, it, DEEPGRAM_API_KEY=mark("key")) as speaker:
            await speaker.told("STATUS=speaking")
            speaker.running.process.send_signal(number)
            assert await asyncio.to_thread(speaker.running.process.wait, 20) == -number
    assert "Fatal Python error" in speaker.running.stderr and "cli.py" in speaker.running.stderr
    assert leaks(speaker.everything) == set()


BROKEN = """
from cooee import cli, conversation
from cooee import events as on
take = conversation.Conversation._take
def fail(self, event, now):
    if isinstance(event, on.{event}):
        raise ValueError(f"what is to be done with {{event}}?")
    take(self, event, now)
conversation.Conversation._take = fail
cli.main(["run", "--config", {config!r}])
"""


@pytest.mark.slow
@pytest.mark.parametrize("event", ["UserText", "Asked", "Acted"])
async def test_a_room_that_dies_of_what_was_said_does_not_repeat_it(tmp_path: Path, event: str) -> None:
    async with server(answers) as it:
        speaker = Speaker(tmp_path, it)
        code = BROKEN.format(event=event, config=str(tmp_path / "config.toml"))
        env = clean_env(**speaker.env, DEEPGRAM_API_KEY=mark("key"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _, told = await asyncio.wait_for(process.communicate(), 40)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
    assert process.returncode == 1
    assert b"a room of the speaker died" in told and b"ValueError" in told and b"in fail" in told
    assert leaks(told.decode()) == set()
