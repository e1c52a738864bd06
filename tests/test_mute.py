"""Mute: kept over a restart, a switch whose change wins, and a line that tells; on gpiozero's own mock pins."""

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gpiozero import OutputDevice as Output
from gpiozero.pins.mock import MockFactory, MockPin

from cooee import effects as do
from cooee.config import Faulty, parse
from cooee.conversation import Conversation
from cooee.events import Event, MicShut, Muted, MuteToggled, Unmuted
from cooee.kept import Kept
from cooee.mute import Mute, NotSo, Settings
from cooee.settings import Conversation as ConversationSettings
from cooee.store import FILE, Store
from running import clean_env

SWITCH, LINE = Settings(switch="gpio"), Settings(line="gpio")
COMMAND, UNDO = Muted("command"), Unmuted("command")
CLOSED, OPENED = Muted("switch", is_switch=True), Unmuted("switch", is_switch=True)


class Shut(MockPin):
    """Connected to ground, however it is pulled."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.drive_low()


class House:
    """Mute with a real conversation, and a capture device that is shut when the test says so."""

    def __init__(self, settings: Settings = SWITCH, store: Store | None = None) -> None:
        self.is_shut = threading.Event()
        self.is_shut.set()
        self.seen: list[Event] = []
        self.store = store or Store(None)
        self.mute = Mute(settings, Kept(self.store), self.post, self.is_shut.wait)
        self._conversation = Conversation(ConversationSettings(), keep_s=0.0, harmless=frozenset())
        self._loop = asyncio.get_running_loop()

    def post(self, event: Event) -> None:
        self.seen.append(event)
        self._loop.call_soon_threadsafe(self._handle, event)

    def _handle(self, event: Event) -> None:
        self.mute.watch(0.0, event)
        for effect in self._conversation.handle(event, 0.0):
            self.mute.watch(0.0, effect)

    async def happen(self, *events: Event) -> None:
        for event in events:
            self.post(event)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def told(self) -> None:
        async with asyncio.timeout(5):
            while MicShut() not in self.seen:
                await asyncio.sleep(0.005)


def after_a_restart(store: Store) -> bool:
    """Whether it would be muted, with the switch open."""
    return Mute(Settings(), Kept(store), lambda event: None).is_on


async def test_it_is_kept_over_a_restart_and_so_is_its_end() -> None:
    first = House(Settings())
    with first.mute:
        assert not first.mute.is_on
        await first.mute.obey(COMMAND)
    again = House(Settings(), first.store)
    with again.mute:
        assert again.mute.is_on
        await again.told()
        assert again.seen[0] == Muted("restart")
        await again.mute.obey(UNDO)
        assert not again.mute.is_on
    last = House(Settings(), first.store)
    with last.mute:
        assert (last.mute.is_on, last.seen) == (False, [])


async def test_it_is_not_answered_before_the_microphone_is_shut() -> None:
    house = House()
    house.is_shut.clear()
    with house.mute:
        answer = asyncio.create_task(house.mute.obey(COMMAND))
        await asyncio.sleep(0.1)
        assert not answer.done() and MicShut() not in house.seen
        house.is_shut.set()
        await answer
        await house.told()


async def test_a_card_that_does_not_let_go_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.mute.LIMIT_S", 0.05)
    house = House()
    house.is_shut.clear()
    with house.mute:
        with pytest.raises(NotSo, match="the sound card does not let go of the microphone"):
            await house.mute.obey(COMMAND)
        await asyncio.sleep(0.1)
        assert MicShut() not in house.seen


async def test_a_process_that_is_killed_right_after_the_answer_has_kept_it(tmp_path: Path) -> None:
    """Of many; each is killed in the moment in which it was told that it is so."""
    program = (
        "import asyncio, os, signal, sys; sys.path.insert(0, sys.argv[2]);"
        "from pathlib import Path; from cooee.store import Store; from test_mute import COMMAND, House, Settings\n"
        "async def main():\n"
        "    house = House(Settings(), Store(Path(sys.argv[1])))\n"
        "    with house.mute:\n"
        "        await house.mute.obey(COMMAND)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    for number in range(3):
        file = tmp_path / str(number) / FILE
        command = [sys.executable, "-c", program, str(file), str(Path(__file__).parent)]
        done = subprocess.run(command, env=clean_env(), timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL
        assert after_a_restart(Store(file))


async def test_it_is_on_the_disk_itself_before_it_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves what was synchronised; SQLite tells how it does it."""
    store = Store(tmp_path / FILE)
    house = House(Settings(), store)
    with house.mute:
        await house.mute.obey(COMMAND)
        assert store.read("PRAGMA synchronous") == [(2,)]
    store.close()


async def test_a_disk_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    house = House(Settings(), Store(tmp_path / FILE))
    with house.mute, pytest.raises(NotSo, match="the microphone is shut, but a restart may change that"):
        await house.mute.obey(COMMAND)


async def test_the_switch_mutes_and_unmutes(pins: MockFactory) -> None:
    house = House()
    with house.mute:
        pins.pin(5).drive_low()
        await house.told()
        assert house.mute.is_on
        pins.pin(5).drive_high()
        await house.happen()
        assert not house.mute.is_on
    assert house.seen == [CLOSED, MicShut(), OPENED]


@pytest.mark.parametrize(
    ("events", "is_on", "is_kept"),
    [
        ([COMMAND], True, True),
        ([CLOSED], True, False),
        ([CLOSED, COMMAND], True, True),
        ([COMMAND, CLOSED], True, True),
        ([CLOSED, UNDO], True, False),
        ([CLOSED, COMMAND, UNDO], True, True),
        ([COMMAND, CLOSED, UNDO], True, True),
        ([CLOSED, MuteToggled("button")], True, False),
        ([MuteToggled("button")], True, True),
        ([CLOSED, OPENED], False, False),
        ([COMMAND, CLOSED, OPENED], False, False),
        ([CLOSED, COMMAND, OPENED], False, False),
        ([COMMAND, CLOSED, OPENED, COMMAND], True, True),
        ([CLOSED, COMMAND, OPENED, CLOSED], True, False),
        ([COMMAND, UNDO], False, False),
        ([MuteToggled("button"), MuteToggled("button")], False, False),
    ],
)
async def test_the_switchs_change_wins_and_what_others_muted_is_kept(
    events: list[Event], is_on: bool, is_kept: bool
) -> None:
    house = House(Settings())
    with house.mute:
        await house.happen(*events)
        assert house.mute.is_on is is_on
        assert after_a_restart(house.store) is is_kept


async def test_under_a_closed_switch_nothing_else_unmutes_and_that_is_said(pins: MockFactory) -> None:
    house = House()
    with house.mute:
        pins.pin(5).drive_low()
        await house.mute.obey(COMMAND)
        with pytest.raises(NotSo, match="only the switch can open the microphone"):
            await house.mute.obey(UNDO)
        assert house.mute.is_on


async def test_a_switch_that_is_closed_at_the_start_mutes_from_the_start_but_is_not_kept(pins: MockFactory) -> None:
    pins.pin_class = Shut
    house = House()
    with house.mute:
        assert house.mute.is_on and house.seen == [CLOSED]
        await house.happen()
    assert not after_a_restart(house.store)


async def test_either_says_muted_at_the_start_and_the_switch_holds_it_from_then_on(pins: MockFactory) -> None:
    store = Store(None)
    await asyncio.wrap_future(Kept(store).set("muted", "yes"))
    opened = House(SWITCH, store)
    with opened.mute:
        assert opened.mute.is_on and opened.seen == [Muted("restart")]
        await opened.happen()
        await opened.mute.obey(UNDO)
        await opened.mute.obey(COMMAND)
    pins.reset()
    pins.pin_class = Shut
    closed = House(SWITCH, store)
    with closed.mute:
        await closed.happen()
        assert closed.mute.is_on
        with pytest.raises(NotSo):
            await closed.mute.obey(UNDO)
        pins.pin(5).drive_high()
        await closed.happen()
        assert not closed.mute.is_on
    assert not after_a_restart(store)


@pytest.mark.parametrize("active_high", [True, False])
async def test_the_line_tells_and_is_off_at_the_end(pins: MockFactory, active_high: bool) -> None:
    with House(Settings(line="gpio", line_active_high=active_high)).mute as it:
        assert pins.pin(6).state != active_high
        it.watch(0.0, do.Capture(on=False))
        assert pins.pin(6).state == active_high
        it.watch(0.0, do.Capture(on=True))
        assert pins.pin(6).state != active_high
    Output(6).close()


async def test_muted_from_the_start_the_line_says_so_at_once(pins: MockFactory) -> None:
    store = Store(None)
    Kept(store).set("muted", "yes")
    with House(LINE, store).mute:
        assert pins.pin(6).state == 1


async def test_a_pin_that_is_taken_is_one_warning(pins: MockFactory, caplog: pytest.LogCaptureFixture) -> None:
    other = Output(5)
    with House().mute as it:
        assert not it.is_on
    assert [record.getMessage() for record in caplog.records] == [
        "[mute]: pin 5 is in use already; the speaker goes on without it"
    ]
    other.close()


LAMP = '[actions.lamp]\ntype = "gpio"\npin = 6\ndescription = "The lamp"\n'


def test_its_pins_are_nobody_elses_where_they_are_used() -> None:
    with pytest.raises(Faulty, match=r"config.toml:5: \[actions.lamp\] pin = 6: is used by \[mute\] already"):
        parse(f'[mute]\nline = "gpio"\n{LAMP}')
    parse(f"[mute]\nline_pin = 6\n{LAMP}")
    with pytest.raises(Faulty, match=r"\[mute\] line_pin.*: is switch_pin already"):
        parse('[mute]\nswitch = "gpio"\nswitch_pin = 6\nline = "gpio"\n')
