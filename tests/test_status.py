"""What `cooee status` knows, from what happened; and that it fits a screen."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from cooee import effects as do
from cooee import events as on
from cooee import screen
from cooee.config import parse
from cooee.effects import Outcome, Phase
from cooee.events import Trouble
from cooee.session.usage import ADD, TABLE
from cooee.status import Status
from cooee.store import Store

LOUD = (np.sin(np.arange(1280)) * 3276.8).astype("<i2").tobytes()


def status(store: Store | None = None) -> Status:
    config = parse('[speaker]\nvolume = 60\n[session]\ndaily_limit = "2m"\nmonthly_limit = "none"\n', "house.toml")
    mic, speaker = SimpleNamespace(name="USB mic"), SimpleNamespace(name="")
    return Status(config, store or Store(None), mic, speaker, 60, now=0.0)


def test_how_it_hears() -> None:
    it = status()
    it.watch(10.0, on.Heard(LOUD))
    assert it.moving(10.5)["ears"] == {"is_muted": False, "level_dbfs": -23.0, "silent_s": 0.5}
    assert it.moving(14.0)["ears"] == {"is_muted": False, "level_dbfs": -96.3, "silent_s": 4.0}
    it.watch(15.0, do.Show(Phase.MUTED, turn=3))
    assert (it.moving(15.0)["phase"], it.moving(15.0)["turn"]) == ("muted", 3)


def test_muted_is_told_when_the_microphone_is_shut_and_not_before() -> None:
    it = status()

    def is_muted(*items: on.Event | do.Effect) -> bool:
        for item in items:
            it.watch(1.0, item)
        return bool(it.moving(1.0)["ears"]["is_muted"])

    assert not is_muted(do.Capture(on=False), do.Show(Phase.MUTED))
    assert is_muted(on.MicShut())
    assert not is_muted(do.Capture(on=True))
    assert not is_muted(on.MicShut()), "one that was on its way when it was opened again"
    assert is_muted(do.Capture(on=False), on.MicShut())


def test_who_is_at_the_other_end_and_since_when() -> None:
    it = status()
    for item in (on.SessionUp("r-1", is_fallback=True), on.SettingsApplied()):
        it.watch(5.0, item)
    link = {"is_up": True, "is_stand_in": True, "up_s": 2.0, "request_id": "r-1", "trouble": ""}
    assert it.moving(7.0)["link"] == link
    it.watch(8.0, on.SessionDown("the agent is out of reach", Trouble.NETWORK))
    it.watch(8.0, do.Show(Phase.OFFLINE, trouble=Trouble.NETWORK))
    now = it.moving(9.0)
    assert (now["link"]["is_up"], now["link"]["trouble"]) == (False, "network")
    assert now["last_error"] == {"text": "the agent is out of reach", "ago_s": 1.0}


def test_a_line_that_ends_as_it_should_is_no_error() -> None:
    it = status()
    it.watch(1.0, on.SessionDown("idle"))
    assert it.moving(2.0)["last_error"] is None


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (on.MicLost("no microphone"), "no microphone"),
        (on.Acted(1, "c", "lamp", "SECRET", ok=False), "lamp did not work"),
        (on.Acted(1, "c", "SECRET", "SECRET", ok=False, is_known=False), "the agent asked for what is not"),
        (do.Report("1", Outcome.FAILED, "there is no voice"), "an announcement failed: there is no voice"),
    ],
)
def test_the_last_error_holds_nothing_that_was_said(item: on.Event | do.Effect, text: str) -> None:
    it = status()
    it.watch(1.0, on.UserText("SECRET"))
    it.watch(1.0, item)
    assert it.moving(1.0)["last_error"]["text"] == text
    assert "SECRET" not in json.dumps(it.moving(1.0))


def test_what_is_away_is_told_for_as_long_as_it_is() -> None:
    away = {"mqtt": "the MQTT broker can't be reached."}
    nobody = SimpleNamespace(name="")
    it = Status(parse(""), Store(None), nobody, nobody, 60, lambda: away, now=0.0)
    assert it.moving(1.0)["away"] == {"mqtt": "the MQTT broker can't be reached."}
    away.clear()
    assert it.moving(2.0)["away"] == {}


async def test_all_of_it_on_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import date

    store = Store(None)
    store.write(TABLE)
    store.write(ADD, date.today().isoformat(), 90.0, 0.1)
    it = status(store)
    it.watch(1.0, on.LoudnessSet(45))
    it.watch(1.0, on.SpeakerLost("no \x1b[31mloudspeaker"))
    known = await it.known()
    assert known["used"] == {"today_s": 90.0, "daily_limit_s": 120.0, "month_s": 90.0, "monthly_limit_s": None}
    assert json.loads(json.dumps(known)) == known
    screen.show(known)
    shown = capsys.readouterr().out
    for part in ("asleep, turn 0", "USB mic", "hey_jarvis", "embedded, none open", "45 %", "90 s of 2 min today"):
        assert part in shown
    assert "\x1b[31m" not in shown
    assert len(shown.splitlines()) < 20
