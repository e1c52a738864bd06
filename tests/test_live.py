"""What changes on the open line while the speaker runs: a config read anew, a history that somebody else cleared."""

import asyncio
import contextlib
import signal
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fakes import Peer, Server, server
from running import COOEE, clean_env

pytestmark = pytest.mark.slow

CONFIG = """
[mic]
type = "file"
file = "{folder}/silence.wav"
[speaker]
type = "file"
file = "{folder}/reply.wav"
[session]
keep = "always"
[agent]
type = "deepgram"
url = "{url}"
fallback = ""
prompt = "Be kind."
"""
LAMP = '[actions.lamp]\ntype = "command"\ncommand = ["true"]\ndescription = "The lamp on the desk"\n'


class Daemon:
    """`cooee run` with silence for a microphone and an agent on loopback."""

    def __init__(self, folder: Path, it: Server) -> None:
        self.file = folder / "config.toml"
        self.text = CONFIG.format(folder=folder, url=it.url)
        self.file.write_text(self.text)
        self.env = clean_env(DEEPGRAM_API_KEY="k", STATE_DIRECTORY=str(folder / "state"))
        self.log = folder / "stderr"

    async def start(self) -> None:
        with self.log.open("wb") as errors:
            command = (*COOEE, "run", "--config", str(self.file))
            self.process = await asyncio.create_subprocess_exec(*command, env=self.env, stderr=errors)

    def reload(self, text: str) -> None:
        self.file.write_text(text)
        self.process.send_signal(signal.SIGHUP)

    async def run(self, *arguments: str) -> str:
        done = await asyncio.create_subprocess_exec(
            *COOEE, *arguments, env=self.env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await done.communicate()
        return out.decode()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def daemon(folder: Path, *scripts: object) -> AsyncIterator[tuple[Daemon, Server]]:
    with wave.open(str(folder / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000 * 60))
    async with server(*scripts) as it:  # type: ignore[arg-type]
        speaker = Daemon(folder, it)
        await speaker.start()
        try:
            await speaker.until(lambda: it.peers and it.peers[0].applied_at)
            yield speaker, it
        finally:
            speaker.process.terminate()
            await speaker.process.wait()


async def remember(peer: Peer) -> None:
    await peer.apply()
    await peer.say({"type": "History", "role": "user", "content": "my secret"})
    await peer.say({"type": "History", "role": "assistant", "content": "noted"})


async def test_a_config_read_anew_is_told_on_the_open_line_and_a_faulty_one_changes_nothing(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (speaker, it):
        (peer,) = it.peers
        speaker.reload(speaker.text.replace("Be kind.", "Be brief.") + LAMP)
        await speaker.until(lambda: peer.of("UpdateThink"))
        think = peer.of("UpdateThink")[-1]["think"]
        assert think["prompt"] == "Be brief."
        assert "lamp" in [function["name"] for function in think["functions"]]
        speaker.reload(speaker.text.replace('keep = "always"', 'keep = "sometimes"'))
        await speaker.until(lambda: "stay as they are" in speaker.log.read_text())
        speaker.reload(speaker.text + '[agent.speak]\ntype = "deepgram"\nmodel = "aura-2-zeus-en"\n')
        await speaker.until(lambda: peer.of("UpdateSpeak"))
        assert peer.of("UpdateSpeak")[-1]["speak"]["provider"]["model"] == "aura-2-zeus-en"
        assert "lamp" not in str(peer.of("UpdateThink")[-1]), "an action that is gone is not offered any more"
        assert len(it.peers) == 1 and not peer.ended_at


async def test_a_history_cleared_by_another_process_is_forgotten_by_the_agent_too(tmp_path: Path) -> None:
    async with daemon(tmp_path, remember) as (speaker, it):
        for _ in range(100):
            if "my secret" in await speaker.run("history", "show"):
                break
        assert "2 messages removed" in await speaker.run("history", "clear")
        await speaker.until(lambda: len(it.peers) == 2 and it.peers[1].settings and it.peers[0].ended_at)
        assert "context" not in it.peers[1].settings["agent"]  # type: ignore[index]
        kept = b"".join(path.read_bytes() for path in (tmp_path / "state").glob("cooee.db*"))
        assert kept.count(b"my secret") <= 1, "only what the new line said again may stand there"


async def test_a_history_survives_a_restart_and_is_not_greeted_again(tmp_path: Path) -> None:
    async with daemon(tmp_path, remember) as (speaker, it):
        await speaker.until(lambda: it.peers[0].applied_at)
        await asyncio.sleep(0.3)
        speaker.process.kill()
        await speaker.process.wait()
        await speaker.start()
        await speaker.until(lambda: len(it.peers) == 2 and it.peers[1].settings)
        settings = it.peers[1].settings
        assert settings and [each["content"] for each in settings["agent"]["context"]["messages"]] == [
            "my secret",
            "noted",
        ]
