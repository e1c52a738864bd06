"""The microphone: whatever the sound card gives, or a file, as 16 kHz mono frames of 80 ms."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from cooee import settings
from cooee.events import Event, MicFound, MicLost
from cooee.sound.alsa import Lost, Unavailable
from cooee.sound.frames import FRAME_SAMPLES, RATE_HZ, Converter, Framer, Lag, gain, to_int16
from cooee.sound.stream import Stream
from cooee.sound.wav import Unplayable, read_wav

__all__ = ["FRAME_SAMPLES", "RATE_HZ", "Mic", "Unplayable", "read_wav"]

FRAME_S = FRAME_SAMPLES / RATE_HZ
CARD_RATES_HZ = (16000, 48000, 44100, 96000, 32000, 8000)
START_S = 2.0
"""A sound server may take so long to wake its source."""
STALL_S = 0.5
"""A stream that gives nothing for so long hangs (PortAudio never says so) and is opened anew."""
MISSED_S = 1.0
"""Silent for so long, over several openings: the microphone counts as lost."""
BACKOFF_S = (0.1, 2.0)
STUCK_S = 5.0
LOG_EVERY_S = 60.0

log = logging.getLogger("cooee.mic")


class Mic:
    """Owns one thread, which opens, reads and closes the card and calls `hear(frame, at_s)` for every 1280 samples
    (s16le). `at_s` is the position of the frame's end on the microphone's time line, which counts delivered samples.

    `hear` may take most of a frame's time; what it raises ends the thread, by way of `threading.excepthook`.
    `report` gets MicLost and MicFound. Raises Unplayable when a file is the microphone and is no WAV.

    `lost_s`: how much sound never came although it was wanted; `reopened`: how often the card had to be opened anew;
    `name`: of what was opened last.
    """

    def __init__(
        self, settings: settings.Mic, hear: Callable[[bytes, float], None], report: Callable[[Event], None]
    ) -> None:
        self._settings, self._report = settings, report
        self._framer = Framer(hear)
        self._unplayed = np.zeros(0, np.int16)
        if settings.type == "file":
            spoken = read_wav(settings.file, settings.channel).astype(np.float32) / 2**15
            self._unplayed = to_int16(spoken * gain(settings.gain_db))
        self._on, self._ending = True, False
        self._poke, self._closed = threading.Event(), threading.Event()
        self._lag, self._heard_s, self._heard_at_s = Lag(), 0.0, 0.0
        self._lost, self._backoff_s, self._logged_at_s = False, BACKOFF_S[0], float("-inf")
        self.lost_s, self.reopened, self.name = 0.0, 0, settings.file
        self._beat_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="cooee-mic", daemon=True)

    def __enter__(self) -> "Mic":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        self._poke.set()
        self._thread.join(timeout=2.0)
        if self._thread.is_alive():
            log.error("the sound card does not let go of the microphone's thread")

    def capture(self, on: bool) -> None:
        """Open or close the card; returns at once. A file stands still meanwhile."""
        self._on = on
        self._poke.set()

    def wait_closed(self, timeout_s: float) -> bool:
        """Whether the card is closed, or comes to be within the time."""
        return self._closed.wait(timeout_s)

    @property
    def stuck(self) -> bool:
        """The thread hangs, in the sound library or in `hear`, or it died: only a new process helps."""
        hangs = not self._closed.is_set() and time.monotonic() - self._beat_s > STUCK_S
        return not self._ending and (hangs or not self._thread.is_alive())

    def _run(self) -> None:
        listen = self._listen_to_file if self._settings.type == "file" else self._listen_to_card
        try:
            while not self._ending:
                if not self._on:
                    self._closed.set()
                    self._rest(None)
                    continue
                self._closed.clear()
                self._framer.restart()
                self._lag, self._heard_at_s = Lag(), time.monotonic()
                listen()
        finally:
            self._closed.set()

    def _wanted(self) -> bool:
        return self._on and not self._ending

    def _rest(self, seconds: float | None) -> None:
        """Sleep, unless the thread is asked for something."""
        if self._poke.wait(seconds):
            self._poke.clear()
        self._beat_s = time.monotonic()

    def _listen_to_file(self) -> None:
        next_s = time.monotonic()
        while self._wanted():
            next_s += FRAME_S
            while self._wanted() and (early_s := next_s - time.monotonic()) > 0:
                self._rest(early_s)
            if self._wanted():
                frame, self._unplayed = self._unplayed[:FRAME_SAMPLES], self._unplayed[FRAME_SAMPLES:]
                self._framer.add(np.pad(frame, (0, FRAME_SAMPLES - len(frame))))

    def _listen_to_card(self) -> None:
        while self._wanted():
            heard_s = self._heard_s
            try:
                stream = Stream("input", self._settings.device, CARD_RATES_HZ, FRAME_S, self._settings.channel)
                try:
                    self.name = stream.name
                    log.info('listening to "%s": %d Hz, %d channels', stream.name, stream.rate_hz, stream.channels)
                    self._drain(stream)
                finally:
                    stream.close()
            except Unavailable as fault:
                self._lose(str(fault))
            except Lost as fault:
                self.reopened += 1
                log.info("%s", fault)
                if self._heard_s > heard_s:
                    continue
                self._lose(str(fault))
            if self._wanted() and self._lost:
                self._rest(self._backoff_s)
                self._backoff_s = min(2 * self._backoff_s, BACKOFF_S[1])

    def _drain(self, stream: Stream) -> None:
        """Read until it is not wanted any more, or somebody needs all cards closed. Raises Lost."""
        convert = Converter(stream.rate_hz, self._settings.channel, self._settings.gain_db)
        due_s = time.monotonic() + START_S
        while self._wanted() and not stream.outdated:
            ready, now_s = stream.room(), time.monotonic()
            if ready:
                samples = stream.read(ready)
                due_s = now_s + STALL_S
                self._note(now_s, ready / stream.rate_hz, stream.name)
                self._framer.add(convert(samples))
            elif now_s > due_s:
                raise stream.lost("gives no samples")
            elif now_s - self._heard_at_s > MISSED_S:
                self._lose(str(stream.lost("gives no samples")))
            missing_s = now_s + self._framer.missing_s() - time.monotonic()
            self._rest(min(0.04, max(0.002, missing_s)))

    def _note(self, now_s: float, seconds: float, name: str) -> None:
        self._heard_s += seconds
        self._heard_at_s, self._backoff_s = now_s, BACKOFF_S[0]
        if self._lost:
            self._lost = False
            log.info('the microphone is back: "%s"', name)
            self._report(MicFound(name))
        self.lost_s += (lost_s := self._lag.note(now_s, self._heard_s))
        if lost_s and now_s - self._logged_at_s > LOG_EVERY_S:
            self._logged_at_s = now_s
            log.warning("the microphone lost %.2f s since the start; is the machine too busy?", self.lost_s)

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            log.warning("%s", reason)
            self._report(MicLost(reason))
