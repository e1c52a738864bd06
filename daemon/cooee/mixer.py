"""How loud it is: one number for voice, button and commands, which a restart keeps.

The sound card's own mixer where it has one (by the program amixer, of Debian's alsa-utils), software where it has not.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path

from cooee import settings
from cooee.events import Event, LoudnessSet
from cooee.kept import Kept

log = logging.getLogger("cooee.mixer")

NAMES = ("Master", "Speaker", "Playback", "PCM", "Digital", "Headphone", "Headphones", "Line Out", "Lineout")
"""What cards call the control that is wanted, the likeliest first."""
CARDS = Path("/proc/asound/cards")
LIMIT_S = 2.0


class Absent(Exception):
    """There is no such mixer; str() is a sentence."""


class Mixer:
    """`soften` sets the software's own volume in percent. `report` gets LoudnessSet when it is another than before.

    All methods run on the loop. Until `open` has found a mixer, the software does it.
    """

    def __init__(
        self, settings: settings.Speaker, soften: Callable[[int], None], kept: Kept, report: Callable[[Event], None]
    ) -> None:
        self._settings, self._soften, self._kept, self._report = settings, soften, kept, report
        self._control = ""
        self._one_at_a_time = asyncio.Lock()
        # What was set is kept until the config says something new.
        is_known = kept.get("volume_configured") == str(settings.volume)
        self.percent = int(kept.get("volume") or settings.volume) if is_known else settings.volume
        soften(self.percent)

    async def open(self) -> None:
        """Find the card's mixer and set it. Never raises."""
        wanted = self._settings.mixer
        if self._settings.type == "alsa" and wanted != "none":
            try:
                self._control = await self._find(wanted)
            except Absent as absent:
                log.log(logging.INFO if wanted == "auto" else logging.WARNING, "volume in software: %s", absent)
            else:
                await self.set(self.percent)

    async def set(self, percent: int) -> int:
        """The volume as it is afterwards, read back from the card."""
        async with self._one_at_a_time:
            return await self._set(percent)

    async def change(self, step_percent: int) -> int:
        async with self._one_at_a_time:
            return await self._set(await self._read() + step_percent)

    async def read(self) -> int:
        """As it is now: the card's may have been changed by others."""
        async with self._one_at_a_time:
            self._note(await self._read())
            return self.percent

    async def _set(self, percent: int) -> int:
        percent = min(100, max(0, percent))
        if self._control:
            try:
                percent = await self._ask_card("sset", self._control, f"{percent}%")
                self._soften(100 if percent else 0)
            except Absent as absent:
                self._give_up(absent)
        if not self._control:
            self._soften(percent)
        self._note(percent)
        self._kept.set("volume", str(percent))
        self._kept.set("volume_configured", str(self._settings.volume))
        return percent

    async def _read(self) -> int:
        if self._control:
            try:
                return await self._ask_card("sget", self._control)
            except Absent as absent:
                self._give_up(absent)
                self._soften(self.percent)
        return self.percent

    def _note(self, percent: int) -> None:
        if percent != self.percent:
            self.percent = percent
            self._report(LoudnessSet(percent))

    def _give_up(self, absent: Absent) -> None:
        log.warning("volume in software from now on: %s", absent)
        self._control = ""

    async def _find(self, wanted: str) -> str:
        """The name of the control. Raises Absent."""
        found = re.findall(r"^Simple mixer control '(.+)',0$", await self._amixer("scontrols"), re.MULTILINE)
        for name in NAMES if wanted == "auto" else (wanted,):
            if name in found:
                await self._ask_card("sget", name)
                return name
        there = f"; it has {', '.join(found)}" if found else ""
        raise Absent(f"the card has no mixer {'that I know' if wanted == 'auto' else f'called {wanted}'}{there}")

    async def _ask_card(self, *command: str) -> int:
        """What the control is at, in percent as the ear takes it. Raises Absent."""
        found = re.search(r"\[(\d+)%\]", await self._amixer("-M", *command))
        if not found:
            raise Absent("the card's mixer has no volume")
        return int(found[1])

    async def _amixer(self, *command: str) -> str:
        """What the program prints. Raises Absent."""
        try:
            process = await asyncio.create_subprocess_exec(
                *("amixer", *_card(self._settings.device), *command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=None,
            )
        except OSError as error:
            raise Absent("the program amixer is not here (Debian: alsa-utils)") from error
        try:
            async with asyncio.timeout(LIMIT_S):
                out, _ = await process.communicate()
        except TimeoutError:
            raise Absent("the card's mixer does not answer") from None
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise Absent("the card has no mixer")
        return out.decode(errors="replace")


def _card(device: str) -> tuple[str, ...]:
    """amixer's option for the card that [speaker] device means."""
    if device == "default":
        return ()
    if named := re.match(r"(?:plug)?hw:(?:CARD=)?([^,]+)", device):
        return ("-c", named[1])
    try:
        cards = CARDS.read_text().split("\n")
    except OSError:
        return ("-D", device)
    number = next((found[1] for line in cards if device in line and (found := re.match(r"\s*(\d+) \[", line))), "")
    return ("-c", number) if number else ("-D", device)
