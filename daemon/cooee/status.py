"""What the speaker is doing and how it is, gathered from all that happens in it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol

from cooee import __version__
from cooee import effects as do
from cooee import events as on
from cooee.config import Config
from cooee.effects import Effect, Outcome, Phase
from cooee.events import Event
from cooee.session.usage import days
from cooee.settings import Session, seconds
from cooee.sound.devices import FLOOR_DBFS, level_dbfs
from cooee.store import Store


class Named(Protocol):
    name: str
    """Of the device that was opened last, or empty."""


class Status:
    """Watches events and effects. Nothing that anybody said is in it.

    `config` is the one in force; `volume_percent`: how loud it is at the start. `away` tells why others in the home
    can't be reached, in a sentence for each table of the config that wants one.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        mic: Named,
        speaker: Named,
        volume_percent: int,
        away: Callable[[], Mapping[str, str]] = dict,
        now: float | None = None,
    ) -> None:
        now = asyncio.get_running_loop().time() if now is None else now
        self.config = config
        self._store, self._mic, self._speaker, self._away = store, mic, speaker, away
        self._began = now
        self._volume = volume_percent
        self._phase, self._turn = Phase.ASLEEP, 0
        self._is_capturing, self._is_shut = True, False
        self._frame, self._heard_at = b"", now
        self._lost: dict[str, str] = {}
        self._is_up, self._is_stand_in, self._up_at, self._request_id = False, False, now, ""
        self._trouble = ""
        self._error: tuple[float, str] | None = None

    def watch(self, now: float, item: Event | Effect) -> None:  # noqa: C901 (one match, one place to read)
        match item:
            case on.Heard():
                self._frame, self._heard_at = item.frame, now
            case do.Show():
                self._phase, self._turn = item.phase, item.turn
                self._trouble = item.trouble.value if item.trouble else ""
            case do.Capture():
                self._is_capturing, self._is_shut = item.on, False
            case on.MicShut():
                self._is_shut = not self._is_capturing
            case do.OpenUplink():
                self._turn = item.turn
            case on.MicLost() | on.SpeakerLost():
                self._lost[item.room] = item.reason
                self._error = now, item.reason
            case on.MicFound() | on.SpeakerFound():
                self._lost.pop(item.room, None)
            case on.SessionUp():
                self._is_stand_in, self._request_id = item.is_fallback, item.request_id
            case on.SettingsApplied():
                self._is_up, self._up_at = True, now
            case on.SessionDown():
                self._is_up, self._is_stand_in, self._request_id = False, False, ""
                if item.trouble:
                    self._error = now, item.reason
            case on.Acted(ok=False):
                self._error = now, f"{item.name} did not work" if item.is_known else "the agent asked for what is not"
            case do.Report(outcome=Outcome.FAILED):
                self._error = now, f"an announcement failed: {item.text}"
            case on.LoudnessSet():
                self._volume = item.percent

    async def known(self) -> dict[str, Any]:
        """All, as JSON has it."""
        used = await asyncio.to_thread(_used, self._store, self.config.session)
        names = {"mic": self._mic.name or self.config.mic.device, "speaker": self._speaker.name}
        return {**_settled(self.config, names), **self.moving(asyncio.get_running_loop().time()), "used": used}

    def moving(self, now: float) -> dict[str, Any]:
        """What changes by itself; times in seconds."""
        silent_s = now - self._heard_at
        is_heard = bool(self._frame) and silent_s < 1
        return {
            "uptime_s": round(now - self._began, 1),
            "phase": self._phase.value,
            "turn": self._turn,
            "ears": {
                "is_muted": self._is_shut,
                "level_dbfs": round(level_dbfs(self._frame)[1], 1) if is_heard else FLOOR_DBFS,
                "silent_s": round(silent_s, 1),
            },
            "link": {
                "is_up": self._is_up,
                "is_stand_in": self._is_stand_in,
                "up_s": round(now - self._up_at, 1) if self._is_up else 0.0,
                "request_id": self._request_id,
                "trouble": self._trouble,
            },
            "lost": dict(self._lost),
            "away": dict(self._away()),
            "volume_percent": self._volume,
            "last_error": {"text": self._error[1], "ago_s": round(now - self._error[0], 1)} if self._error else None,
        }


def _settled(config: Config, names: dict[str, str]) -> dict[str, Any]:
    return {
        "version": __version__,
        "config": config.file,
        "agent": config.agent.type,
        "wake_words": config.wake.words,
        "devices": {**names, "lights": config.lights.type, "actions": len(config.actions)},
    }


def _used(store: Store, limits: Session) -> dict[str, Any]:
    """How long lines that cost money were open. Blocks."""
    today = date.today()
    month = days(store, today)
    return {
        "today_s": round(sum(each.seconds for each in month if each.day == today), 1),
        "daily_limit_s": _finite(seconds(limits.daily_limit)),
        "month_s": round(sum(each.seconds for each in month), 1),
        "monthly_limit_s": _finite(seconds(limits.monthly_limit)),
    }


def _finite(limit_s: float) -> float | None:
    return limit_s if limit_s < float("inf") else None
