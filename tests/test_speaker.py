import queue
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from cooee import settings
from cooee.events import Event, Hushed, Sounded, Spoken
from cooee.sound.flight import Flight
from cooee.sound.playlist import Playlist, Reply, Samples
from cooee.sound.wav import Recording, Unplayable
from cooee.speaker import Speaker, loudness

RATE_HZ = 24000


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-20000, 20000, round(seconds * RATE_HZ)).astype(np.int16)


def drain(playlist: Playlist, rate_hz: int, period: int = 480) -> dict[int, np.ndarray]:
    """All that can be had now, by turn."""
    got: dict[int, list[Samples]] = {}
    while taken := playlist.take(period, rate_hz):
        for reply, samples in taken:
            got.setdefault(reply.turn, []).append(samples)
    return {turn: np.concatenate(pieces) for turn, pieces in got.items()}


def test_odd_pieces_are_the_same_audio() -> None:
    raw, playlist = noise(0.5).tobytes(), Playlist(RATE_HZ)
    at = 0
    for size in np.random.default_rng(2).integers(1, 700, 1000):
        playlist.play(1, raw[at : at + size])
        at += size
    playlist.finish(1)
    assert np.array_equal(np.rint(drain(playlist, RATE_HZ)[1] * 32768), noise(0.5))


def test_no_byte_of_one_turn_shifts_the_next() -> None:
    playlist = Playlist(RATE_HZ)
    playlist.play(1, noise(0.1).tobytes() + b"\x7f")
    playlist.finish(1)
    playlist.play(2, noise(0.1, 5).tobytes())
    playlist.finish(2)
    got = drain(playlist, RATE_HZ)
    assert np.array_equal(np.rint(got[1] * 32768), noise(0.1))
    assert np.array_equal(np.rint(got[2] * 32768), noise(0.1, 5))


@pytest.mark.parametrize("rate_hz", [16000, 44100, 48000])
def test_a_reply_keeps_its_length_at_any_rate_of_the_card(rate_hz: int) -> None:
    playlist = Playlist(RATE_HZ)
    playlist.play(1, noise(1.0).tobytes())
    assert len(drain(playlist, rate_hz)[1]) < rate_hz, "the resampler holds back its tail"
    playlist.finish(1)
    again = Playlist(RATE_HZ)
    again.play(1, noise(1.0).tobytes())
    again.finish(1)
    assert abs(len(drain(again, rate_hz)[1]) - rate_hz) <= 1


def test_a_card_of_another_rate_goes_on_with_the_reply() -> None:
    playlist = Playlist(RATE_HZ)
    playlist.play(1, noise(1.0).tobytes())
    playlist.finish(1)
    [(reply, first)] = playlist.take(24000, 48000)
    [(_, rest)] = playlist.take(24000, 16000)
    assert len(first) / 48000 + len(rest) / 16000 == pytest.approx(1.0, abs=0.05)
    assert reply.taken


def test_after_a_hush_the_same_and_older_turns_are_not_heard() -> None:
    playlist = Playlist(RATE_HZ)
    playlist.play(3, noise(0.1).tobytes())
    playlist.hush(3)
    assert [turn for turn, _ in playlist.cuts()] == [3]
    playlist.play(3, noise(0.1).tobytes())
    playlist.finish(3)
    playlist.play(2, noise(0.1).tobytes())
    playlist.finish(2)
    playlist.hush(3)
    assert playlist.idle and not playlist.cuts()
    playlist.play(4, noise(0.1).tobytes())
    assert list(drain(playlist, RATE_HZ)) == [4]


def test_nothing_is_handed_out_between_a_hush_and_its_cut() -> None:
    playlist = Playlist(RATE_HZ)
    playlist.play(1, noise(0.1).tobytes())
    playlist.hush(1)
    playlist.play(2, noise(0.1).tobytes())
    assert not playlist.take(480, RATE_HZ)
    playlist.cuts()
    assert playlist.take(480, RATE_HZ)


def test_a_newer_turn_ends_the_one_before_it() -> None:
    playlist = Playlist(RATE_HZ)
    playlist.play(1, noise(0.01).tobytes())
    playlist.play(2, noise(0.01).tobytes())
    assert list(drain(playlist, RATE_HZ)) == [1, 2]
    assert [reply.turn for reply in playlist.spoken()] == [1]


def test_the_account_of_what_sounded() -> None:
    sounded: list[tuple[int, int, bool]] = []
    flight = Flight(lambda reply, samples, first: sounded.append((reply.turn, len(samples), first)))
    reply = Reply(7, RATE_HZ)
    flight.add(None, np.zeros(100, np.float32))
    flight.add(reply, np.zeros(480, np.float32))
    flight.add(None, np.zeros(240, np.float32))
    flight.add(reply, np.zeros(480, np.float32))
    flight.move(90, RATE_HZ)
    assert not sounded
    flight.move(250, RATE_HZ)
    flight.move(960, RATE_HZ)
    assert sounded == [(7, 240, True), (7, 240, False), (7, 480, False)]
    assert not flight.frames and not reply.in_flight
    assert reply.heard_s == pytest.approx(0.04)
    assert reply.ended_s - (reply.began_s or 0) == pytest.approx(0.05), "the gap belongs to its time"


def test_volume_is_as_the_ear_takes_it() -> None:
    assert loudness(0) == 0 and loudness(100) == 1
    steps = [loudness(percent + 10) / loudness(percent) for percent in range(1, 91)]
    assert steps == pytest.approx([10**0.2] * 90)


def test_a_recording_is_a_valid_file_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    recording = Recording(path, RATE_HZ)
    assert not len(recorded(path))
    recording.add(noise(0.3))
    recording.flush()
    assert np.array_equal(recorded(path), noise(0.3))
    recording.add(noise(0.5)[len(noise(0.3)) :])
    recording.close()
    with wave.open(str(path)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (RATE_HZ, 1, 2)
        assert wav.readframes(99999) == noise(0.5).tobytes()


def test_a_file_that_cannot_be_made_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unplayable, match="cannot be written: No such file or directory"):
        Speaker(settings.Speaker(type="file", file=str(tmp_path / "no" / "a.wav")), RATE_HZ, lambda event: None)


class Talk:
    """A loudspeaker into a file, and what it reports, with the time."""

    def __init__(self, path: Path, period_ms: int = 10) -> None:
        self.events: queue.Queue[tuple[Event, float]] = queue.Queue()
        what = settings.Speaker(type="file", file=str(path), period_ms=period_ms)
        self.speaker = Speaker(what, RATE_HZ, lambda event: self.events.put((event, time.monotonic())))

    def next(self) -> tuple[Event, float]:
        return self.events.get(timeout=5)


def recorded(path: Path) -> np.ndarray:
    with wave.open(str(path)) as wav:
        return np.frombuffer(wav.readframes(wav.getnframes()), np.int16)


@pytest.mark.slow
def test_replies_are_recorded_exactly_in_real_time_with_a_gap_between_them(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "a.wav")
    with talk.speaker as speaker:
        for turn in (1, 2):
            for piece in np.array_split(noise(0.3, turn), 9):
                speaker.play(turn, piece.tobytes())
            speaker.finish(turn)
        events = [talk.next() for _ in range(4)]
    assert [event for event, _ in events] == [
        Sounded(1),
        Spoken(1, pytest.approx(0.3)),
        Sounded(2),
        Spoken(2, pytest.approx(0.3)),
    ]
    assert events[3][1] - events[0][1] == pytest.approx(0.6, abs=0.1)
    gap = np.zeros(round(0.3 * RATE_HZ), np.int16)
    assert np.array_equal(recorded(tmp_path / "a.wav"), np.concatenate([noise(0.3, 1), gap, noise(0.3, 2)]))


@pytest.mark.slow
def test_a_hush_keeps_what_was_heard_and_tells_what_was_not(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "a.wav")
    with talk.speaker as speaker:
        speaker.play(1, noise(20).tobytes())
        assert talk.next()[0] == Sounded(1)
        time.sleep(0.3)
        speaker.hush(1)
        hushed, _ = talk.next()
        speaker.play(1, noise(1).tobytes())
        speaker.finish(1)
        speaker.finish(2)
        assert talk.next()[0] == Spoken(2, 0.0), "a reply without audio ends at once"
        speaker.finish(2)
        speaker.play(3, noise(0.1, 3).tobytes())
        speaker.finish(3)
        assert [talk.next()[0] for _ in range(2)] == [Sounded(3), Spoken(3, pytest.approx(0.1))]
    assert isinstance(hushed, Hushed) and hushed.turn == 1
    samples = recorded(tmp_path / "a.wav")
    heard = len(samples) - len(noise(0.4))
    assert 0.2 < heard / RATE_HZ < 0.6
    assert hushed.dropped_s == pytest.approx(20 - heard / RATE_HZ)
    assert np.array_equal(samples[:heard], noise(20)[:heard])
    assert np.array_equal(samples[-len(noise(0.1)) :], noise(0.1, 3))


@pytest.mark.slow
def test_a_reply_that_comes_too_slowly_is_heard_whole(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "a.wav")
    with talk.speaker as speaker:
        speaker.play(1, noise(0.1).tobytes())
        time.sleep(0.3)
        speaker.play(1, noise(0.1, 2).tobytes())
        speaker.finish(1)
        assert talk.next()[0] == Sounded(1)
        assert talk.next()[0] == Spoken(1, pytest.approx(0.4, abs=0.1))
    assert np.array_equal(recorded(tmp_path / "a.wav"), np.concatenate([noise(0.1), noise(0.1, 2)]))
