"""What goes up: in order, once on each line, and again on the next until it was understood."""

from hypothesis import given
from hypothesis import strategies as st

from cooee.session.uplink import END, FRAME_S, End, Uplink

WORDS = [bytes([number]) * 4 for number in range(1, 30)]
SILENCE = bytes(4)


def pour(uplink: Uplink) -> list[bytes | End]:
    out = []
    while uplink:
        item = uplink.next()
        out.append(item)
        uplink.sent(item)
    return out


def filled(*items: bytes | End, hold_s: float = 10.0) -> Uplink:
    uplink = Uplink(hold_s)
    for item in items:
        uplink.push(item)
    return uplink


def test_a_sentence_is_said_again_on_a_new_line() -> None:
    uplink = filled(*WORDS[:3])
    assert pour(uplink) == WORDS[:3]
    uplink.push(WORDS[3])
    uplink.rewind()
    assert pour(uplink) == WORDS[:4]


def test_what_was_understood_is_not_said_again() -> None:
    uplink = filled(*WORDS[:3])
    uplink.sent(uplink.next())
    uplink.understood()
    uplink.rewind()
    assert pour(uplink) == WORDS[1:3]


def test_the_end_of_the_turn_comes_behind_the_words_also_the_second_time() -> None:
    uplink = filled(WORDS[0], END)
    assert pour(uplink) == [WORDS[0], END]
    uplink.rewind()
    assert pour(uplink) == [WORDS[0], END]


def test_silence_before_the_first_word_is_not_said_again_but_pauses_are() -> None:
    uplink = filled(SILENCE, SILENCE, WORDS[0], SILENCE, WORDS[1])
    assert len(pour(uplink)) == 5
    uplink.rewind()
    assert pour(uplink) == [WORDS[0], SILENCE, WORDS[1]]


def test_the_oldest_goes_first_and_only_what_never_left_is_counted_as_lost() -> None:
    uplink = filled(*WORDS[:4], hold_s=3 * FRAME_S)
    assert uplink.dropped == 1
    assert pour(uplink) == WORDS[1:4]
    uplink.push(WORDS[4])
    assert uplink.dropped == 1
    assert pour(uplink) == [WORDS[4]]


def test_what_was_forgotten_while_it_left_is_not_taken_for_sent() -> None:
    uplink = filled(WORDS[0])
    leaving = uplink.next()
    uplink.clear()
    uplink.push(WORDS[1])
    uplink.sent(leaving)
    assert pour(uplink) == [WORDS[1]]


@given(st.lists(st.sampled_from(["push", "send", "rewind", "understood"]), max_size=80))
def test_a_line_hears_every_word_that_was_not_understood_before_once_and_in_order(moves: list[str]) -> None:
    uplink, said, heard, understood = Uplink(1000 * FRAME_S), 0, list[int](), 0
    for move in moves:
        if move == "push":
            said += 1
            uplink.push(said.to_bytes(2, "big"))
        elif move == "send" and uplink:
            item = uplink.next()
            assert isinstance(item, bytes)
            heard.append(int.from_bytes(item, "big"))
            uplink.sent(item)
        elif move == "rewind":
            uplink.rewind()
            heard = []
        elif move == "understood":
            uplink.understood()
            understood = heard[-1] if heard else understood
            heard = []
        assert heard == list(range(understood + 1, understood + 1 + len(heard)))
