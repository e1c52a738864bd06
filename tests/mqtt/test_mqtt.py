"""The room at a real broker: what Home Assistant would find there, and what comes of what it wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cooee import effects as do
from cooee import events as on
from cooee.effects import Phase
from cooee.events import Event
from cooee.mqtt import COMMANDS_PER_S, Mqtt
from cooee.mqtt.discovery import ENTITIES
from cooee.settings import Mqtt as Settings
from mosquitto import Home, Mosquitto, at_home

pytestmark = pytest.mark.slow

SET = "cooee/hall/{}/set"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as it:
        yield it


class Speaker:
    """What the room posts, and a volume that is set."""

    def __init__(self, port: int, **settings: Any) -> None:
        self.posted: list[Event] = []
        self.volumes: list[int] = []
        table = Settings(host="127.0.0.1", port=port, id="hall", name="Hall speaker", **settings)
        self.percent = 70
        self.room = Mqtt(table, self.posted.append)

    def percent_set(self) -> int | None:
        return self.volumes[-1] if self.volumes else None

    async def set(self, percent: int) -> int:
        self.volumes.append(percent)
        self.room.watch(0.0, on.LoudnessSet(percent))
        return percent

    async def status(self) -> dict[str, Any]:
        return {"used": {"today_s": 600.0}}

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(broker: Mosquitto, **settings: Any) -> AsyncIterator[Speaker]:
    speaker = Speaker(broker.port, **settings)
    task = asyncio.create_task(speaker.room.run(speaker, speaker.status))
    try:
        await speaker.until(lambda: not speaker.room.away)
        yield speaker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def shown(home: Home) -> dict[str, str | None]:
    return {key: home.last(f"cooee/hall/{key}") for key in ("state", "mute", "volume", "error", "usage", "status")}


async def test_who_comes_later_finds_the_whole_speaker(broker: Mosquitto) -> None:
    async with running(broker) as speaker:
        speaker.room.watch(0.0, do.Show(Phase.LISTENING))
        speaker.room.watch(0.0, on.Heard(b"", wake="hey_jarvis"))
        async with at_home(broker) as first:
            await first.until(lambda: first.last("cooee/hall/usage") == "10.0")
        async with at_home(broker) as home:
            await home.until(lambda: None not in shown(home).values())
            assert shown(home) == {
                "state": "listening",
                "mute": "OFF",
                "volume": "70",
                "error": "none",
                "usage": "10.0",
                "status": "online",
            }
            told = [topic for topic, *_ in home.heard if topic.startswith("homeassistant/")]
            assert sorted(told) == sorted(f"homeassistant/{e['p']}/hall/{key}/config" for key, e in ENTITIES.items())
            assert home.last("cooee/hall/wake") is None
            assert all(is_retained for *_, is_retained in home.heard)


async def test_home_assistant_that_starts_anew_is_told_again(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker, discovery="device"):
        await home.until(lambda: home.last("cooee/hall/status") == "online")
        home.heard.clear()
        await home.publish("homeassistant/status", "online")
        await home.until(lambda: home.last("cooee/hall/status") == "online")
        assert len(json.loads(home.last("homeassistant/device/hall/config") or "")["cmps"]) == len(ENTITIES)


async def test_another_form_takes_the_first_one_back(broker: Mosquitto) -> None:
    async with running(broker):
        pass
    async with running(broker, discovery="device"):
        pass
    async with at_home(broker) as home:
        await home.until(lambda: home.last("homeassistant/device/hall/config"))
        kept = {topic for topic, text, _ in home.heard if topic.startswith("homeassistant/") and text}
        assert kept == {"homeassistant/device/hall/config"}


async def test_what_is_wanted_is_posted_and_what_is_so_is_shown(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker) as speaker:
        await home.publish(SET.format("mute"), "ON")
        await home.publish(SET.format("say"), "Dinner is ready")
        await home.publish(SET.format("volume"), "30")
        await home.until(lambda: home.last("cooee/hall/volume") == "30")
        muted, said = speaker.posted
        assert isinstance(muted, on.Muted)
        assert isinstance(said, on.SayWanted) and said.text == "Dinner is ready"
        # It is not so before the capture device is closed.
        assert home.last("cooee/hall/mute") == "OFF"
        speaker.room.watch(0.0, do.Capture(on=False))
        speaker.room.watch(0.0, on.MicShut())
        await home.until(lambda: home.last("cooee/hall/mute") == "ON")


async def test_what_can_not_be_wanted_is_put_right(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker) as speaker:
        await home.until(lambda: home.last("cooee/hall/status") == "online")
        home.heard.clear()
        await home.publish(SET.format("volume"), "500")
        await home.until(lambda: home.last("cooee/hall/volume") == "70")
        assert speaker.volumes == []


async def test_what_is_too_long_to_be_said_is_told_of(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker) as speaker:
        await home.publish(SET.format("say"), "la " * 1000)
        await home.until(lambda: "it may have 1000" in (home.last("cooee/hall/error") or ""))
        assert speaker.posted == []


async def test_a_kept_command_is_not_done_on_every_start(broker: Mosquitto) -> None:
    async with at_home(broker) as home:
        await home.publish(SET.format("talk"), "PRESS", retain=True)
        async with running(broker) as speaker:
            await home.publish(SET.format("stop"), "PRESS")
            await speaker.until(lambda: speaker.posted)
            assert [type(event) for event in speaker.posted] == [on.Stopped]


async def test_a_storm_of_commands_does_not_flood_the_speaker(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker) as speaker:
        for _ in range(500):
            await home.publish(SET.format("talk"), "PRESS")
        await home.publish("end", "")
        await home.until(lambda: home.last("end") is not None)
        assert 1 <= len(speaker.posted) <= 5 * COMMANDS_PER_S
        assert not speaker.room.away


async def test_in_a_storm_mute_and_stop_are_heard_and_the_last_value_holds(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker) as speaker:
        for number in range(200):
            await home.publish(SET.format("talk"), "PRESS")
            await home.publish(SET.format("mute"), "OFF")
            await home.publish(SET.format("volume"), str(number % 90))
        await home.publish(SET.format("mute"), "ON")
        await home.publish(SET.format("stop"), "PRESS")
        await home.publish(SET.format("volume"), "33")
        await speaker.until(lambda: speaker.percent_set() == 33)
        muting = [event for event in speaker.posted if isinstance(event, on.Muted | on.Unmuted)]
        assert isinstance(muting[-1], on.Muted)
        assert len(muting) + len(speaker.volumes) < 300
        assert any(isinstance(event, on.Stopped) for event in speaker.posted)
        await home.publish(SET.format("mute"), "OFF")
        await speaker.until(lambda: isinstance(speaker.posted[-1], on.Unmuted))


async def test_a_question_too_many_is_answered_as_that(broker: Mosquitto) -> None:
    async with at_home(broker) as home, running(broker) as speaker:
        for _ in range(5 * COMMANDS_PER_S):
            await home.publish(SET.format("ask"), "Tea or coffee?")
        await home.until(lambda: home.last("cooee/hall/answer") is not None)
        assert json.loads(home.last("cooee/hall/answer") or "")["event_type"] == "full"
        assert not speaker.room.away


async def test_without_a_broker_in_the_config_there_is_nothing_to_do() -> None:
    speaker = Speaker(1883)
    room = Mqtt(Settings(), print)
    await room.run(speaker, speaker.status)
    room.watch(0.0, do.Show(Phase.LISTENING))
    assert room.away == "there is no MQTT broker; [mqtt] host would name it."
    assert room.missed == "", "nobody misses what is not wanted"
    with pytest.raises(ConnectionError, match="host would name it"):
        await room.publish("a", "b")
