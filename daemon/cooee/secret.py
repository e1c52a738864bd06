"""Keys and tokens: from the environment, a systemd credential or a file that only its owner reads."""

import contextlib
import errno
import os
import re
import stat
from pathlib import Path

REFERENCE = re.compile(r"((?:[A-Za-z]+ )?)secret:([\w.~/-]+)")
"""How a key is named where it would stand, such as "Bearer secret:NAME": what is before it, and the name."""


class Exposed(Exception):
    """A secret's file can't be used; str() is a sentence that says why and what to do."""


def secret(name: str, file: str = "") -> str | None:
    """The secret called `name` ("deepgram_api_key"), or None where there is none.

    Looked for in $DEEPGRAM_API_KEY, in the systemd credential deepgram_api_key (systemd.exec(5), LoadCredential=), then
    in `file`; what is blank is none. Raises Exposed for a file that is missing, no text or readable by others.
    """
    from_environment = (os.environ.get(name.upper()) or os.environ.get(name, "")).strip()
    if from_environment:
        return from_environment
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    # The unit gives a blank credential where nobody made one.
    if folder and (credential := Path(folder, name)).is_file() and (from_systemd := _read(credential)):
        return from_systemd
    return _from_file(Path(os.path.expanduser(file))) if file else None


def referred(name: str) -> str | None:
    """What "secret:NAME" in the config stands for: a path is that file and nothing else, a name is as for `secret`."""
    return _from_file(Path(os.path.expanduser(name))) if "/" in name else secret(name)


def _from_file(path: Path) -> str | None:
    with contextlib.suppress(OSError):  # `_read` says what is wrong with it
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise Exposed(f"{path} is no regular file: it has to hold the key and nothing else")
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Exposed(f"{path} can be read by others than its owner: run chmod 600 {path}")
    return _read(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            # Who takes the setting for the key's own place would find the key in the log.
            raise Exposed("there is no such file; what is wanted is the path of a file that holds the key") from None
        raise Exposed(f"{path} can't be read ({error.strerror}): check the path and who owns it") from error
    except ValueError as error:
        raise Exposed(f"{path} is no text: it has to hold the key and nothing else") from error
