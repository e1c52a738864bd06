"""The commands, and the whole daemon at the other end of the socket, on a sound card with a room."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from card import Card
from cooee.agent.embedded import models
from cooee.agent.embedded.whisper import Whisper
from running import COOEE, Running, clean_env, cooee
from voices import Voice, say

pytestmark = pytest.mark.slow

CONFIG = """
[speaker]
volume = 100
period_ms = 60
"""
SLT = Voice("flite", "slt", 1.0)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    yield Card(tmp_path / "card").start()


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(models.whisper("tiny.en"), threads=1)


def understood(whisper: Whisper, heard: np.ndarray, rate_hz: int) -> str:
    """What a listener understands of what left the loudspeaker, who listens twice: the voice never says a sentence the
    same way, and of a hundred "dinner is ready" the small model takes one for "dener is ready", until it hears it with
    another silence before.
    """
    loud = np.flatnonzero(np.abs(heard.astype(int)) > 100)
    assert len(loud), "the loudspeaker was silent"
    spoken = soxr.resample(heard[loud[0] : loud[-1] + rate_hz // 5], rate_hz, 16000)
    silences = (np.zeros(round(quiet_s * 16000), np.int16) for quiet_s in (0.2, 1.0))
    return " / ".join(whisper.transcribe(np.concatenate([silence, spoken])).text for silence in silences).lower()


def status(speaker: Running) -> dict[str, object]:
    return json.loads(speaker.command("status", "--json").stdout)


def test_what_is_to_be_said_is_heard_without_a_line_and_a_question_is_answered(
    tmp_path: Path, card: Card, whisper: Whisper
) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        done = speaker.command("say", "Dinner is ready in the kitchen.")
        assert (done.returncode, done.stderr) == (0, "")
        assert "dinner is ready" in understood(whisper, card.heard(), card.rate_hz)
        assert status(speaker)["link"]["is_up"] is False  # type: ignore[index]

        def answer() -> None:
            speaker.wait_for("STATUS=listening")
            time.sleep(0.5)
            card.speak(say("we need some milk please", SLT))

        answering = threading.Thread(target=answer)
        answering.start()
        done = speaker.command("ask", "What do we need?")
        answering.join()
        assert (done.returncode, "milk" in done.stdout.lower()) == (0, True), done
        speaker.wait_for("STATUS=asleep")

        # With the line that is up now, its agent says it.
        before = len(card.heard())
        assert speaker.command("say", "Now the kitchen is cold.").returncode == 0
        assert "kitchen" in understood(whisper, card.heard()[before:], card.rate_hz)

        began_s = time.monotonic()
        done = speaker.command("ask", "Is anybody there?")
        assert (done.returncode, done.stdout, done.stderr) == (4, "", "Nobody answered\n")
        assert time.monotonic() - began_s < 30
    assert "kitchen" not in speaker.stderr and "milk" not in speaker.stderr


def test_status_tells_who_in_the_home_is_away(tmp_path: Path, card: Card) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        home = f"""
[mqtt]
host = "127.0.0.1"
port = {port}
[actions.home]
type = "home_assistant"
description = "The house"
url = "http://127.0.0.1:{port}"
token = "secret:home_token"
"""
        with Running(tmp_path, CONFIG + home, {**card.env, "home_token": "x"}) as speaker:
            speaker.wait_for("READY=1")
            away = {"mqtt": "the MQTT broker can't be reached.", "actions.home": "Home Assistant can't be reached."}
            until_s = time.monotonic() + 20
            while (known := status(speaker))["away"] != away:
                assert time.monotonic() < until_s, known
            lines = speaker.command("status").stdout.splitlines()
            assert [" ".join(line.split()) for line in lines if "can't be reached" in line] == [
                "mqtt The MQTT broker can't be reached.",
                "home Home Assistant can't be reached.",
            ]


def test_mute_shuts_the_card_over_a_crash_and_the_volume_is_kept(tmp_path: Path, card: Card) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        assert speaker.command("volume", "40").stdout == "40\n"
        assert speaker.command("volume", "-15").stdout == "25\n"
        assert speaker.command("mute").returncode == 0
        speaker.process.send_signal(signal.SIGKILL)
        speaker.process.wait()
    again = tmp_path / "again"
    again.mkdir()
    env = {**card.env, "STATE_DIRECTORY": str(tmp_path / "state"), "RUNTIME_DIRECTORY": str(tmp_path)}
    with Running(again, CONFIG, env) as speaker:
        speaker.wait_for("READY=1")
        speaker.wait_for("STATUS=muted")
        known = status(speaker)
        assert known["ears"]["is_muted"] and known["volume_percent"] == 25  # type: ignore[index]
        assert "listening to" not in speaker.stderr, "it opened the microphone"
        assert speaker.command("unmute").returncode == 0
        speaker.wait_for("STATUS=asleep")
        time.sleep(1.5)
        assert status(speaker)["ears"]["silent_s"] < 1  # type: ignore[index,operator]
        assert speaker.command("ask", "Hello?", "--timeout", "1").returncode in (1, 4)


def test_who_watches_sees_the_phases_and_reload_tells_every_fault(tmp_path: Path, card: Card) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        env = clean_env(RUNTIME_DIRECTORY=str(tmp_path))
        watching = subprocess.Popen([*COOEE, "watch"], env=env, stdout=subprocess.PIPE, text=True)
        assert watching.stdout
        time.sleep(1)
        assert speaker.command("talk").returncode == 0
        speaker.wait_for("STATUS=listening")
        assert speaker.command("stop").returncode == 0
        speaker.wait_for("STATUS=asleep")
        phases = []
        while "asleep" not in phases:
            line = json.loads(watching.stdout.readline())
            phases += [line["phase"]] if line.get("effect") == "show" else []
        assert phases == ["listening", "asleep"]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0

        file = tmp_path / "config.toml"
        file.write_text(CONFIG + "[conversation]\nfollow_up_s = 3.0\n[mic]\ngain_db = 3.0\n")
        done = speaker.command("reload")
        assert done.stdout == "[conversation] changed; [mic] will change when the speaker is restarted\n"
        file.write_text(CONFIG + "[conversation]\nfollow_up_s = -1.0\nfolow = 2\n")
        done = speaker.command("reload")
        assert (done.returncode, done.stdout) == (1, "")
        assert [line.split(": ")[0] for line in done.stderr.splitlines()[:2]] == [f"{file}:6", f"{file}:7"]
        assert done.stderr.endswith("The file is refused; the settings stay as they are\n")


@pytest.mark.parametrize("command", [["status"], ["say", "x"], ["ask", "x"], ["watch"], ["volume", "3"], ["reload"]])
def test_where_no_speaker_runs_it_says_so_and_what_to_do(tmp_path: Path, command: list[str]) -> None:
    done = cooee(*command, RUNTIME_DIRECTORY=str(tmp_path), STATE_DIRECTORY=str(tmp_path), XDG_RUNTIME_DIR="")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "No speaker runs here: start it with `cooee run`, or `sudo systemctl start cooee`\n"


def test_a_volume_that_is_no_number_is_refused_at_once() -> None:
    done = cooee("volume", "loud")
    assert done.returncode == 2 and "must be a whole number such as 40, +10 or -10" in done.stderr


def test_what_is_killed_or_hangs_at_the_other_end_is_a_sentence(tmp_path: Path, card: Card) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        env = clean_env(RUNTIME_DIRECTORY=str(tmp_path), STATE_DIRECTORY=str(tmp_path))
        asking = subprocess.Popen(
            [*COOEE, "ask", "x"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(1)
        os.kill(speaker.process.pid, signal.SIGKILL)
        _, error = asking.communicate(timeout=20)
    assert asking.returncode == 3
    assert error.startswith("The speaker has ended, or does not answer")


def test_a_second_speaker_is_refused_and_one_that_was_killed_is_taken_over(tmp_path: Path, card: Card) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        folders = {"RUNTIME_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(tmp_path / "state")}
        second = cooee("run", "--config", tmp_path / "config.toml", **card.env, **folders)
        assert (second.returncode, second.stdout) == (1, "")
        assert f"another speaker runs on this machine already: process {speaker.process.pid} has" in second.stderr
        assert "Traceback" not in second.stderr
        assert speaker.command("status").returncode == 0
        os.kill(speaker.process.pid, signal.SIGKILL)
        speaker.process.wait()
    again = tmp_path / "again"
    again.mkdir()
    with Running(again, CONFIG, {**card.env, **folders}) as speaker:
        speaker.wait_for("READY=1")
        assert cooee("status", **folders).returncode == 0


def test_who_goes_away_is_not_asked(tmp_path: Path, card: Card) -> None:
    with Running(tmp_path, CONFIG, card.env) as speaker:
        speaker.wait_for("READY=1")
        env = clean_env(RUNTIME_DIRECTORY=str(tmp_path), STATE_DIRECTORY=str(tmp_path))
        watching = subprocess.Popen([*COOEE, "watch", "--texts"], env=env, stdout=subprocess.PIPE, text=True)
        assert watching.stdout
        time.sleep(1)
        saying = subprocess.Popen([*COOEE, "say", "One two three four five six seven eight nine ten."], env=env)
        time.sleep(1)
        asking = subprocess.Popen([*COOEE, "ask", "Is anybody there?"], env=env, stderr=subprocess.PIPE)
        time.sleep(1)
        asking.kill()
        asking.wait()
        assert saying.wait(30) == 0
        assert speaker.command("say", "Done.").returncode == 0
        watching.send_signal(signal.SIGINT)
        told = [json.loads(line) for line in watching.stdout]
        watching.wait(10)
        assert [line["text"] for line in told if line.get("effect") in ("announce", "say")][1:] == ["Done."]
