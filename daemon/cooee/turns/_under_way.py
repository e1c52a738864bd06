"""A turn under way: what is measured, and from what it will be told how it ended."""

import math
import re
from typing import Any

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Phase
from cooee.events import Event, Trouble
from cooee.turns._speech import Speech
from cooee.turns.turn import Began, Ended, Ran, Turn


class UnderWay:
    """Told of everything that carries one of its numbers, or none, at the loop's time `now`.

    `last`: a second reply, and our own sentence that there is none, have numbers of their own.
    """

    def __init__(self, number: int, began: Began, now: float, started: str) -> None:
        self.number = self.last = number
        self.began = began
        self.began_s = now
        self.started = started
        self.is_understood = self.was_hushed = self.was_dismissed = False
        self._line: dict[str, Any] = {}
        self._times: dict[str, Any] = {}
        self._latency: dict[str, float] = {}
        self._ran: list[Ran] = []
        self._running: dict[str, float] = {}
        self._speech = Speech()
        self._speech_ended_s: float | None = None
        self._replied_s: float | None = None
        self._sounding_s: float | None = None
        self._reply_s = 0.0
        self._has_sounded = self._is_sent = self._is_cut_off = self._has_preface = False
        self._told = ""

    def take(self, now: float, item: Event | Effect) -> None:
        number = getattr(item, "turn", None)
        if number is None or self.number <= number <= self.last:
            self._listen(now, item)
            self._answer(now, item)
            self._sound(now, item)

    def use_line(self, request_id: str, is_fallback: bool) -> None:
        """The line that there is now; the one that answers counts."""
        if self._replied_s is None:
            self._line |= {"request_id": request_id, "is_fallback": is_fallback}

    def lose_line(self, trouble: Trouble, *, was_up: bool) -> None:
        self._line["trouble"] = trouble.value
        self._line["lines_lost"] = self._line.get("lines_lost", 0) + was_up
        self._is_cut_off = self._replied_s is not None and not self._is_sent

    def end(self) -> Turn:
        return Turn(
            self.number,
            self.started,
            self.began,
            self._ended(),
            **self._line,
            **self._times,
            reply_s=round(self._reply_s, 3),
            functions=tuple(self._ran),
            latency=self._latency,
        )

    def _ended(self) -> Ended:
        if self.was_hushed:
            return "hushed"
        if self._replied_s is not None and self._has_sounded:
            return "line_lost" if self._is_cut_off else "answered"
        if self._told == "lost":
            return "line_lost"
        if self._told in {trouble.value for trouble in Trouble}:
            return "trouble"
        if self.was_dismissed:
            return "dismissed"
        return "no_answer" if self.is_understood else "no_speech"

    def _listen(self, now: float, item: Event | Effect) -> None:
        match item:
            case on.Heard() if self._replied_s is None:
                self._speech.push(item.frame, now)
            case on.Lit(phase=Phase.LISTENING.value) if self.began in ("wake", "button"):
                self._measure("wake_to_light_s", self.began_s, now)
            case on.Uplinked() if self.began in ("wake", "button"):
                self._measure("wake_to_uplink_s", self.began_s, now)
            case on.UserText():
                self.is_understood = True
                if self._replied_s is None:
                    self._speech_ended_s = self._speech.ended_s()
            case on.LatencyReported():
                # It comes in pieces, and some of them again and again: the last of each is the whole.
                self._latency |= {name_of(name): round(s, 3) for name, s in item.seconds.items() if math.isfinite(s)}

    def _answer(self, now: float, item: Event | Effect) -> None:
        match item:
            case do.Act():
                self._running[item.call.id] = now
            case on.Acted() if item.id in self._running:
                name = name_of(item.name) if item.is_known else "?"
                self._ran.append(Ran(name, round(now - self._running.pop(item.id), 3)))
            case do.Tell(is_preface=True):
                self._has_preface = True
            case do.Tell():
                self._told = item.clip
            case do.Play():
                self._is_sent = self._is_cut_off = False
                self.is_understood = True
                if self._replied_s is None:
                    self._replied_s = now
                    self._measure("speech_to_reply_s", self._speech_ended_s or self._speech.ended_s(), now)
            case on.AgentDone():
                self._is_sent = True

    def _sound(self, now: float, item: Event | Effect) -> None:
        if self._replied_s is None:
            return
        match item:
            case on.Sounded():
                self._has_sounded = True
                self._sounding_s = now
                if not self._has_preface:
                    self._measure("reply_to_sound_s", self._replied_s, now)
            case on.Spoken():
                self._has_sounded = True
                self._sounding_s = None
                self._reply_s += item.played_s
            case do.Hush():
                self.was_hushed = True
                self._reply_s += 0.0 if self._sounding_s is None else now - self._sounding_s
                self._sounding_s = None

    def _measure(self, name: str, since_s: float | None, now: float) -> None:
        """Only the first time counts."""
        if since_s is not None:
            self._times.setdefault(name, round(now - since_s, 3))


def name_of(text: str) -> str:
    """A name that the agent gave: nothing but a name gets into a record."""
    return text if re.fullmatch(r"[\w.-]{1,64}|", text) else "?"
