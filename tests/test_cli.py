"""The commands as a stranger finds them: what they print, and with which exit code they end."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from card import Card
from running import DAEMON, cooee

pytestmark = pytest.mark.slow

SHIPPED = DAEMON.parent / "config" / "config.toml"
SILENT_WAV = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data\0\x7d\0\0" + bytes(32000)
TWENTY_FAULTS = """
[mic]
devcie = "default"
type = "pulse"
gain_db = "loud"
channel = 99
[wake]
threshold = 5
trigger_frames = 0
words = []
refractory_s = -1
[conversation]
barge_in = "never"
preroll_s = 9.0
follow_up_s = "5"
[session]
keep = "forever"
hold_s = 0.0
keepalive_s = 20.0
[speaker]
volume = 101
period_ms = 1
[agent]
type = "embedded"
output_rate_hz = 12345
[service]
log_level = "loud"
[actions.desk_lamp]
type = "gpio"
pin = 99
[telephone]
number = 1
"""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([], "\n  cooee simulate\n"),
        (["run"], "--config"),
        (["simulate"], "--timeline"),
        (["check"], "--schema"),
        (["devices"], "--meter"),
        (["agent"], "--port"),
    ],
)
def test_every_command_explains_itself(command: list[str], says: str) -> None:
    done = cooee(*command, "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage:") and says in done.stdout
    assert done.stderr == "" and "..." not in done.stdout.replace("[ARGS]...", "")


def test_check_prints_every_fault_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(TWENTY_FAULTS)
    done = cooee("check", config)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    found = [line for line in lines if str(config) in line]
    assert len(found) >= 20, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert 'did you mean "device"' in done.stderr


@pytest.mark.parametrize("command", [["run"], ["devices", "--meter"]])
def test_no_command_starts_with_a_faulty_config(tmp_path: Path, command: list[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[mic]\ndevcie = 1\n")
    done = cooee(*command, "--config", config)
    assert done.returncode == (78 if command == ["run"] else 1)
    assert "devcie" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('[wake]\nwords = ["{file}"]\n', '"{file}" is not an ONNX model'),
        ('[mic]\ntype = "file"\nfile = "{file}"\n', "{file} is no WAV file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_said_in_a_sentence(tmp_path: Path, config: str, says: str) -> None:
    (file := tmp_path / "file.onnx").write_text("a text")
    (tmp_path / "config.toml").write_text(config.format(file=file))
    commands = {"run": 78, "devices --meter": 1} if "mic" in config else {"run": 78, "simulate": 2}
    for command, code in commands.items():
        done = cooee(*command.split(), "--config", tmp_path / "config.toml")
        assert done.returncode == code and says.format(file=file) in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_machine_without_pins_is_no_reason_for_warnings(tmp_path: Path) -> None:
    (tmp_path / "silence.wav").write_bytes(SILENT_WAV)
    (tmp_path / "config.toml").write_text("")
    options = ("--pins", "real", "--config", tmp_path / "config.toml")
    done = cooee("simulate", tmp_path / "silence.wav", *options, GPIOZERO_PIN_FACTORY="")
    assert done.returncode == 3
    assert "Warning" not in done.stderr and "PinFactory" not in done.stderr


def test_check_prints_what_the_agent_will_see(tmp_path: Path) -> None:
    done = cooee("check", SHIPPED)
    assert done.returncode == 0, done.stderr
    assert "no faults" in done.stdout
    assert "desk_lamp(state: on|off|toggle" in done.stdout and "The lamp on the desk" in done.stdout
    assert "forget_conversation" in done.stdout and "change_persona" not in done.stdout
    (tmp_path / "config.toml").write_text('[personas.butler]\nprompt = "You are a butler."\n')
    assert "change_persona" in cooee("check", tmp_path / "config.toml").stdout


def test_check_warns_of_what_is_not_here_and_finds_no_fault_in_it(tmp_path: Path) -> None:
    text = '[actions.run]\ntype = "command"\ndescription = "Runs it"\ncommand = ["no-such-program"]\n'
    (tmp_path / "config.toml").write_text(text)
    done = cooee("check", tmp_path / "config.toml")
    assert done.returncode == 0 and "no faults" in done.stdout
    (warning,) = done.stderr.splitlines()
    assert ":4: warning: [actions.run] command: there is no such program here" in warning


def test_a_config_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = cooee("check", tmp_path / "nothing.toml")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "nothing.toml") in done.stderr


def test_the_schema_is_one() -> None:
    done = cooee("check", "--schema")
    schema = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"mic", "wake", "conversation", "session", "speaker", "agent", "lights"} <= schema["properties"].keys()


@pytest.mark.parametrize(
    "devices", ["pcm.default { type null }\nctl.default { type null }\n", "pcm.none { type null }\n"]
)
def test_without_a_sound_card_devices_says_so(tmp_path: Path, devices: str) -> None:
    (tmp_path / "asound.conf").write_text(devices)
    done = cooee("devices", ALSA_CONFIG_PATH=str(tmp_path / "asound.conf"))
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.strip()


def test_devices_lists_a_card_with_what_to_paste(tmp_path: Path) -> None:
    card = Card(tmp_path / "card").start()
    done = cooee("devices", **card.env)
    assert done.returncode == 0 and done.stderr == ""
    assert '"card"' in done.stdout and "48 kHz" in done.stdout
    assert '"default"  (the default microphone and loudspeaker)' in done.stdout


def test_devices_breaks_no_name_that_is_to_be_pasted(tmp_path: Path) -> None:
    card, name = Card(tmp_path / "card").start(), "a_rather_long_name_of_a_card_" * 3
    card.add(name, Card(tmp_path / "other").start())
    assert f'"{name}"' in cooee("devices", COLUMNS="40", **card.env).stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "in use"),
        (["--host", "0.0.0.0"], "--beyond-loopback"),
        (["--host", "nowhere.invalid"], 'knows no host "nowhere.invalid"'),
        (["--host", "a" * 70], "knows no host"),
    ],
)
def test_an_agent_that_cannot_listen_says_why(options: list[str], says: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = cooee("agent", "--port", taken.getsockname()[1], *options)
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert says in line and "can't listen on" in line


def test_a_checkout_that_was_moved_is_set_up_anew_and_only_then(tmp_path: Path) -> None:
    (programs := tmp_path / "venv" / "bin").mkdir(parents=True)
    for name, does in {"cooee": "", "pip": f"echo {programs}/", "python": f'echo "$*" >>{tmp_path}/calls'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)

    def set_up(place: str) -> int:
        """How often something was installed."""
        (tmp_path / "calls").write_text("")
        (daemon := tmp_path / place / "daemon").mkdir(parents=True, exist_ok=True)
        (daemon / "setup").write_bytes((DAEMON / "setup").read_bytes())
        (daemon.parent / "pyproject.toml").write_text("")
        script = f". {daemon}/setup; system_packages() {{ :; }}; set_up speaker '' -e ."
        environment = {**os.environ, "COOEE_VENV": str(tmp_path / "venv")}
        subprocess.run(["bash", "-c", script], env=environment, check=True, capture_output=True)
        return (tmp_path / "calls").read_text().count("pip install")

    assert set_up("here") > 0 and set_up("here") == 0
    assert set_up("there") > 0 and set_up("there") == 0
