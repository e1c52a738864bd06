"""The conversation, by what a person in the room would notice. No clock, no device: `now` is what the test says."""

import random
from typing import get_args

import pytest

from cooee import effects as do
from cooee import events as on
from cooee.conversation import AWAKE, Conversation
from cooee.effects import Effect, Phase
from cooee.events import Event, Trouble
from cooee.gate import FRAME_S
from cooee.settings import Conversation as Settings

VOICE = b"\x01\x02" * 1280
SILENCE = bytes(2560)
LAMP = on.Call("c1", "lamp")


class Room:
    """A conversation and a time line; remembers every effect."""

    def __init__(self, keep_s: float | None = 600.0, **settings: object) -> None:
        self.conversation = Conversation(
            Settings(**settings),  # type: ignore[arg-type]
            keep_s=keep_s,
            harmless=frozenset({"thermometer"}),
        )
        self.now = 0.0
        self.effects: list[Effect] = []

    def __call__(self, *events: Event) -> list[Effect]:
        new = [effect for event in events for effect in self.conversation.handle(event, self.now)]
        self.effects += new
        return new

    def hear(self, seconds: float, frame: bytes = VOICE) -> list[Effect]:
        new: list[Effect] = []
        for _ in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            new += self(on.Heard(frame))
        return new

    def wake(self) -> list[Effect]:
        self.now += FRAME_S
        return self(on.Heard(VOICE, score=0.9, wake="hey_jarvis"))

    @property
    def phase(self) -> Phase:
        return self.conversation.phase

    @property
    def turn(self) -> int:
        return self.conversation.turn


def of(kind: type, effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if isinstance(effect, kind)]


def awake(**settings: object) -> Room:
    room = Room(**settings)  # type: ignore[arg-type]
    room.wake()
    room(on.SessionUp(), on.SettingsApplied())
    return room


def speaking(seconds: float = 2.0, **settings: object) -> Room:
    room = awake(**settings)
    room(on.UserStarted(), on.UserText("turn on the lamp"), on.AgentSpeech(bytes(int(seconds * 48_000))))
    return room


def test_nothing_leaves_before_the_wake_word() -> None:
    room = Room()
    room.hear(60)
    assert room.effects == []


def test_the_moment_before_the_wake_word_is_sent_and_then_everything() -> None:
    room = Room(preroll_s=0.8)
    room.hear(3)
    sent = of(do.Send, room.wake())
    assert len(sent) == 10
    assert len(of(do.Send, room.hear(0.8))) == 10


def test_waking_asks_for_a_line_and_shows_listening() -> None:
    room = Room()
    effects = room.wake()
    assert of(do.Connect, effects) == [do.Connect()]
    assert effects[-1] == do.Show(Phase.LISTENING, turn=1)


def test_a_turn_goes_through_all_phases_and_ends_when_the_last_sample_has_sounded() -> None:
    room = speaking(follow_up_s=0.0)
    assert room.phase is Phase.SPEAKING
    assert of(do.Finish, room(on.AgentDone())) == [do.Finish(room.turn)]
    room.hear(1)
    assert room.phase is Phase.SPEAKING
    effects = room(on.Spoken(room.turn))
    assert room.phase is Phase.ASLEEP
    assert of(do.ShutUplink, effects)
    shown = [effect.phase for effect in room.effects if isinstance(effect, do.Show)]
    assert shown == [Phase.LISTENING, Phase.THINKING, Phase.SPEAKING, Phase.ASLEEP]


def test_silence_after_the_wake_word_goes_back_to_sleep_without_a_word() -> None:
    room = awake(no_speech_timeout_s=6.0)
    room.hear(5.5)
    assert room.phase is Phase.LISTENING
    effects = room.hear(1)
    assert room.phase is Phase.ASLEEP
    assert not of(do.Tell, effects)


def test_the_no_speech_timer_starts_when_the_agent_can_hear() -> None:
    room = Room(no_speech_timeout_s=6.0, connect_timeout_s=10.0)
    room.wake()
    room.hear(8)
    room(on.SessionUp(), on.SettingsApplied())
    room.hear(5.5)
    assert room.phase is Phase.LISTENING


def test_a_long_question_is_not_cut_by_the_no_speech_timer() -> None:
    room = awake(no_speech_timeout_s=6.0, utterance_limit_s=30.0)
    room(on.UserStarted())
    room.hear(20)
    assert room.phase is Phase.LISTENING
    room.hear(11)
    assert room.phase is Phase.ASLEEP


def test_the_wake_word_alone_does_not_keep_it_listening() -> None:
    room = awake(no_speech_timeout_s=6.0)
    room(on.UserStarted())
    room.hear(1)
    room(on.NothingSaid())
    room.hear(5)
    assert room.phase is Phase.LISTENING
    room.hear(1.5)
    assert room.phase is Phase.ASLEEP


def test_an_agent_out_of_reach_is_told_once_and_shown() -> None:
    room = Room(connect_timeout_s=5.0)
    room.wake()
    room.hear(30)
    assert [effect.clip for effect in room.effects if isinstance(effect, do.Tell)] == ["network"]
    assert room.phase is Phase.OFFLINE
    assert of(do.Disconnect, room.effects)


def test_the_user_waits_no_longer_for_an_agent_however_often_it_is_tried() -> None:
    room = Room(connect_timeout_s=4.0)
    room.wake()
    for _ in range(5):
        room.hear(1.0)
        room(on.SessionDown("nobody listens", Trouble.NETWORK))
    assert [tell.clip for tell in of(do.Tell, room.effects)] == ["network"]


def test_waking_while_offline_tries_again() -> None:
    room = Room(connect_timeout_s=5.0)
    room.wake()
    room.hear(6)
    assert of(do.Connect, room.wake())
    room(on.SettingsApplied())
    assert room.phase is Phase.LISTENING


def test_a_refusal_is_told_once_and_the_line_is_not_wanted_any_more() -> None:
    room = Room()
    room.wake()
    room(on.SessionDown("wrong key", Trouble.KEY, is_final=True))
    room(on.SessionDown("wrong key", Trouble.KEY, is_final=True))
    assert [effect.clip for effect in room.effects if isinstance(effect, do.Tell)] == ["key"]
    assert of(do.Disconnect, room.effects) == [do.Disconnect("key")]
    assert room.phase is Phase.OFFLINE


def test_an_agent_that_never_answers_is_given_up() -> None:
    room = awake(thinking_timeout_s=10.0)
    room(on.UserText("hello"))
    room.hear(11)
    assert room.phase is Phase.ASLEEP
    assert [effect.clip for effect in room.effects if isinstance(effect, do.Tell)] == ["no_answer"]


def test_the_wake_word_interrupts_a_reply_at_once_and_late_audio_is_dropped() -> None:
    room = speaking()
    old = room.turn
    room.hear(1)
    effects = room.wake()
    assert of(do.Hush, effects) == [do.Hush(old)]
    assert room.turn > old
    assert not of(do.Play, room(on.AgentSpeech(b"late"), on.AgentText("late")))
    assert not of(do.Finish, room(on.AgentDone()))
    assert of(do.Play, room(on.UserText("stop"), on.AgentSpeech(b"fresh!")))


def test_a_greeting_does_not_talk_over_a_command_in_one_breath_with_the_wake_word() -> None:
    room = awake()
    assert not of(do.Play, room(on.AgentText("Hello."), on.AgentSpeech(b"hello!"), on.AgentDone()))
    assert {effect.frame for effect in of(do.Send, room.hear(1))} == {VOICE}  # type: ignore[attr-defined]


def test_what_the_new_turn_gets_is_played_even_when_the_old_reply_never_ended() -> None:
    room = speaking()
    room.wake()
    assert not of(do.Play, room(on.AgentSpeech(b"late")))
    room(on.UserStarted(), on.UserText("stop"))
    assert of(do.Play, room(on.AgentSpeech(b"fresh!")))


def test_while_it_speaks_the_agent_gets_silence_not_its_own_echo() -> None:
    room = speaking()
    sent = of(do.Send, room.hear(1))
    assert len(sent) == 12
    assert all(effect.frame == SILENCE for effect in sent if isinstance(effect, do.Send))


def test_the_command_said_with_a_barge_in_reaches_the_agent_whole() -> None:
    room = speaking(preroll_s=1.2)
    room.hear(2)
    sent = [effect.frame for effect in room.wake() if isinstance(effect, do.Send) and effect.turn == room.turn]
    assert sent == [VOICE] * 15


def test_with_echo_cancellation_the_agent_hears_everything_while_it_speaks() -> None:
    room = speaking(barge_in="voice")
    assert all(effect.frame == VOICE for effect in room.hear(1) if isinstance(effect, do.Send))


def test_barge_in_can_be_switched_off() -> None:
    room = speaking(barge_in="off")
    assert not of(do.Hush, room.wake())
    assert room.phase is Phase.SPEAKING


def test_the_follow_up_does_not_hear_the_rooms_tail() -> None:
    room = speaking(room_tail_s=0.3)
    room(on.AgentDone())
    room(on.Spoken(room.turn))
    assert room.phase is Phase.LISTENING
    frames = [effect.frame for effect in room.hear(0.8) if isinstance(effect, do.Send)]
    assert frames[:3] == [SILENCE] * 3
    assert frames[4:] == [VOICE] * 6


def test_the_follow_up_closes_by_itself() -> None:
    room = speaking(follow_up_s=5.0)
    room(on.AgentDone(), on.Spoken(room.turn))
    room.hear(5)
    assert room.phase is Phase.LISTENING
    room.hear(0.5)
    assert room.phase is Phase.ASLEEP
    assert not room.conversation.is_listening


def test_asked_to_stop_listening_it_finishes_its_sentence_and_sleeps() -> None:
    room = speaking()
    room(on.Dismissed("voice"))
    assert room.phase is Phase.SPEAKING
    room(on.AgentDone(), on.Spoken(room.turn))
    assert room.phase is Phase.ASLEEP


def test_the_reply_of_an_old_turn_cannot_end_the_new_one() -> None:
    room = speaking()
    old = room.turn
    room.wake()
    room(on.UserStarted(), on.UserText("stop"), on.AgentSpeech(b"new"), on.AgentDone())
    room(on.Spoken(old))
    assert room.phase is Phase.SPEAKING


def test_two_replies_in_a_row_are_both_heard_to_their_end() -> None:
    room = speaking()
    room(on.AgentDone())
    first = room.turn
    room(on.AgentSpeech(b"more"), on.AgentDone(), on.Spoken(first))
    assert room.phase is Phase.SPEAKING
    room(on.Spoken(room.turn))
    assert room.phase is Phase.LISTENING


def test_a_reply_whose_end_is_never_announced_does_not_speak_for_ever() -> None:
    room = speaking(seconds=2.0)
    effects = room.hear(6)
    assert of(do.Finish, effects) == [do.Finish(room.turn)]


def test_a_loudspeaker_that_never_reports_does_not_keep_it_speaking() -> None:
    room = speaking(seconds=2.0)
    room(on.AgentDone())
    room.hear(12)
    assert room.phase is Phase.ASLEEP


def test_a_call_is_acted_once_and_answered_once() -> None:
    room = awake()
    room(on.UserText("turn on the lamp"))
    call = on.Call("c1", "lamp", {"state": "on"})
    assert of(do.Act, room(on.Asked((call,)), on.Asked((call,)))) == [do.Act(room.turn, call)]
    acted = on.Acted(room.turn, "c1", "lamp", "The lamp is on.", True)
    assert of(do.Answer, room(acted, acted)) == [do.Answer("c1", "lamp", "The lamp is on.", room.turn)]


def test_a_call_taken_back_is_stopped_and_not_answered() -> None:
    room = awake()
    room(on.UserText("turn on the lamp"), on.Asked((on.Call("c1", "lamp"),)))
    assert of(do.Drop, room(on.Withdrawn(("c1", "c2")))) == [do.Drop("c1")]
    assert not of(do.Answer, room(on.Acted(room.turn, "c1", "lamp", "on", True)))


def test_nothing_moves_for_a_call_that_comes_while_asleep() -> None:
    room = Room()
    effects = room(on.Asked((on.Call("c1", "lamp"),)))
    assert not of(do.Act, effects)
    assert len(of(do.Answer, effects)) == 1


def test_muting_closes_the_microphone_and_stops_everything() -> None:
    room = speaking()
    effects = room(on.Muted("switch"))
    assert do.Capture(False) in effects
    assert of(do.Hush, effects) and of(do.ShutUplink, effects)
    assert room.phase is Phase.MUTED
    assert not room.wake()
    assert do.Capture(True) in room(on.Unmuted("switch"))
    assert room.phase is Phase.ASLEEP


def test_it_does_not_speak_unasked() -> None:
    room = Room()
    assert not room(on.SettingsApplied(), on.AgentSpeech(b"hello"))


def test_the_line_is_let_go_some_time_after_the_last_turn() -> None:
    room = awake(keep_s=60.0)
    room.hear(10)
    assert room.phase is Phase.ASLEEP and not of(do.Disconnect, room.effects)
    room.hear(60)
    assert of(do.Disconnect, room.effects) == [do.Disconnect("idle")]


def test_a_wake_while_the_line_is_being_let_go_asks_for_a_new_one() -> None:
    room = awake(keep_s=1.0)
    while not of(do.Disconnect, room.effects):
        room.hear(FRAME_S)
    assert of(do.Connect, room.wake())
    room(on.SessionDown("idle"))
    assert room.phase is Phase.LISTENING


def test_a_line_that_comes_and_goes_while_nobody_speaks_is_not_kept_for_ever() -> None:
    room = awake(keep_s=60.0)
    room.hear(10)
    for _ in range(5):
        room(on.SessionDown("reset", Trouble.NETWORK))
        room.hear(20)
        room(on.SettingsApplied())
    assert do.Disconnect("idle") in room.effects


def test_a_line_that_comes_and_goes_does_not_keep_the_user_waiting_for_ever() -> None:
    room = Room(connect_timeout_s=10.0, no_speech_timeout_s=6.0)
    room.wake()
    for _ in range(20):
        room(on.SettingsApplied())
        room.hear(0.5)
        room(on.SessionDown("reset", Trouble.NETWORK))
        room.hear(0.5)
    assert room.phase is Phase.OFFLINE
    assert [effect.clip for effect in room.effects if isinstance(effect, do.Tell)] == ["lost"]


def test_the_answer_behind_a_filler_is_waited_for() -> None:
    room = awake(follow_up_s=0.0)
    room(on.UserText("turn on the lamp"), on.Asked((on.Call("c1", "lamp"),)))
    room(on.AgentSpeech(b"one moment"), on.AgentDone(), on.Acted(room.turn, "c1", "lamp", "It is on.", True))
    room(on.Spoken(room.turn))
    assert room.phase is Phase.THINKING
    room(on.AgentText("It is on."), on.AgentSpeech(b"it is on"), on.AgentDone())
    room(on.Spoken(room.turn))
    assert room.phase is Phase.ASLEEP


def test_an_answer_whose_filler_comes_after_the_result_is_waited_for_all_the_same() -> None:
    room = awake(follow_up_s=0.0)
    room(on.UserText("turn on the lamp"), on.AgentText("Let me see."), on.Asked((on.Call("c1", "lamp"),)))
    room(on.Acted(room.turn, "c1", "lamp", "It is on.", True), on.AgentSpeech(b"let me see"), on.AgentDone())
    room(on.Spoken(room.turn))
    assert room.phase is Phase.THINKING
    assert of(do.Say, room(on.SessionDown("reset", Trouble.NETWORK))) == [do.Say(room.turn, "It is on.")]


def test_an_answer_that_comes_too_late_is_not_the_answer_to_the_next_question() -> None:
    room = awake(thinking_timeout_s=5.0)
    room(on.UserText("one"))
    room.hear(6)
    room.wake()
    assert not of(do.Play, room(on.AgentSpeech(b"the answer to one")))
    room(on.UserStarted(), on.UserText("two"))
    assert of(do.Play, room(on.AgentSpeech(b"the answer to two")))


def test_what_was_done_for_a_line_that_broke_is_told_on_the_next() -> None:
    room = awake()
    room(on.UserText("turn on the lamp"), on.Asked((LAMP,)), on.SessionDown("reset", Trouble.NETWORK))
    done = room(on.Acted(room.turn, "c1", "lamp", "The lamp is on.", True))
    assert not of(do.Answer, done)
    assert of(do.Say, done) == [do.Say(room.turn, "The lamp is on.")]
    assert room.phase is Phase.THINKING
    room(on.SettingsApplied(), on.AgentText("The lamp is on."), on.AgentSpeech(b"it is on"))
    assert room.phase is Phase.SPEAKING
    assert not of(do.Say, room(on.AgentDone(), on.SessionDown("reset", Trouble.NETWORK)))


def test_a_result_whose_answer_was_lost_with_the_line_is_told_on_the_next() -> None:
    room = awake()
    room(on.UserText("turn on the lamp"), on.Asked((LAMP,)))
    room(on.Acted(room.turn, "c1", "lamp", "The lamp is on.", True))
    for _ in range(2):
        said = of(do.Say, room(on.SessionDown("reset", Trouble.NETWORK)))
        assert said == [do.Say(room.turn, "The lamp is on.")]
        room(on.SettingsApplied())
    assert room.phase is Phase.THINKING


def test_a_question_that_was_understood_is_asked_anew_when_the_line_breaks() -> None:
    room = awake()
    room(on.UserText("what time is it"))
    assert of(do.Ask, room(on.SessionDown("reset", Trouble.NETWORK))) == [do.Ask(room.turn, "what time is it")]
    assert room.phase is Phase.THINKING
    room(on.SettingsApplied(), on.UserText("what time is it"), on.AgentSpeech(b"noon"))
    assert room.phase is Phase.SPEAKING
    assert not of(do.Ask, room(on.SessionDown("reset", Trouble.NETWORK))), "it is being answered already"


def test_what_the_agent_asks_for_on_half_a_sentence_waits_for_the_rest() -> None:
    room = awake()
    assert not of(do.Act, room(on.UserStarted(), on.Asked((LAMP,))))
    assert room.phase is Phase.LISTENING
    assert of(do.Act, room(on.UserText("turn on the lamp, please"))) == [do.Act(room.turn, LAMP)]


def test_what_moves_nothing_need_not_wait() -> None:
    room = awake()
    reading = on.Call("c2", "thermometer")
    assert of(do.Act, room(on.UserStarted(), on.Asked((LAMP, reading)))) == [do.Act(room.turn, reading)]


def test_a_call_on_half_a_sentence_that_is_taken_back_never_moves_anything() -> None:
    room = awake()
    room(on.UserStarted(), on.Asked((LAMP,)), on.Withdrawn(("c1",)))
    assert not of(do.Act, room(on.UserText("don't turn on the lamp")))


def test_a_call_whose_sentence_never_ends_is_answered_in_words() -> None:
    room = awake()
    room(on.UserStarted(), on.Asked((LAMP,)))
    (answer,) = of(do.Answer, room.hear(9))
    assert isinstance(answer, do.Answer) and "Nothing was done" in answer.text
    assert not of(do.Act, room(on.UserText("turn on the lamp")))


def test_a_call_repeated_by_a_new_line_is_not_begun_again_and_is_answered_there() -> None:
    room = awake()
    room(on.UserText("turn on the lamp"), on.Asked((LAMP,)), on.SessionDown("reset", Trouble.NETWORK))
    assert not of(do.Act, room(on.SettingsApplied(), on.UserText("turn on the lamp"), on.Asked((LAMP,))))
    answers = of(do.Answer, room(on.Acted(room.turn, "c1", "lamp", "It is on.", True)))
    assert answers == [do.Answer("c1", "lamp", "It is on.", room.turn)]


def test_a_function_that_takes_long_is_excused_once() -> None:
    room = awake(filler="One moment.", filler_after_s=2.5)
    room(on.UserText("turn on the lamp"), on.Asked((LAMP,)))
    assert not of(do.Say, room.hear(2))
    assert of(do.Say, room.hear(8)) == [do.Say(room.turn, "One moment.")]


def test_an_agent_that_thinks_long_is_excused_in_our_own_voice() -> None:
    room = awake()
    room(on.UserText("what is the meaning of life"))
    assert of(do.Tell, room(on.Warned("SLOW_THINK_REQUEST"))) == [do.Tell(room.turn, "moment", is_preface=True)]
    assert not of(do.Tell, room(on.Warned("SLOW_THINK_REQUEST")))
    assert of(do.Play, room(on.AgentSpeech(b"42"))) == [do.Play(room.turn, b"42")]


def test_a_stand_in_is_announced_once_an_outage_before_it_answers() -> None:
    room = Room()
    room.wake()
    room(on.SessionDown("no network", Trouble.NETWORK), on.SessionUp(is_fallback=True), on.SettingsApplied())
    effects = room(on.UserText("turn on the lamp"), on.AgentSpeech(b"it is on"))
    told = [effect for effect in effects if isinstance(effect, do.Tell | do.Play)]
    assert told == [do.Tell(room.turn, "fallback", is_preface=True), do.Play(room.turn, b"it is on")]
    room(on.AgentDone(), on.Spoken(room.turn))
    room(on.SessionDown("x"), on.SessionUp(is_fallback=True), on.SettingsApplied())
    assert not of(do.Tell, room(on.UserText("thanks"), on.AgentSpeech(b"welcome")))
    shown = of(do.Show, room(on.SessionUp(), on.SettingsApplied()))
    assert shown and shown[-1].trouble is None  # type: ignore[attr-defined]


def test_a_reply_behind_a_sentence_of_ours_is_waited_for_to_its_end() -> None:
    room = Room(follow_up_s=0.0)
    room.wake()
    room(on.SessionDown("no network", Trouble.NETWORK), on.SessionUp(is_fallback=True), on.SettingsApplied())
    room(on.UserText("turn on the lamp"), on.AgentSpeech(bytes(48_000)), on.AgentDone())
    room.hear(7)
    assert room.phase is Phase.SPEAKING


def test_what_only_the_owner_can_help_is_said_even_when_a_stand_in_answers() -> None:
    room = Room()
    room.wake()
    room(on.SessionDown("used up", Trouble.LIMIT), on.SessionUp(is_fallback=True), on.SettingsApplied())
    effects = room(on.UserText("turn on the lamp"), on.AgentSpeech(b"it is on"))
    assert [tell.clip for tell in of(do.Tell, effects)] == ["limit"]  # type: ignore[attr-defined]


def test_the_approaching_limit_is_told_before_the_next_answer() -> None:
    room = awake()
    room(on.LimitNear("day"), on.UserText("what time is it"))
    assert [tell.clip for tell in of(do.Tell, room(on.AgentSpeech(b"noon")))] == ["limit_near"]  # type: ignore[attr-defined]
    assert not of(do.Tell, room(on.AgentSpeech(b", sharp")))


@pytest.mark.parametrize("trouble", [Trouble.VENDOR, Trouble.BUSY, Trouble.CLOCK, Trouble.NETWORK])
def test_each_trouble_has_its_own_sentence(trouble: Trouble) -> None:
    room = Room(connect_timeout_s=5.0)
    room.wake()
    room(on.SessionDown("x", trouble))
    room.hear(6)
    assert [tell.clip for tell in of(do.Tell, room.effects)] == [trouble.value]  # type: ignore[attr-defined]
    shown = [effect for effect in room.effects if isinstance(effect, do.Show)][-1]
    assert (shown.phase, shown.trouble) == (Phase.OFFLINE, trouble)


def test_a_turn_in_which_the_line_breaks_again_and_again_is_given_up() -> None:
    room = awake()
    for _ in range(20):
        room(on.UserStarted(), on.UserText("what time is it"))
        room.hear(1)
        room(on.SessionDown("think failed", Trouble.VENDOR), on.SessionUp(), on.SettingsApplied())
    assert len(of(do.Ask, room.effects)) == 3
    assert [tell.clip for tell in of(do.Tell, room.effects)] == ["vendor"]  # type: ignore[attr-defined]


def test_an_outage_that_nobody_met_is_not_told_when_it_is_over() -> None:
    room = awake()
    room(on.SessionDown("x", Trouble.NETWORK), on.SessionUp(is_fallback=True), on.SettingsApplied())
    room(on.SessionUp(), on.SettingsApplied(), on.UserText("hello"))
    assert not of(do.Tell, room(on.AgentSpeech(b"hi")))


def test_a_shorter_keep_holds_for_a_line_that_rests_already() -> None:
    room = awake(keep_s=None)
    room.hear(100)
    room.conversation.change(Settings(), keep_s=60.0, harmless=frozenset())
    assert of(do.Disconnect, room.hear(1)) == [do.Disconnect("idle")]
    other = awake(keep_s=60.0)
    other.hear(10)
    other.conversation.change(Settings(), keep_s=None, harmless=frozenset())
    other.hear(300)
    assert not of(do.Disconnect, other.effects)


def test_what_was_read_for_half_a_sentence_is_not_told_when_the_sentence_is_said_again() -> None:
    room = awake()
    room(on.UserStarted(), on.Asked((on.Call("c2", "thermometer"),)), on.SessionDown("reset", Trouble.NETWORK))
    assert not of(do.Say, room(on.Acted(room.turn, "c2", "thermometer", "Twenty degrees.", True)))


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_muting_answers_what_the_agent_still_waits_for(is_confirmed: bool) -> None:
    room = awake()
    room(*([on.UserText("turn on the lamp")] if is_confirmed else [on.UserStarted()]), on.Asked((LAMP,)))
    (answer,) = of(do.Answer, room(on.Muted("switch")))
    assert isinstance(answer, do.Answer) and answer.id == LAMP.id


def test_after_the_button_is_let_go_the_room_is_not_heard() -> None:
    room = Room()
    room(on.Summoned("button"), on.SettingsApplied())
    room.hear(1)
    room(on.Released("button"))
    assert {effect.frame for effect in of(do.Send, room.hear(1))} == {SILENCE}  # type: ignore[attr-defined]
    room(on.UserText("hello"), on.AgentSpeech(b"hi"), on.AgentDone(), on.Spoken(room.turn))
    room.hear(1)
    assert VOICE in {effect.frame for effect in of(do.Send, room.hear(1))}  # type: ignore[attr-defined]


def test_a_reply_that_was_cut_by_the_line_is_owned_up_to() -> None:
    room = speaking()
    room(on.SessionDown("reset", Trouble.NETWORK), on.SessionUp(), on.SettingsApplied())
    told = of(do.Tell, room(on.Spoken(room.turn)))
    assert [tell.clip for tell in told] == ["lost"]  # type: ignore[attr-defined]


def test_a_line_that_ends_just_as_somebody_wakes_the_speaker_is_asked_for_anew() -> None:
    room = awake()
    room.hear(10)
    room.wake()
    assert of(do.Connect, room(on.SessionDown("closed"))) == [do.Connect()]


def test_letting_go_of_the_button_ends_the_turn() -> None:
    room = Room()
    room(on.Summoned("button"), on.SettingsApplied())
    assert of(do.EndTurn, room(on.Released("button"))) == [do.EndTurn(room.turn)]
    room(on.UserText("hello"))
    assert not of(do.EndTurn, room(on.Released("button")))


def test_a_flood_of_speech_is_not_kept_for_ever() -> None:
    room = speaking()
    for _ in range(1000):
        room(on.AgentSpeech(bytes(48_000)))
    played_s = sum(len(effect.pcm) for effect in room.effects if isinstance(effect, do.Play)) / 48_000
    assert 600 <= played_s < 610


def test_muting_silences_our_own_sentences_too() -> None:
    room = Room(connect_timeout_s=5.0)
    room.wake()
    room.hear(6)
    assert of(do.Hush, room(on.Muted("switch"))) == [do.Hush(room.turn)]


def test_a_line_kept_always_is_never_let_go() -> None:
    room = awake(keep_s=None)
    room.hear(4000)
    assert not of(do.Disconnect, room.effects)


def test_muted_nobody_pays_for_a_line_that_is_kept_always() -> None:
    room = awake(keep_s=None)
    assert of(do.Disconnect, room(on.Muted("button")))
    room(on.SessionDown("idle"))
    assert not of(do.Disconnect, room(on.Ticked()))
    assert of(do.Disconnect, room(on.SessionUp(), on.SettingsApplied())), "one that comes all the same is let go too"
    assert not of(do.Connect, room.effects[-4:])
    assert of(do.Connect, room(on.Unmuted("button"))) == [do.Connect()]
    room(on.SettingsApplied())
    assert not of(do.Disconnect, room.hear(4000))


@pytest.mark.parametrize("keep_s", [60.0, None])
def test_only_a_line_that_is_kept_always_is_had_again_after_mute(keep_s: float | None) -> None:
    room = Room(keep_s=keep_s)
    room(on.Muted("switch", is_switch=True))
    assert not of(do.Connect, room(on.Unmuted("web"))), "it is muted still"
    assert of(do.Connect, room(on.Unmuted("switch", is_switch=True))) == ([do.Connect()] if keep_s is None else [])


def test_a_line_that_breaks_while_listening_goes_on_listening_until_it_is_back() -> None:
    room = awake()
    room(on.UserStarted(), on.SessionDown("reset", Trouble.NETWORK))
    assert room.phase is Phase.LISTENING
    assert len(of(do.Send, room.hear(0.8))) == 10
    room(on.SettingsApplied(), on.UserStarted(), on.UserText("x"))
    assert room.phase is Phase.THINKING


def test_a_lost_microphone_is_shown_in_whatever_phase() -> None:
    room = awake()
    assert room(on.MicLost("no microphone")) == [do.Show(Phase.LISTENING, "no microphone", turn=1)]
    assert room(on.MicFound("usb")) == [do.Show(Phase.LISTENING, turn=1)]


def test_with_microphone_and_loudspeaker_lost_finding_one_still_shows_the_other() -> None:
    room = Room()
    room(on.MicLost("no microphone"), on.SpeakerLost("no loudspeaker"), on.MicFound("usb"))
    assert room.effects[-1] == do.Show(Phase.ASLEEP, "no loudspeaker")


def any_event(rng: random.Random, turn: int) -> Event:
    calls = tuple(on.Call(f"c{rng.randrange(6)}", "lamp", rng.choice([None, {}, {"x": 1}])) for _ in range(3))
    near = turn + rng.randrange(-2, 2)
    return rng.choice(
        [
            on.Heard(VOICE, wake=rng.choice([None] * 9 + ["hey_jarvis"])),
            on.Heard(VOICE),
            on.Ticked(),
            on.MicLost("x"),
            on.MicFound("x"),
            on.SpeakerLost("x"),
            on.SpeakerFound("x"),
            on.Summoned("button"),
            on.Dismissed("button"),
            on.Stopped("button"),
            on.Muted("switch", is_switch=rng.random() < 0.3),
            on.Unmuted("button"),
            on.Unmuted("switch", is_switch=True),
            on.MuteToggled("button"),
            on.MicShut(),
            on.LoudnessWanted("button", 10),
            on.LoudnessSet(50),
            on.SayWanted(f"s{rng.random()}", "x", rng.random() < 0.3, rng.random() < 0.3, rng.random() < 0.3, 20.0),
            on.SayUnwanted("s"),
            on.Unsayable(near, "x"),
            on.SessionUp("r", rng.random() < 0.5),
            on.SettingsApplied(),
            on.SessionDown("x", rng.choice([None, *Trouble]), rng.random() < 0.2),
            on.LimitNear("day"),
            on.Uplinked(near),
            on.Lit(near, "asleep"),
            on.Warned(rng.choice(["SLOW_THINK_REQUEST", "x"])),
            on.LatencyReported({"total_latency": 1.0}),
            on.InjectionRefused(),
            on.Released("button"),
            on.Forgotten("agent"),
            on.PersonaChosen("x"),
            on.UserStarted(),
            on.UserText("x"),
            on.NothingSaid(),
            on.AgentThought(),
            on.AgentText("x"),
            on.AgentSpeech(bytes(rng.randrange(9000))),
            on.AgentDone(),
            on.Asked(calls[: rng.randrange(4)]),
            on.Withdrawn((f"c{rng.randrange(6)}",)),
            on.Acted(near, f"c{rng.randrange(6)}", "lamp", "x", True),
            on.Doubted(near, f"c{rng.randrange(6)}", "lamp", "Really?"),
            on.Switched("lamp", 1.0),
            on.Triggered("motion", on.Call(f"sensor {rng.random()}", "lamp")),
            on.Sounded(near),
            on.Spoken(near),
            on.Hushed(near),
        ]
    )


@pytest.mark.parametrize(("barge_in", "keep_s"), [("wake", 20.0), ("voice", None), ("off", 0.0)])
def test_a_storm_of_events_never_breaks_the_laws(barge_in: str, keep_s: float | None) -> None:
    rng = random.Random(f"{barge_in}{keep_s}")
    room = Room(keep_s=keep_s, barge_in=barge_in)
    acted: set[tuple[int, str]] = set()
    wanted: set[str] = set()
    for _ in range(20_000):
        room.now += rng.choice([0.0, 0.01, 0.08, 0.08, 3.0])
        before = room.phase
        event = any_event(rng, room.turn)
        wanted |= {event.id} if isinstance(event, on.SayWanted) else set()
        for effect in room(event):
            if isinstance(effect, do.Report):
                wanted.remove(effect.id)
            assert isinstance(effect, get_args(Effect))
            if isinstance(effect, do.Play):
                assert room.phase is Phase.SPEAKING
            if isinstance(effect, do.Send):
                is_woken = isinstance(event, on.Summoned) or (isinstance(event, on.Heard) and event.wake)
                assert before in AWAKE or room.phase in AWAKE or is_woken
            if isinstance(effect, do.Act):
                assert (effect.turn, effect.call.id) not in acted or before is not Phase.ASLEEP
                acted.add((effect.turn, effect.call.id))
        if room.phase not in AWAKE:
            assert not room.conversation.is_listening
    assert {effect.phase for effect in room.effects if isinstance(effect, do.Show)} == set(Phase)
    for _ in range(400):
        room.hear(0.08)
        room(on.Spoken(room.turn))
    assert not wanted - {effect.id for effect in room.effects if isinstance(effect, do.Report)}


def test_the_storm_knows_every_event() -> None:
    rng = random.Random(1)
    assert {type(any_event(rng, 0)) for _ in range(4000)} == set(get_args(Event))
