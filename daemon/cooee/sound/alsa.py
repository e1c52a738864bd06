"""What the microphone and the loudspeaker share: one PortAudio per process, started quietly and one at a time.

PortAudio makes its list of cards when the first user starts it and forgets it when the last one ends it. So whoever
looks for a card that is not in the list asks the others, through `outdated`, to end theirs for a moment.

PortAudio is not fit for two threads, even with a stream each: every call leaves its error in one global variable, from
which another thread's call takes it as its own. A rate that a card does not have then counts as opened, or the process
crashes. So every single call is made `with calling`; the calls are short, since nobody reads or writes more than fits.
"""

import ctypes
import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CARDS = Path("/proc/asound/cards")
RENEW_S = 30.0
"""A card that the kernel does not list (a sound server's) is looked for this often while the other direction runs."""

_CHATTER = (b"Expression '", b"ALSA lib ", b"Jack", b"jack", b"Cannot connect to server", b"connect(2) call to")

calling = threading.Lock()

_lock = threading.RLock()
_users = 0
_listed = ""
_listed_at_s = 0.0
_generation = 0
_wanted = 0
_kept: list[Any] = []


class Unavailable(Exception):
    """A card cannot be used now; str() is a sentence for the user."""


class Lost(Exception):
    """A card that was open takes or gives no more samples; str() is a sentence for the user."""


@contextmanager
def exclusive() -> Iterator[None]:
    """Alone with PortAudio, its chatter on stderr held back: for opening and closing, never for reading or writing."""
    with _lock, _hushed_stderr():
        yield


@contextmanager
def _hushed_stderr() -> Iterator[None]:
    """PortAudio complains on file descriptor 2, about each try that fails. What others write there meanwhile, also a
    child process that is started now and inherits it, is passed on.
    """
    if sys.stderr:
        sys.stderr.flush()
    stderr, (source, sink) = os.dup(2), os.pipe()
    os.dup2(sink, 2)
    os.close(sink)
    forwarding = threading.Thread(target=_forward, args=(source, os.dup(stderr)), name="cooee-stderr", daemon=True)
    forwarding.start()
    try:
        yield
    finally:
        if sys.stderr:
            sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        forwarding.join(timeout=0.2)


def _forward(source: int, stderr: int) -> None:
    """Pass on whole lines, but the sound libraries', until nobody writes any more."""
    with os.fdopen(source, "rb", buffering=0) as raw, os.fdopen(stderr, "wb", buffering=0) as out:
        for line in io.BufferedReader(raw):
            if not line.startswith(_CHATTER):
                out.write(line)


def start() -> Any:
    """A `pyaudio.PyAudio`, to be ended with `end`. Call it `exclusive`. Raises Unavailable."""
    global _users, _listed, _listed_at_s, _generation
    import pyaudio

    _silence()
    _check_config()
    if _users == 0:
        _listed, _listed_at_s, _generation = _cards(), time.monotonic(), _wanted
    try:
        with calling:
            library = pyaudio.PyAudio()
    except OSError as fault:
        raise Unavailable(
            f"the sound system does not start ({fault.args[-1]}); is ALSA's configuration sound?"
        ) from None
    _users += 1
    return library


def end(library: Any) -> None:
    """End what `start` gave. Call it `exclusive`."""
    global _users
    with calling:
        library.terminate()
    _users -= 1


def generation() -> int:
    """Which listing of the cards is in force."""
    return _generation


def outdated(generation: int) -> bool:
    """Whether somebody waits for a new listing, so that streams opened with this one should be closed and reopened."""
    return generation < _wanted


def renew() -> None:
    """A card was not found in the listing: ask for a new one, if there can be news and somebody keeps the old one."""
    global _wanted
    with _lock:
        news = _cards() != _listed or time.monotonic() - _listed_at_s > RENEW_S
        if _users and news and _wanted == _generation:
            _wanted += 1


def _cards() -> str:
    try:
        return CARDS.read_text()
    except OSError:
        return ""


def _silence() -> None:
    """Give ALSA and JACK error handlers that say nothing; JACK may be missing."""
    if _kept:
        return
    alsa_handler = ctypes.CFUNCTYPE(
        None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
    )(lambda *_: None)
    jack_handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda _: None)
    _kept.extend([alsa_handler, jack_handler])
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(alsa_handler)
        jack = ctypes.CDLL("libjack.so.0")
    except OSError:
        return
    jack.jack_set_error_function(jack_handler)
    jack.jack_set_info_function(jack_handler)


def _check_config() -> None:
    """PortAudio 19.6 aborts the whole process when ALSA's configuration has neither pcm.default nor pcm.dmix."""
    try:
        alsa = ctypes.CDLL("libasound.so.2")
    except OSError:
        return
    if alsa.snd_config_update() < 0:
        raise Unavailable("ALSA's configuration (/etc/asound.conf, ~/.asoundrc or ALSA_CONFIG_PATH) cannot be read")
    top, node = ctypes.c_void_p.in_dll(alsa, "snd_config"), ctypes.c_void_p()
    if all(alsa.snd_config_search(top, name, ctypes.byref(node)) < 0 for name in (b"pcm.default", b"pcm.dmix")):
        raise Unavailable('ALSA\'s configuration has no "pcm.default"; add one to /etc/asound.conf')
