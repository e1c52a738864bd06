"""`cooee simulate` as a process: the timeline and the exit codes that others build upon."""

import http.server
import json
import os
import socket
import subprocess
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from cooee.agent.embedded import models
from cooee.agent.embedded.whisper import Whisper
from cooee.mic import read_wav
from running import COOEE, DAEMON, clean_env, cooee
from voices import Voice, noise, say

pytestmark = pytest.mark.slow

SHIPPED = DAEMON.parent / "config" / "config.toml"
LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"
FIELDS = {
    "wake": {"word", "score", "at"},
    "gate": {"open"},
    "session": {"up", "reason"},
    "settings_applied": set[str](),
    "phase": {"phase"},
    "user_text": {"text"},
    "agent_text": {"text"},
    "function_call": {"id", "name", "arguments"},
    "function_result": {"id", "name", "result", "ok"},
    "pin": {"name", "value"},
    "reply_first_byte": set[str](),
    "reply_first_sample": set[str](),
    "reply_done": set[str](),
    "summary": {"wakes", "turns", "uplink_bytes", "uplink_bytes_before_wake", "reply_s"},
}
LAMP = '[actions.desk_lamp]\ntype = "gpio"\npin = 17\ndescription = "The lamp on the desk"\n'
QUICK = "[conversation]\nfollow_up_s = 0.0\nconnect_timeout_s = 2.0\n"


class Simulated:
    def __init__(self, folder: Path, *arguments: object, config: Path | str = QUICK + LAMP, **env: str) -> None:
        if isinstance(config, str):
            (folder / "config.toml").write_text(config)
            config = folder / "config.toml"
        self.reply, timeline = folder / "reply.wav", folder / "timeline.jsonl"
        options = ("--config", config, "--reply", self.reply, "--timeline", timeline)
        done = cooee("simulate", *arguments, *options, **env)
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.events: list[dict[str, Any]] = []
        if timeline.exists():
            self.events = [json.loads(line) for line in timeline.read_text().splitlines()]

    def all(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["event"] == event]

    def position(self, event: str, **fields: Any) -> int:
        """Of the first such event."""
        wanted = {"event": event, **fields}.items()
        return next(number for number, each in enumerate(self.events) if wanted <= each.items())


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(models.whisper("tiny.en"), threads=1)


def write(path: Path, samples: np.ndarray, rate_hz: int = 16000, width: int = 2) -> Path:
    """`samples`: int16, shape (frames,) or (frames, channels)."""
    wide = samples.astype("<i2").reshape(-1, 1).view(np.uint8)
    raw = np.pad(wide, ((0, 0), (width - 2, 0))).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1] if samples.ndim > 1 else 1, width, rate_hz, 0, "NONE", ""))
        file.writeframes(raw)
    return path


def test_the_lamp_is_switched_and_said_to_be_on(tmp_path: Path, whisper: Whisper) -> None:
    done = Simulated(tmp_path, config=SHIPPED)
    assert done.code == 0, done.err
    steps = [
        done.position("wake", word="hey_jarvis"),
        done.position("gate", open=True),
        done.position("user_text"),
        done.position("function_call", name="desk_lamp"),
        done.position("pin", name="desk_lamp", value=True),
        done.position("reply_first_byte"),
        done.position("reply_first_sample"),
        done.position("reply_done"),
        done.position("gate", open=False),
        done.position("summary"),
    ]
    assert steps == sorted(steps), done.events
    assert steps[-1] == len(done.events) - 1
    assert "lamp" in done.all("user_text")[0]["text"].lower()
    assert done.position("session", up=True) < done.position("settings_applied") < done.position("user_text")
    (call,), (result,) = done.all("function_call"), done.all("function_result")
    assert call["arguments"] == {"state": "on"} and (call["id"], call["name"]) == (result["id"], result["name"])
    assert result["ok"] is True and "on" in result["result"]
    for event in done.events:
        assert event.keys() >= {"t", "event"} | FIELDS[event["event"]], event
    times = [event["t"] for event in done.events]
    assert times == sorted(times) and times[0] > 0

    summary = done.events[-1]
    assert (summary["wakes"], summary["turns"], summary["uplink_bytes_before_wake"]) == (1, 1, 0)
    awake_s = done.events[steps[-2]]["t"] - done.events[steps[1]]["t"]
    assert 32000 * (awake_s - 1) < summary["uplink_bytes"] < 32000 * (awake_s + 3)
    reply = read_wav(done.reply)
    assert len(reply) / 16000 == pytest.approx(summary["reply_s"], abs=0.1)
    assert {"lamp", "on"} & set(whisper.transcribe(reply).text.lower().strip(".").split())
    assert "wake" in done.out and "Turn on the lamp" in done.out
    assert "Traceback" not in done.err


def test_another_rate_two_channels_and_24_bits_are_the_same_recording(tmp_path: Path) -> None:
    lamp = soxr.resample(read_wav(LAMP_WAV), 16000, 44100)
    stereo = write(tmp_path / "said.wav", np.stack([lamp, lamp], axis=1), 44100, width=3)
    done = Simulated(tmp_path, stereo)
    assert done.code == 0, done.err
    assert done.position("wake") < done.position("pin", name="desk_lamp", value=True) < done.position("reply_done")


def test_goes_on_when_nobody_reads_its_timeline_any_more(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(QUICK + LAMP)
    command = [*COOEE, "simulate", "--config", tmp_path / "config.toml", "--timeline", tmp_path / "timeline.jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=clean_env(), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout and process.stderr
        assert "wake" in process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 0 and "Traceback" not in errors
    assert "summary" in (tmp_path / "timeline.jsonl").read_text()


def test_eight_channels_are_heard_as_one(tmp_path: Path) -> None:
    lamp = read_wav(LAMP_WAV)
    done = Simulated(tmp_path, write(tmp_path / "said.wav", np.stack([lamp] * 8, axis=1)))
    assert done.code == 0, done.err
    assert done.all("pin")


def test_without_the_wake_word_nothing_leaves(tmp_path: Path) -> None:
    command = np.concatenate([noise(1), say("turn on the lamp please", Voice("flite", "slt", 1.0))])
    done = Simulated(tmp_path, write(tmp_path / "said.wav", command))
    assert done.code == 3
    assert not done.all("wake") and not done.all("gate") and not done.all("pin")
    assert done.events[-1]["uplink_bytes"] == done.events[-1]["uplink_bytes_before_wake"] == 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"hello, I am a text\n" * 99, "is no WAV file"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is no WAV file"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_wav_is_refused_in_a_sentence(tmp_path: Path, data: bytes | None, says: str) -> None:
    wav = tmp_path / "said.wav"
    if data is not None:
        wav.write_bytes(data)
    done = Simulated(tmp_path, wav)
    assert done.code == 2
    assert says in done.err and str(wav) in done.err and len(done.err.splitlines()) == 1


@pytest.mark.parametrize("option", ["--timeline", "--reply"])
def test_what_cannot_be_written_is_said(tmp_path: Path, option: str) -> None:
    nowhere = tmp_path / "nowhere" / "out"
    done = cooee("simulate", option, nowhere, "--config", SHIPPED)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line == f"{nowhere} cannot be written: No such file or directory"


@pytest.mark.parametrize(
    "options",
    [
        ["said.wav", "--reply", "said.wav"],
        ["said.wav", "--timeline", "other/../said.wav"],
        ["said.wav", "--reply", "link.wav"],
        ["said.wav", "--reply", "out", "--timeline", "out"],
        ["said.wav", "--timeline", "config.toml"],
    ],
)
def test_no_file_is_overwritten_by_another(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "other").mkdir()
    (wav := tmp_path / "said.wav").write_bytes(LAMP_WAV.read_bytes())
    (tmp_path / "link.wav").hardlink_to(wav)
    (config := tmp_path / "config.toml").write_text(QUICK)
    places = [option if option.startswith("--") else tmp_path / option for option in options]
    done = cooee("simulate", "--config", config, *places)
    assert done.returncode == 2 and "overwrite" in done.stderr and len(done.stderr.splitlines()) == 1
    assert wav.read_bytes() == LAMP_WAV.read_bytes() and config.read_text() == QUICK


def test_a_full_disk_under_the_timeline_is_said() -> None:
    done = cooee("simulate", "--timeline", "/dev/full", "--config", SHIPPED)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "/dev/full cannot be written: No space left on device"


@pytest.mark.parametrize("arguments", [["{}"], ["--reply", "{}"]])
def test_a_pipe_is_no_wav_and_is_not_waited_for(tmp_path: Path, arguments: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = cooee("simulate", *(each.format(tmp_path / "pipe") for each in arguments), "--config", SHIPPED)
    assert done.returncode == 2 and "is no regular file" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_faulty_config_is_refused(tmp_path: Path) -> None:
    done = Simulated(tmp_path, config="[mic]\ndevcie = 1\n[wake]\nthreshold = 7\n")
    assert done.code == 2
    assert "devcie" in done.err and "threshold" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [["--pins", "some"], ["--nonsense"], ["one.wav", "two.wav"]])
def test_a_wrong_argument_is_refused(arguments: list[str]) -> None:
    done = cooee("simulate", *arguments)
    assert done.returncode == 2 and "Error:" in done.stderr


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Bound, so that nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def deepgram(port: int) -> str:
    return f'{QUICK}[agent]\ntype = "deepgram"\nurl = "ws://127.0.0.1:{port}/v1/agent/converse"\nfallback = ""\n{LAMP}'


def clip(name: str) -> np.ndarray:
    return read_wav(DAEMON / "cooee" / "sounds" / f"{name}.wav")


def fit(reply: np.ndarray, wanted: np.ndarray) -> float:
    """1 when the reply is the wanted recording."""
    assert abs(len(reply) - len(wanted)) < 1600, "another length"
    size = min(len(reply), len(wanted))
    return float(np.corrcoef(reply[:size], wanted[:size])[0, 1])


def test_an_agent_out_of_reach_is_told_in_a_sentence(tmp_path: Path, closed_port: int) -> None:
    done = Simulated(tmp_path, config=deepgram(closed_port), DEEPGRAM_API_KEY="no-real-key")
    assert done.code == 4, done.events
    assert fit(read_wav(done.reply), clip("network")) > 0.9
    assert done.position("gate", open=False) and done.position("phase", phase="offline")
    assert done.events[-1]["uplink_bytes"] == 0 and done.events[-1]["turns"] == 0
    assert "no-real-key" not in done.err + done.out and "Traceback" not in done.err


@pytest.fixture
def refusing_port() -> Iterator[tuple[int, list[str]]]:
    """A server that accepts no key, and the Authorization headers that it saw."""
    seen: list[str] = []

    class Refuse(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, seen
        server.shutdown()
        thread.join()


def test_a_wrong_key_is_said_once_and_not_tried_again(tmp_path: Path, refusing_port: tuple[int, list[str]]) -> None:
    port, seen = refusing_port
    done = Simulated(tmp_path, config=deepgram(port), DEEPGRAM_API_KEY="no-real-key")
    assert done.code == 4, done.events
    assert seen == ["Token no-real-key"]
    assert fit(read_wav(done.reply), clip("key")) > 0.9
    assert done.err.count("does not accept the key") == 1
    assert "no-real-key" not in done.err + done.out and "Traceback" not in done.err
