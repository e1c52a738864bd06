"""The cloud out of reach, as the household meets it: the embedded agent answers in one go, and the cloud comes back."""

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cooee.mic import read_wav
from fakes import Peer, server
from running import COOEE, DAEMON, clean_env

pytestmark = pytest.mark.slow

LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"
CONFIG = """
[conversation]
follow_up_s = 0.0
[agent]
type = "deepgram"
url = "{url}"
fallback = "embedded"
[actions.desk_lamp]
type = "gpio"
pin = 17
description = "The lamp on the desk"
"""


def recording(folder: Path, *pauses_s: float) -> Path:
    """ "hey jarvis, turn on the lamp", said again after each pause."""
    lamp = read_wav(LAMP_WAV)
    parts = [lamp]
    for pause_s in pauses_s:
        parts += [np.zeros(round(pause_s * 16_000), np.int16), lamp]
    path = folder / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.concatenate(parts).astype("<i2").tobytes())
    return path


async def simulated(folder: Path, url: str, wav: Path) -> list[dict[str, Any]]:
    """`cooee simulate` on its own; what happened."""
    (folder / "config.toml").write_text(CONFIG.format(url=url))
    timeline = folder / "timeline.jsonl"
    command = [*COOEE, "simulate", str(wav), "--config", str(folder / "config.toml"), "--timeline", str(timeline)]
    env = clean_env(DEEPGRAM_API_KEY="k")
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.DEVNULL)
    try:
        assert await asyncio.wait_for(process.wait(), 100) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return [json.loads(line) for line in timeline.read_text().splitlines()]


async def frozen(peer: Peer) -> None:
    await peer.apply()
    peer.freeze()


async def answering(peer: Peer) -> None:
    """A cloud that confirms and answers whatever it hears for three seconds."""
    await peer.apply()
    # The line stands ready from when the cloud is back until the second sentence.
    await peer.until(lambda: len(peer.frames) > 40, within_s=60)
    await peer.say({"type": "ConversationText", "role": "user", "content": "Is it on?"})
    await peer.say(b"\x01\x00" * 12_000, {"type": "AgentAudioDone"})


async def test_with_the_cloud_frozen_the_lamp_is_switched_in_one_go_and_the_cloud_learns_of_it(tmp_path: Path) -> None:
    async with server(frozen, answering) as cloud:
        events = await simulated(tmp_path, cloud.url, recording(tmp_path, 14.0))
    names = [each["event"] for each in events]
    (pin,) = [each for each in events if each["event"] == "pin"]
    first_wake = next(each for each in events if each["event"] == "wake")
    assert pin["value"] is True
    assert pin["t"] - first_wake["t"] < 12
    assert names.count("user_text") == 2, "each sentence was understood once"
    last = cloud.peers[-1].settings
    assert last is not None
    history = last["agent"]["context"]["messages"]
    assert [each.get("content") for each in history if each.get("role") == "user"] == ["Turn on the lamp."]
    (call,) = [call for each in history for call in each.get("function_calls", ())]
    assert (call["name"], call["response"]) == ("desk_lamp", "The lamp on the desk is on.")
    assert "greeting" not in last["agent"]
