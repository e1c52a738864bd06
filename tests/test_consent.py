"""The user's yes to a risky call: what counts as one. No clock, no device."""

from collections.abc import Mapping
from typing import Any

import pytest

from cooee import events as on
from cooee.consent import Consent

GARAGE = "Do you really want me to open the garage door?"
UNLOCK = "Do you really want me to unlock the front door?"
OPEN = {"action": "open"}


class Talk:
    """A consent in the middle of a conversation: in turn 1 the agent has called for the garage door."""

    def __init__(self, question: str = GARAGE, arguments: Mapping[str, Any] | None = None) -> None:
        self.consent = Consent()
        self.turn, self.now = 1, 100.0
        self._ids = iter(range(1000))
        self.call(OPEN if arguments is None else arguments)
        self(on.Doubted(1, "0", "garage_door", question))

    def __call__(self, *events: on.Event) -> "Talk":
        for event in events:
            self.consent.take(event, self.turn, self.now)
        return self

    def call(self, arguments: Mapping[str, Any] | None = None, name: str = "garage_door", id: str = "") -> bool:
        arguments = OPEN if arguments is None else arguments
        return self.consent.covers(on.Call(id or str(next(self._ids)), name, arguments), self.turn, self.now)

    def ask(self, text: str = GARAGE) -> "Talk":
        return self(on.AgentText(text))

    def answer(self, text: str = "Yes.") -> "Talk":
        self.turn += 1
        return self(on.UserStarted(), on.UserText(text))


def test_a_yes_in_the_next_turn_is_good_for_just_one_call() -> None:
    talk = Talk().ask().answer()
    assert talk.call()
    assert not talk.call()


@pytest.mark.parametrize(
    "words",
    [
        *("yes", "Yes, please.", "Yeah.", "Sure!", "Do it.", "Go ahead.", "Please do.", "Yes, open the garage.", "yep"),
        *("Yes, do it now.", "Yes, I'm sure.", "Of course.", "yes yes", "Yes, open the garage door, please", "Oh yes."),
        *("Ja.", "Ja, bitte!", "Oui.", "Sí", "Sì", "Yes, I really want you to.", "YES", "Yes, thank you."),
        *("Sim.", "Sim, por favor.", "Ja graag.", "Claro que sí.", "Oui, s'il te plaît.", "Sì, grazie.", "Natürlich."),
        *("Yes, the garage door.", "Yeah, the garage.", "Okay, yes.", "Um, yes please."),
        *("Correct.", "That's correct.", "Right.", "That's right.", "Yes, that's right.", "Confirm.", "Exactly."),
        *("Yes, you can.", "Yes, you may open it.", "Yes, absolutely.", "Yes, sir."),
        *("Yes, I would like you to.", "Sure, I want that.", "Please, yes.", "Ja, genau.", "Klar!", "Ja, mach das."),
        *(
            "Ja, mach auf.",
            "Ja, mach das Garage door auf.",
            "Ja, bitte öffnen.",
            "Ja, öffne garage door.",
            "Oui, vas-y.",
        ),
        *("Sí, hazlo.", "Sì, fallo.", "Sim, pode.", "Go ahead and open it.", "Yes, go ahead and open the garage."),
    ],
)
def test_what_is_a_yes(words: str) -> None:
    assert Talk().ask().answer(words).call()


@pytest.mark.parametrize(
    "words",
    [
        *("", "...", "No.", "no yes no", "Yes, but only tomorrow.", "Yes to the music.", "Yes, and turn on the lamp."),
        *(
            "Not yes.",
            "Yes no.",
            "Yeah, no.",
            "Yeah right.",
            "Yes, don't.",
            "Yes?",
            "What?",
            "Open the garage.",
            "maybe",
        ),
        *("Okay.", "Well", "Sure, but not now.", "Yes, the front door.", "Say yes.", "Yes, close the garage door."),
        *("Yesterday.", "Do not do it.", "Go ahead and unlock the front door.", "Yes, in an hour.", "Nein.", "Si no."),
        *(
            "Yes, but not the garage.",
            "No yes.",
            "I didn't say yes.",
            "Yes, what's the weather",
            "Yes, what's the weather?",
        ),
        *(
            "yes or no",
            "Yes and no.",
            "I said no, yes?",
            "Did I say yes",
            "Yes, close it.",
            "Yes. Cancel.",
            "Sure not.",
        ),
        *("Absolutely not.", "Definitely don't.", "Yes, never.", "Yes, unless it rains.", "Yes, except the garage."),
        *("Ja, aber nicht jetzt.", "Ja nein.", "Oui mais non.", "Sí, pero mañana.", "Sim, mas não.", "Nee.", "Não."),
        *(
            "Sí, cierra la puerta.",
            "Yes, lock the garage door.",
            "Yes\uff1f",
            "yesyes",
            "y e s",
            "yes 2",
            "Yes, the other one.",
        ),
        *(
            "He said yes.",
            "Yes, man.",
            "She says: yes.",
            "Oh no, yes.",
            "Yeah, right.",
            "As if. Yes.",
            "Yes, open the window.",
        ),
        *("Do you really want me to open the garage door", "really want me to open the garage door", "please", "it"),
        *("Sure you do.", "Sure you want that.", "Yes yes yes do you want me to", "Sure you should", "Yes you would."),
        *("Yes, right.", "Right, open the window.", "That's not right.", "Correct the time.", "Yes, you can close it."),
        *(
            "Yes, you can not.",
            "Right now?",
            "Ja, mach zu.",
            "Ja, schließ ab.",
            "Ja, mach auf keinen Fall",
            "Ja, stell",
            "Go ahead and close it.",
            "Go ahead and",
            "Yes, and open the window.",
        ),
    ],
)
def test_what_is_no_yes(words: str) -> None:
    talk = Talk().ask().answer(words)
    assert not talk.call()
    talk.answer()
    assert not talk.call(), "a later yes is too late"


@pytest.mark.parametrize(
    ("arguments", "other"),
    [
        (OPEN, {"action": "close"}),
        (OPEN, {}),
        ({"percent": 1}, {"percent": True}),
        ({"percent": 0}, {"percent": False}),
        ({"percent": 50}, {"percent": "50"}),
        ({"percent": 50}, {"percent": 50, "now": True}),
        ({"stops": [{"at": 1}, 2]}, {"stops": [2, {"at": 1}]}),
        ({"stops": [1]}, {"stops": {"0": 1}}),
        ({"percent": None}, {}),
    ],
)
def test_other_arguments_are_another_call(arguments: dict[str, Any], other: dict[str, Any]) -> None:
    assert not Talk(arguments=arguments).ask().answer().call(other)
    assert not Talk(arguments=other).ask().answer().call(arguments)


def test_arguments_are_the_same_as_json_is() -> None:
    one = {"percent": 50, "stops": [{"at": 1, "how": "soft"}]}
    other = {"stops": [{"how": "soft", "at": 1.0}], "percent": 50.0}
    assert Talk(arguments=one).ask().answer().call(other)


def test_arguments_as_deep_as_you_like_end_nothing() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert Talk(arguments={"x": deep}).ask().answer().call({"x": deep})
    while deep:
        deep = deep.pop()


def test_arguments_that_were_none_are_never_confirmed() -> None:
    talk = Talk().ask().answer()
    assert not talk.consent.covers(on.Call("x", "garage_door", None), talk.turn, talk.now)


def test_another_function_is_not_meant() -> None:
    assert not Talk().ask().answer().call(name="front_door")


@pytest.mark.parametrize(
    "said",
    [
        "The garage door is closed.",
        "Shall I play some music?",
        "Do you really want me to unlock the front door?",
        "Do you want me to close the garage door?",
        "Do you really want me to open the garage door? Or shall I play some music?",
        "Shall I open the garage door or the window?",
        "You don't want me to open the garage door?",
        "",
        "Shall I leave the garage door closed?",
        "Shall I leave the garage door open?",
        "Shall I not open the garage door?",
        "Do you want me to open the window instead of the garage door?",
        "Do you want me to open the garage door and unlock the front door?",
        "Do you want me to open everything but the garage door?",
        "Would you rather not open the garage door?",
        "Is the garage door open?",
        "Is that the open garage door?",
        "Do you like the open garage door?",
        "Who wants to open the garage door?",
        "When should I open the garage door?",
        "Should I stop and open the garage door later?",
        "Shall I close the window, or keep it, and open the garage door?",
        "Shall I open the garage?",
        "The garage door is open, shall I close it?",
        "Shall I play some music? Do you really want me to open the garage door?",
        "Do you really want me to open the garage door? I mean the lamp.",
        "Do you really want me to open the garage door? Say yes to play some music.",
        "Should I really open the garage door? That will let the cold in.",
        "If you say no, shall I open the garage door?",
        "Do you really want me to open",
        "Just checking: is the garage door open?",
        "Can you confirm that the garage door is open?",
        "Shall I open the garage door for your guests?",
        "Do you want me to open the garage door? Yes or no? Or the window?",
        "Is it okay if I close the garage door for you?",
    ],
)
def test_a_yes_to_another_question_is_none(said: str) -> None:
    assert not Talk().ask(said).answer().call()
    assert not Talk().ask().ask(said or "Hm.").answer().call()


@pytest.mark.parametrize(
    "said",
    [
        "Are you sure you want me to open the garage door?",
        "The lamp is on. Do you really want me to open the garage door?",
        "Do you really want me to open the garage door? Please say yes or no.",
        "All right, shall I open the garage door now?",
        "Just to confirm: do you want me to open the garage door?",
        "Are you sure? Do you really want me to open the garage door?",
        "Open your garage door?",
        "Just checking: do you want me to open the garage door?",
        "Can you confirm that you want me to open the garage door?",
        "Please confirm: open the garage door?",
        "To double-check, you'd like me to open the garage door?",
        "Do you want me to open the garage door? Yes or no?",
        "Shall I go ahead and open the garage door, yes or no?",
        "Would you like me to open the garage door for you?",
        "Shall I open the garage door? Is that right?",
        "Is it okay if I open the garage door?",
        "You want me to open the garage door, correct?",
        "I need your confirmation: do you really want me to open the garage door?",
        "Before I do that, do you really want me to open the garage door?",
    ],
)
def test_the_agent_may_ask_in_words_of_its_own(said: str) -> None:
    assert Talk().ask(said).answer().call()


def test_the_number_asked_about_is_the_number_meant() -> None:
    question = "Do you really want me to set the heater to 30?"
    assert Talk(question).ask(question).answer().call()
    assert Talk(question).ask("Shall I set the heater to thirty?").answer().call()
    assert Talk(question).ask("Shall I set the heater to 30 degrees?").answer("Yes, to thirty.").call()
    assert Talk(question).ask("Shall I set the heater to 30 °C?").answer("Yes, to thirty degrees Celsius.").call()
    for other in ("twenty", "thirty three", "3", "13", "300", "30 or 40", "30 F"):
        assert not Talk(question).ask(f"Shall I set the heater to {other}?").answer().call()
    assert not Talk(question).ask("Is the heater set to 30?").answer().call()
    assert not Talk(question).ask(question).answer("Yes, to twenty.").call()
    assert not Talk(question).ask("Shall I set the heater to 20?").answer().call()


def test_on_is_not_off() -> None:
    question = "Do you really want me to switch off the alarm?"
    assert Talk(question).ask("Shall I turn the alarm off?").answer("Yes, turn it off.").call()
    for other in (
        "Shall I switch on the alarm?",
        "Shall I turn the alarm on?",
        "Is the alarm off?",
        "Alarm off and on?",
    ):
        assert not Talk(question).ask(other).answer().call()
    assert not Talk(question).ask(question).answer("Yes, turn it on.").call()


def test_a_yes_to_a_part_is_none() -> None:
    question = "Do you really want me to switch on the lamp and the heater?"
    assert not Talk(question).ask(question).answer("Yes, the lamp.").call()
    assert not Talk(question).ask("Shall I switch on the heater?").answer().call()
    assert Talk(question).ask(question).answer("Yes, switch on the lamp and the heater.").call()


def test_a_question_of_ones_own_is_asked_as_it_stands() -> None:
    assert Talk("Are you sure?").ask("Are you sure?").answer("Yes.").call()
    assert not Talk("Are you sure?").ask("Shall I?").answer("Yes.").call()
    question = "Tu veux vraiment ouvrir le portail ?"
    assert Talk(question).ask(question).answer("Oui.").call()
    assert not Talk(question).ask("Tu veux vraiment fermer le portail ?").answer("Oui.").call()


def test_what_was_asked_first_does_not_get_lost_in_pieces() -> None:
    assert not Talk().ask("Shall I play some music?").ask().answer().call()
    assert Talk().ask("The lamp is on.").ask().answer().call()
    assert Talk().ask().ask().answer().call()


def test_an_agent_that_never_stops_talking_asks_nothing() -> None:
    assert not Talk().ask("Well. " * 1000).ask().answer().call()


def test_without_a_question_in_words_there_is_no_yes() -> None:
    assert not Talk().answer().call()


def test_a_question_before_the_call_was_not_this_one() -> None:
    talk = Talk().ask()
    talk.call(id="again")
    talk(on.Doubted(1, "again", "garage_door", GARAGE))
    assert not talk.answer().call()


def test_a_yes_in_the_turn_of_the_question_is_none() -> None:
    talk = Talk().ask()
    talk(on.UserText("yes"))
    assert not talk.call()
    talk.turn += 1
    assert not talk.call()


def test_only_the_first_turn_after_the_question_counts() -> None:
    assert not Talk().ask().answer("What time is it?").answer().call()


def test_a_call_after_the_turn_of_the_yes_is_too_late() -> None:
    talk = Talk().ask().answer()
    talk.turn += 1
    assert not talk.call()
    assert not Talk().ask().answer()(on.UserText("Yes.")).call()


def test_a_call_that_was_taken_back_asks_for_nothing() -> None:
    consent = Consent()
    consent.covers(on.Call("1", "garage_door", OPEN), 1, 0.0)
    consent.take(on.Withdrawn(("1",)), 1, 0.0)
    consent.take(on.Doubted(1, "1", "garage_door", GARAGE), 1, 0.0)
    assert not consent


def test_it_is_known_which_question_led_to_no_yes() -> None:
    talk = Talk()
    assert not talk.consent.has_failed(GARAGE, 1)
    talk(on.Doubted(1, "again", "garage_door", GARAGE)).ask("Shall we?").answer()
    assert not talk.consent.has_failed(GARAGE, 1), "twice in one turn is once to the user"
    assert talk.consent.has_failed(GARAGE, 2)
    assert not talk.consent.has_failed(UNLOCK, 2)
    talk.call(id="c")
    talk(on.Doubted(2, "c", "garage_door", GARAGE)).ask().answer()
    assert talk.call() and not talk.consent.has_failed(GARAGE, 3), "it is over"


def test_half_a_minute_is_the_most() -> None:
    in_time, late_yes, late_call = Talk().ask(), Talk().ask(), Talk().ask()
    in_time.now += 30
    assert in_time.answer().call()
    late_yes.now += 30.1
    assert not late_yes.answer().call()
    late_call.answer().now += 30.1
    assert not late_call.call()


IN_BETWEEN = [
    on.SessionDown("gone"),
    on.SessionUp(),
    on.Muted("button"),
    on.Dismissed("button"),
    on.Forgotten("agent"),
    on.PersonaChosen("butler"),
    on.UserText("And the lamp."),
    on.Withdrawn(("0",)),
]


@pytest.mark.parametrize("event", IN_BETWEEN, ids=lambda event: type(event).__name__)
def test_nothing_else_may_happen_in_between(event: on.Event) -> None:
    assert not Talk()(event).ask().answer().call()
    assert not Talk().ask()(event).answer().call()
    assert not Talk().ask().answer()(event).call()


def test_who_speaks_again_after_the_yes_may_be_taking_it_back() -> None:
    assert not Talk().ask().answer()(on.UserStarted()).call()


def test_the_end_of_the_conversation_ends_the_question() -> None:
    talk = Talk().ask()
    assert talk.consent
    talk.consent.drop()
    assert not talk.consent
    assert not talk.answer().call()


def test_a_question_that_was_cut_off_was_not_heard() -> None:
    assert not Talk().ask()(on.Hushed(1, 1.5)).answer().call()
    assert Talk().ask()(on.Hushed(1, 0.3)).answer().call()


def test_noise_before_the_yes_is_no_answer() -> None:
    assert Talk().ask()(on.UserStarted(), on.NothingSaid()).answer().call()


def test_the_wake_word_may_stand_before_the_yes() -> None:
    assert Talk().ask()(on.Heard(b"", wake="hey_jarvis")).answer("Hey Jarvis, yes.").call()
    assert not Talk().ask().answer("Hey Jarvis, yes.").call()


@pytest.mark.parametrize("model", ["/etc/cooee/hey_otto.onnx", "hey_otto_v0.1.onnx", "./hey_otto_v2.onnx"])
def test_so_may_a_wake_word_of_ones_own(model: str) -> None:
    assert Talk().ask()(on.Heard(b"", wake=model)).answer("Hey Otto, yes.").call()


def test_to_open_a_door_that_is_locked_is_to_unlock_it() -> None:
    for yes in ("Yes, open it.", "Yes, open the door.", "Yes, unlock the front door.", "Ja, mach auf."):
        assert Talk(UNLOCK).ask(UNLOCK).answer(yes).call()
    assert Talk(UNLOCK).ask("Shall I open the front door?").answer().call()
    assert not Talk(UNLOCK).ask(UNLOCK).answer("Yes, close it.").call()
    assert not Talk(GARAGE).ask(GARAGE).answer("Yes, unlock it.").call()
    assert not Talk(GARAGE).ask("Shall I unlock the garage door?").answer().call()


def test_the_newer_question_replaces_the_older() -> None:
    talk = Talk()
    talk.call(name="front_door", id="new")
    talk(on.Doubted(1, "new", "front_door", UNLOCK)).ask(f"{GARAGE} {UNLOCK}").answer()
    assert not talk.call()
    assert talk.call(name="front_door")


def test_the_echo_of_the_question_is_no_yes() -> None:
    assert not Talk().ask(f"Are you sure? {GARAGE}").answer("Sure, open the garage door.").call()
    assert Talk().ask(f"Are you sure? {GARAGE}").answer("Yes, open the garage door.").call()


def test_a_doubt_about_a_call_that_was_never_begun_asks_for_nothing() -> None:
    consent = Consent()
    consent.take(on.Doubted(1, "1", "garage_door", GARAGE), 1, 0.0)
    assert not consent


def test_a_question_in_another_language_is_checked_by_its_own_words() -> None:
    question = "Soll ich wirklich das Garagentor öffnen?"
    assert Talk(question).ask("Möchtest du, dass ich das Garagentor öffnen soll?").answer("Ja.").call()
    assert not Talk(question).ask("Soll ich die Lampe einschalten?").answer("Ja.").call()


TRANSLATED = [
    (
        "open das Garagentor",
        "Soll ich wirklich das Garagentor öffnen?",
        "Ja.",
        "Soll ich wirklich das Garagentor schließen?",
    ),
    (
        "switch on die Heizung",
        "Möchtest du, dass ich die Heizung einschalte?",
        "Ja.",
        "Soll ich die Heizung ausschalten?",
    ),
    (
        "set die Heizung to 30",
        "Soll ich die Heizung auf 30 Grad stellen?",
        "Ja.",
        "Soll ich die Heizung auf 20 Grad stellen?",
    ),
    ("unlock the Haustür", "Soll ich die Haustür wirklich aufschließen?", "Ja.", "Soll ich die Haustür abschließen?"),
    (
        "open le portail",
        "Voulez-vous vraiment que j'ouvre le portail ?",
        "Oui.",
        "Voulez-vous que je ferme le portail ?",
    ),
    ("switch on the chauffage", "Dois-je allumer le chauffage ?", "Oui.", "Dois-je allumer la lampe ?"),
    ("open the puerta", "¿Quieres que abra la puerta?", "Sí.", "¿Quieres que cierre la puerta?"),
    ("switch on il forno", "Vuoi davvero che accenda il forno?", "Sì.", "Vuoi che non accenda il forno?"),
    ("open the poort", "Zal ik de poort openen?", "Ja.", "Zal ik de poort niet openen?"),
    ("open the portão", "Quer que eu abra o portão?", "Sim.", "Quer que eu feche o portão?"),
]


@pytest.mark.parametrize(("deed", "said", "yes", "opposite"), TRANSLATED)
def test_an_agent_may_translate_the_deed_but_not_the_thing(deed: str, said: str, yes: str, opposite: str) -> None:
    question = f"Do you really want me to {deed}?"
    assert Talk(question).ask(said).answer(yes).call()
    for other in (
        opposite,
        "Soll ich wirklich die Haustür öffnen oder das Garagentor?",
        "Soll ich das Licht einschalten?",
    ):
        assert not Talk(question).ask(other).answer(yes).call()
