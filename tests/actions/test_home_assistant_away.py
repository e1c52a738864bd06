"""A real Home Assistant that comes late, goes in the middle of a call, comes back, and forgets things and the token."""

import asyncio
import contextlib
import logging

import pytest
from websockets.exceptions import ConnectionClosed

import hass as houses
from at_home import Speaker
from cooee.events import Acted

pytestmark = pytest.mark.slow

AWAY = "That did not work: Home Assistant can't be reached."


async def test_it_comes_late_goes_in_the_middle_comes_back_and_forgets(
    hass: houses.Hass, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`hass` only says whether there is one; this test has its own, since it treats it badly."""
    with caplog.at_level(logging.DEBUG), houses.running() as house:
        house.stop()
        monkeypatch.setenv("HOME_ASSISTANT_TOKEN", house.token)
        speaker = Speaker(house.url, time_limit_s=10.0)
        try:
            await _comes_late(speaker, house)
            await _goes_in_the_middle(speaker, house)
            await _comes_back(speaker, house)
            await _forgets_a_lamp(speaker, house)
            await _forgets_the_token(speaker, house)
        finally:
            speaker.actions.close()
        for secret in (house.token, str(house.port)):
            assert secret not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("cooee"))


async def _comes_late(speaker: Speaker, house: houses.Hass) -> None:
    await speaker.until_told("can't be reached")
    assert [function.name for function in speaker.actions.functions] == ["home"]
    assert await speaker.said("home") == AWAY
    await asyncio.to_thread(house.start)
    await speaker.until(lambda: bool(speaker.names("home_light")), 30)
    assert speaker.changes
    assert (await speaker.said("home")).startswith("Home Assistant is there, with")


async def _goes_in_the_middle(speaker: Speaker, house: houses.Hass) -> None:
    calling = asyncio.create_task(speaker.call("home_switch", name="Slow kettle", state="on"))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(house.stop, kill=True)
    acted = await asyncio.wait_for(calling, 5)
    assert isinstance(acted, Acted)
    assert not acted.ok
    assert acted.text == "Home Assistant went away meanwhile; it is not known whether that was done."
    began = asyncio.get_running_loop().time()
    said = await speaker.said("home_light", name="Ceiling light", state="on")
    assert said in (AWAY, "That did not work: Home Assistant has gone.")
    assert (await speaker.said("home_state", name="Ceiling light")).startswith("That did not work: Home Assistant")
    assert asyncio.get_running_loop().time() - began < 0.5, "what is away is not waited for"


async def _comes_back(speaker: Speaker, house: houses.Hass) -> None:
    await asyncio.to_thread(house.start)
    assert house.state("light.ceiling_light") == "off", "nothing was queued"
    await speaker.until_told("Home Assistant is there", 40)
    await speaker.until(lambda: "Ceiling light" in speaker.names("home_light"), 10)
    assert await speaker.said("home_light", name="Ceiling light", state="on") == "The ceiling light is on."
    assert house.state("light.ceiling_light") == "on"


async def _forgets_a_lamp(speaker: Speaker, house: houses.Hass) -> None:
    house.ask("config/entity_registry/remove", entity_id="light.ceiling_light")
    # Asked for before the functions have followed.
    said = await speaker.said("home_light", name="Ceiling light", state="off")
    assert "ceiling light is no longer in Home Assistant" in said
    await speaker.until(lambda: "Ceiling light" not in speaker.names("home_light"))


async def _forgets_the_token(speaker: Speaker, house: houses.Hass) -> None:
    (token,) = [each for each in house.ask("auth/refresh_tokens") if each["type"] == "long_lived_access_token"]
    with contextlib.suppress(ConnectionClosed):  # which ends this line as well
        house.ask("auth/delete_refresh_token", refresh_token_id=token["id"])
    await speaker.until_told("token")
    said = await speaker.said("home_switch", name="Coffee machine", state="on")
    assert said == (
        "That did not work: Home Assistant does not accept the token; it wants a new long-lived access token."
    )
