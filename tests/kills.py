"""Speakers that are killed at random moments, a hundred times; `python -m kills COUNT`.

Prints what they did, as JSON. What is kept has to be whole, up to the last finished turn, and nothing is done twice.
"""

import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from fakes import Peer, Server, server
from running import DAEMON, Running

LAMP_WAV = DAEMON / "cooee" / "sounds" / "hey_jarvis_turn_on_the_lamp.wav"
LANES = 4
SLACK_S = 0.3
"""The meter may be behind the server by so much for each line: from the upgrade's answer to the first count."""
PIECE = b"\x00\x10" * 2400
FRAMES = 6
"""So much is heard before a turn is taken for one."""
CONFIG = """
[mic]
type = "file"
file = "{wav}"
[speaker]
type = "file"
file = "{folder}/reply.wav"
[agent]
type = "deepgram"
url = "{url}"
fallback = ""
[session]
backoff_first_s = 0.1
history_messages = 200
[actions.note]
type = "command"
description = "Writes something down"
command = ["sh", "-c", 'echo "$1" >> "{folder}/book"; sleep 0.1', "sh", "{{text}}"]
[actions.note.parameters.text]
type = "string"
"""


class Lane:
    """A speaker that is killed again and again, and the vendor that it talks to, who has a better memory."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.finished: list[dict[str, Any]] = []
        self.due_s: dict[int, float] = {}
        self.faults: list[str] = []
        self.turns = self.cuts = 0
        self._dice = dice
        self._ids: list[str] = []
        self._server: Server | None = None
        self._speaker: Running | None = None
        self._life = 0

    async def run(self, kills: int) -> None:
        self.folder.mkdir()
        async with server(self._script) as self._server:
            for number in range(kills):
                await self._live(number)
                self._look_at_what_is_kept()

    async def _live(self, number: int) -> None:
        assert self._server
        self._life = len(self._server.peers)
        config = CONFIG.format(wav=LAMP_WAV, folder=self.folder, url=self._server.url)
        env = {"DEEPGRAM_API_KEY": "no-real-key", "STATE_DIRECTORY": str(self.state)}
        with Running(self.folder, config, env, notify=f"@{os.getpid()}-{self.folder.name}-{number}") as speaker:
            self._speaker = speaker
            if number % 8 == 0:
                await asyncio.sleep(self._dice.uniform(0, 4))
            else:
                async with asyncio.timeout(60):
                    while not speaker.since(0, "READY=1"):
                        await asyncio.sleep(0.02)
                await asyncio.sleep(self._dice.uniform(0.5, 4))
            assert speaker.process.poll() is None, speaker.stderr
        for word in ("Traceback", "damaged", "ERROR"):
            assert word not in speaker.stderr, speaker.stderr

    async def _script(self, peer: Peer) -> None:
        await peer.apply()
        told = peer.settings["agent"].get("context", {}).get("messages", []) if peer.settings else []
        if self.finished and self.finished[-1] not in told:
            self.faults.append(f"the next line was not told {self.finished[-1]['content']}")
        seen = injected = 0
        while not peer.ended_at:
            with suppress(TimeoutError):
                await peer.until(
                    lambda at=seen, of=injected: len(peer.frames) > at + FRAMES or len(_injected(peer)) > of
                )
            if len(_injected(peer)) > injected:
                injected = len(_injected(peer))
                await self._reply(peer, again=True)
            elif len(peer.frames) > seen + FRAMES:
                await self._take_turn(peer)
            seen = len(peer.frames)

    async def _take_turn(self, peer: Peer) -> None:
        """Words, calls (one is new, some were asked for before), the answers, a reply."""
        self.turns += 1
        said = {"type": "History", "role": "user", "content": f"sentence {self.turns}"}
        await peer.say({"type": "UserStartedSpeaking"}, {**said, "type": "ConversationText"}, said)
        self._ids.append(f"{self.folder.name}-{self.turns}")
        await self._reply(peer, said)

    async def _reply(self, peer: Peer, *said: dict[str, Any], again: bool = False) -> None:
        """`again`: for a line that broke; the vendor asks for the same once more."""
        new = self._ids[-1]
        old = self._dice.sample(self._ids[:-1], min(3, len(self._ids) - 1))
        ids = self._dice.sample([new, *old], len(old) + 1)
        requests = [_request(each, f"{each} by {new}") for each in (*ids, *ids[:1])]
        await peer.say({"type": "FunctionCallRequest", "functions": requests})
        if not again and self._dice.random() < 0.2:
            self.cuts += 1
            await asyncio.sleep(self._dice.uniform(0, 0.2))
            peer.abort()
            return
        with suppress(TimeoutError):
            await peer.until(
                lambda: set(ids) <= {each["id"] for each in peer.of("FunctionCallResponse")} or peer.ended_at
            )
            await self._speak(peer, new, said)
            return
        self.faults.append(f"a call of {ids} was never answered: {peer.of('FunctionCallResponse')}")

    async def _speak(self, peer: Peer, new: str, said: tuple[dict[str, Any], ...]) -> None:
        done = {"type": "History", "role": "assistant", "content": f"{new} is dealt with."}
        response = next((each for each in peer.of("FunctionCallResponse") if each["id"] == new), None)
        if response is None or peer.ended_at:
            return
        called = {**_request(new, new), "response": response["content"]}
        asked = {"type": "History", "function_calls": [called]}
        await peer.say(asked, {**done, "type": "ConversationText"}, *[PIECE] * 3, done, {"type": "AgentAudioDone"})
        life, connected_s = self._life, self._connected_s()
        if await self._sounded(time.monotonic()):
            self.finished += [*said, asked, done]
            self.due_s[life] = connected_s

    async def _sounded(self, since_s: float) -> bool:
        """Whether the reply came to its end, as the supervisor is told."""
        for _ in range(250):
            notes = self._speaker.notes if self._speaker else []
            phases = [(at_s, note) for at_s, note in notes if note.startswith("STATUS=")]
            if any(before == "STATUS=speaking" and at_s > since_s for (_, before), (at_s, _) in pairwise(phases)):
                return True
            await asyncio.sleep(0.02)
        return False

    def _connected_s(self) -> float:
        """What this life has cost so far."""
        peers = self._server.peers[self._life :] if self._server else []
        now = asyncio.get_running_loop().time()
        return sum((peer.ended_at or now) - peer.opened_at - SLACK_S for peer in peers)

    def _look_at_what_is_kept(self) -> None:
        assert self.faults == []
        book = self.folder / "book"
        times = Counter(line.split()[0] for line in book.read_text().splitlines()) if book.exists() else Counter()
        assert not [each for each, count in times.items() if count > 1]
        assert not list(self.state.glob("*.damaged*"))
        if not self.finished:
            return
        with closing(sqlite3.connect(self.state / "cooee.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            kept = iter(
                [json.loads(message) for (message,) in database.execute("SELECT message FROM history ORDER BY id")]
            )
            ((used_s,),) = database.execute("SELECT total(seconds) FROM usage")
        missing = [message for message in self.finished[-60:] if message not in kept]
        assert missing == [], "in this order"
        assert used_s >= sum(self.due_s.values())


def _request(id: str, text: str) -> dict[str, Any]:
    return {"id": id, "name": "note", "client_side": True, "arguments": json.dumps({"text": text})}


def _injected(peer: Peer) -> list[dict[str, Any]]:
    return [*peer.of("InjectUserMessage"), *peer.of("InjectAgentMessage")]


async def kill(folder: Path, count: int) -> dict[str, int]:
    """Raises AssertionError for whatever was lost, damaged or done twice."""
    lanes = [Lane(folder / f"lane{number}", random.Random(number)) for number in range(LANES)]
    async with asyncio.TaskGroup() as tasks:
        for number, lane in enumerate(lanes):
            tasks.create_task(lane.run(len(range(number, count, LANES))))
    finished = sum(len(lane.finished) // 3 for lane in lanes)
    return {"kills": count, "begun": sum(lane.turns for lane in lanes), "finished": finished}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="kills") as place:
        print(json.dumps(asyncio.run(kill(Path(place), int(sys.argv[1])))))
