"""A day in front of the pure conversation, on a virtual clock: a household, a vendor and a network, all unreliable."""

import heapq
import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

from cooee import effects as do
from cooee import events as on
from cooee.conversation import AWAKE, Conversation
from cooee.effects import Effect, Phase
from cooee.events import Event
from cooee.settings import Conversation as Settings

FRAME_S = 0.08
RATE = 48_000
FRAME = b"\1\0" * 1280
RESTING = (Phase.ASLEEP, Phase.OFFLINE, Phase.MUTED)
TROUBLES: tuple[on.Trouble | None, ...] = (None, *on.Trouble)


class World:
    """Answers each effect in its own time, or not at all, and now and then says something nobody asked for."""

    def __init__(self, seed: int, keep_s: float | None, settings: Settings) -> None:
        self.chance = random.Random(seed)
        self.conversation = Conversation(settings, bytes_per_s=RATE, keep_s=keep_s, harmless=frozenset({"ask"}))
        self.settings = settings
        self.now = 0.0
        self.is_up = self.is_wanted = False
        self.left_bytes = 0
        self.answered: set[str] = set()
        self.counts: dict[str, int] = {}
        self._coming: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._ids = itertools.count()
        self._open_calls: list[str] = []

    def later(self, seconds: float, event: Event) -> None:
        heapq.heappush(self._coming, (self.now + seconds, next(self._order), event))

    def pass_time(self, seconds: float) -> None:
        """Frames while somebody is served or about to be, ticks while the house sleeps."""
        until = self.now + seconds
        while self.now < until:
            awake = self.conversation.phase in AWAKE
            self.now += FRAME_S if awake else self.chance.uniform(0.25, 4.0)
            while self._coming and self._coming[0][0] <= self.now:
                self.handle(heapq.heappop(self._coming)[2])
            self.handle(on.Heard(FRAME) if awake else on.Ticked())

    def quiet(self) -> None:
        """Nothing more comes of what was promised."""
        self._coming.clear()

    def handle(self, event: Event) -> None:
        self._before(event)
        turn, was_listening = self.conversation.turn, self.conversation.is_listening
        for effect in self.conversation.handle(event, self.now):
            served = was_listening or self.conversation.is_listening
            assert served or not isinstance(effect, do.Send), "audio leaves although nobody is served"
            self._perform(effect)
        assert self.conversation.turn >= turn, "turns never go back"

    def happens(self) -> None:
        """Something: mostly a turn as it should be, else anything."""
        if self.chance.random() < 0.6:
            self.handle(on.Heard(FRAME, wake="hey_jarvis"))
            self._dialogue()
        else:
            for event in itertools.islice(self._anything(), self.chance.randint(1, 12)):
                self.handle(event)
                self.pass_time(self.chance.choice((0.0, 0.0, 0.3, 2.0)))

    def _before(self, event: Event) -> None:
        match event:
            case on.SettingsApplied():
                self.is_up = True
            case on.SessionDown():
                self.is_up = False

    def _dialogue(self) -> None:
        chance = self.chance
        at = chance.uniform(0.5, 3)
        steps: list[Event] = [on.UserStarted(), on.UserText("turn on the lamp")]
        if chance.random() < 0.4:
            steps.append(on.Asked(tuple(self._call() for _ in range(chance.choice((1, 1, 3))))))
        steps += [on.AgentText("done"), *[on.AgentSpeech(bytes(chance.randint(1, RATE)))] * chance.randint(1, 5)]
        steps += [on.AgentDone()] if chance.random() < 0.9 else []
        for step in steps:
            if chance.random() < 0.05:
                self.later(at, on.SessionDown("it broke", chance.choice(TROUBLES)))
                self.later(at + chance.uniform(0, 4), on.SettingsApplied())
                return
            self.later(at, step)
            at += chance.uniform(0, 1.5)

    def _call(self) -> on.Call:
        self._open_calls.append(f"c{next(self._ids)}")
        return on.Call(self._open_calls[-1], self.chance.choice(("lamp", "ask")), {})

    def _anything(self) -> Iterator[Event]:
        chance, turn = self.chance, self.conversation.turn
        while True:
            yield chance.choice(
                (
                    on.Heard(FRAME, wake=chance.choice((None, "hey_jarvis"))),
                    *(on.Ticked(), on.Summoned("button"), on.Released("button"), on.Dismissed("agent")),
                    *(
                        on.Muted("button"),
                        on.Unmuted("button"),
                        on.Unmuted("button"),
                        on.UserStarted(),
                        on.NothingSaid(),
                    ),
                    *(on.SessionUp("r", chance.random() < 0.2), on.SettingsApplied(), on.LimitNear("day")),
                    on.SessionDown("it broke", chance.choice(TROUBLES), chance.random() < 0.3),
                    *(on.Warned("SLOW_THINK_REQUEST"), on.InjectionRefused(), on.UserText("x"), on.AgentThought()),
                    *(on.AgentText("x"), on.AgentDone(), on.Asked((self._call(), self._call()))),
                    on.AgentSpeech(bytes(chance.randint(0, 3 * RATE))),
                    on.Withdrawn(tuple(self._open_calls[-2:])),
                    on.Acted(turn, self._open_calls[-1] if self._open_calls else "c", "lamp", "Done.", True),
                    *(on.Spoken(turn + chance.randint(-1, 1)), on.Hushed(turn), on.Sounded(turn)),
                    *(on.MicLost("gone"), on.MicFound("back"), on.SpeakerLost("gone"), on.SpeakerFound("back")),
                    *(on.Forgotten("agent"), on.PersonaChosen("")),
                )
            )

    def _perform(self, effect: Effect) -> None:
        chance = self.chance
        self.counts[type(effect).__name__] = self.counts.get(type(effect).__name__, 0) + 1
        match effect:
            case do.Connect():
                self.is_wanted = True
                if chance.random() < 0.8:
                    self.later(chance.uniform(0, 3), on.SettingsApplied())
                elif chance.random() < 0.8:
                    self.later(chance.uniform(0, 3), on.SessionDown("no", chance.choice(TROUBLES[1:])))
            case do.Disconnect():
                self.is_wanted = self.is_up = False
                self.later(0.1, on.SessionDown(effect.reason))
            case do.Send():
                self.left_bytes += len(effect.frame)
            case do.Finish() | do.Tell() if chance.random() < 0.97:
                self.later(chance.uniform(0.1, 6), on.Spoken(effect.turn))
            case do.Act() if chance.random() < 0.9:
                self.later(chance.uniform(0, 9), on.Acted(effect.turn, effect.call.id, effect.call.name, "Done.", True))
            case do.Answer():
                assert effect.id not in self.answered, "a call is answered once"
                self.answered.add(effect.id)


def sizes(thing: Any, path: str = "", seen: frozenset[int] = frozenset()) -> Mapping[str, int]:
    """How much each container in it holds, by its path."""
    if id(thing) in seen or isinstance(thing, Settings):
        return {}
    found: dict[str, int] = {}
    inner = getattr(thing, "__dict__", None)
    if isinstance(inner, dict):
        for name, value in inner.items():
            found |= sizes(value, f"{path}.{name}", seen | {id(thing)})
    elif hasattr(thing, "__len__"):
        found[path] = len(thing)
    return found
