"""The wake word: the rule, fed with scores, and the real models, fed with speech."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import cooee
from cooee import settings
from cooee.wake import SETTLE_FRAMES, BadModel, Trigger, UnknownWord, Wake, available, spoken
from cooee.wake_models import FRAME_SAMPLES, OpenWakeWord, find
from voices import Voice, noise, read, say

DEMO = Path(cooee.__file__).parent / "sounds/hey_jarvis_turn_on_the_lamp.wav"
RMS, ENGLISH = Voice("flite", "rms", 1.1), Voice("espeak-ng", "en-us", 150)
SETTLED = [0.0] * SETTLE_FRAMES


def _wakes(scores: list[float], **rule: float) -> list[int]:
    """At which of the scores a settled trigger wakes."""
    trigger = Trigger("word", settings.Wake(**rule))
    return [number for number, score in enumerate(SETTLED + scores, -SETTLE_FRAMES) if trigger.push(score)]


def test_two_hits_among_three_frames_wake() -> None:
    assert _wakes([0.9, 0.9]) == [1]
    assert _wakes([0.9, 0.1, 0.9]) == [2]
    assert _wakes([0.9, 0.1, 0.1, 0.9]) == []
    assert _wakes([0.49] * 20) == []


def test_rule_is_configurable() -> None:
    assert _wakes([0.35] * 4, threshold=0.3, trigger_frames=3, window_frames=4) == [2]
    assert _wakes([0.5], trigger_frames=1, window_frames=1) == [0]


def test_first_frames_never_wake() -> None:
    trigger = Trigger("word", settings.Wake())
    assert not any(trigger.push(1.0) for _ in range(SETTLE_FRAMES))


def test_refractory_time_is_audio_time() -> None:
    again = [0.9, 0.9]
    refractory_frames = 25
    assert _wakes([*again, *[0.0] * (refractory_frames - 2), *again, 0.0]) == [1]
    assert _wakes([*again, *[0.0] * refractory_frames, *again]) == [1, refractory_frames + 3]


def test_word_that_stays_high_wakes_once() -> None:
    assert _wakes([0.9] * 100) == [1]
    assert _wakes([0.9] * 100 + [0.1] + [0.9] * 10) == [1, 102]
    assert _wakes([0.9] * 10, refractory_s=0.0) == [1]


def test_rule_can_change_between_two_frames() -> None:
    trigger = Trigger("word", settings.Wake())
    for score in [*SETTLED, 0.9]:
        assert not trigger.push(score)
    trigger.adopt(settings.Wake(threshold=0.3, window_frames=10))
    assert not any(trigger.push(0.1) for _ in range(8))
    assert trigger.push(0.4), "the hit from before the change counts"


def test_rule_that_could_never_wake_is_refused() -> None:
    with pytest.raises(ValueError, match=r"window_frames\n.*at least trigger_frames \(4\)"):
        settings.Wake(trigger_frames=4)


def test_near_miss_is_logged_once_and_a_wake_is_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "cooee.wake")
    _wakes([0.3, 0.42, 0.25, 0.1, 0.1])
    assert [record.getMessage() for record in caplog.records] == ["near miss: word peaked at 0.42 of 0.50"]
    caplog.clear()
    _wakes([0.4, 0.9, 0.9, 0.4] + [0.1] * 40)
    _wakes([0.9] * 40 + [0.1] * 5)
    assert not caplog.records


class Scripted:
    """An engine that says what it is told to."""

    words = ("one", "two")

    def __init__(self, *scores: list[float]) -> None:
        self._scores = iter([[0.0, 0.0]] * SETTLE_FRAMES + list(scores))

    def scores(self, samples: NDArray[np.int16]) -> list[float]:
        return next(self._scores)

    def reset(self) -> None: ...


def _listen(wake: Wake, samples: NDArray[np.int16]) -> list[tuple[float, str | None]]:
    frames = len(samples) // FRAME_SAMPLES
    return [wake.score(frame.tobytes()) for frame in samples[: frames * FRAME_SAMPLES].reshape(frames, -1)]


def _words(wake: Wake, *samples: NDArray[np.int16]) -> list[str]:
    return [word for _, word in _listen(wake, np.concatenate((noise(2), *samples, noise(2, seed=1)))) if word]


def test_every_word_has_its_own_rule_and_the_surest_is_named() -> None:
    heard = [[0.6, 0.9], [0.6, 0.9], [0.9, 0.9], [0.0, 0.0]]
    wake = Wake(settings.Wake(), Scripted(*heard))
    scores = _listen(wake, np.zeros((SETTLE_FRAMES + 4) * FRAME_SAMPLES, np.int16))[SETTLE_FRAMES:]
    assert scores == [(0.9, None), (0.9, "two"), (0.9, None), (0.0, None)]


def test_every_word_adopts_a_new_rule() -> None:
    wake = Wake(settings.Wake(), Scripted([0.0, 0.4], [0.0, 0.4]))
    wake.adopt(settings.Wake(threshold=0.3))
    assert _listen(wake, np.zeros((SETTLE_FRAMES + 2) * FRAME_SAMPLES, np.int16))[-1] == (0.4, "two")


@pytest.mark.parametrize("length", [0, 2, 2559, 2561, 5120])
def test_frame_of_another_length_is_refused_in_a_sentence(length: int) -> None:
    with pytest.raises(ValueError, match=rf"^a frame .* 2560 bytes \(1280 samples\), not {length}$"):
        Wake(settings.Wake(), Scripted()).score(bytes(length))


@pytest.fixture(scope="module")
def jarvis() -> Wake:
    return Wake(settings.Wake())


@pytest.fixture
def wake(jarvis: Wake) -> Wake:
    jarvis.reset()
    return jarvis


@pytest.mark.parametrize("voice", [RMS, ENGLISH, Voice("flite", "slt", 1.0)], ids=str)
def test_wakes_once_for_its_word(wake: Wake, voice: Voice) -> None:
    assert _words(wake, say("hey jarvis", voice)) == ["hey_jarvis"]
    assert _words(wake, say("hey jarvis", voice)) == ["hey_jarvis"]


def test_does_not_wake_for_other_words(wake: Wake) -> None:
    assert _words(wake, say("alexa", RMS), noise(0.5), say("what is the weather like today", ENGLISH)) == []


@pytest.mark.parametrize("level_dbfs", [-200, -65, -30, -10])
def test_does_not_wake_for_silence_and_noise(wake: Wake, level_dbfs: float) -> None:
    assert max(score for score, _ in _listen(wake, noise(10, level_dbfs))) < 0.2


def test_a_word_that_the_recording_begins_with_is_heard(wake: Wake) -> None:
    assert "hey_jarvis" in {word for _, word in _listen(wake, np.concatenate((say("hey jarvis", RMS), noise(1))))}


def test_demo_clip_wakes_surely_from_its_first_play(wake: Wake) -> None:
    for _ in range(2):
        heard = _listen(wake, np.concatenate((read(DEMO), noise(2))))
        assert [word for _, word in heard if word] == ["hey_jarvis"]
        assert max(score for score, _ in heard) > 0.95


def test_reset_forgets_half_a_word(wake: Wake) -> None:
    phrase = say("hey jarvis", RMS)
    _listen(wake, np.concatenate((noise(2), phrase[: len(phrase) // 2])))
    wake.reset()
    assert "hey_jarvis" not in {
        word for _, word in _listen(wake, np.concatenate((phrase[len(phrase) // 2 :], noise(2))))
    }


@pytest.mark.slow
def test_two_words_at_once() -> None:
    wake = Wake(settings.Wake(words=["hey_jarvis", "alexa"]))
    assert wake.words == ("hey_jarvis", "alexa")
    assert _words(wake, say("alexa", RMS), noise(3), say("hey jarvis", RMS)) == ["alexa", "hey_jarvis"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_scores_are_those_of_openwakeword() -> None:
    openwakeword = pytest.importorskip("openwakeword")
    names = ["hey_jarvis", "alexa", "hey_mycroft"]
    theirs = openwakeword.Model([openwakeword.models[name]["model_path"] for name in names])
    ours = OpenWakeWord(names)
    speech = [noise(1), say("hey jarvis turn on the lamp", RMS), np.zeros(9000, np.int16), say("alexa", ENGLISH)]
    samples = np.concatenate((*speech, noise(2, -20), say("hey mycroft", RMS)))
    pairs = [
        (ours.scores(frame), list(theirs.predict(frame).values()))
        for frame in samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    ]
    # openWakeWord says 0 to its first 5 frames, whatever its models say.
    mine, its = np.array(pairs[5:]).swapaxes(0, 1)
    np.testing.assert_allclose(mine, its, atol=1e-4)
    assert its.max() > 0.9


def test_openwakeword_is_not_imported() -> None:
    program = (
        "import sys; from cooee import settings; from cooee.wake import Wake; Wake(settings.Wake()); "
        "print(sorted({'openwakeword', 'scipy', 'sklearn', 'tqdm'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert run.stdout == "[]\n"


def test_names_of_the_words_that_there_are() -> None:
    assert {"hey_jarvis", "alexa", "hey_mycroft"} <= set(available())
    assert not {"melspectrogram", "embedding_model", "silero_vad", "timer"} & set(available())
    assert spoken("hey_jarvis") == "hey jarvis"
    assert spoken("/etc/cooee/hey_house_v0.2.onnx") == "hey house"


def test_own_model_is_used_by_its_path(tmp_path: Path) -> None:
    own = tmp_path / "hey_house.onnx"
    own.write_bytes(find("hey_jarvis").read_bytes())
    wake = Wake(settings.Wake(words=[str(own)]))
    assert _words(wake, say("hey jarvis", RMS)) == ["hey_house"]


def test_unknown_word_is_one_sentence_with_a_suggestion() -> None:
    with pytest.raises(UnknownWord, match=r'no wake word "hey jarvs"; did you mean "hey_jarvis".*alexa.*onnx'):
        Wake(settings.Wake(words=["hey jarvs"]))
    with pytest.raises(UnknownWord, match=r'no file ".*/missing\.onnx"'):
        Wake(settings.Wake(words=["/nowhere/missing.onnx"]))


def test_model_that_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    no_model, other = tmp_path / "no_model.onnx", tmp_path / "other.onnx"
    no_model.write_text("hello")
    other.write_bytes(find("hey_jarvis").with_name("timer_v0.1.onnx").read_bytes())
    with pytest.raises(BadModel, match="not an ONNX model"):
        Wake(settings.Wake(words=[str(no_model)]))
    with pytest.raises(BadModel, match=r"takes \[1, 34, 96\].* takes \[1, 16, 96\]"):
        Wake(settings.Wake(words=[str(other)]))
