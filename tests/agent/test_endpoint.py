import numpy as np
import pytest
from numpy.typing import NDArray

from cooee.agent.embedded.endpoint import Ended, Endpointer, Started
from voices import RATE_HZ, Voice, noise, say

SLT = Voice("flite", "slt", 1.0)


@pytest.fixture(scope="module")
def command() -> NDArray[np.int16]:
    return say("turn on the kitchen lamp", SLT)


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def stream(*pieces: NDArray[np.int16]) -> bytes:
    return np.concatenate(pieces).tobytes()


def feed(pcm: bytes, piece: int, endpointer: Endpointer) -> list[Started | Ended]:
    return [event for at in range(0, len(pcm), piece) for event in endpointer.feed(pcm[at : at + piece])]


def plain(events: list[Started | Ended]) -> list[tuple[object, ...]]:
    return [
        (event.at_s, event.speech_ended_at_s, event.samples.tobytes()) if isinstance(event, Ended) else (event.at_s,)
        for event in events
    ]


@pytest.mark.parametrize("room", [silence, noise])
def test_two_sentences_are_two_utterances(command: NDArray[np.int16], room) -> None:
    pcm = stream(room(1), command, room(1.5), command, room(1))
    events = feed(pcm, 2560, Endpointer())
    assert [type(event) for event in events] == [Started, Ended, Started, Ended]
    spoken_s = len(command) / RATE_HZ
    for start_s, started, ended in ((1.0, *events[:2]), (2.5 + spoken_s, *events[2:])):
        assert started.at_s == pytest.approx(start_s, abs=0.2)
        assert ended.speech_ended_at_s == pytest.approx(start_s + spoken_s, abs=0.25)
        assert 0.4 < ended.at_s - ended.speech_ended_at_s < 0.6


def test_the_size_of_the_pieces_does_not_matter(command: NDArray[np.int16]) -> None:
    pcm = stream(silence(0.5), command, silence(1))
    whole = plain(Endpointer().feed(pcm))
    assert len(whole) == 2
    for piece in (1023, 1280, 333, 7):
        assert plain(feed(pcm, piece, Endpointer())) == whole


def test_keeps_speech_from_its_very_first_sample(command: NDArray[np.int16]) -> None:
    ended = Endpointer().feed(stream(command, silence(1)))[-1]
    assert isinstance(ended, Ended)
    assert (ended.samples[: len(command) - 1600] == command[:-1600]).all()


def test_keeps_all_of_the_first_second(command: NDArray[np.int16]) -> None:
    """The stream opens within speech, which may be too soft for the detector at first."""
    ended = Endpointer().feed(stream(noise(0.7), command, silence(1)))[-1]
    assert isinstance(ended, Ended)
    assert (ended.samples[: RATE_HZ // 2] == noise(0.7)[: RATE_HZ // 2]).all()


def test_keeps_a_moment_before_the_start(command: NDArray[np.int16]) -> None:
    events = Endpointer().feed(stream(silence(5), command, silence(1)))
    ended = events[-1]
    assert isinstance(ended, Ended)
    loud = np.flatnonzero(ended.samples)
    assert 0.1 < loud[0] / RATE_HZ < 0.4
    assert ended.samples.dtype == np.int16 and len(ended.samples) / RATE_HZ < len(command) / RATE_HZ + 0.8


@pytest.mark.parametrize("word", ["stop", "yes", "no", "lamp"])
def test_hears_a_single_word(word: str) -> None:
    events = Endpointer().feed(stream(silence(1), say(word, SLT), silence(1)))
    assert [type(event) for event in events] == [Started, Ended]


def test_never_longer_than_the_limit(command: NDArray[np.int16]) -> None:
    endless = Endpointer(limit_s=3.0).feed(stream(*[command] * 8))
    lengths_s = [len(event.samples) / RATE_HZ for event in endless if isinstance(event, Ended)]
    assert len(lengths_s) >= 3 and max(lengths_s) <= 3.0


def test_noise_is_nobody() -> None:
    click = silence(1)
    click[8000:8040] = 20000
    assert Endpointer().feed(stream(silence(2), click, noise(5, -40.0), silence(1))) == []


def test_reset_forgets_the_utterance(command: NDArray[np.int16]) -> None:
    endpointer = Endpointer()
    endpointer.feed(stream(command) + b"\1")
    assert endpointer.talking
    endpointer.reset()
    assert not endpointer.talking
    assert endpointer.feed(stream(silence(1))) == []
    events = endpointer.feed(stream(command, silence(1)))
    assert [type(event) for event in events] == [Started, Ended]
    assert events[0].at_s > 1 + len(command) / RATE_HZ - 0.1


def test_a_longer_pause_may_be_allowed(command: NDArray[np.int16]) -> None:
    pcm = stream(command, silence(0.8), command, silence(2))
    assert len(Endpointer(quiet_s=0.5).feed(pcm)) == 4
    assert len(Endpointer(quiet_s=1.2).feed(pcm)) == 2
