"""The loudspeaker: whole replies, ended exactly, dropped at once; on a sound card, or into a file."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from cooee import settings
from cooee.events import Event, Hushed, Sounded, SpeakerFound, SpeakerLost, Spoken
from cooee.sound.alsa import Lost, Unavailable
from cooee.sound.flight import Clock, Flight, Sink
from cooee.sound.frames import to_int16
from cooee.sound.playlist import Playlist, Reply, Samples
from cooee.sound.stream import Stream
from cooee.sound.wav import Recording

CARD_RATES_HZ = (48000, 44100, 16000)
"""Tried after the rate that the agent speaks at."""
START_S = 1.0
STALL_S = 0.5
"""A stream that takes nothing for so long hangs (PortAudio never says so) and is opened anew."""
STUCK_S = 5.0
BACKOFF_S = (0.1, 2.0)
GAP_S = 0.3
"""Silence between the replies in a file."""
RANGE_DB = 40.0
"""From volume 100 down to 1; volume 0 is silence."""

log = logging.getLogger("cooee.speaker")


class Speaker:
    """Owns one thread, which opens, feeds and closes the card; between replies it feeds silence, so that the card never
    stops. The methods may be called from any thread and never wait.

    A reply is s16le mono at `rate_hz`. `report` gets Sounded, Spoken (once for each finished turn), Hushed (once for
    each hushed turn), SpeakerLost and SpeakerFound. While no card is there, replies pass in their own time, unheard.

    With a file, its samples are exactly the replies that were played, at full volume, with 0.3 s between turns.
    Raises wav.Unplayable when the file cannot be made.

    `underruns`: how often the card ran dry; `name`: of what was opened last.
    """

    def __init__(self, settings: settings.Speaker, rate_hz: int, report: Callable[[Event], None]) -> None:
        self._settings, self._rate_hz, self._report = settings, rate_hz, report
        self._recording = Recording(settings.file, rate_hz) if settings.type == "file" else None
        self._playlist = Playlist(rate_hz)
        self._flight = Flight(self._sounds)
        self._volume = settings.volume
        self._gain = loudness(settings.volume)
        self._ending, self._poke = False, threading.Event()
        self._lost, self._moving = False, False
        self._backoff_s, self._retry_at_s = BACKOFF_S[0], 0.0
        self.underruns, self.name = 0, settings.file
        self._beat_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="cooee-speaker", daemon=True)

    def __enter__(self) -> "Speaker":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        self._poke.set()
        self._thread.join(timeout=2.0)
        if self._thread.is_alive():
            log.error("the sound card does not let go of the loudspeaker's thread")
        elif self._recording:
            self._recording.close()

    def play(self, turn: int, pcm: bytes) -> None:
        """Append to the turn's reply a piece of any length, even an odd number of bytes."""
        self._playlist.play(turn, pcm)

    def finish(self, turn: int) -> None:
        """The reply is complete; Spoken follows when its last sample has sounded."""
        self._playlist.finish(turn)
        self._poke.set()

    def hush(self, turn: int) -> None:
        """Silence within a period; forget this turn and all older ones, and what still comes of them."""
        self._playlist.hush(turn)
        self._poke.set()

    @property
    def volume(self) -> int:
        """In percent, as the ear takes it: 10 more are always 4 dB more."""
        return self._volume

    def set_volume(self, percent: int) -> None:
        self._volume = min(100, max(0, percent))

    @property
    def stuck(self) -> bool:
        """The thread hangs in the sound library, or it died: only a new process helps."""
        hangs = time.monotonic() - self._beat_s > STUCK_S
        return not self._ending and (hangs or not self._thread.is_alive())

    def _run(self) -> None:
        while not self._ending:
            sink = self._open()
            try:
                self._feed(sink)
            except Lost as fault:
                log.info("%s", fault)
                if not self._moving:
                    self._lose(str(fault))
            finally:
                sink.close()
                self._flight.move(self._flight.frames, sink.rate_hz)

    def _open(self) -> Sink:
        period_s = self._settings.period_ms / 1000
        if self._recording:
            return Clock(self._rate_hz, period_s)
        self._moving = False
        if time.monotonic() >= self._retry_at_s:
            rates_hz = tuple(dict.fromkeys((self._rate_hz, *CARD_RATES_HZ)))
            try:
                stream = Stream("output", self._settings.device, rates_hz, period_s)
                self.name = stream.name
                log.info('speaking through "%s": %d Hz, %d channels', stream.name, stream.rate_hz, stream.channels)
                return stream
            except Unavailable as fault:
                self._lose(str(fault))
        return Clock(self._rate_hz, period_s, self._retry_at_s)

    def _feed(self, sink: Sink) -> None:
        """Keep the buffer full until another sink should be opened. Raises Lost."""
        fed_s = time.monotonic()
        while not self._ending and not (sink.outdated and (self._lost or self._playlist.idle)):
            room = self._advance(sink)
            self._beat_s = now_s = time.monotonic()
            if room >= sink.period:
                fed_s = now_s
            elif isinstance(sink, Stream) and now_s - fed_s > (STALL_S if self._moving else START_S):
                raise sink.lost("takes no samples")
            while room >= sink.period:
                self._write(sink)
                room -= sink.period
            self._tell_spoken()
            if self._poke.wait(max(0.001, (sink.period - room) / sink.rate_hz)):
                self._poke.clear()

    def _advance(self, sink: Sink) -> int:
        """Account for what has sounded, then obey what was hushed; how many frames the sink takes now."""
        room = min(sink.room(), sink.capacity)
        sounded = self._flight.frames - (sink.capacity - room)
        self.underruns += self._flight.frames > 0 and room == sink.capacity
        if sounded > 0:
            if isinstance(sink, Stream):
                self._moves(sink.name)
            self._flight.move(sounded, sink.rate_hz)
        for turn, replies in self._playlist.cuts():
            # What is aloft of a newer turn must be heard; then little of the hushed one is left in front of it.
            if replies and all(reply in replies for reply in self._flight.replies()):
                sink.drop()
                self._flight.forget()
                room = sink.capacity
            self._flush()
            self._report(Hushed(turn, sum(reply.dropped_s for reply in replies)))
        return room

    def _write(self, sink: Sink) -> None:
        left = sink.period
        pieces: list[Samples] = []
        target = loudness(self._volume)
        for reply, samples in self._playlist.take(sink.period, sink.rate_hz):
            self._flight.add(reply, samples)
            pieces.append(samples)
            left -= len(samples)
        if left:
            pieces.append(np.zeros(left, np.float32))
            self._flight.add(None, pieces[-1])
        if left == sink.period:
            sink.rest()
        elif self._gain == target:
            sink.write(np.concatenate(pieces) * np.float32(target))
        else:
            sink.write(np.concatenate(pieces) * np.linspace(self._gain, target, sink.period, dtype=np.float32))
        self._gain = target

    def _sounds(self, reply: Reply, samples: Samples, first: bool) -> None:
        if self._recording:
            self._record(self._recording, samples, first)
        if first:
            self._tell_spoken()
            self._report(Sounded(reply.turn))

    def _tell_spoken(self) -> None:
        for reply in self._playlist.spoken():
            self._flush()
            self._report(Spoken(reply.turn, reply.ended_s - (reply.began_s or 0.0)))

    def _record(self, recording: Recording, samples: Samples, first: bool) -> None:
        if first and recording.samples:
            recording.add(np.zeros(round(GAP_S * self._rate_hz), np.int16))
        recording.add(to_int16(samples))

    def _flush(self) -> None:
        if self._recording:
            self._recording.flush()

    def _moves(self, name: str) -> None:
        self._moving, self._backoff_s = True, BACKOFF_S[0]
        if self._lost:
            self._lost = False
            log.info('the loudspeaker is back: "%s"', name)
            self._report(SpeakerFound(name))

    def _lose(self, reason: str) -> None:
        self._retry_at_s = time.monotonic() + self._backoff_s
        self._backoff_s = min(2 * self._backoff_s, BACKOFF_S[1])
        if not self._lost:
            self._lost = True
            log.warning("%s", reason)
            self._report(SpeakerLost(reason))


def loudness(percent: int) -> float:
    """The factor for a volume: 100 is as it comes, each 10 less is 4 dB less, 0 is silence."""
    return float(10 ** (RANGE_DB * (percent / 100 - 1) / 20)) if percent else 0.0
