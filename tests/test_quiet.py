"""A quiet room costs no model, and nothing that is said in it is lost or scored differently."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cooee.quiet import MEMORY_FRAMES, QuietRoom, Sparing
from cooee.wake_models import FRAME_SAMPLES, OpenWakeWord
from voices import Voice, noise, say

FRAMES_A_SECOND = 12.5


def _frames(*samples: NDArray[np.int16]) -> NDArray[np.int16]:
    joined = np.concatenate(samples)
    return joined[: len(joined) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def _loud(frames: NDArray[np.int16]) -> NDArray[np.bool_]:
    room = QuietRoom()
    return np.array([not room.push(frame) for frame in frames])


@pytest.mark.parametrize("level_dbfs", [-200, -65, -40])
def test_steady_room_is_quiet_after_its_first_seconds(level_dbfs: float) -> None:
    assert not _loud(_frames(noise(20, level_dbfs)))[MEMORY_FRAMES:].any()


def test_offset_of_the_microphone_hides_no_speech() -> None:
    speech = say("turn on the lamp", Voice("flite", "rms", 1.1)) // 10
    loud = _loud(_frames(noise(5), speech, noise(5, seed=1)) + np.int16(3000))
    assert not loud[MEMORY_FRAMES : round(4.9 * FRAMES_A_SECOND)].any()
    assert loud[round(5.3 * FRAMES_A_SECOND)]


def test_speech_is_heard_to_its_end_and_a_while_longer() -> None:
    speech = say("turn on the lamp in the kitchen", Voice("flite", "rms", 1.1)) // 10
    loud = _loud(_frames(noise(10), speech, noise(10, seed=1)))
    heard_s = np.flatnonzero(loud[MEMORY_FRAMES:])[[0, -1]] / FRAMES_A_SECOND + MEMORY_FRAMES / FRAMES_A_SECOND
    assert heard_s[0] < 10.3
    assert 10 + len(speech) / 16000 + 1 < heard_s[1] < 10 + len(speech) / 16000 + 2


def test_a_fan_that_is_switched_on_becomes_the_room() -> None:
    loud = _loud(_frames(noise(5, -65), noise(30, -45, seed=1)))
    assert loud[round(6 * FRAMES_A_SECOND)]
    assert not loud[-1]


class Counting:
    """An engine that remembers what it heard."""

    words = ("word",)

    def __init__(self) -> None:
        self.heard: list[NDArray[np.int16]] = []

    def scores(self, samples: NDArray[np.int16]) -> list[float]:
        self.heard.append(samples)
        return [0.7]

    def reset(self) -> None:
        self.heard.clear()


def test_models_do_not_run_in_a_quiet_room_and_catch_up_in_order() -> None:
    engine = Counting()
    sparing = Sparing(engine)
    frames = _frames(noise(10), noise(0.16, -20, seed=1))
    *before, last = frames
    assert [sparing.scores(frame) for frame in before][-2] == [0.0]
    assert len(engine.heard) < 2 * MEMORY_FRAMES + 2
    assert sparing.scores(last) == [0.7]
    np.testing.assert_array_equal(engine.heard[-MEMORY_FRAMES:], frames[-MEMORY_FRAMES:])


def test_reset_forgets_what_was_missed() -> None:
    engine = Counting()
    sparing = Sparing(engine)
    for frame in _frames(noise(10)):
        sparing.scores(frame)
    sparing.reset()
    sparing.scores(np.zeros(FRAME_SAMPLES, np.int16))
    assert len(engine.heard) == 1


@pytest.mark.slow
def test_scores_are_those_of_listening_all_the_time() -> None:
    speech = say("hey jarvis", Voice("espeak-ng", "en-us", 150))
    frames = _frames(noise(7.5), speech, noise(2.9), speech // 20, noise(5, seed=1), speech, noise(2))
    always, spared = OpenWakeWord(["hey_jarvis"]), OpenWakeWord(["hey_jarvis"])
    sparing = Sparing(spared)
    pairs = np.array([(*always.scores(frame), *sparing.scores(frame)) for frame in frames])
    ran = pairs[:, 1] > 0
    assert 0.2 < ran.mean() < 0.8
    np.testing.assert_allclose(pairs[ran, 1], pairs[ran, 0], atol=1e-4)
    assert pairs[~ran, 0].max() < 0.1
    assert pairs[:, 1].max() > 0.9
