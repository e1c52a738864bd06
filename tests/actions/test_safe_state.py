"""However the speaker ends, and first of all when it begins, every output is in its safe state."""

import asyncio
import os
import signal
import time
import wave
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from cooee.app import App
from cooee.config import parse
from cooee.effects import Act
from cooee.events import Call
from cooee.wake import Wake
from logged_pins import LOG, LoggedPin, install, written
from running import DAEMON, Running

LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"
LAMP, HEATER, VALVE, STRIP = 17, 18, 22, 23
SAFE = {LAMP: 0.0, HEATER: 1.0, VALVE: 1.0, STRIP: 0.0}
OUTPUTS = """
[mic]
type = "file"
file = "{wav}"
[speaker]
type = "file"
file = "{folder}/reply.wav"
[actions.desk_lamp]
type = "gpio"
pin = 17
description = "The lamp on the desk"
[actions.heater]
type = "gpio"
pin = 18
description = "The heater"
active_high = false
risk = "safe"
[actions.valve]
type = "gpio"
pin = 22
description = "The valve of the pond"
initial = "on"
risk = "safe"
[actions.strip]
type = "gpio"
pin = 23
kind = "pwm"
description = "The strip under the shelf"
"""


def told_to_turn_on_the_lamp(folder: Path, env: dict[str, str]) -> Running:
    return Running(folder, OUTPUTS.format(wav=LAMP_WAV, folder=folder), env, notify=f"@{os.getpid()}-{folder.name}")


def wait_for_the_lamp(speaker: Running, env: dict[str, str]) -> None:
    deadline_s = time.monotonic() + 40
    while not any((each.pin, each.value) == (LAMP, 1) for each in written(env, speaker.process.pid)):
        assert time.monotonic() < deadline_s and speaker.process.is_running(), speaker.stderr
        time.sleep(0.05)


@pytest.mark.slow
def test_after_sigterm(tmp_path: Path) -> None:
    env = install(tmp_path, str(DAEMON))
    with told_to_turn_on_the_lamp(tmp_path, env) as speaker:
        wait_for_the_lamp(speaker, env)
        code, _ = speaker.terminate()
    assert code == 0
    assert {each.pin: each.value for each in written(env, speaker.process.pid)} == SAFE


@pytest.mark.slow
def test_after_kill_and_a_new_start_before_anything_else(tmp_path: Path) -> None:
    env = install(tmp_path, str(DAEMON))
    with told_to_turn_on_the_lamp(tmp_path, env) as killed:
        wait_for_the_lamp(killed, env)
        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
    assert [each.value for each in written(env, killed.process.pid) if each.pin == LAMP][-1] == 1, "left on"
    with told_to_turn_on_the_lamp(tmp_path, env) as speaker:
        ready_s = speaker.wait_for("READY=1")
        began = written(env, speaker.process.pid)
    first = {each.pin: each for each in reversed(began)}
    assert {pin: each.value for pin, each in first.items()} == SAFE
    assert all(each.at_s < ready_s and each.is_first for each in first.values())


class Broke(Exception):
    pass


async def test_after_a_crash_in_another_room(
    tmp_path: Path, pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins.pin_class = LoggedPin
    monkeypatch.setenv(LOG, str(tmp_path / "pins.jsonl"))
    with wave.open(str(tmp_path / "silence.wav"), "wb") as silence:
        silence.setparams((1, 2, 16000, 0, "NONE", ""))
        silence.writeframes(bytes(64000))
    agent = '[agent]\ntype = "deepgram"\nurl = "ws://127.0.0.1:9/"\nfallback = ""\n'
    text = OUTPUTS.format(wav=tmp_path / "silence.wav", folder=tmp_path)
    app = App(parse(agent + text))
    running = asyncio.create_task(app.run())
    calls = (("desk_lamp", "on"), ("heater", "on"), ("valve", "off"), ("strip", "on"))
    for name, state in calls:
        await app.rooms.actions.run(Act(1, Call(name, name, {"state": state})))
    assert {pin: pins.pin(pin).state for pin in SAFE} == {pin: 1 - state for pin, state in SAFE.items()}

    def score(*_: object) -> None:
        raise Broke

    monkeypatch.setattr(Wake, "score", score)
    with pytest.raises(BaseException) as died:
        await asyncio.wait_for(running, 10)
    assert died.group_contains(Broke) if isinstance(died.value, BaseExceptionGroup) else died.errisinstance(Broke)
    assert {each.pin: each.value for each in written(os.environ, os.getpid())} == SAFE
