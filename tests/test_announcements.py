"""What others want said, by what a person in the room would hear."""

import pytest

from cooee import effects as do
from cooee import events as on
from cooee.effects import Effect, Outcome, Phase
from cooee.events import Trouble
from test_conversation import SILENCE, Room, awake, of, speaking

PCM = bytes(48_000)
DINNER = on.SayWanted("1", "Dinner is ready.")
FIRE = on.SayWanted("2", "There is smoke in the kitchen!", is_urgent=True)
MILK = on.SayWanted("3", "Do we need milk?", wants_answer=True)


def resting(*, has_line: bool, **settings: object) -> Room:
    """A speaker at rest, with a line to its agent or without."""
    room = Room(**settings)  # type: ignore[arg-type]
    if has_line:
        room(on.SessionUp(), on.SettingsApplied())
    return room


def said(room: Room) -> list[str]:
    """What was said, by whomever, in order."""
    return [effect.text for effect in room.effects if isinstance(effect, do.Say | do.Announce)]


def outcomes(room: Room) -> dict[str, Outcome]:
    return {effect.id: effect.outcome for effect in room.effects if isinstance(effect, do.Report)}


def agent_says_it(room: Room) -> list[Effect]:
    effects = room(on.AgentSpeech(PCM), on.AgentDone())
    return effects + room(on.Spoken(room.turn))


def own_voice_says_it(room: Room) -> list[Effect]:
    return room(on.Spoken(room.turn))


def test_the_agent_says_it_where_it_has_a_line() -> None:
    room = resting(has_line=True)
    assert room(DINNER) == [do.Say(1, "Dinner is ready.")]
    effects = room(on.AgentSpeech(PCM))
    assert of(do.Play, effects) == [do.Play(1, PCM)]
    assert room.phase is Phase.SPEAKING
    room(on.AgentDone(), on.Spoken(1))
    assert room.phase is Phase.ASLEEP
    assert outcomes(room) == {"1": Outcome.SAID}


@pytest.mark.parametrize("phase", [Phase.ASLEEP, Phase.OFFLINE, Phase.MUTED])
def test_without_a_line_our_own_voice_says_it_and_none_is_opened(phase: Phase) -> None:
    room = resting(has_line=False)
    before = {Phase.OFFLINE: on.SessionDown("x", Trouble.NETWORK), Phase.MUTED: on.Muted("button")}
    room(before.get(phase, on.Ticked()))
    assert room(DINNER) == [do.Announce(1, "Dinner is ready.")]
    assert room.phase is phase
    own_voice_says_it(room)
    assert outcomes(room) == {"1": Outcome.SAID}
    assert not of(do.Connect, room.effects)


def test_our_own_voice_may_be_asked_for() -> None:
    room = resting(has_line=True)
    assert room(on.SayWanted("1", "Hello.", is_own_voice=True)) == [do.Announce(1, "Hello.")]


def test_while_muted_the_agent_is_not_asked_for_its_voice() -> None:
    room = resting(has_line=True)
    room(on.Muted("button"))
    assert room(DINNER) == [do.Announce(1, "Dinner is ready.")]


@pytest.mark.parametrize("wanted", [DINNER, MILK])
def test_the_line_is_not_let_go_while_it_is_said_nor_before_the_answer(wanted: on.SayWanted) -> None:
    room = resting(has_line=True, keep_s=60.0)
    room.now = 58.0
    room(wanted)
    room.hear(3)
    room(on.AgentSpeech(bytes(5 * 48_000)))
    room.hear(4)
    assert not of(do.Disconnect, room.effects)
    effects = room(on.AgentDone(), on.Spoken(room.turn))
    assert of(do.Disconnect, effects) == ([] if wanted.wants_answer else [do.Disconnect("idle")])
    assert outcomes(room) == ({} if wanted.wants_answer else {"1": Outcome.SAID})
    assert not of(do.Connect, room.effects)


@pytest.mark.parametrize("phase", ["listening", "thinking", "speaking"])
def test_it_waits_for_the_end_of_the_turn(phase: str) -> None:
    room = speaking(follow_up_s=0.0) if phase == "speaking" else awake(follow_up_s=0.0)
    if phase == "thinking":
        room(on.UserStarted(), on.UserText("what time is it"))
    assert not of(do.Say, room(DINNER))
    room.hear(0.8)
    assert said(room) == []
    if phase == "listening":
        room.hear(6, SILENCE)
    else:
        agent_says_it(room)
    assert said(room) == ["Dinner is ready."]


def test_an_urgent_one_cuts_the_reply_and_nothing_of_that_is_heard_any_more() -> None:
    room = speaking()
    effects = room(FIRE)
    assert of(do.Hush, effects) == [do.Hush(1)]
    assert of(do.Announce, effects) == [do.Announce(2, FIRE.text)]
    assert not of(do.Play, room(on.AgentSpeech(PCM)))
    own_voice_says_it(room)
    assert outcomes(room) == {"2": Outcome.SAID}


def test_an_urgent_one_comes_before_others_and_cuts_them_but_no_other_urgent_one() -> None:
    room = resting(has_line=False)
    room(DINNER, on.SayWanted("4", "Later."), FIRE)
    assert said(room) == [DINNER.text, FIRE.text]
    assert outcomes(room) == {"1": Outcome.CUT}
    room(on.SayWanted("5", "And water.", is_urgent=True))
    own_voice_says_it(room)
    own_voice_says_it(room)
    own_voice_says_it(room)
    assert said(room) == [DINNER.text, FIRE.text, "And water.", "Later."]


def test_they_keep_their_order() -> None:
    room = resting(has_line=False)
    room(*(on.SayWanted(str(number), f"Number {number}.") for number in range(5)))
    for _ in range(5):
        own_voice_says_it(room)
    assert said(room) == [f"Number {number}." for number in range(5)]


def test_a_refused_one_is_tried_again_and_in_the_end_said_by_our_own_voice() -> None:
    room = resting(has_line=True)
    room(DINNER)
    for _ in range(3):
        room(on.InjectionRefused())
        room.hear(1.2, SILENCE)
    assert [type(effect) for effect in room.effects if isinstance(effect, do.Say | do.Announce)] == [
        *(do.Say, do.Say, do.Say, do.Announce)
    ]
    own_voice_says_it(room)
    assert outcomes(room) == {"1": Outcome.SAID}


def test_an_agent_that_does_not_say_it_is_not_waited_for() -> None:
    room = resting(has_line=True)
    room(DINNER)
    room.hear(6.5, SILENCE)
    assert of(do.Announce, room.effects) == [do.Announce(1, DINNER.text)]


def test_a_line_that_breaks_before_it_began_costs_nothing() -> None:
    room = resting(has_line=True)
    room(DINNER, on.SessionDown("x", Trouble.NETWORK))
    assert of(do.Announce, room.effects) == [do.Announce(1, DINNER.text)]


def test_the_wake_word_goes_first_and_what_was_not_heard_is_said_afterwards() -> None:
    room = resting(has_line=True)
    room(DINNER)
    room.wake()
    assert not of(do.Play, room(on.AgentSpeech(PCM), on.AgentDone())), "it talks into the user's turn"
    assert room.phase is Phase.LISTENING
    room.hear(7, SILENCE)
    assert said(room) == [DINNER.text, DINNER.text]
    agent_says_it(room)
    assert outcomes(room) == {"1": Outcome.SAID}


@pytest.mark.parametrize("has_line", [True, False])
@pytest.mark.parametrize("how", ["the wake word", "stop", "mute"])
def test_it_can_be_cut(how: str, has_line: bool) -> None:
    room = resting(has_line=has_line)
    room(DINNER)
    if has_line:
        room(on.AgentSpeech(PCM))
    hushed = room.wake() if how == "the wake word" else room(on.Stopped("x") if how == "stop" else on.Muted("x"))
    assert of(do.Hush, hushed) == [do.Hush(1)]
    assert outcomes(room) == {"1": Outcome.STOPPED if how == "stop" else Outcome.CUT}


def test_a_question_is_asked_and_the_next_words_are_its_answer_and_nobody_elses() -> None:
    room = resting(has_line=False)
    room.hear(2)
    room(MILK)
    room.hear(1)
    effects = own_voice_says_it(room)
    assert room.phase is Phase.LISTENING
    assert of(do.Connect, effects) and of(do.OpenUplink, effects)
    assert not of(do.Send, effects), "the end of our own question would be taken for the answer"
    assert room.hear(0.16) == [do.Send(2, SILENCE)] * 2, "the room still sounds of the question"
    room.hear(0.4)
    room(on.SessionUp(), on.SettingsApplied(), on.UserStarted())
    effects = room(on.Asked((on.Call("c1", "lamp"),)), on.UserText("Yes, two litres."))
    assert do.Report("3", Outcome.ANSWERED, "Yes, two litres.") in effects
    assert not of(do.Act, effects)
    assert room.phase is Phase.ASLEEP
    assert not of(do.Play, room(on.AgentThought(), on.AgentSpeech(PCM), on.AgentDone())), "the agent answers as well"


def test_by_the_agent_a_question_is_asked_on_the_same_line() -> None:
    room = resting(has_line=True)
    room(MILK)
    agent_says_it(room)
    assert room.phase is Phase.LISTENING
    room.hear(1)
    room(on.UserStarted(), on.UserText("No."))
    assert do.Report("3", Outcome.ANSWERED, "No.") in room.effects


def test_nobody_answers() -> None:
    room = resting(has_line=True)
    room(MILK)
    agent_says_it(room)
    room.hear(7, SILENCE)
    assert outcomes(room) == {"3": Outcome.UNANSWERED}
    room.wake()
    assert not of(do.Report, room(on.UserStarted(), on.UserText("turn on the lamp")))


def test_muted_or_stopped_instead_of_answered_is_told_as_that() -> None:
    for event, outcome in ((on.Muted("button"), Outcome.MUTED), (on.Stopped("button"), Outcome.STOPPED)):
        room = resting(has_line=True)
        room(MILK)
        agent_says_it(room)
        room(event)
        assert outcomes(room) == {"3": outcome}


@pytest.mark.parametrize("has_line", [True, False])
def test_stop_empties_the_queue_and_each_is_told(has_line: bool) -> None:
    room = resting(has_line=has_line)
    room(DINNER, on.SayWanted("4", "Later."), MILK, on.SayWanted("5", "And water.", is_urgent=True))
    before = said(room)
    room(on.Stopped("button"))
    room.hear(8, SILENCE)
    assert said(room) == before
    assert {id_ for id_, outcome in outcomes(room).items() if outcome is Outcome.STOPPED} >= {"3", "4"}
    assert set(outcomes(room)) == {"1", "3", "4", "5"}
    room(on.SayWanted("6", "Something new."))
    assert said(room)[-1] == "Something new."


def test_what_the_agent_still_says_after_a_stop_is_not_taken_for_the_next_one() -> None:
    room = resting(has_line=True)
    room(DINNER, on.Stopped("button"), on.SayWanted("4", "Something new."))
    assert of(do.Announce, room.effects) == [do.Announce(1, "Something new.")]
    assert not of(do.Play, room(on.AgentSpeech(PCM), on.AgentDone()))
    assert outcomes(room) == {"1": Outcome.STOPPED}
    own_voice_says_it(room)
    assert outcomes(room) == {"1": Outcome.STOPPED, "4": Outcome.SAID}
    room.hear(6.5, SILENCE)
    room(on.SayWanted("5", "Later."))
    assert of(do.Say, room.effects)[-1].text == "Later."


def test_who_went_away_before_it_was_begun_is_not_asked() -> None:
    room = resting(has_line=False)
    room(DINNER, MILK, on.SayWanted("4", "Later."), on.SayUnwanted("3"))
    own_voice_says_it(room)
    own_voice_says_it(room)
    assert said(room) == [DINNER.text, "Later."]


@pytest.mark.parametrize("has_line", [True, False])
def test_who_went_away_while_it_is_asked_is_not_listened_for(has_line: bool) -> None:
    room = resting(has_line=has_line)
    room(MILK)
    if has_line:
        room(on.AgentSpeech(PCM))
    room(on.SayUnwanted("3"))
    room(on.AgentDone(), on.Spoken(room.turn))
    assert room.phase is Phase.ASLEEP
    room.hear(0.5)
    assert not of(do.Send, room.effects)


def test_who_went_away_while_the_agent_is_awaited_is_not_asked_again() -> None:
    room = resting(has_line=True)
    room(MILK, on.SayUnwanted("3"))
    room.hear(0.2, SILENCE)
    room(on.InjectionRefused())
    room.hear(8, SILENCE)
    assert said(room) == [MILK.text]


def test_who_went_away_after_it_was_asked_leaves_the_answer_to_nobody() -> None:
    room = resting(has_line=True)
    room(MILK)
    agent_says_it(room)
    room.hear(1)
    room(on.SayUnwanted("3"), on.UserStarted())
    room(on.Asked((on.Call("c1", "lamp"),)), on.UserText("Yes."))
    assert not of(do.Act, room.effects), "an answer to somebody else became a command"
    assert room.phase is Phase.ASLEEP


def test_what_came_too_late_is_not_begun_when_the_agent_gives_it_back() -> None:
    room = resting(has_line=True)
    room(on.SayWanted("1", "Now or never.", patience_s=3.0))
    room.hear(6.5, SILENCE)
    assert said(room) == ["Now or never."]
    assert outcomes(room) == {"1": Outcome.LATE}


@pytest.mark.parametrize("is_complete", [True, False])
def test_a_line_that_breaks_in_the_middle_of_it_has_not_said_it(is_complete: bool) -> None:
    room = resting(has_line=True)
    room(DINNER, on.AgentSpeech(PCM))
    if is_complete:
        room(on.AgentDone())
    room(on.SessionDown("x", Trouble.NETWORK), on.Spoken(room.turn))
    assert outcomes(room) == {"1": Outcome.SAID if is_complete else Outcome.CUT}


def test_muted_it_asks_nothing() -> None:
    room = resting(has_line=False)
    room(on.Muted("button"), MILK)
    assert (outcomes(room), said(room)) == ({"3": Outcome.MUTED}, [])


def test_too_many_or_too_late_is_told() -> None:
    room = awake()
    room(*(on.SayWanted(str(number), "x", patience_s=5) for number in range(33)))
    assert outcomes(room) == {"32": Outcome.FULL}
    room.hear(5.2)
    assert outcomes(room) == {**{str(number): Outcome.LATE for number in range(32)}, "32": Outcome.FULL}
    assert said(room) == []


def test_a_voice_that_fails_is_told_and_the_next_one_gets_its_chance() -> None:
    room = resting(has_line=False)
    room(DINNER, MILK, on.Unsayable(1, "There is no voice."))
    assert do.Report("1", Outcome.FAILED, "There is no voice.") in room.effects
    assert said(room) == [DINNER.text, MILK.text]


def test_what_a_switch_has_muted_only_the_switch_unmutes() -> None:
    room = resting(has_line=False)
    room(on.Muted("command"), on.Muted("switch", is_switch=True), on.Unmuted("command"), on.MuteToggled("button"))
    assert room.phase is Phase.MUTED
    assert room(on.Unmuted("switch", is_switch=True))[0] == do.Capture(True)
    room(on.MuteToggled("button"))
    assert room.phase is Phase.MUTED
    room(on.MuteToggled("button"))
    assert room.phase is Phase.ASLEEP


def test_stop_is_quiet_at_once_and_rests() -> None:
    room = speaking()
    assert of(do.Hush, room(on.Stopped("command"))) == [do.Hush(1)]
    assert room.phase is Phase.ASLEEP
    assert not of(do.Play, room(on.AgentSpeech(PCM)))


def test_the_button_makes_it_louder() -> None:
    assert resting(has_line=False)(on.LoudnessWanted("button", 10)) == [do.Louden(10)]
