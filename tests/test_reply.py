"""How much of a reply is heard. 1000 bytes of it sound for a second; `now` is what the test says."""

from cooee import effects as do
from cooee.reply import CLIP_S, GAP_S, MOST_S, Reply


def test_a_reply_that_comes_at_once_is_given_the_time_it_takes_to_play() -> None:
    reply = Reply(1000)
    for _ in range(5):
        reply.add(2000, now=100)
    assert reply.overdue_at == 110 + GAP_S


def test_a_reply_that_comes_in_bits_is_given_its_time_from_the_last_bit_on() -> None:
    reply = Reply(1000)
    reply.add(1000, now=100)
    reply.add(1000, now=200)
    assert reply.overdue_at == 201 + GAP_S


def test_a_sentence_of_ours_before_it_takes_nothing_from_its_time() -> None:
    reply = Reply(1000)
    assert reply.preface(7, ["limit_near", "fallback"], now=100) == [
        do.Tell(7, "limit_near", is_preface=True),
        do.Tell(7, "fallback", is_preface=True),
    ]
    reply.add(1000, now=100)
    assert reply.overdue_at == 101 + 2 * CLIP_S + GAP_S


def test_only_a_reply_that_still_comes_leaves_something_to_be_dropped() -> None:
    whole, cut = Reply(1000), Reply(1000)
    for reply in (whole, cut):
        reply.add(1000, now=0)
    whole.finish(1, now=0)
    assert whole.hush(1, is_speaking=True) == cut.hush(1, is_speaking=True) == [do.Hush(1)]
    assert cut.is_stale
    assert not whole.is_stale, "or the answer to the next question would be dropped for it"


def test_what_is_hushed_takes_no_time_from_the_next_one() -> None:
    reply = Reply(1000)
    reply.add(60_000, now=0)
    reply.hush(1, is_speaking=True)
    reply.add(1000, now=10)
    assert reply.overdue_at == 11 + GAP_S


def test_silence_is_not_hushed() -> None:
    reply = Reply(1000)
    assert reply.hush(1, is_speaking=False) == []
    reply.tell(1, "network")
    assert reply.hush(1, is_speaking=False) == [do.Hush(1)]
    assert reply.hush(1, is_speaking=False) == []


def test_a_second_reply_is_told_from_more_of_the_first() -> None:
    reply = Reply(1000)
    assert not reply.add(1000, now=0) and not reply.add(1000, now=0)
    reply.finish(1, now=0)
    assert reply.add(1000, now=0)
    assert not reply.add(1000, now=0), "that is more of the second"


def test_a_flood_fills_it_and_drains_with_time() -> None:
    reply = Reply(1000)
    reply.add(round(MOST_S) * 1000 + 1000, now=0)
    assert reply.is_full(0) and not reply.is_full(2)


def test_an_answer_owed_to_a_turn_that_is_over_is_nobodys() -> None:
    reply = Reply(1000)
    reply.forget(is_owed=True)
    assert reply.is_stale
    reply.forget(is_owed=False)
    assert not reply.is_stale
