from hypothesis import given
from hypothesis import strategies as st

from cooee.gate import FRAME_S, Gate

FRAMES = [bytes([n]) for n in range(20)]


def test_nothing_passes_a_shut_gate() -> None:
    gate = Gate(3 * FRAME_S)
    assert [gate.push(frame) for frame in FRAMES] == [[]] * 20


def test_the_moment_before_leaves_first_and_in_order() -> None:
    gate = Gate(3 * FRAME_S)
    for frame in FRAMES[:5]:
        gate.push(frame)
    assert gate.open() == FRAMES[2:5]
    assert gate.push(FRAMES[5]) == [FRAMES[5]]


def test_opening_twice_sends_nothing_twice() -> None:
    gate = Gate(3 * FRAME_S)
    gate.push(FRAMES[0])
    assert gate.open() == [FRAMES[0]]
    assert gate.open() == []


def test_after_a_pause_nothing_from_the_pause_leaves_unless_the_gate_is_opened_for_it() -> None:
    gate = Gate(3 * FRAME_S)
    gate.open()
    gate.pause()
    assert gate.push(FRAMES[0]) == [bytes(len(FRAMES[0]))]
    gate.resume()
    assert gate.push(FRAMES[1]) == [FRAMES[1]]
    gate.pause()
    gate.push(FRAMES[2])
    assert gate.open() == [FRAMES[2]]


def test_what_was_said_before_shutting_is_forgotten() -> None:
    gate = Gate(3 * FRAME_S)
    gate.push(FRAMES[0])
    gate.shut()
    assert gate.open() == []


@given(st.lists(st.sampled_from(["push", "open", "shut"]), max_size=60), st.integers(1, 5))
def test_whatever_happens_frames_leave_at_most_once_in_order_and_only_while_open(moves: list[str], size: int) -> None:
    gate, left, number = Gate(size * FRAME_S), list[int](), 0
    for move in moves:
        if move == "push":
            sent = gate.push(number.to_bytes(2, "big"))
            assert sent == [] or gate.is_open
            number += 1
        elif move == "open":
            sent = gate.open()
            assert len(sent) <= size
        else:
            gate.shut()
            sent = []
        left += [int.from_bytes(frame, "big") for frame in sent]
    assert left == sorted(set(left))
