"""Where wishes from outside come in and are waited for: what the control socket offers, as events and their outcome."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cooee import events as on
from cooee.control import Controls, Refused, wanted
from cooee.effects import Outcome, Report
from cooee.events import Event
from cooee.faults import Faulty
from cooee.mixer import Mixer
from cooee.mute import Mute, NotSo
from cooee.reload import Changes

BY = "command"
GRACE_S = 180.0
"""From the moment when it was begun at the latest, an announcement and its answer take no longer."""
WHY = {
    Outcome.CUT: "it was interrupted",
    Outcome.UNANSWERED: "nobody answered",
    Outcome.LATE: "there was no quiet moment for it in time",
    Outcome.FULL: "too many announcements wait already",
    Outcome.MUTED: "the speaker is muted, so it could not hear an answer",
    Outcome.STOPPED: "it was stopped",
}


class Desk:
    """`post` takes events on the loop; `mixer` is where the volume is set, `mute` where mute is."""

    def __init__(
        self,
        post: Callable[[Event], None],
        mixer: Mixer,
        mute: Mute,
        *,
        status: Callable[[], Awaitable[Mapping[str, Any]]],
        reload: Callable[[], Awaitable[Changes | Faulty]],
    ) -> None:
        self._post, self._mixer, self._mute = post, mixer, mute
        self._status, self._read_again = status, reload
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Report]] = {}

    def controls(self) -> Controls:
        return Controls(
            status=self._status,
            say=self._say,
            ask=self._ask,
            volume=self._volume,
            reload=self._reload,
            talk=self._talk,
            stop=lambda: self._post(on.Stopped(BY)),
            mute=lambda: self._obey(on.Muted(BY)),
            unmute=lambda: self._obey(on.Unmuted(BY)),
        )

    def report(self, report: Report) -> None:
        """What became of an announcement; perhaps nobody waits for it any more."""
        if (waiting := self._waiting.get(report.id)) and not waiting.done():
            waiting.set_result(report)

    def _talk(self) -> None:
        """Raises Refused."""
        if self._mute.is_on:
            raise Refused("the speaker is muted, so it could not hear you; unmute it first", outcome="muted")
        self._post(on.Summoned(BY))

    async def _say(self, say: wanted.Say) -> Mapping[str, Any]:
        is_urgent, is_own_voice = say.priority == "urgent", say.voice == "own"
        await self._announce(
            on.SayWanted(self._id(), say.text, is_urgent, is_own_voice=is_own_voice, patience_s=say.timeout_s)
        )
        return {"outcome": "said"}

    async def _ask(self, ask: wanted.Ask) -> Mapping[str, Any]:
        is_urgent = ask.priority == "urgent"
        report = await self._announce(
            on.SayWanted(self._id(), ask.text, is_urgent, wants_answer=True, patience_s=ask.timeout_s)
        )
        return {"outcome": "answered", "answer": report.text}

    async def _announce(self, announcement: on.SayWanted) -> Report:
        """Raises Refused."""
        waiting = self._waiting[announcement.id] = asyncio.get_running_loop().create_future()
        try:
            self._post(announcement)
            async with asyncio.timeout(announcement.patience_s + GRACE_S):
                report: Report = await waiting
        except TimeoutError:
            raise Refused("the speaker did not tell what became of it", outcome="failed") from None
        finally:
            del self._waiting[announcement.id]
            if not waiting.done() or waiting.cancelled():
                self._post(on.SayUnwanted(announcement.id))
        if report.outcome not in (Outcome.SAID, Outcome.ANSWERED):
            raise Refused(WHY.get(report.outcome, report.text), outcome=report.outcome.value)
        return report

    async def _obey(self, wish: on.Muted | on.Unmuted) -> Mapping[str, Any]:
        """Raises Refused."""
        try:
            await self._mute.obey(wish)
        except NotSo as why:
            raise Refused(str(why)) from None
        return {}

    async def _volume(self, volume: wanted.Volume) -> Mapping[str, Any]:
        if volume.percent is not None:
            return {"percent": await self._mixer.set(volume.percent)}
        if volume.step is not None:
            return {"percent": await self._mixer.change(volume.step)}
        return {"percent": await self._mixer.read()}

    async def _reload(self) -> Mapping[str, Any]:
        """Raises Refused with every fault."""
        found = await self._read_again()
        if isinstance(found, Faulty):
            raise Refused("the file is refused; the settings stay as they are", faults=list(map(str, found.faults)))
        return {"changed": found.live, "later": found.later, "text": str(found)}

    def _id(self) -> str:
        return str(next(self._numbers))
