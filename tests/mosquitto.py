"""A real mosquitto on loopback, started and ended by a test, and somebody else at it."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest

# Debian keeps it where only root's PATH looks.
PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


class Mosquitto:
    """A context manager; `kill` and `start` may be called in between, the port stays."""

    def __init__(self, folder: Path, *lines: str) -> None:
        if PROGRAM is None:
            pytest.skip("mosquitto is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text("\n".join([f"listener {self.port} 127.0.0.1", *(lines or ["allow_anonymous true"]), ""]))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(PROGRAM), "-c", str(self._conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + 10
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < until_s and self._process.poll() is None, "mosquitto does not start"
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


class Home:
    """Somebody else at the broker. `heard`: what came, as (topic, text, whether the broker had kept it)."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.heard: list[tuple[str, str, bool]] = []
        self._client = client
        self._news = asyncio.Event()
        self._answers: list[tuple[str, Callable[[str], list[tuple[str, str]]]]] = []

    def last(self, topic: str) -> str | None:
        return next((text for each, text, _ in reversed(self.heard) if each == topic), None)

    def answer(self, topic: str, answers: Callable[[str], list[tuple[str, str]]]) -> None:
        """What is published whenever something comes for the topic."""
        self._answers.append((topic, answers))

    async def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        await self._client.publish(topic, payload, 1, retain)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def listen(self) -> None:
        await self._client.subscribe("#", 1)
        async for message in self._client.messages:
            topic, text = str(message.topic), bytes(message.payload).decode(errors="replace")  # type: ignore[arg-type]
            self.heard.append((topic, text, message.retain))
            self._news.set()
            for asked, answers in self._answers:
                for reply in answers(text) if asked == topic else ():
                    await self.publish(*reply)


@asynccontextmanager
async def at_home(broker: Mosquitto, **options: str) -> AsyncIterator[Home]:
    async with aiomqtt.Client("127.0.0.1", broker.port, **options) as client:  # type: ignore[arg-type]
        home = Home(client)
        listening = asyncio.create_task(home.listen())
        try:
            yield home
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await listening
