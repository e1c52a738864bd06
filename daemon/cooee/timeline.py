"""What happened when: events and effects as one line each, for people and for programs."""

import contextlib
import json
from collections.abc import Callable
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Phase
from cooee.events import Event, Trouble

Fields = dict[str, Any]
STYLES = {"wake": "bold green", "user_text": "bold cyan", "agent_text": "bold magenta", "pin": "bold yellow"}


def _if_any(**fields: Any) -> Fields:
    return {name: value for name, value in fields.items() if value}


def _call(call: on.Call) -> Fields:
    return {"id": call.id, "name": call.name, "arguments": None if call.arguments is None else dict(call.arguments)}


def _why(item: do.Show | on.SessionDown) -> Fields:
    return _if_any(trouble=item.trouble and item.trouble.value)


NOTES: dict[type, tuple[str, Callable[[Any], Fields]]] = {
    on.Heard: ("wake", lambda frame: {"word": frame.wake, "score": round(frame.score, 3), "at": round(frame.at_s, 3)}),
    do.OpenUplink: ("gate", lambda _: {"open": True}),
    do.ShutUplink: ("gate", lambda _: {"open": False}),
    on.SessionUp: ("session", lambda up: {"up": True, "reason": "", **_if_any(is_fallback=up.is_fallback)}),
    on.SessionDown: ("session", lambda down: {"up": False, "reason": down.reason, **_why(down)}),
    on.SettingsApplied: ("settings_applied", lambda _: {}),
    on.Warned: ("warning", lambda warned: {"code": warned.code}),
    on.LimitNear: ("limit_near", lambda near: {"scope": near.scope}),
    do.Show: ("phase", lambda now: {"phase": now.phase.value, **_if_any(fault=now.fault), **_why(now)}),
    on.UserText: ("user_text", lambda said: {"text": said.text}),
    on.AgentText: ("agent_text", lambda said: {"text": said.text}),
    on.Asked: ("function_call", _call),
    on.Acted: ("function_result", lambda done: {"id": done.id, "name": done.name, "result": done.text, "ok": done.ok}),
    on.Switched: (
        "pin",
        lambda pin: {"name": pin.name, "value": bool(pin.value) if pin.value in (0, 1) else pin.value},
    ),
    do.Play: ("reply_first_byte", lambda _: {}),
    do.Tell: ("tell", lambda tell: {"clip": tell.clip, **_if_any(is_preface=tell.is_preface)}),
    do.Ask: ("ask", lambda ask: {"text": ask.text}),
    do.Say: ("say", lambda say: {"text": say.text}),
    on.Sounded: ("reply_first_sample", lambda _: {}),
    on.Hushed: ("hush", lambda hushed: {"dropped_s": round(hushed.dropped_s, 3)}),
    on.Spoken: ("reply_done", lambda _: {}),
    on.MicLost: ("lost", lambda lost: {"reason": lost.reason}),
    on.SpeakerLost: ("lost", lambda lost: {"reason": lost.reason}),
}
"""What is noted of which event or effect, under which name; of `Asked`, each call."""


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
        if (note := NOTES.get(type(item))) and self._is_news(item):
            name, fields = note
            for each in item.calls if isinstance(item, on.Asked) else (item,):
                self._write(now - (now if self._began is None else self._began), name, fields(each))
        self._count(item)

    def summary(self, now: float) -> None:
        sent = self._sent()
        before = sent if self._sent_before_wake is None else self._sent_before_wake
        fields = {"wakes": self.wakes, "turns": self.turns, "uplink_bytes": sent, "uplink_bytes_before_wake": before}
        self._write(now - (self._began or now), "summary", {**fields, "reply_s": round(self._reply_s, 3)})

    def _is_news(self, item: Event | Effect) -> bool:
        """Whether it is noted: a frame only with the wake word, a phase and a reply's sound only where they begin."""
        match item:
            case on.Heard():
                return item.wake is not None
            case do.Show():
                return self._shown != (item.phase, item.fault, item.trouble)
            case do.Play():
                return self._reply_turn != item.turn
        return True

    def _count(self, item: Event | Effect) -> None:
        match item:
            case on.Heard(wake=str()):
                self.wakes += 1
                self._sent_before_wake = self._sent() if self._sent_before_wake is None else self._sent_before_wake
            case on.SessionDown():
                self.was_refused |= item.trouble is not None
            case on.SettingsApplied():
                self.was_refused = False
            case do.Show():
                self._shown = (item.phase, item.fault, item.trouble)
            case on.UserText():
                self._was_understood = True
            case do.Play():
                self._reply_turn = item.turn
            case do.Tell(is_preface=False):  # behind a preface comes the agent's own answer
                self._told.add(item.turn)
            case on.Spoken():
                # A sentence of our own, such as that the agent is out of reach, is no answer of its.
                self.turns += self._was_understood and item.turn not in self._told
                self._was_understood = False
                self._reply_s += item.played_s

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
