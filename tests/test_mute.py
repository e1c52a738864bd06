"""Mute: kept over a restart, a switch that has the last word, and a line that tells; on gpiozero's own mock pins."""

import pytest
from gpiozero import OutputDevice as Output
from gpiozero.pins.mock import MockFactory, MockPin

from cooee.config import Faulty, parse
from cooee.events import Event, Muted, Unmuted
from cooee.kept import Kept
from cooee.mute import Mute, Settings
from cooee.store import Store

SWITCH, LINE = Settings(switch="gpio"), Settings(line="gpio")


class Closed(MockPin):
    """Connected to ground, however it is pulled."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.drive_low()


def mute(settings: Settings = SWITCH, store: Store | None = None) -> tuple[Mute, list[Event]]:
    seen: list[Event] = []
    return Mute(settings, Kept(store or Store(None)), seen.append), seen


def test_it_is_kept_over_a_restart_and_so_is_its_end() -> None:
    store = Store(None)
    with mute(Settings(), store)[0] as it:
        assert not it.is_on
        it.show(is_on=True)
    again, seen = mute(Settings(), store)
    with again:
        assert again.is_on
        assert seen == [Muted("restart")]
        again.show(is_on=False)
    last, seen = mute(Settings(), store)
    with last:
        assert (last.is_on, seen) == (False, [])


def test_the_switch_mutes_and_unmutes(pins: MockFactory) -> None:
    it, seen = mute()
    with it:
        pins.pin(5).drive_low()
        pins.pin(5).drive_high()
    assert seen == [Muted("switch", is_switch=True), Unmuted("switch", is_switch=True)]


def test_a_switch_that_is_closed_at_the_start_mutes_from_the_start_but_is_not_kept(pins: MockFactory) -> None:
    store = Store(None)
    pins.pin_class = Closed
    it, seen = mute(SWITCH, store)
    with it:
        assert it.is_on and seen == [Muted("switch", is_switch=True)]
        it.show(is_on=True)
    pins.pin(5).drive_high()
    pins.pin_class = MockPin
    pins.pins.clear()
    open_again, seen = mute(SWITCH, store)
    with open_again:
        assert (open_again.is_on, seen) == (False, [])


def test_a_switch_that_was_opened_meanwhile_leaves_what_a_command_had_muted(pins: MockFactory) -> None:
    store = Store(None)
    with mute(SWITCH, store)[0] as it:
        it.show(is_on=True)
    again, seen = mute(SWITCH, store)
    with again:
        assert seen == [Muted("restart")]


@pytest.mark.parametrize("active_high", [True, False])
def test_the_line_tells_and_is_off_at_the_end(pins: MockFactory, active_high: bool) -> None:
    with mute(Settings(line="gpio", line_active_high=active_high))[0] as it:
        assert pins.pin(6).state != active_high
        it.show(is_on=True)
        assert pins.pin(6).state == active_high
        it.show(is_on=False)
        assert pins.pin(6).state != active_high
    Output(6).close()


def test_muted_from_the_start_the_line_says_so_at_once(pins: MockFactory) -> None:
    store = Store(None)
    Kept(store).set("muted", "yes")
    with mute(LINE, store)[0]:
        assert pins.pin(6).state == 1


def test_a_pin_that_is_taken_is_one_warning(pins: MockFactory, caplog: pytest.LogCaptureFixture) -> None:
    other = Output(5)
    with mute()[0] as it:
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
