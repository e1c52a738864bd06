"""The status as people read it."""

from typing import Any

import pytest

from cooee import screen

KNOWN: dict[str, Any] = {
    "version": "1.0",
    "config": "/etc/cooee/config.toml",
    "agent": "deepgram",
    "wake_words": ["hey_jarvis"],
    "devices": {"mic": "USB mic", "speaker": "USB speaker", "lights": "none", "actions": 3},
    "uptime_s": 7300.0,
    "phase": "asleep",
    "turn": 4,
    "ears": {"is_muted": False, "level_dbfs": -31.2, "silent_s": 0.1},
    "link": {"is_up": False, "is_stand_in": False, "up_s": 0.0, "request_id": "", "trouble": ""},
    "lost": {},
    "away": {},
    "volume_percent": 45,
    "last_error": None,
    "used": {"today_s": 90.0, "daily_limit_s": 120.0, "month_s": 5400.0, "monthly_limit_s": None},
}
MUTED = {"is_muted": True, "level_dbfs": -96.3, "silent_s": 40.0}
QUIET = {"is_muted": False, "level_dbfs": -96.3, "silent_s": 240.0}
UP = {"is_up": True, "is_stand_in": False, "up_s": 30.0, "request_id": "r-1", "trouble": ""}
AWAY = {"is_up": False, "is_stand_in": False, "up_s": 0.0, "request_id": "", "trouble": "network"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ["USB mic, -31 dBFS", "deepgram, none open", "90 s of 2 min today, 90 min this month", "up for 2 h"]),
        ({"ears": MUTED, "phase": "muted"}, ["muted, turn 4", "USB mic, shut"]),
        ({"ears": QUIET}, ["USB mic, silent for 4 min"]),
        ({"lost": {"mic": "the microphone is gone"}}, ["the microphone is gone"]),
        ({"link": UP}, ["deepgram, open for 30 s, request r-1"]),
        ({"link": {**UP, "is_stand_in": True}}, ["the stand-in, open for 30 s"]),
        ({"link": AWAY}, ["deepgram, none open: network"]),
        (
            {"away": {"mqtt": "the MQTT broker can't be reached.", "actions.home": "Home Assistant can't be reached."}},
            ["mqtt      The MQTT broker can't be reached.", "home      Home Assistant can't be reached."],
        ),
        ({"last_error": {"text": "the lamp did not work", "ago_s": 300.0}}, ["the lamp did not work (5 min ago)"]),
    ],
)
def test_each_state_is_said_in_words(
    change: dict[str, Any], told: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    screen.show({**KNOWN, **change})
    shown = capsys.readouterr().out
    assert [each for each in told if each not in shown] == []
