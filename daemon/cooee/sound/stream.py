"""One open stream of a sound card, in whatever rate, channels and sample width the card has.

Only the thread that opened a stream may use and close it: PortAudio crashes when a stream is closed under a reader.
"""

import contextlib
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cooee.sound import alsa, devices
from cooee.sound.alsa import Lost, Unavailable

Samples = npt.NDArray[np.float32]
Channel = int | Literal["mix"]

_BUSY, _NOT_OPENING = -9985, -9993  # PortAudio's codes
_MOST_REAL_CHANNELS = 32
"""What claims more is no card but a converter, which makes as many as one asks for."""


class Stream:
    """Opens at once. `wanted`: the setting; `rates_hz`: in order of preference; `channel`: an input that must be there;
    the card's buffer holds two periods. Raises Unavailable.

    `name`, `rate_hz`, `channels`, `width` (bytes a sample) and `period` (frames) say what was opened, `instead` what
    other devices there are.
    """

    def __init__(
        self,
        direction: devices.Direction,
        wanted: str,
        rates_hz: Sequence[int],
        period_s: float,
        channel: Channel = "mix",
    ) -> None:
        self.direction: devices.Direction = direction
        with alsa.exclusive():
            library = alsa.start()
            try:
                found = devices.read(library)
                device = devices.find(found, wanted, direction)
                self.name = device.name
                self.instead = devices.instead([d for d in found if d.name != device.name], direction)
                if user := devices.owner(device, direction):  # PortAudio would wait for it, a second long
                    noun = devices.NOUNS[direction]
                    raise Unavailable(f'{noun} "{device.name}" is busy: {user} has it; {self.instead}')
                self._open(library, device, rates_hz, period_s, channel)
            except Unavailable:
                alsa.end(library)
                alsa.renew()
                raise
            self._library, self._generation = library, alsa.generation()

    def _open(
        self, library: Any, device: devices.Device, rates_hz: Sequence[int], period_s: float, channel: Channel
    ) -> None:
        has = device.channels(self.direction)
        if channel != "mix" and channel >= has:
            raise Unavailable(f'"{device.name}" has no channel {channel}; its channels are 0 to {has - 1}')
        for rate_hz in rates_hz:
            self.rate_hz, self.period = rate_hz, round(rate_hz * period_s)
            for channels, width in itertools.product(_counts(self.direction, has, channel), (2, 4)):
                self.channels, self.width = channels, width
                if self._opens(library, device.index):
                    return
        raise Unavailable(f'"{device.name}" works at none of {", ".join(str(rate) for rate in rates_hz)} Hz')

    def _opens(self, library: Any, index: int) -> bool:
        import pyaudio

        direction: dict[str, Any] = {self.direction: True, f"{self.direction}_device_index": index}
        sample = pyaudio.paInt16 if self.width == 2 else pyaudio.paInt32
        try:
            with alsa.calling:
                self._stream = library.open(
                    self.rate_hz, self.channels, sample, frames_per_buffer=self.period, **direction
                )
        except OSError as fault:
            noun = devices.NOUNS[self.direction]
            if fault.errno == _BUSY:
                raise Unavailable(f'{noun} "{self.name}" is busy, another program has it; {self.instead}') from None
            if fault.errno == _NOT_OPENING:
                raise Unavailable(f'{noun} "{self.name}" does not open, is it plugged in? {self.instead}') from None
            return False
        try:
            self.capacity = max(2 * self.period, self.room() if self.direction == "output" else 0)
        except Lost as fault:
            self._close()
            raise Unavailable(str(fault)) from None
        return True

    def close(self) -> None:
        """What a loudspeaker was given and did not sound yet is dropped."""
        with alsa.exclusive():
            self._close()
            alsa.end(self._library)

    def _close(self) -> None:
        with alsa.calling, contextlib.suppress(OSError):  # of a card that is gone; PortAudio lets go of it all the same
            self._stream.close()

    @property
    def outdated(self) -> bool:
        """Somebody looks for a card that was plugged in later: close and reopen when it does no harm."""
        return alsa.outdated(self._generation)

    def lost(self, what: str) -> Lost:
        return Lost(f'{devices.NOUNS[self.direction]} "{self.name}" {what}; {self.instead}')

    def room(self) -> int:
        """Frames that can be read or written without waiting. Raises Lost."""
        stream = self._stream
        try:
            with alsa.calling:
                ready = stream.get_read_available() if self.direction == "input" else stream.get_write_available()
        except OSError:
            ready = -1
        if ready < 0:
            raise self.lost("went away")
        return int(ready)

    def read(self, frames: int) -> Samples:
        """Shape (frames, channels), between -1 and 1. Raises Lost."""
        try:
            with alsa.calling:
                raw = self._stream.read(frames, exception_on_overflow=False)
        except OSError:
            raise self.lost("went away") from None
        dtype, full = ("<i2", 2**15) if self.width == 2 else ("<i4", 2**31)
        return (np.frombuffer(raw, dtype).astype(np.float32) / np.float32(full)).reshape(-1, self.channels)

    def write(self, mono: Samples) -> None:
        """The same on all channels. Raises Lost."""
        if self.width == 2:
            samples = np.clip(np.rint(mono * np.float32(2**15)), -(2**15), 2**15 - 1).astype("<i2")
        else:
            samples = np.clip(mono.astype(np.float64) * 2**31, -(2**31), 2**31 - 1).astype("<i4")
        self._put(np.repeat(samples, self.channels).tobytes(), len(mono))

    def rest(self) -> None:
        """Write a period of silence. Raises Lost."""
        self._put(bytes(self.period * self.channels * self.width), self.period)

    def _put(self, raw: bytes, frames: int) -> None:
        # PortAudio 19.6 spins for ever in a write to a card that went away, so look once more, as late as possible.
        if self.room() < frames:
            return
        try:
            with alsa.calling:
                self._stream.write(raw, exception_on_underflow=False)
        except OSError:
            raise self.lost("went away") from None

    def drop(self) -> None:
        """Silence now: forget what was written and did not sound yet. The card stays open. Raises Lost."""
        try:
            with alsa.calling:
                self._stream.stop_stream()
                self._stream.start_stream()
        except OSError:
            raise self.lost("went away") from None


def _counts(direction: devices.Direction, has: int, channel: Channel) -> Iterable[int]:
    """How many channels to ask for. All of a microphone's: PortAudio opens a stereo card as mono by dropping the right
    one. Two of a loudspeaker's, for the same reason.
    """
    if direction == "output":
        return [count for count in dict.fromkeys((2, 1, has)) if count <= has]
    if has <= _MOST_REAL_CHANNELS:
        return [has]
    return [1] if channel == "mix" else [max(2, channel + 1)]
