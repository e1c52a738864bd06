import itertools
import json
from datetime import datetime
from typing import Any

import pytest

from cooee.agent.embedded import sayings
from cooee.agent.embedded.dialogue import PENDING_S, Dialogue, Reply, Request
from cooee.agent.embedded.grammar import Grammar
from household import function, one_of

NOON = datetime(2026, 11, 23, 12, 0)
STATES = {"state": {"type": "string", "enum": ["on", "off", "toggle"]}}


FUNCTIONS = [
    function("desk_lamp", "The lamp on the desk", **STATES),
    function("floor_lamp", "The floor lamp", **STATES),
    function("fan", "The fan", level={"type": "integer", "minimum": 0, "maximum": 100}),
    function("garage_gate", "The gate of the garage", action={"type": "string", "enum": ["open", "close"]}),
    function("stop_listening", "Ends the conversation."),
]
DOORS = (("garage", ["open", "close"]), ("front", ["lock", "unlock"]))
GRAMMAR = Grammar(FUNCTIONS, ["hey jarvis"])


def fresh(history: Any = ()) -> Dialogue:
    ids = itertools.count(1)
    return Dialogue(GRAMMAR, lambda: f"call_{next(ids)}", history)


def say(dialogue: Dialogue, text: str, now_s: float = 0.0, clock: datetime = NOON) -> Reply:
    return dialogue.heard(text, now_s, clock)


def asked(reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    return [(request.name, json.loads(request.arguments)) for request in reply.requests]


def test_a_command_asks_for_the_function_and_the_result_is_said_in_its_own_words() -> None:
    dialogue = fresh()
    assert say(dialogue, "Turn on the desk lamp.") == Reply(
        requests=(Request("call_1", "desk_lamp", '{"state": "on"}'),)
    )
    assert dialogue.answered("call_1", "the lamp on the desk is on", 1.0) == Reply("The lamp on the desk is on.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("The lamp is on.", "The lamp is on."),
        ('{"say": "It is 21 degrees"}', "It is 21 degrees."),
        ('{"ok": false, "error": "the gate is stuck"}', "The gate is stuck."),
        ('{"ok": true}', "Done."),
        ("", "Done."),
        ("42", "42."),
        ("[1, 2]", "Done."),
        ("{oops", "{oops."),
    ],
)
def test_results_of_any_shape_become_a_sentence(content: str, said: str) -> None:
    assert sayings.result(content) == said


def test_several_results_become_one_reply_whatever_their_order() -> None:
    dialogue = fresh()
    assert [name for name, _ in asked(say(dialogue, "turn on the desk lamp and the floor lamp"))] == [
        "desk_lamp",
        "floor_lamp",
    ]
    assert dialogue.answered("call_2", "The floor lamp is on.", 1.0) is None
    assert dialogue.answered("call_9", "Nobody asked.", 1.0) is None
    assert dialogue.answered("call_2", "Said twice.", 1.0) is None
    assert dialogue.answered("call_1", "The desk lamp is on.", 1.0) == Reply(
        "The desk lamp is on. The floor lamp is on."
    )


def test_a_missing_value_is_asked_for_and_the_answer_completes_the_call() -> None:
    dialogue = fresh()
    assert say(dialogue, "set the fan") == Reply("To how many percent?")
    assert asked(say(dialogue, "Forty.", 5)) == [("fan", {"level": 40})]


def test_a_question_is_over_after_a_while() -> None:
    dialogue = fresh()
    say(dialogue, "set the fan", 0.0)
    assert not say(dialogue, "forty", PENDING_S + 1).requests


def test_a_question_is_over_when_something_else_is_said() -> None:
    dialogue = fresh()
    say(dialogue, "set the fan")
    assert asked(say(dialogue, "turn off the desk lamp", 1)) == [("desk_lamp", {"state": "off"})]
    assert not say(dialogue, "forty", 2).requests


def test_never_mind_drops_the_question_and_not_the_conversation() -> None:
    dialogue = fresh()
    say(dialogue, "set the fan")
    assert say(dialogue, "never mind", 1) == Reply("All right.")
    assert asked(say(dialogue, "thanks", 2)) == [("stop_listening", {})]


def test_which_one_is_asked_and_answered() -> None:
    dialogue = fresh()
    assert say(dialogue, "turn on the lamp") == Reply("Which one, the desk lamp or the floor lamp?")
    assert asked(say(dialogue, "the desk lamp", 1)) == [("desk_lamp", {"state": "on"})]


def test_one_thing_that_is_not_quite_certain_needs_a_yes() -> None:
    doors = [function(f"{place}_door", f"The {place} door", action=one_of(*verbs)) for place, verbs in DOORS]
    dialogue = Dialogue(Grammar(doors), lambda: "call")
    assert say(dialogue, "open the door") == Reply("Do you mean the garage door?")
    assert asked(say(dialogue, "yes", 1)) == [("garage_door", {"action": "open"})]
    say(dialogue, "open the door", 2)
    assert not say(dialogue, "no", 3).requests


def test_what_is_complete_is_done_and_the_rest_is_asked_for_with_the_result() -> None:
    dialogue = fresh()
    assert asked(say(dialogue, "turn on the desk lamp and the fan")) == [("desk_lamp", {"state": "on"})]
    reply = dialogue.answered("call_1", "The lamp is on.", 1.0)
    assert reply == Reply("The lamp is on. To how many percent?")
    assert asked(say(dialogue, "twenty percent", 2)) == [("fan", {"level": 20})]


def test_a_function_that_asks_for_confirmation_is_called_again_after_a_yes() -> None:
    dialogue = fresh()
    say(dialogue, "open the gate")
    assert dialogue.answered("call_1", "Do you really want me to open the gate?", 1.0) is not None
    assert asked(say(dialogue, "Yes, please.", 5)) == [("garage_gate", {"action": "open"})]


@pytest.mark.parametrize("answer", ["no", "turn on the desk lamp", "what time is it", "maybe"])
def test_anything_but_a_yes_confirms_nothing(answer: str) -> None:
    dialogue = fresh()
    say(dialogue, "open the gate")
    dialogue.answered("call_1", "Do you really want me to open the gate?", 1.0)
    assert ("garage_gate", {"action": "open"}) not in asked(say(dialogue, answer, 5))
    assert not say(dialogue, "yes", 6).requests


def test_a_late_yes_confirms_nothing() -> None:
    dialogue = fresh()
    say(dialogue, "open the gate")
    dialogue.answered("call_1", "Do you really want me to open the gate?", 1.0)
    assert not say(dialogue, "yes", 2 + PENDING_S).requests


def test_it_is_honest_about_what_it_cannot_do_and_shorter_the_second_time() -> None:
    dialogue = fresh()
    first, second = say(dialogue, "sing me a song").say, say(dialogue, "make me a sandwich", 1).say
    assert first == (
        "I can't do that. I can work the lamp on the desk, the floor lamp, the fan and the gate of the garage, and "
        "tell you the time."
    )
    assert "can't" in second and len(second) < len(first) / 2


def test_what_can_you_do_lists_it() -> None:
    assert say(fresh(), "what can you do").say == (
        "I can work the lamp on the desk, the floor lamp, the fan and the gate of the garage. I can tell you the time. "
        "Just say, for example: turn on the lamp on the desk."
    )


def test_what_can_you_do_names_some_of_many_things() -> None:
    lamps = [function(f"lamp_{number}", f"Lamp in room {number}", **STATES) for number in range(9)]
    lamps.append({**function("car", "How far away the car is"), "defer_until_eot": False})
    said = say(Dialogue(Grammar(lamps), iter("ab").__next__), "help").say
    assert said.startswith("I can work the lamp in room 0,") and "room 5 and three more. I can tell you how far" in said


def test_who_names_only_the_thing_is_asked_what_to_do_with_it() -> None:
    assert say(fresh(), "the desk lamp").say == "Shall I turn the lamp on the desk on or off?"
    gate = fresh()
    assert say(gate, "garage gate").say == "Shall I open or close the gate of the garage?"
    assert asked(say(gate, "close it", 1)) == [("garage_gate", {"action": "close"})]
    assert say(fresh(), "turn up the fan").say == "To how many percent?"


def test_a_number_out_of_range_says_what_is_allowed() -> None:
    assert say(fresh(), "set the fan to 150 percent") == Reply("The fan goes from zero to one hundred.")


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [
        (16, 20, "It is twenty past four."),
        (16, 0, "It is four o'clock."),
        (0, 30, "It is half past twelve."),
        (12, 45, "It is a quarter to one."),
        (9, 15, "It is a quarter past nine."),
        (23, 55, "It is five to twelve."),
        (7, 3, "It is seven oh three."),
        (7, 42, "It is seven forty two."),
    ],
)
def test_the_time_is_told_as_people_say_it(hour: int, minute: int, said: str) -> None:
    assert say(fresh(), "what time is it", clock=NOON.replace(hour=hour, minute=minute)).say == said


@pytest.mark.parametrize(
    ("day", "said"), [(1, "the first"), (20, "the twentieth"), (23, "the twenty third"), (30, "the thirtieth")]
)
def test_the_date_is_told_as_people_say_it(day: int, said: str) -> None:
    reply = say(fresh(), "what's the date", clock=NOON.replace(day=day)).say
    assert said in reply and "November" in reply


def test_no_answer_from_a_function_is_said_and_a_late_one_is_not() -> None:
    dialogue = fresh()
    say(dialogue, "turn on the desk lamp and the floor lamp")
    dialogue.answered("call_2", "The floor lamp is on.", 1.0)
    assert dialogue.overdue(20.0) == Reply("The desk lamp did not answer. The floor lamp is on.")
    assert dialogue.answered("call_1", "The desk lamp is on.", 21.0) is None
    assert dialogue.overdue(40.0) is None


def test_an_interruption_takes_back_what_has_no_result_yet() -> None:
    dialogue = fresh()
    say(dialogue, "turn on the desk lamp")
    assert [request.id for request in dialogue.interrupted()] == ["call_1"]
    assert dialogue.answered("call_1", "The lamp is on.", 1.0) is None
    assert dialogue.interrupted() == ()


def test_the_history_is_what_was_said_and_done_and_it_carries_over() -> None:
    dialogue = fresh()
    dialogue.said("user", "Turn on the desk lamp.")
    say(dialogue, "Turn on the desk lamp.")
    assert dialogue.done("call_7", "x") is None
    dialogue.done("call_1", "The lamp is on.")
    said, done = dialogue.history
    assert said == {"type": "History", "role": "user", "content": "Turn on the desk lamp."}
    assert done["function_calls"] == [
        {
            "id": "call_1",
            "name": "desk_lamp",
            "client_side": True,
            "arguments": '{"state": "on"}',
            "response": "The lamp is on.",
        }
    ]
    assert asked(say(fresh(dialogue.history), "turn it off")) == [("desk_lamp", {"state": "off"})]


def test_new_functions_replace_the_old() -> None:
    dialogue = fresh()
    say(dialogue, "set the fan")
    dialogue.use(Grammar([function("heater", "The heater", **STATES)]))
    assert not say(dialogue, "forty", 1).requests
    assert asked(say(dialogue, "heater on", 2)) == [("heater", {"state": "on"})]
