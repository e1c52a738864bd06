"""openWakeWord's models, run frame by frame: samples -> mel -> embedding -> one score per word.

Scores are those of `openwakeword.Model.predict` (0.4.0), at a quarter of its time and memory. The package itself is
not imported, because that loads scipy and scikit-learn; only its files are used.
"""

import difflib
import hashlib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cooee.embedding import HOP_FRAMES, WINDOW_FRAMES, streaming

FRAME_SAMPLES = 1280
# Each column of a mel spectrogram looks so far back into the frame before.
_OVERLAP_SAMPLES = 480
_MEL_BANDS = 32
_EMBEDDINGS = 16
_EMBEDDING_SIZE = 96
_KNOWN_EMBEDDING = "ba754db3cd768a524c655ea90655ee5e6055a43b8dfd29366a11e93716ae9e51"
# Part of the pipeline, or of another shape than a wake word (they look at more than 16 embeddings).
_NO_WORDS = {"melspectrogram", "embedding_model", "silero_vad", "timer", "weather"}


class UnknownWord(Exception):
    """No such wake word; str() is a sentence that says which there are."""


class BadModel(Exception):
    """A model file that is missing or does not fit; str() is a sentence that says which and why."""


def available() -> tuple[str, ...]:
    """The names of the wake words that come with openWakeWord. Raises BadModel when it is not installed whole."""
    return tuple(sorted(set(_bundled()) - _NO_WORDS))


def name_of(word: str) -> str:
    """A word's name: itself, or of "/home/me/hey_house_v0.1.onnx" the "hey_house"."""
    return re.sub(r"_v\d+(\.\d+)*$", "", Path(word).stem) if word.endswith(".onnx") else word


def spoken(word: str) -> str:
    """What one says: "hey jarvis" for "hey_jarvis"."""
    return name_of(word).replace("_", " ")


def find(word: str) -> Path:
    """The model file of an entry of [wake] words. Raises UnknownWord or BadModel."""
    if word.endswith(".onnx"):
        path = Path(word).expanduser()
        if path.is_file():
            return path
        raise UnknownWord(f'[wake] words: there is no file "{path}"')
    names = available()
    if word in names:
        return _bundled()[word]
    close = difflib.get_close_matches(word.lower().replace(" ", "_"), names, 1)
    hint = f'; did you mean "{close[0]}"?' if close else "."
    raise UnknownWord(
        f'[wake] words: there is no wake word "{word}"{hint} There are {", ".join(names)}, or the path of an .onnx file'
    )


def _bundled() -> dict[str, Path]:
    spec = importlib.util.find_spec("openwakeword")
    folders = [Path(place, "resources/models") for place in (spec and spec.submodule_search_locations) or ()]
    models = {name_of(path.name): path for folder in folders for path in folder.glob("*.onnx")}
    if not {"melspectrogram", "embedding_model"} <= models.keys():
        raise BadModel("openWakeWord's models are not installed; `pip install openwakeword==0.4.0` brings them")
    return models


def _session(model: str | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread that sleeps when idle: onnxruntime's own default burns most of a core between frames.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Embedding(Protocol):
    """The last 76 mel frames as 96 numbers."""

    def push(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """`mel`: the next 8 frames, (8, 32). Returns (96,)."""

    def reset(self) -> None:
        """Forget what was heard; openWakeWord starts with a mel spectrogram of ones."""


class StreamedEmbedding:
    """Computes only what the new frames change. `model`: the bytes of the embedding that `streaming` knows."""

    def __init__(self, model: bytes) -> None:
        self._session = _session(streaming(model))
        self._frames, *states = self._session.get_inputs()
        self._names = [state.name for state in states]
        self._states = [np.zeros(state.shape, np.float32) for state in states]
        for _ in range(-(-WINDOW_FRAMES // HOP_FRAMES)):
            self.push(np.ones((HOP_FRAMES, _MEL_BANDS), np.float32))
        self._start = self._states

    def push(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        feeds = dict(zip(self._names, self._states, strict=True))
        feeds[self._frames.name] = mel[None, :, :, None]
        embedding, *self._states = self._session.run(None, feeds)
        return np.asarray(embedding, np.float32).ravel()

    def reset(self) -> None:
        self._states = self._start


class WholeEmbedding:
    """Computes all 76 frames each time, with any embedding model of openWakeWord's shape."""

    def __init__(self, model: bytes) -> None:
        self._session = _session(model)
        self._input = self._session.get_inputs()[0].name
        self.reset()

    def push(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        self._mel: NDArray[np.float32] = np.concatenate((self._mel[len(mel) :], mel))
        return np.asarray(self._session.run(None, {self._input: self._mel[None, :, :, None]})[0], np.float32).ravel()

    def reset(self) -> None:
        self._mel = np.ones((WINDOW_FRAMES, _MEL_BANDS), np.float32)


def embedding(model: bytes) -> Embedding:
    """The cheapest embedding for this file: the rewrite only for the one file whose insides are known."""
    known = hashlib.sha256(model).hexdigest() == _KNOWN_EMBEDDING
    return StreamedEmbedding(model) if known else WholeEmbedding(model)


class Features:
    """What all words are judged by: the embeddings of the last 16 frames of 80 ms."""

    def __init__(self) -> None:
        models = _bundled()
        self._mel_model = _session(str(models["melspectrogram"]))
        self._embedding = embedding(models["embedding_model"].read_bytes())
        silence = self._mel(np.zeros(_OVERLAP_SAMPLES + FRAME_SAMPLES, np.int16))
        for _ in range(-(-WINDOW_FRAMES // HOP_FRAMES)):
            blank = self._embedding.push(silence)
        self._blank = np.broadcast_to(blank, (1, _EMBEDDINGS, _EMBEDDING_SIZE))
        self.reset()

    def reset(self) -> None:
        self._embedding.reset()
        self._heard = np.empty(0, np.int16)
        self._window = np.array(self._blank)

    def push(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """`samples`: the next 1280. Returns the window (1, 16, 96), valid until the next call."""
        embedding = self._embedding.push(self._mel(np.concatenate((self._heard, samples))))
        self._heard = samples[-_OVERLAP_SAMPLES:]
        self._window[0, :-1] = self._window[0, 1:]
        self._window[0, -1] = embedding
        return self._window

    def _mel(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """(8, 32); the first frame after a reset has nothing before it and fills only the last 5 rows."""
        spectrogram = self._mel_model.run(None, {"input": samples[None].astype(np.float32)})[0]
        rows = spectrogram.reshape(-1, _MEL_BANDS)
        mel = np.ones((HOP_FRAMES, _MEL_BANDS), np.float32)
        mel[HOP_FRAMES - len(rows) :] = rows / np.float32(10) + np.float32(2)
        return mel


class Word:
    """One wake word's model. Raises BadModel if the file is no model for openWakeWord's features."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        try:
            self._session = _session(str(path))
        except Exception as error:  # onnxruntime raises a dozen types of its own for a bad file
            raise BadModel(f'[wake] words: "{path}" is not an ONNX model that can be loaded') from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or shape[1:] != [_EMBEDDINGS, _EMBEDDING_SIZE] or outputs[0].shape[1:] != [1]:
            raise BadModel(
                f'[wake] words: "{path}" takes {shape} and gives {outputs[0].shape}; a model for openWakeWord '
                f"takes [1, {_EMBEDDINGS}, {_EMBEDDING_SIZE}] and gives [1, 1]"
            )
        self._input = inputs[0].name

    def score(self, window: NDArray[np.float32]) -> float:
        return float(self._session.run(None, {self._input: window})[0].item())


class Engine(Protocol):
    """What scores frames. `words` are names, in the order of the scores."""

    @property
    def words(self) -> tuple[str, ...]: ...

    def scores(self, samples: NDArray[np.int16]) -> list[float]:
        """Scores (0..1), one per word, after the next 1280 samples at 16 kHz."""

    def reset(self) -> None:
        """Forget what was heard."""


class OpenWakeWord:
    """The engine that cooee uses. Raises UnknownWord or BadModel."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [Word(name_of(word), find(word)) for word in dict.fromkeys(words)]
        self._features = Features()

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word.name for word in self._words)

    def scores(self, samples: NDArray[np.int16]) -> list[float]:
        """The words' scores (0..1) after the next 1280 samples of 16 kHz."""
        window = self._features.push(samples)
        return [word.score(window) for word in self._words]

    def reset(self) -> None:
        """Forget what was heard, after a gap in the audio."""
        self._features.reset()
