"""Where keys come from, and which files are refused."""

import os
from pathlib import Path

import pytest

from cooee.secret import Exposed, secret


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("from-the-file\n")
    path.chmod(0o600)
    return path


def test_the_environment_goes_before_the_credential_and_that_before_the_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secret("deepgram_api_key", str(file)) == "from-the-file"
    (tmp_path / "deepgram_api_key").write_text("from-systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secret("deepgram_api_key", str(file)) == "from-systemd"
    monkeypatch.setenv("DEEPGRAM_API_KEY", " from-the-environment\n")
    assert secret("deepgram_api_key", str(file)) == "from-the-environment"


def test_none_is_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret("deepgram_api_key") is None
    monkeypatch.setenv("DEEPGRAM_API_KEY", "  ")
    assert secret("deepgram_api_key") is None
    file.write_text("\n")
    assert secret("deepgram_api_key", str(file)) is None


def test_a_file_in_the_home_folder_is_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert secret("deepgram_api_key", "~/key") == "from-the-file"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused_with_the_cure(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(Exposed, match=f"can be read by others.*chmod 600 {file}"):
        secret("deepgram_api_key", str(file))


def test_a_file_that_is_missing_a_folder_or_no_text_is_refused(file: Path) -> None:
    with pytest.raises(Exposed, match="no such file"):
        secret("deepgram_api_key", f"{file}.not")
    with pytest.raises(Exposed, match="directory"):
        secret("deepgram_api_key", str(file.parent))
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Exposed, match="no text"):
        secret("deepgram_api_key", str(file))


def test_a_blank_credential_is_none_and_the_file_is_looked_at(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deepgram_api_key").write_text("\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secret("deepgram_api_key", str(file)) == "from-the-file"
    assert secret("deepgram_api_key") is None


@pytest.mark.parametrize("key", ["0123456789abcdef", "0123456789abcdef" * 40])
def test_a_key_that_stands_where_its_file_should_be_is_not_told(key: str) -> None:
    with pytest.raises(Exposed, match="path of a file that holds the key") as refused:
        secret("deepgram_api_key", key)
    assert key not in str(refused.value)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(Exposed, match="no regular file"):
        secret("deepgram_api_key", str(tmp_path / "pipe"))
