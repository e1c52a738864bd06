"""What happened when: events and effects as one line each, for people and for programs."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Phase
from cooee.events import Event, Trouble

Note = tuple[str, dict[str, Any]]
STYLES = {"wake": "bold green", "user_text": "bold cyan", "agent_text": "bold magenta", "pin": "bold yellow"}


class Timeline:
    """Writes `{"t": seconds since the first frame, "event": name, ...}` lines, and the same readably on the terminal.

    `sent` tells how many bytes of audio have left for the agent so far. `unwritable`: why `out` takes no more lines.
    """

    def __init__(self, out: TextIO | None, console: Console, sent: Callable[[], int]) -> None:
        self.wakes = 0
        self.turns = 0
        self.was_refused = False
        self.unwritable: OSError | None = None
        self._out = out
        self._console = console
        self._sent = sent
        self._began: float | None = None
        self._sent_before_wake: int | None = None
        self._reply_s = 0.0
        self._reply_turn = -1
        self._was_understood = False
        self._told: set[int] = set()
        self._shown: tuple[Phase, str, Trouble | None] | None = None

    def watch(self, now: float, item: Event | Effect) -> None:
        """Take an event or an effect at the loop's time `now`."""
        if isinstance(item, on.Heard):
            self._began = now if self._began is None else self._began
        for name, fields in self._notes(item):
            self._write(now - (now if self._began is None else self._began), name, fields)

    def summary(self, now: float) -> None:
        sent = self._sent()
        before = sent if self._sent_before_wake is None else self._sent_before_wake
        fields = {"wakes": self.wakes, "turns": self.turns, "uplink_bytes": sent, "uplink_bytes_before_wake": before}
        self._write(now - (self._began or now), "summary", {**fields, "reply_s": round(self._reply_s, 3)})

    def _notes(self, item: Event | Effect) -> Iterator[Note]:  # noqa: C901 (one match, one place to read)
        match item:
            case on.Heard(wake=str(word)):
                self.wakes += 1
                self._sent_before_wake = self._sent() if self._sent_before_wake is None else self._sent_before_wake
                yield "wake", {"word": word, "score": round(item.score, 3), "at": round(item.at_s, 3)}
            case do.OpenUplink():
                yield "gate", {"open": True}
            case do.ShutUplink():
                yield "gate", {"open": False}
            case on.SessionUp():
                yield "session", {"up": True, "reason": "", **({"is_fallback": True} if item.is_fallback else {})}
            case on.SessionDown():
                self.was_refused |= item.trouble is not None
                yield "session", {"up": False, "reason": item.reason, **_named(item.trouble)}
            case on.SettingsApplied():
                self.was_refused = False
                yield "settings_applied", {}
            case on.Warned():
                yield "warning", {"code": item.code}
            case on.LimitNear():
                yield "limit_near", {"scope": item.scope}
            case do.Show() if self._shown != (item.phase, item.fault, item.trouble):
                self._shown = (item.phase, item.fault, item.trouble)
                fault = {"fault": item.fault} if item.fault else {}
                yield "phase", {"phase": item.phase.value, **fault, **_named(item.trouble)}
            case on.UserText():
                self._was_understood = True
                yield "user_text", {"text": item.text}
            case on.AgentText():
                yield "agent_text", {"text": item.text}
            case on.Asked():
                for call in item.calls:
                    arguments = None if call.arguments is None else dict(call.arguments)
                    yield "function_call", {"id": call.id, "name": call.name, "arguments": arguments}
            case on.Acted():
                yield "function_result", {"id": item.id, "name": item.name, "result": item.text, "ok": item.ok}
            case on.Switched():
                yield "pin", {"name": item.name, "value": bool(item.value) if item.value in (0, 1) else item.value}
            case do.Play() if item.turn != self._reply_turn:
                self._reply_turn = item.turn
                yield "reply_first_byte", {}
            case do.Tell():
                # Behind a preface comes the agent's own answer.
                self._told |= set() if item.is_preface else {item.turn}
                yield "tell", {"clip": item.clip, **({"is_preface": True} if item.is_preface else {})}
            case do.Ask():
                yield "ask", {"text": item.text}
            case do.Say():
                yield "say", {"text": item.text}
            case on.Sounded():
                yield "reply_first_sample", {}
            case on.Hushed():
                yield "hush", {"dropped_s": round(item.dropped_s, 3)}
            case on.Spoken():
                # A sentence of our own, such as that the agent is out of reach, is no answer of its.
                self.turns += self._was_understood and item.turn not in self._told
                self._was_understood = False
                self._reply_s += item.played_s
                yield "reply_done", {}
            case on.MicLost() | on.SpeakerLost():
                yield "lost", {"reason": item.reason}

    def _write(self, at_s: float, name: str, fields: dict[str, Any]) -> None:
        line = {"t": round(at_s, 3), "event": name, **fields}
        if self._out and not self.unwritable:
            try:
                print(json.dumps(line, ensure_ascii=False), file=self._out, flush=True)
            except OSError as fault:
                self.unwritable = fault
        shown = "  ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())
        text = Text.assemble((f"{at_s:8.3f}  ", "dim"), (f"{name:<18} ", STYLES.get(name, "")), shown)
        with contextlib.suppress(SystemExit):  # rich's answer when nobody reads any more, as with "| head"
            self._console.print(text, soft_wrap=True)


def _named(trouble: Trouble | None) -> dict[str, str]:
    return {"trouble": trouble.value} if trouble else {}
