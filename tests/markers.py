"""A speaker in which markers are planted wherever a key, a word, an argument or an address is; and how to find them."""

import asyncio
import json
import re
import signal
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fakes import Server
from running import DAEMON, Running

LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"


def mark(kind: str) -> str:
    return f"zq{kind}zq"


def leaks(text: str) -> set[str]:
    return set(re.findall(r"zq(\w+?)zq", text.lower()))


CONFIG = """
[mic]
type = "file"
file = "{folder}/said.wav"
[speaker]
type = "file"
file = "{folder}/reply.wav"
[conversation]
follow_up_s = 0.0
[session]
keep = "{keep}"
backoff_first_s = 0.1
[agent]
type = "deepgram"
url = "{url}?{address}"
fallback = ""
prompt = "You are {prompt}."
{key}
[actions.note]
type = "command"
description = "Writes something down"
command = ["sh", "-c", 'echo "{result} $1"; echo "{result}" >&2', "sh", "{{text}}"]
[actions.note.parameters.text]
type = "string"
max_length = 30
[actions.fails]
type = "command"
description = "Never works"
command = ["sh", "-c", 'echo "{result}" >&2; exit 1']
env = {{ TOKEN = "{key_in_env}" }}
[actions.ask]
type = "http"
description = "Asks something"
url = "http://127.0.0.1:9/{address}/{{text}}"
headers = {{ Authorization = "Bearer secret:{folder}/key" }}
[actions.ask.parameters.text]
type = "string"
[actions.lamp]
type = "gpio"
pin = 17
description = "The lamp"
"""
FAULTY = """
key = "{key}"
[agent]
type = "deepgram"
url = "ws://user:{key}@{address}:{address}/"
api_key = "{key}"
token_command = "{key}"
token_url = "http://{address}:{address}/?{key}"
token_headers = {{ Authorization = "{key}", X = {{ y = "{key}" }} }}
listen = {{ model = "{key} {{", key = "{key}" }}
think = [{{ type = "open_ai", headers = {{ Authorization = "Bearer {key}" }}, key = "{key}" }},
  {{ type = "google", endpoint = {{ url = "https://u:{key}@{address}:1x", headers = {{ key = "{key}" }} }} }}]
[[agent.speak]]
type = "aws_polly"
credentials = {{ type = "iam", access_key_id = "{key}", secret_access_key = "{key}", session_token = "{key}" }}
endpoint = {{ url = "{address}", headers = "{key}" }}
[personas.one]
key = "{key}"
[actions.one]
type = "http"
description = "One"
url = "ws://{address}:{address}/"
headers = {{ Authorization = "{key}", X = 5 }}
body = "{key}"
[actions.two]
type = "command"
description = "Two"
command = ["say", "{argument} {{"]
env = {{ TOKEN = ["{key}"] }}
"""
WORDS = {"key", "said", "reply", "argument", "result", "name", "address", "description", "reason", "body", "header"}
MARKS = {kind: mark(kind) for kind in (*WORDS, "prompt")}
BODY = json.dumps({"err_code": mark("body"), "err_msg": mark("body"), "request_id": mark("body")}).encode()
HEADERS = {"dg-error": mark("header"), "WWW-Authenticate": f'Basic realm="{mark("header")}"', "Retry-After": "0"}


class Speaker:
    """`cooee run` against a server's scripts, with markers all over; `everything` is what it ever told."""

    def __init__(self, folder: Path, it: Server, *, keep: str = "always", key: str = "", **env: str) -> None:
        self.folder = folder
        _say_it_often(folder / "said.wav")
        (folder / "key").write_text(mark("key"))
        (folder / "key").chmod(0o600)
        values = {**MARKS, "folder": folder, "url": it.url, "keep": keep, "key_in_env": mark("key")}
        self.config = CONFIG.format(**{**values, "key": key.format(**values)})
        self.env = {"STATE_DIRECTORY": str(folder / "state"), **env}
        self.running = Running(folder, self.config, self.env)

    def __enter__(self) -> "Speaker":
        self.running.__enter__()
        return self

    def __exit__(self, *fault: object) -> None:
        self.running.__exit__(*fault)

    @property
    def everything(self) -> str:
        return "\n".join([self.running.stderr, *(note for _, note in self.running.notes)])

    def reload(self, config: str) -> None:
        (self.folder / "config.toml").write_text(config)
        self.running.process.send_signal(signal.SIGHUP)

    async def told(self, sentence: str) -> None:
        """Wait until it is in the log or in a note."""
        await until(lambda: sentence in self.everything, lambda: f"no {sentence!r}\n{self.everything}")


async def until(holds: Callable[[], object], what: Callable[[], str] = lambda: "it did not come to be") -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(40):
            while not holds():
                await asyncio.sleep(0.02)
    assert holds(), what()


def _say_it_often(path: Path, times: int = 6) -> None:
    with wave.open(str(LAMP_WAV)) as once, wave.open(str(path), "wb") as often:
        often.setparams(once.getparams())
        clip = once.readframes(once.getnframes())
        often.writeframes((clip + bytes(2 * 16_000 * 2)) * times)
