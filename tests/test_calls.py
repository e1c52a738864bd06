"""What the agent is told of its calls, and what is done. No clock, no device: `now` is what the test says."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cooee import effects as do
from cooee import events as on
from cooee.calls import HOLD_S, INTERRUPTED, NOT_CONFIRMED, Calls
from cooee.effects import Effect

FILLER = "One moment."
LAMP, FAN = on.Call("c1", "lamp"), on.Call("c2", "fan")


def confirmed(*asked: on.Call) -> Calls:
    """In a turn that is over, with these under way."""
    calls = Calls()
    calls.confirm("do it", 1, 0)
    calls.ask(on.Asked(asked), 1, 0)
    return calls


def done(call: on.Call, text: str) -> on.Acted:
    return on.Acted(1, call.id, call.name, text, True)


def test_the_agent_hears_what_became_of_each_in_the_words_of_what_was_read_back() -> None:
    calls = confirmed(LAMP, FAN)
    assert calls.acted(done(FAN, "The fan runs."), 1) == [do.Answer("c2", "fan", "The fan runs.", 1)]
    assert calls.acted(done(LAMP, "The lamp is on."), 1) == [do.Answer("c1", "lamp", "The lamp is on.", 1)]


def test_a_filler_is_no_answer_so_the_real_one_is_waited_for() -> None:
    calls = confirmed(LAMP)
    calls.acted(done(LAMP, "The lamp is on."), 1)
    calls.worded(FILLER, FILLER)
    assert calls, "or the speaker would go to sleep before the answer"
    calls.worded("It is on.", FILLER)
    assert not calls


def test_a_slow_call_is_excused_again_in_the_next_turn_and_never_without_words() -> None:
    calls = confirmed(LAMP)
    assert calls.tick(3, 1, "", 2.5) == []
    assert calls.tick(3, 1, FILLER, 2.5) == [do.Say(1, FILLER)]
    assert calls.tick(9, 1, FILLER, 2.5) == []
    calls.begin(is_new=False)
    assert calls.tick(9, 2, FILLER, 2.5) == [do.Say(2, FILLER)]


def test_what_was_asked_for_in_one_turn_never_begins_in_another() -> None:
    calls = Calls()
    assert calls.ask(on.Asked((LAMP,)), 1, 0) == []
    assert calls.begin(is_new=True) == [do.Answer("c1", "lamp", NOT_CONFIRMED, 1)]
    assert calls.confirm("never mind", 1, 1) == []


def test_what_waited_too_long_for_the_rest_of_a_sentence_does_not_begin_after_all() -> None:
    calls = Calls()
    for now in (0, 5):
        calls.ask(on.Asked((LAMP,)), 1, now)
    assert calls.tick(HOLD_S + 0.1, 1, FILLER, 2.5) == [do.Answer("c1", "lamp", NOT_CONFIRMED, 1)]
    assert calls.confirm("switch on", 1, 9) == []


def test_who_speaks_on_takes_back_the_end_of_his_turn() -> None:
    calls = Calls()
    calls.confirm("turn on the lamp", 1, 0)
    calls.go_on()
    assert calls.ask(on.Asked((LAMP,)), 1, 1) == []


def test_after_a_break_the_user_hears_all_that_was_done_once_it_is_done() -> None:
    calls = confirmed(LAMP, FAN)
    calls.lose_the_line()
    assert calls.recover(1) == []
    assert calls.acted(done(LAMP, "The lamp is on."), 1) == []
    assert calls.acted(done(FAN, "The fan runs."), 1) == [do.Say(1, "The lamp is on. The fan runs.")]


def test_a_question_that_has_to_be_said_yes_to_is_not_lost_with_the_line() -> None:
    calls = confirmed(LAMP)
    calls.lose_the_line()
    assert calls.acted(on.Doubted(1, "c1", "lamp", "Really?"), 1) == [do.Say(1, "Really?")]


def test_after_a_break_nobody_hears_again_what_was_answered_before_it() -> None:
    calls = confirmed(LAMP)
    calls.acted(done(LAMP, "The lamp is on."), 1)
    calls.worded("It is on.", FILLER)
    calls.replied()
    calls.lose_the_line()
    assert calls.recover(1) is None


def test_what_was_put_into_words_that_nobody_heard_is_said_after_a_break_and_not_done_again() -> None:
    calls = confirmed(LAMP)
    calls.acted(done(LAMP, "The lamp is on."), 1)
    calls.worded("It is on.", FILLER)
    calls.lose_the_line()
    assert calls.recover(1) == [do.Say(1, "The lamp is on.")]


def test_what_was_begun_is_not_forgotten_because_the_user_spoke_when_the_line_broke() -> None:
    calls = confirmed(LAMP)
    calls.begin(is_new=False)
    calls.go_on()
    calls.lose_the_line()
    assert calls.recover(2) is None, "what he says now is said again"
    assert calls.acted(done(LAMP, "The lamp is stuck."), 2) == [], "nobody would hear it now"
    assert do.Say(2, "The lamp is stuck.") in calls.confirm("and the fan", 2, 5)
    calls.ask(on.Asked((FAN,)), 2, 5)
    assert calls.acted(done(FAN, "The fan runs."), 2) == [do.Answer("c2", "fan", "The fan runs.", 1)]


def test_what_was_begun_before_the_line_broke_is_stopped_at_the_end_of_the_turn() -> None:
    calls = confirmed(LAMP)
    calls.go_on()
    calls.lose_the_line()
    assert do.Drop("c1") in calls.drop()


def test_what_was_read_early_for_a_sentence_that_was_lost_is_not_said() -> None:
    calls = Calls(frozenset({"lamp"}))
    calls.ask(on.Asked((LAMP,)), 1, 0)
    calls.lose_the_line()
    assert calls.acted(done(LAMP, "It is on."), 1) == [] and calls.confirm("is it on", 1, 1) == []


def test_what_runs_at_the_end_of_a_turn_is_stopped_and_no_success_is_claimed() -> None:
    calls = confirmed(LAMP)
    assert calls.drop() == [do.Drop("c1"), do.Answer("c1", "lamp", INTERRUPTED)]
    assert calls.acted(done(LAMP, "The lamp is on."), 1) == [] and not calls


class Line:
    """One line's calls, whatever comes: what was asked for, begun, taken back, and answered how often."""

    def __init__(self) -> None:
        self.calls = Calls(frozenset({"thermometer"}))
        self.now, self.turn = 0.0, 1
        self.asked: list[on.Call] = []
        self.begun: set[str] = set()
        self.ended: set[str] = set()
        self.taken_back: set[str] = set()
        self.answers: Counter[str] = Counter()

    def move(self, kind: str, number: int) -> None:
        some_id = f"c{number % max(1, len(self.asked))}"
        match kind:
            case "ask" | "read":
                self.asked.append(on.Call(f"c{len(self.asked)}", "lamp" if kind == "ask" else "thermometer"))
                self.take(self.calls.ask(on.Asked((self.asked[-1],)), self.turn, self.now))
            case "repeat" if self.asked and not self.answers[some_id] and some_id not in self.taken_back:
                self.take(self.calls.ask(on.Asked((self.asked[number % len(self.asked)],)), self.turn, self.now))
            case "confirm":
                self.take(self.calls.confirm("x", self.turn, self.now))
            case "end" if some_id in self.begun - self.ended:
                self.ended.add(some_id)
                self.take(self.calls.acted(on.Acted(self.turn, some_id, "lamp", "x", True), self.turn))
            case "withdraw" if self.asked and not self.answers[some_id]:
                self.taken_back.add(some_id)
                self.take(self.calls.withdraw(on.Withdrawn((some_id,))))
            case "wait":
                self.now += number
                self.take(self.calls.tick(self.now, self.turn, FILLER, 2.5))
            case "speak":
                self.calls.go_on()
            case "turn":
                self.turn += 1
                self.take(self.calls.begin(is_new=True))

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case do.Act():
                    assert effect.call.id not in self.begun, "nothing is done twice"
                    assert self.calls.is_confirmed or effect.call.name == "thermometer"
                    self.begun.add(effect.call.id)
                case do.Drop():
                    self.ended.add(effect.id)
                case do.Answer():
                    self.answers[effect.id] += 1


KINDS = ("ask", "ask", "read", "repeat", "confirm", "end", "end", "withdraw", "wait", "speak", "turn")


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), max_size=40))
def test_whatever_happens_each_call_is_answered_once_and_nothing_goes_on_after_the_end(
    moves: list[tuple[str, int]],
) -> None:
    line = Line()
    for kind, number in moves:
        line.move(kind, number)
    line.take(line.calls.drop())
    assert line.answers == Counter(call.id for call in line.asked if call.id not in line.taken_back)
    assert line.begun == line.ended
    assert not line.calls
