"""The sound cards that are there, which of them a setting means, and how loud a frame is."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cooee.sound import alsa

PROC = Path("/proc/asound")
RATES_HZ = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
FLOOR_DBFS = -96.3
"""Level of digital silence: below the smallest step of 16 bits."""

Direction = Literal["input", "output"]
_LETTERS: dict[Direction, str] = {"input": "c", "output": "p"}
NOUNS: dict[Direction, str] = {"input": "microphone", "output": "loudspeaker"}


@dataclass(frozen=True, slots=True)
class Device:
    """A card's device, or a name from ALSA's configuration, as PortAudio lists it.

    `card` is what stays the same over reboots, such as "hw:CARD=Device"; empty for names that are no card. `rates_hz`
    are those that open, in all directions that the device has; only `list_devices` finds them out.
    """

    name: str
    card: str = ""
    inputs: int = 0
    outputs: int = 0
    rates_hz: tuple[int, ...] = ()
    default_input: bool = False
    default_output: bool = False
    index: int = -1

    def channels(self, direction: Direction) -> int:
        return self.inputs if direction == "input" else self.outputs

    def is_default(self, direction: Direction) -> bool:
        return self.default_input if direction == "input" else self.default_output


def list_devices() -> list[Device]:
    """All devices with the rates that open; an empty list where there is no sound. Takes up to a second."""
    with alsa.exclusive():
        try:
            library = alsa.start()
        except alsa.Unavailable:
            return []
        try:
            return [_with_rates(library, device) for device in read(library)]
        finally:
            alsa.end(library)


def read(library: Any) -> list[Device]:
    """The ALSA devices in PortAudio's listing. `library`: what `alsa.start` gave."""
    defaults = [_default(library.get_default_input_device_info), _default(library.get_default_output_device_info)]
    found = []
    for index in range(library.get_device_count()):
        info = library.get_device_info_by_index(index)
        if library.get_host_api_info_by_index(info["hostApi"])["name"] == "ALSA":
            found.append((index, info["name"], int(info["maxInputChannels"]), int(info["maxOutputChannels"])))
    # Where the name "default" works, it is what the machine's owner has chosen; PortAudio's own idea may differ.
    for direction in (0, 1):
        named = [index for index, name, *channels in found if name == "default" and channels[direction]]
        defaults[direction] = named[0] if named else defaults[direction]
    return [
        Device(name, _card(name), inputs, outputs, (), index == defaults[0], index == defaults[1], index)
        for index, name, inputs, outputs in found
    ]


def find(devices: Sequence[Device], wanted: str, direction: Direction) -> Device:
    """The device that a setting means. Raises alsa.Unavailable, saying what there is instead."""
    able = [device for device in devices if device.channels(direction)]
    if wanted == "default":
        chosen = [device for device in able if device.is_default(direction)]
    else:
        chosen = _matching(able, wanted)
    if len(chosen) == 1:
        return chosen[0]
    noun = NOUNS[direction]
    if chosen:
        raise alsa.Unavailable(f'"{wanted}" fits more than one {noun}: {_names(chosen)}')
    if wanted != "default" and _matching(devices, wanted):
        raise alsa.Unavailable(f'"{wanted}" is no {noun}; {instead(devices, direction)}')
    there = instead(devices, direction)
    if owner := _owner(wanted, direction):
        raise alsa.Unavailable(f'{noun} "{wanted}" is busy: {owner} has it; {there}')
    raise alsa.Unavailable(f'{noun} "{wanted}" is not there; {there}{_guess(able, wanted)}')


def instead(devices: Sequence[Device], direction: Direction) -> str:
    """What there is, as the second half of a sentence."""
    able = [device for device in devices if device.channels(direction)]
    return f"there is {_names(able)}" if able else f"there is no {NOUNS[direction]} at all"


def level_dbfs(frame: bytes) -> tuple[float, float]:
    """Peak and RMS of s16le samples, in dB relative to full scale; `FLOOR_DBFS` for silence."""
    samples = np.frombuffer(frame, "<i2").astype(np.float64) / 32768
    if not samples.any():
        return FLOOR_DBFS, FLOOR_DBFS
    peak, rms = np.abs(samples).max(), np.sqrt(np.mean(samples**2))
    return max(FLOOR_DBFS, 20 * float(np.log10(peak))), max(FLOOR_DBFS, 20 * float(np.log10(rms)))


def _matching(devices: Sequence[Device], wanted: str) -> list[Device]:
    if exact := [device for device in devices if device.name == wanted]:
        return exact[:1]
    if stable := re.fullmatch(r"(?:plug)?hw:CARD=([^,]+)(?:,DEV=(\d+))?", wanted):
        card = f"hw:CARD={stable[1]}"
        if stable[2] is not None:
            return [device for device in devices if device.card == card + (f",DEV={stable[2]}" * (stable[2] != "0"))]
        return [device for device in devices if device.card == card or device.card.startswith(card + ",")][:1]
    return [device for device in devices if wanted.casefold() in device.name.casefold()]


def _names(devices: Sequence[Device]) -> str:
    names = [f'"{device.name}"' for device in devices]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def owner(device: Device, direction: Direction) -> str:
    """The program that has the card, so that nobody else can open it; empty if there is none."""
    place = re.search(r"\(hw:(\d+),(\d+)\)$", device.name)
    return _user(PROC / f"card{place[1]}" / f"pcm{place[2]}{_LETTERS[direction]}") if place else ""


def _owner(wanted: str, direction: Direction) -> str:
    """The same for a card that PortAudio does not list, since another program has it."""
    for card in sorted(PROC.glob("card[0-9]*")):
        try:
            name = (card / "id").read_text().strip()
            line = next(line for line in (PROC / "cards").read_text().splitlines() if f"[{name}" in line)
        except (OSError, StopIteration):
            continue
        stable = re.match(r"(?:plug)?hw:CARD=([^,]+)", wanted)
        if stable[1] == name if stable else wanted == "default" or wanted.casefold() in line.casefold():
            for pcm in sorted(card.glob(f"pcm*{_LETTERS[direction]}")):
                if user := _user(pcm):
                    return user
    return ""


def _user(pcm: Path) -> str:
    """Who has all of its substreams."""
    try:
        states = [status.read_text() for status in sorted(pcm.glob("sub*/status"))]
        pids = [found[1] for state in states if (found := re.search(r"owner_pid\s*:\s*(\d+)", state))]
        if not pids or len(pids) < len(states):
            return ""
        return f"{Path(f'/proc/{pids[0]}/comm').read_text().strip()} (process {pids[0]})"
    except OSError:
        return ""


def _guess(devices: Sequence[Device], wanted: str) -> str:
    known = {name.casefold(): name for device in devices for name in (device.card, device.name) if name}
    words = {word.casefold(): device.name for device in devices for word in re.findall(r"\w{3,}", device.name)}
    near = difflib.get_close_matches(wanted.casefold(), [*known, *words], n=1)
    return f'; did you mean "{(known | words)[near[0]]}"?' if near else ""


def _default(info: Any) -> int:
    try:
        return int(info()["index"])
    except OSError:
        return -1


def _card(name: str) -> str:
    """PortAudio says "... (hw:1,0)"; the number changes with the order of plugging in, the id doesn't."""
    place = re.search(r"\(hw:(\d+),(\d+)\)$", name)
    if not place:
        return ""
    try:
        card = (PROC / f"card{place[1]}" / "id").read_text().strip()
    except OSError:
        return f"hw:{place[1]},{place[2]}"
    return f"hw:CARD={card}" + (f",DEV={place[2]}" if place[2] != "0" else "")


def _with_rates(library: Any, device: Device) -> Device:
    rates_hz = tuple(rate_hz for rate_hz in RATES_HZ if _opens(library, device, rate_hz))
    return replace(device, rates_hz=rates_hz)


def _opens(library: Any, device: Device, rate_hz: int) -> bool:
    import pyaudio

    for direction in ("input", "output"):
        channels = min(2, device.channels(direction))
        if not channels:
            continue
        asked = {f"{direction}_device": device.index, f"{direction}_channels": channels}
        try:
            library.is_format_supported(rate_hz, **asked, **{f"{direction}_format": pyaudio.paInt16})
        except ValueError:
            return False
    return True
