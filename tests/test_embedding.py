"""The rewritten embedding gives what openWakeWord's own gives, with an eighth of the input."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from cooee.embedding import streaming
from cooee.wake_models import StreamedEmbedding, WholeEmbedding, embedding


@pytest.fixture(scope="module")
def model() -> bytes:
    (folder,) = importlib.util.find_spec("openwakeword").submodule_search_locations
    return Path(folder, "resources/models/embedding_model.onnx").read_bytes()


def _mel(hops: int) -> np.ndarray:
    return np.random.default_rng(3).normal(2, 3, (hops, 8, 32)).astype(np.float32)


def test_takes_one_hop_and_its_states(model: bytes) -> None:
    session = onnxruntime.InferenceSession(streaming(model), providers=["CPUExecutionProvider"])
    frames, *states = session.get_inputs()
    assert frames.shape[1:] == [8, 32, 1]
    assert len(states) == 11
    assert [state.shape for state in states] == [kept.shape for kept in session.get_outputs()[1:]]


def test_equals_the_whole_window(model: bytes) -> None:
    streamed, whole = StreamedEmbedding(model), WholeEmbedding(model)
    for mel in _mel(hops=30):
        np.testing.assert_allclose(streamed.push(mel), whole.push(mel), atol=1e-4)


def test_reset_forgets_what_was_heard(model: bytes) -> None:
    streamed = StreamedEmbedding(model)
    first = [streamed.push(mel) for mel in _mel(hops=12)]
    streamed.reset()
    np.testing.assert_array_equal(first, [streamed.push(mel) for mel in _mel(hops=12)])


def test_the_known_file_is_streamed_and_any_other_one_is_not(model: bytes) -> None:
    other = model + b"\x12\x00"  # the producer's name once more, empty: the same network in another file
    assert isinstance(embedding(model), StreamedEmbedding)
    assert isinstance(embedding(other), WholeEmbedding)


def test_refuses_another_network() -> None:
    (folder,) = importlib.util.find_spec("openwakeword").submodule_search_locations
    with pytest.raises((KeyError, ValueError)):
        streaming(Path(folder, "resources/models/hey_jarvis_v0.1.onnx").read_bytes())
