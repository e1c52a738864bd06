"""Thermometers: what is told, what is not believed, and what they set off."""

import asyncio
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cooee.actions import Action, Unsure, gpio
from cooee.actions._gpio_reading import Reading
from cooee.actions._when import Trigger
from cooee.actions.gpio import Settings
from cooee.events import Event, SayWanted

WARM = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
FROST = "c8 ff 4b 46 7f ff 08 10 6c : crc=6c YES\nc8 ff 4b 46 7f ff 08 10 6c t=-3500\n"
WRONG_SUM = WARM.replace("YES", "NO")
SHORTED = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n"
FRESH = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)


def said(seen: list[Event]) -> list[str]:
    return [event.text for event in seen if isinstance(event, SayWanted)]


def thermometer(folder: Path, text: str = WARM, serial: str = "28-0316a2797f21") -> Path:
    (folder / serial).mkdir(exist_ok=True)
    (folder / serial / "w1_slave").write_text(text)
    return folder


def greenhouse(folder: Path, **settings: Any) -> tuple[Action, list[Event]]:
    seen: list[Event] = []
    whole = {"description": "The temperature in the greenhouse", "kind": "temperature", "folder": str(folder)}
    return gpio.open("it", Settings(**whole, **settings), seen.append), seen


async def test_a_temperature_is_told_with_its_unit(tmp_path: Path) -> None:
    warm, _ = greenhouse(thermometer(tmp_path))
    assert await warm.run({}) == "The temperature in the greenhouse is 23.1 degrees Celsius."
    thermometer(tmp_path, FROST)
    assert await warm.run({}) == "The temperature in the greenhouse is minus 3.5 degrees Celsius."
    abroad, _ = greenhouse(tmp_path, unit="fahrenheit")
    assert await abroad.run({}) == "The temperature in the greenhouse is 25.7 degrees Fahrenheit."


@pytest.mark.parametrize("text", [WRONG_SUM, SHORTED, FRESH, "", "\n", "nonsense", "t=23125"])
async def test_a_temperature_that_can_not_be_read_is_unknown(tmp_path: Path, text: str) -> None:
    broken, _ = greenhouse(thermometer(tmp_path, text))
    with pytest.raises(Unsure, match="is not known: its thermometer can't be read"):
        await broken.run({})


async def test_a_thermometer_that_is_not_there_and_one_too_many(tmp_path: Path) -> None:
    none, _ = greenhouse(tmp_path)
    with pytest.raises(Unsure, match="there is no thermometer"):
        await none.run({})
    thermometer(thermometer(tmp_path), FROST, "28-000000000001")
    with pytest.raises(Unsure, match="several thermometers and no serial"):
        await none.run({})
    one, _ = greenhouse(tmp_path, serial="28-000000000001")
    assert "minus 3.5" in await one.run({})
    gone, _ = greenhouse(tmp_path, serial="28-000000000002")
    with pytest.raises(Unsure, match="is not known: its thermometer does not answer"):
        await gone.run({})


async def test_a_thermometer_that_takes_its_time_does_not_hold_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    read_text = Path.read_text

    def slowly(path: Path, encoding: str | None = None) -> str:
        assert free.wait(5)
        return read_text(path, encoding)

    monkeypatch.setattr(Path, "read_text", slowly)
    warm, _ = greenhouse(tmp_path, serial="28-000000000001")
    (tmp_path / "28-000000000001").mkdir()
    (tmp_path / "28-000000000001" / "w1_slave").write_text(WARM)
    task = asyncio.create_task(warm.run({}))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    free.set()
    assert "23.1" in await task


async def test_frost_is_told_also_if_it_was_there_from_the_start_and_again_after_a_thaw(tmp_path: Path) -> None:
    warn = {"say": "It is freezing in the greenhouse."}
    it, seen = greenhouse(
        thermometer(tmp_path, FROST), active_below=3.0, every_s=0.2, cooldown_s=0.0, on_active=warn,
        on_inactive={"say": "It has thawed."},
    )  # fmt: skip
    await until(lambda: said(seen))
    thermometer(tmp_path, WRONG_SUM)
    thermometer(tmp_path, WARM)
    await until(lambda: len(said(seen)) == 2)
    thermometer(tmp_path, FROST)
    await until(lambda: len(said(seen)) == 3)
    it.close()
    assert said(seen) == [warn["say"], "It has thawed.", warn["say"]]


async def test_a_temperature_at_the_border_does_not_flutter() -> None:
    settings = Settings(description="The cellar", kind="temperature", active_above=25.0, margin=0.5,
                        cooldown_s=0.0, on_active={"say": "Hot."}, on_inactive={"say": "Cool."})  # fmt: skip
    seen: list[Event] = []
    it = Reading(
        gpio.declare("it", settings), settings, "celsius", (-55, 125), lambda: 0.0, Trigger("it", settings, seen.append)
    )
    it.close()
    for value in (24.9, 25.1, 24.9, 24.6, 25.1, 24.4, 24.9, 25.1):
        it._compare(value)
    assert said(seen) == ["Hot.", "Cool.", "Hot."]


async def test_no_pin_library_is_touched_for_a_thermometer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpiozero import Device

    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    with warnings.catch_warnings():
        warm, _ = greenhouse(thermometer(tmp_path), pin=4)
        assert "23.1" in await warm.run({})
