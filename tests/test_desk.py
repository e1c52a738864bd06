"""What is wished for from outside: answered when it is so, and with what became of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cooee import settings
from cooee.config import Faulty, parse
from cooee.control import Control, Refused, wanted
from cooee.desk import Desk
from cooee.effects import Capture, Outcome, Report
from cooee.events import Event, Muted, SayUnwanted, SayWanted, Stopped, Summoned, Unmuted
from cooee.faults import Fault
from cooee.kept import Kept
from cooee.mixer import Mixer
from cooee.mute import Mute
from cooee.mute import Settings as MuteSettings
from cooee.reload import Changes
from cooee.store import Store


class Speaker:
    """A desk with a real mute and a real mixer; what is posted reaches mute at once, as if it were decided so."""

    def __init__(self) -> None:
        self.posted: list[Event] = []
        self.reloaded: Changes | Faulty = Changes(parse(""))
        store = Store(None)
        mixer = Mixer(settings.Speaker(mixer="none"), lambda percent: None, Kept(store), self.posted.append)
        self.mute = Mute(MuteSettings(), Kept(store), self.post)
        self.desk = Desk(self.post, mixer, self.mute, status=self._status, reload=self._reload)
        self.controls = self.desk.controls()

    def post(self, event: Event) -> None:
        self.posted.append(event)
        self.mute.watch(0.0, event)
        if isinstance(event, Muted | Unmuted):
            self.mute.watch(0.0, Capture(on=isinstance(event, Unmuted)))

    async def posts(self, kind: type[Event]) -> Any:
        async with asyncio.timeout(5):
            while not (found := [event for event in self.posted if isinstance(event, kind)]):
                await asyncio.sleep(0.005)
        return found[-1]

    async def _status(self) -> Mapping[str, Any]:
        return {}

    async def _reload(self) -> Changes | Faulty:
        return self.reloaded


async def test_an_answer_comes_to_who_asked_and_to_nobody_else() -> None:
    speaker = Speaker()
    first = asyncio.create_task(speaker.controls.ask(wanted.Ask(text="Tea?")))
    tea = await speaker.posts(SayWanted)
    second = asyncio.create_task(speaker.controls.ask(wanted.Ask(text="Milk?", priority="urgent", timeout_s=5.0)))
    await asyncio.sleep(0)
    milk = speaker.posted[-1]
    assert milk == SayWanted(milk.id, "Milk?", is_urgent=True, wants_answer=True, patience_s=5.0)  # type: ignore[union-attr]
    speaker.desk.report(Report(milk.id, Outcome.ANSWERED, "No."))  # type: ignore[union-attr]
    speaker.desk.report(Report("somebody else's", Outcome.ANSWERED, "What?"))
    speaker.desk.report(Report(tea.id, Outcome.ANSWERED, "Yes."))
    assert (await first)["answer"] == "Yes."
    assert (await second)["answer"] == "No."
    assert not any(isinstance(event, SayUnwanted) for event in speaker.posted)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each not in (Outcome.SAID, Outcome.ANSWERED)])
async def test_whatever_else_became_of_it_is_a_sentence_and_a_word(outcome: Outcome) -> None:
    speaker = Speaker()
    saying = asyncio.create_task(speaker.controls.say(wanted.Say(text="Dinner is ready.")))
    said = await speaker.posts(SayWanted)
    speaker.desk.report(Report(said.id, outcome, "there is no voice" if outcome is Outcome.FAILED else ""))
    with pytest.raises(Refused) as refused:
        await saying
    assert refused.value.known == {"outcome": outcome.value}
    assert len(str(refused.value).split()) > 1


async def test_who_hangs_up_is_not_asked_any_more(tmp_path: Path) -> None:
    speaker = Speaker()
    path = tmp_path / "control.sock"
    async with Control(path, speaker.controls):
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as client:
            asking = asyncio.create_task(client.post("http://cooee/ask", json={"text": "Tea?"}))
            asked = await speaker.posts(SayWanted)
            asking.cancel()
        assert await speaker.posts(SayUnwanted) == SayUnwanted(asked.id)


async def test_what_nobody_tells_the_end_of_is_given_up_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.desk.GRACE_S", -0.99)
    speaker = Speaker()
    with pytest.raises(Refused, match="did not tell what became of it"):
        await speaker.controls.say(wanted.Say(text="Dinner is ready.", timeout_s=1.0))
    assert isinstance(speaker.posted[-1], SayUnwanted)


async def test_mute_is_answered_when_it_is_so_and_a_refusal_is_a_sentence() -> None:
    speaker = Speaker()
    assert await speaker.controls.mute() == {}
    assert speaker.mute.is_on
    assert await speaker.controls.unmute() == {}
    assert not speaker.mute.is_on
    speaker.post(Muted("switch", is_switch=True))
    with pytest.raises(Refused, match="only the switch can open the microphone"):
        await speaker.controls.unmute()


async def test_talk_and_stop_are_wishes_like_any_other() -> None:
    speaker = Speaker()
    speaker.controls.talk()
    speaker.controls.stop()
    assert speaker.posted == [Summoned("command"), Stopped("command")]


async def test_talk_to_one_that_is_muted_is_refused_and_nothing_wakes() -> None:
    speaker = Speaker()
    await speaker.controls.mute()
    with pytest.raises(Refused, match="the speaker is muted") as refused:
        speaker.controls.talk()
    assert refused.value.known == {"outcome": "muted"}
    assert not any(isinstance(event, Summoned) for event in speaker.posted)
    await speaker.controls.unmute()
    speaker.controls.talk()
    assert speaker.posted[-1] == Summoned("command")


async def test_the_volume_is_set_changed_and_read() -> None:
    speaker = Speaker()
    for wish, percent in (({"percent": 40}, 40), ({"step": -15}, 25), ({}, 25)):
        assert await speaker.controls.volume(wanted.Volume(**wish)) == {"percent": percent}


async def test_reload_names_what_changed_what_waits_and_every_fault() -> None:
    speaker = Speaker()
    speaker.reloaded = Changes(parse(""), ("wake",), ("[mqtt]",))
    known = await speaker.controls.reload()
    assert known["text"] == "[wake] changed; [mqtt] will change when the speaker is restarted"
    faults = parse_faults("[mqtt]\nport = 0\n[wake]\nthreshold = 2.0\n")
    speaker.reloaded = Faulty(faults)
    with pytest.raises(Refused, match="the settings stay as they are") as refused:
        await speaker.controls.reload()
    assert refused.value.known == {"faults": [str(fault) for fault in faults]}


def parse_faults(text: str) -> tuple[Fault, ...]:
    with pytest.raises(Faulty) as faulty:
        parse(text)
    return faulty.value.faults
