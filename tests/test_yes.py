"""No lock and no garage without the user's yes: the conversation, the user's consent and the actions together."""

import asyncio
import itertools
import json
import random
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from cooee import effects as do
from cooee import events as on
from cooee.actions import Actions, Risk, gpio
from cooee.agent.embedded.dialogue import Dialogue
from cooee.agent.embedded.grammar import Grammar
from cooee.conversation import AWAKE, Conversation
from cooee.effects import Function
from cooee.settings import Conversation as Settings

PIN = 17
LAMP_PIN = 22
VERBS = {"action": {"type": "string", "enum": ["lock", "unlock"]}}
LENGTH = {"minutes": {"type": "integer", "minimum": 1, "maximum": 60, "default": 5}}


class Lock:
    """Records how it was moved."""

    function = Function(
        "front_door",
        "The lock of the front door",
        {"type": "object", "properties": {**VERBS, **LENGTH}, "required": ["action"], "additionalProperties": False},
    )

    def __init__(self) -> None:
        self.moves: list[str] = []

    def risk(self, arguments: Mapping[str, Any]) -> Risk:
        return "confirm" if arguments["action"] == "unlock" else "safe"

    def question(self, arguments: Mapping[str, Any]) -> str:
        return f"Do you really want me to {arguments['action']} the front door for {arguments['minutes']} minutes?"

    async def run(self, arguments: Mapping[str, Any]) -> str:
        self.moves.append(arguments["action"])
        return f"The front door is {arguments['action']}ed."

    def close(self) -> None:
        pass


class House:
    """A conversation with its actions; whoever plays the agent and the user posts events."""

    def __init__(self, pins: MockFactory, garage: str = "The garage door", language: str = "") -> None:
        pins.reset()
        self.lock = Lock()
        door = gpio.Settings(pin=PIN, description=garage, kind="pulse", pulse_s=0.0001)
        self._inbox: list[on.Event] = []
        lamp = gpio.Settings(pin=LAMP_PIN, description="The lamp")
        self.actions = Actions(
            {"garage": door, "lamp": lamp}, self._inbox.append, [self.lock], language=lambda: language
        )
        self._pin, self._lamp_pin = pins.pin(PIN), pins.pin(LAMP_PIN)
        self.conversation = Conversation(Settings(), keep_s=600.0, harmless=frozenset())
        self.now = 0.0
        self.answers: list[do.Answer] = []
        self._ids = map(str, itertools.count())

    @property
    def opened(self) -> int:
        return sum(state.state for state in self._pin.states)

    @property
    def is_lamp_on(self) -> bool:
        return bool(self._lamp_pin.state)

    @property
    def unlocked(self) -> int:
        return self.lock.moves.count("unlock")

    async def post(self, *events: on.Event) -> None:
        """These, and all that comes of them."""
        for event in events:
            effects = self._handle(event)
            self.answers += [effect for effect in effects if isinstance(effect, do.Answer)]
            for effect in effects:
                if isinstance(effect, do.Act):
                    await self.actions.run(effect)
                if isinstance(effect, do.Drop):
                    self.actions.drop(effect.id)
            posted = self._inbox[:]
            self._inbox.clear()
            await self.post(*posted)

    def _handle(self, event: on.Event) -> list[do.Effect]:
        return self.conversation.handle(event, self.now)

    async def wake(self) -> None:
        await self.post(on.Heard(bytes(2560), wake="hey_jarvis"), on.SessionUp(), on.SettingsApplied())

    async def reply(self, *sentences: str) -> None:
        """The agent says this to the end."""
        await self.post(
            *(on.AgentText(sentence) for sentence in sentences), on.AgentSpeech(bytes(4800)), on.AgentDone()
        )
        await self.post(on.Spoken(self.conversation.turn, 0.1))

    async def say(self, text: str, *calls: on.Call, early: bool = False) -> None:
        """A turn of the user's, in which the agent calls, perhaps before the turn is over."""
        asked = [on.Asked(calls)] if calls else []
        words = [on.UserText(text)]
        await self.post(on.UserStarted(), *(asked + words if early else words + asked))

    def call(self, name: str, arguments: Mapping[str, Any] | None = None) -> on.Call:
        return on.Call(next(self._ids), name, arguments or {})


DEVICES = (("front_door", {"action": "unlock"}, "Do you really want me to unlock the front door for 5 minutes?"),)
DEVICES += (("garage", {}, "Do you really want me to open the garage door?"),)  # type: ignore[assignment]
YES = (
    "Yes.",
    "yes please",
    "Yeah, do it.",
    "Sure.",
    "Go ahead.",
    "Please do!",
    "Ja.",
    "Hey Jarvis, yes.",
    "Oui.",
    "Sí.",
)
NO_YES = ("No.", "Yes, but only tomorrow.", "Yes to the music.", "no yes no", "Hm?", "What time is it?", "Not yes.")
NO_YES += (
    "Yes, and turn on the lamp.",
    "Open it.",
    "Lock the door.",
    "",
    "Yes?",
    "Yes, what's the weather",
    "Yesterday.",
)
NO_YES += ("Yes, but not the garage.", "No yes.", "I didn't say yes.", "He said yes.", "yes or no", "Oui mais non.")
NO_YES += (
    "Ja, aber nicht jetzt.",
    "Sí, pero mañana.",
    "Yes, close the garage door.",
    "Yes, lock the front door.",
    "Yes, 60.",
)
ELSE = ("Shall I play some music?", "All right.", "Do you really want me to close the window?", "", "Yes?", "Well.")
OPPOSITE = ("Shall I leave the {} closed?", "Shall I not {} the {}?", "Is the {} open?", "Do you like the {}?")
OPPOSITE += ("Do you want me to open the window instead of the {}?", "Do you really want me to close the {}?")
OPPOSITE += ("Do you really want me to lock the {} for 5 minutes?", "Do you want me to do everything but the {}?")
OPPOSITE += (
    "Do you really want me to unlock the {} for 55 minutes?",
    "Do you really want me to open the {} or not at all?",
)
FLAWS = ("no yes", "other question", "no question", "late", "other call", "other arguments", "withdrawn", "line")
FLAWS += (
    "opposite question",
    "question more",
    "taken for another",
    "mute",
    "dismissed",
    "other turn",
    "cut",
    "taken back",
    "two lines",
    "forgotten",
    "asleep",
)


class Play:
    """One random dialogue. Without a flaw the thing moves, and once; with one or more it never does."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.house, self.dice = house, dice
        self.flaws = set(dice.sample(FLAWS, dice.choice((0, 1, 1, 1, 2, 3))))
        self.name, self.arguments, self.question = dice.choice(DEVICES)

    async def run(self) -> None:
        house, dice = self.house, self.dice
        await house.wake()
        await house.say("Do it.", self._call(), early=dice.random() < 0.5)
        assert [answer.text for answer in house.answers] == [self.question]
        await self._ask()
        await self._between()
        await self._answer()

    def _call(self) -> on.Call:
        return self.house.call(self.name, self.arguments)

    async def _ask(self) -> None:
        house, dice = self.house, self.dice
        house.now += dice.uniform(0, 2)
        if dice.random() < 0.2:
            await house.post(on.AgentText(self.question), on.UserText("Yes."), on.Asked((self._call(),)))
            assert not house.opened and not house.unlocked, "the same turn"
        if "no question" in self.flaws:
            return
        said = [dice.choice(ELSE)] if "other question" in self.flaws else [self.question]
        if "opposite question" in self.flaws:
            thing = "front door" if self.name == "front_door" else "garage door"
            said = [dice.choice(OPPOSITE).format(*(thing,) * 2)]
        if "question more" in self.flaws:
            said = dice.choice((["Shall I play some music?", *said], [*said, "Or shall I play music?"], [*said, "No."]))
        if "taken for another" in self.flaws:
            await self._doubt_another()
        said = ["All right.", *said] if dice.random() < 0.3 else said
        if "cut" in self.flaws:
            turn = house.conversation.turn
            await house.post(*map(on.AgentText, said), on.AgentSpeech(bytes(480_000)), on.UserStarted())
            await house.post(on.Hushed(turn, dice.uniform(1.1, 9)))
        else:
            await house.reply(*said)

    async def _doubt_another(self) -> None:
        """Another call is asked about in the same turn, and it is that one which the yes is for."""
        house = self.house
        await house.post(on.Asked((self._other(),)))

    async def _between(self) -> None:
        house, dice = self.house, self.dice
        events: dict[str, Iterable[on.Event]] = {
            "line": [on.SessionDown("gone"), on.SessionUp(), on.SettingsApplied()],
            "two lines": [on.SessionUp(), on.SettingsApplied()],
            "mute": [on.Muted("button"), on.Unmuted("button")],
            "dismissed": [on.Dismissed("button")],
            "forgotten": [on.Forgotten("agent")],
            "other turn": [on.UserStarted(), on.UserText(dice.choice(NO_YES))],
        }
        for flaw in dice.sample(sorted(self.flaws), len(self.flaws)):
            await house.post(*events.get(flaw, ()))
        for _ in range(60 if "asleep" in self.flaws else dice.randrange(3)):
            house.now += 0.5
            await house.post(on.Ticked())
        house.now += 31 if "late" in self.flaws else 0
        if house.conversation.phase not in AWAKE:
            await house.wake()

    async def _answer(self) -> None:
        house, dice = self.house, self.dice
        early = dice.random() < 0.5
        words = dice.choice(NO_YES if "no yes" in self.flaws else YES)
        if words.startswith("Hey"):
            await house.post(on.Heard(bytes(2560), wake="hey_jarvis"))
        call = self._call()
        if self.flaws & {"other call", "other arguments"}:
            call = self._other()
        if "withdrawn" in self.flaws:
            await house.post(on.UserStarted(), on.Asked((call,)), on.Withdrawn((call.id,)), on.UserText("Stop."))
        elif "taken back" in self.flaws:
            await house.say(words)
            await house.say("No, wait.", call, early=early)
        else:
            await house.say(words, call, early=early)
        house.now += dice.uniform(0, 2)

    def _other(self) -> on.Call:
        if self.name == "garage":
            return self.house.call("front_door", {"action": "unlock"})
        if "other call" in self.flaws:
            return self.house.call("garage")
        return self.house.call("front_door", {"action": "unlock", "minutes": 60})

    async def insist(self) -> None:
        """An agent that will not take no for an answer."""
        house, dice = self.house, self.dice
        for _ in range(3):
            await house.post(on.Asked((self._call(), self._call())))
            house.now += dice.uniform(0, 3)
            if house.conversation.phase not in AWAKE:
                await house.wake()
            await house.say(dice.choice(YES), self._call(), early=dice.random() < 0.5)


@pytest.mark.parametrize("part", range(5))
async def test_nothing_is_unlocked_or_opened_without_a_yes_to_just_that(part: int, pins: MockFactory) -> None:
    moved = 0
    for number in range(100 * part, 100 * part + 100):
        house = House(pins)
        play = Play(house, random.Random(number))
        await play.run()
        done = house.unlocked if play.name == "front_door" else house.opened
        assert done == (not play.flaws), (number, play.flaws)
        await play.insist()
        assert house.unlocked + house.opened == done, (number, play.flaws)
        house.actions.close()
        moved += done
    assert 5 < moved < 50


class Embedded:
    """The embedded agent's dialogue in the house."""

    def __init__(self, house: House) -> None:
        self.house = house
        ids = map(str, itertools.count(1))
        told = [vars_of(function) for function in house.actions.functions]
        self._dialogue = Dialogue(Grammar(told, ["hey jarvis"]), lambda: next(ids))

    async def hear(self, text: str) -> str:
        """A turn of the user's, and what is said to it."""
        house = self.house
        house.answers.clear()
        house.now += 3
        reply = self._dialogue.heard(text, house.now, datetime(2026, 1, 1))
        await house.say(text, *(on.Call(each.id, each.name, json.loads(each.arguments)) for each in reply.requests))
        for answer in house.answers:
            reply = self._dialogue.answered(answer.id, answer.text, house.now) or reply
        if reply.say:
            await house.reply(reply.say)
        return reply.say


REALLY = "Do you really want me to open the garage door?"
UNLOCK = DEVICES[0][2]


async def test_the_embedded_agent_asks_and_takes_only_a_yes(pins: MockFactory) -> None:
    house = House(pins)
    hear = Embedded(house).hear
    await house.wake()
    assert await hear("Unlock the front door.") == UNLOCK
    assert await hear("Yes, but only tomorrow.") == UNLOCK
    assert house.lock.moves == []
    assert await hear("Yes.") == "The front door is unlocked."
    assert await hear("Lock the front door.") == "The front door is locked."
    assert await hear("Open the garage door.") == REALLY
    assert await hear("No.") == "All right."
    assert (house.lock.moves, house.opened) == (["unlock", "lock"], 0)
    house.actions.close()


@pytest.mark.parametrize(
    "yes",
    [
        *("Absolutely.", "Definitely!", "Certainly.", "Please do.", "Go for it.", "Oh yes.", "Ja.", "Oui.", "Correct."),
        *("Right.", "Confirm.", "Yes, that's right.", "Yes, you can.", "Yes, absolutely.", "Yes, sir.", "Genau."),
        *("Hey Jarvis, yes.", "Yes, open it.", "Please, yes."),
    ],
)
async def test_the_embedded_agent_knows_the_same_yes_as_the_speaker(yes: str, pins: MockFactory) -> None:
    house = House(pins)
    hear = Embedded(house).hear
    await house.wake()
    await hear("Unlock the front door.")
    assert await hear(yes) == "The front door is unlocked."
    house.actions.close()


async def test_the_embedded_agent_says_what_was_done_before_it_asks(pins: MockFactory) -> None:
    house = House(pins)
    hear = Embedded(house).hear
    await house.wake()
    assert await hear("Open the garage door and turn on the lamp.") == f"The lamp is on. {REALLY}"
    assert (house.is_lamp_on, house.opened) == (True, 0)
    await hear("Yes.")
    assert house.opened == 1
    house.actions.close()


async def test_the_embedded_agent_asks_about_one_thing_after_the_other(pins: MockFactory) -> None:
    house = House(pins)
    hear = Embedded(house).hear
    await house.wake()
    first = await hear("Open the garage door and unlock the front door.")
    assert first == UNLOCK
    assert await hear("Yes.") == f"The front door is unlocked. {REALLY}"
    assert (house.unlocked, house.opened) == (1, 0)
    assert "?" not in await hear("Yes.")
    assert (house.unlocked, house.opened) == (1, 1)
    house.actions.close()


async def test_the_embedded_agent_takes_a_no_to_one_thing_for_no_answer_about_the_other(pins: MockFactory) -> None:
    house = House(pins)
    hear = Embedded(house).hear
    await house.wake()
    assert await hear("Open the garage door and unlock the front door.") == UNLOCK
    assert await hear("No.") == f"All right. {REALLY}"
    await hear("Yes.")
    assert (house.unlocked, house.opened) == (0, 1)
    house.actions.close()


async def test_of_two_calls_that_are_asked_about_at_once_one_yes_moves_one(pins: MockFactory) -> None:
    house = House(pins)
    await house.wake()
    name, unlock, question = DEVICES[0]
    await house.say("Do both.", house.call("garage"), house.call(name, unlock))
    await house.reply("Shall I open the garage door and unlock the front door for 5 minutes?")
    await house.say("Yes.", house.call("garage"), house.call(name, unlock))
    assert (house.opened, house.unlocked) == (0, 0), "nobody asked for both at once"
    await house.reply(DEVICES[1][2], question)
    await house.say("Yes.", house.call("garage"), house.call(name, unlock))
    assert (house.opened, house.unlocked) == (0, 1), "the last thing that was asked"
    await house.reply(DEVICES[1][2])
    await house.say("Yes.", house.call("garage"), house.call(name, unlock))
    assert (house.opened, house.unlocked) == (1, 1)
    house.actions.close()


def vars_of(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "description": function.description,
        "parameters": dict(function.parameters),
        "defer_until_eot": function.side_effect,
    }


async def test_an_agent_that_words_it_its_own_way_is_told_the_second_time_how_to_ask(pins: MockFactory) -> None:
    house = House(pins)
    await house.wake()
    await house.say("Open it.", house.call("garage"))
    await house.reply("Up with the door then?")
    await house.say("Yes.", house.call("garage"))
    assert [answer.text for answer in house.answers] == [REALLY, f"{REALLY} (Say exactly this question.)"]
    await house.reply(REALLY)
    await house.say("Yes.", house.call("garage"))
    assert house.opened == 1
    house.actions.close()


@pytest.mark.parametrize("said", ["Das Garagentor: wirklich öffnen?", "Soll ich wirklich das Garagentor öffnen?"])
async def test_where_the_agent_speaks_german_the_question_does(said: str, pins: MockFactory) -> None:
    house = House(pins, "Das Garagentor", "de")
    await house.wake()
    await house.say("Mach das Garagentor auf.", house.call("garage"))
    assert [answer.text for answer in house.answers] == ["Das Garagentor: wirklich öffnen?"]
    await house.reply(said)
    await house.say("Ja, bitte.", house.call("garage"))
    assert house.opened == 1
    house.actions.close()


async def test_an_agent_that_calls_for_ever_moves_nothing(pins: MockFactory) -> None:
    house = House(pins)
    await house.wake()
    await house.say("Good morning.", *(house.call("garage") for _ in range(50)))
    await house.post(on.AgentText("Do you really want me to open the garage door? Yes."), on.AgentSpeech(bytes(480)))
    await house.post(*(on.Asked((house.call("garage"),)) for _ in range(50)))
    await asyncio.sleep(0)
    assert house.opened == 0
    house.actions.close()
