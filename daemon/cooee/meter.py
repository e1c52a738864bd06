"""Microphones and loudspeakers for people: a list with names to paste, and a live level."""

import math
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cooee import settings
from cooee.events import Event, MicLost
from cooee.mic import Mic
from cooee.sound.devices import NOUNS, Device, level_dbfs, list_devices

WIDTH = 50
QUIETEST_DBFS = -70.0


def show_devices() -> None:
    console = Console()
    devices = list_devices()
    if not devices:
        console.print("There is no sound card here. Plug one in, or try: cooee simulate")
        return
    for device in devices:
        # Soft, or a narrow terminal would break names that are there to be pasted.
        console.print(_described(device), soft_wrap=True)


def _described(device: Device) -> Text:
    at = " and ".join(noun for direction, noun in NOUNS.items() if device.is_default(direction))
    stable = f'or "{device.card}", which never changes; ' if device.card else ""
    rates = ", ".join(f"{rate / 1000:g}" for rate in device.rates_hz)
    opens = f"{rates} kHz" if rates else "no usual rate opens just now"
    return Text.assemble(
        (f'"{device.name}"', "bold"),
        f"  (the default {at})" if at else "",
        f"\n    {stable}{device.inputs} inputs, {device.outputs} outputs, {opens}",
    )


def show_level(microphone: settings.Mic) -> None:
    """Until Ctrl-C. Raises wav.Unplayable for a file that is none."""
    now = [Text("waiting for the microphone")]

    def hear(frame: bytes, at_s: float) -> None:
        now[0] = _bar(*level_dbfs(frame))

    def report(event: Event) -> None:
        if isinstance(event, MicLost):
            now[0] = Text(event.reason, style="red")

    with Mic(microphone, hear, report), Live(now[0], refresh_per_second=12) as live:
        try:
            while True:
                live.update(now[0])
                time.sleep(0.08)
        except KeyboardInterrupt:
            pass


def _bar(peak_dbfs: float, rms_dbfs: float) -> Text:
    """RMS as a bar, the peak as a mark; red where it clips."""
    at = [max(0, math.floor(WIDTH * (1 - level / QUIETEST_DBFS))) for level in (rms_dbfs, peak_dbfs)]
    bar = "█" * at[0] + " " * (at[1] - at[0]) + "│"
    style = "red" if peak_dbfs > -1 else "green" if rms_dbfs > -45 else "yellow"
    return Text.assemble((f"{bar:<{WIDTH + 1}}", style), f" {rms_dbfs:6.1f} dBFS, peak {peak_dbfs:6.1f}")
