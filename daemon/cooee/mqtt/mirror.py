"""The speaker as its topics show it, and what comes back by them. Pure: no broker is needed to see what it would do.

States are kept by the broker, so that who comes later sees them; what merely happened is not.
"""

import json
import re
from dataclasses import dataclass
from pathlib import PurePath

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Outcome, Phase
from cooee.events import Event
from cooee.mqtt.client import Message
from cooee.mqtt.discovery import COMMANDS, TEXT_LIMIT, Identity

BY = "Home Assistant"
HELD = "the switch on the speaker says mute, and only it can unmute"
SAY_LIMIT = 1000
UNSAID = {
    Outcome.FAILED: "an announcement failed",
    Outcome.CUT: "an announcement was interrupted",
    Outcome.STOPPED: "an announcement was stopped",
    Outcome.LATE: "there was no quiet moment for an announcement",
    Outcome.FULL: "there were too many announcements",
}


@dataclass(frozen=True, slots=True)
class VolumeWanted:
    percent: int


class Mirror:
    """`watch` is told every event and effect, `use` the day's connected seconds; each returns what to publish."""

    def __init__(self, identity: Identity, volume_percent: int = 0) -> None:
        self._root = identity.root
        self._states = {
            "state": Phase.ASLEEP.value,
            "mute": "OFF",
            "volume": f"{volume_percent}",
            "error": "none",
            "usage": "0.0",
        }
        self._said = 0
        self._is_open, self._is_held = True, False

    def states(self) -> list[Message]:
        """All of them, as they are now."""
        return [self._message(key, state) for key, state in self._states.items()]

    def watch(self, item: Event | Effect) -> list[Message]:
        match item:
            case do.Show():
                return self._set("state", item.phase.value)
            case do.Capture() | on.MicShut() | on.Muted() | on.Unmuted():
                return self._watch_mute(item)
            case on.Heard(wake=str() as word):
                return [self._happened("wake", "wake", by=PurePath(word).stem.replace("_", " "))]
            case on.Summoned():
                return [self._happened("wake", "wake", by=item.by)]
            case on.MicLost() | on.SpeakerLost():
                return self._set("error", item.reason[:TEXT_LIMIT])
            case on.SessionDown() if item.trouble:
                return self._set("error", item.reason[:TEXT_LIMIT])
            case on.LoudnessSet():
                return self._set("volume", f"{item.percent}")
            case on.Acted(ok=False, is_known=True):
                return self._set("error", f"{item.name} did not work")
            case do.Report() if item.id.startswith(f"{self._root} ask"):
                return [self._happened("answer", item.outcome.value, text=item.text)]
            case do.Report() if item.outcome is Outcome.FAILED or item.id.startswith(f"{self._root} say"):
                return self._set("error", UNSAID[item.outcome]) if item.outcome in UNSAID else []
        return []

    def _watch_mute(self, item: do.Capture | on.MicShut | on.Muted | on.Unmuted) -> list[Message]:
        match item:
            case do.Capture():
                # Shut is said when it is so, open before it is so: nobody may trust a mute that is none.
                self._is_open = item.on
                return self._set("mute", "OFF") if item.on else []
            case on.MicShut() if not self._is_open:
                return self._set("mute", "ON")
            case on.Muted(is_switch=True) | on.Unmuted(is_switch=True):
                self._is_held = isinstance(item, on.Muted)
            case on.Unmuted() if self._is_held:
                return [*self._set("error", HELD), self._message("mute", self._states["mute"])]
        return []

    def use(self, used_today_s: float) -> list[Message]:
        return self._set("usage", f"{used_today_s / 60:.1f}")

    def obey(self, topic: str, payload: bytes, *, is_retained: bool) -> Event | VolumeWanted | list[Message] | None:
        """What is wanted; what to publish where it can't be said; None for what nobody can want. A command that the
        broker retained is an old one.
        """
        key = topic.removeprefix(f"{self._root}/").removesuffix("/set")
        if is_retained or key not in COMMANDS or topic != f"{self._root}/{key}/set":
            return None
        try:
            text = " ".join(payload.decode().split())
        except UnicodeDecodeError:
            return None
        match key, text:
            case "mute", "ON":
                return on.Muted(BY)
            case "mute", "OFF":
                return on.Unmuted(BY)
            case "talk", "PRESS":
                return on.Summoned(BY)
            case "stop", "PRESS":
                return on.Stopped(BY)
            case "volume", _:
                return _volume(text)
            case "say" | "ask", _ if text and (why := _unsayable(text)):
                answer = [self._happened("answer", Outcome.FAILED.value, text="")] if key == "ask" else []
                return [*self._set("error", why), *answer]
            case "say" | "ask", _ if text:
                self._said += 1
                return on.SayWanted(f"{self._root} {key} {self._said}", text, wants_answer=key == "ask")
        return None

    def echo(self, topic: str) -> list[Message]:
        """What the command's topic speaks of, as it is: who showed something else meanwhile is put right."""
        key = topic.removesuffix("/set").rpartition("/")[2]
        return [self._message(key, self._states[key])] if key in self._states else []

    def _set(self, key: str, state: str) -> list[Message]:
        if self._states.get(key) == state:
            return []
        self._states[key] = state
        return [self._message(key, state)]

    def _message(self, key: str, state: str) -> Message:
        return Message(f"{self._root}/{key}", state, retain=True)

    def _happened(self, key: str, what: str, **about: str) -> Message:
        return Message(f"{self._root}/{key}", json.dumps({"event_type": what, **about}, ensure_ascii=False))


def _unsayable(text: str) -> str:
    """Why it can't be said, if it can't."""
    if len(text) > SAY_LIMIT:
        return f"an announcement has {len(text)} characters; it may have {SAY_LIMIT}"
    return "" if text.isprintable() else "an announcement has characters in it that no voice can say"


def _volume(text: str) -> VolumeWanted | None:
    """A plain number, as Home Assistant sends it; `float` alone would also take "1e1", "4_0" and other scripts."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", text) or float(text) > 100:
        return None
    return VolumeWanted(round(float(text)))
