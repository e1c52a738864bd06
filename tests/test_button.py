"""A button to talk with, on gpiozero's own mock pins."""

import time

import pytest
from gpiozero import Device
from gpiozero import OutputDevice as Output
from gpiozero.pins.mock import MockFactory

from cooee import settings
from cooee.button import Button
from cooee.config import Faulty, parse
from cooee.events import Event, LoudnessWanted, MuteToggled, Released, Stopped, Summoned

PRESSED, RELEASED = Summoned("button"), Released("button")


def test_a_press_wakes_and_letting_go_is_nothing(pins: MockFactory) -> None:
    seen: list[Event] = []
    with Button(settings.Button(type="gpio"), seen.append):
        pins.pin(26).drive_low()
        assert seen == [PRESSED]
        pins.pin(26).drive_high()
        pins.pin(26).drive_low()
    assert seen == [PRESSED, PRESSED]


def test_held_to_talk_it_tells_when_it_is_let_go(pins: MockFactory) -> None:
    seen: list[Event] = []
    with Button(settings.Button(type="gpio", pin=5, talk="hold"), seen.append):
        for _ in range(2):
            pins.pin(5).drive_low()
            pins.pin(5).drive_high()
    assert seen == [PRESSED, RELEASED] * 2


@pytest.mark.parametrize(
    ("pull", "active_high", "presses"), [("up", True, False), ("down", False, True), ("none", True, True)]
)
def test_it_is_wired_as_one_likes(pins: MockFactory, pull: str, active_high: bool, presses: bool) -> None:
    seen: list[Event] = []
    pin = pins.pin(5)
    pin.drive_low() if presses else pin.drive_high()
    with Button(settings.Button(type="gpio", pin=5, pull=pull, active_high=active_high), seen.append):  # type: ignore[arg-type]
        assert seen == []
        pin.drive_high() if presses else pin.drive_low()
    assert seen == [PRESSED]


def test_contacts_that_bounce_are_steadied_by_the_pin_library(pins: MockFactory) -> None:
    with Button(settings.Button(type="gpio", debounce_ms=35), lambda event: None):
        assert pins.pin(26).bounce == 0.035


def test_one_that_is_down_at_the_start_has_begun_nothing(pins: MockFactory) -> None:
    seen: list[Event] = []
    pin = pins.pin(5)
    pin.drive_low()
    with Button(settings.Button(type="gpio", pin=5, pull="none", talk="hold"), seen.append):
        pin.drive_high()
        assert seen == []
        pin.drive_low()
        pin.drive_high()
    assert seen == [PRESSED, RELEASED]


def test_after_the_end_nothing_is_told_and_the_pin_is_free(pins: MockFactory) -> None:
    seen: list[Event] = []
    with Button(settings.Button(type="gpio", pin=5), seen.append):
        pass
    pins.pin(5).drive_low()
    assert seen == []
    Output(5).close()


def test_no_button_takes_no_pin(pins: MockFactory) -> None:
    with Button(settings.Button(), lambda event: None):
        Output(26).close()


def test_a_pin_that_is_taken_is_one_warning(pins: MockFactory, caplog: pytest.LogCaptureFixture) -> None:
    other = Output(5)
    with Button(settings.Button(type="gpio", pin=5), lambda event: None):
        pass
    assert [record.getMessage() for record in caplog.records] == [
        "[button]: pin 5 is in use already; the speaker goes on without it"
    ]
    other.close()


def test_a_machine_without_pins_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    with Button(settings.Button(type="gpio"), lambda event: None):
        pass
    assert "[button]: this machine has no GPIO pins" in caplog.text
    assert len(caplog.records) == 1


LAMP = '[actions.lamp]\ntype = "gpio"\npin = 26\ndescription = "The lamp"\n'


def test_its_pin_is_nobody_elses() -> None:
    with pytest.raises(Faulty, match=r"config.toml:5: \[actions.lamp\] pin = 26: is used by \[button\] already"):
        parse(f'[button]\ntype = "gpio"\n{LAMP}')
    assert parse(f'[button]\ntype = "none"\npin = 26\n{LAMP}').button.pin == 26
    with pytest.raises(Faulty, match="less than or equal to 27"):
        parse('[button]\ntype = "gpio"\npin = 28\n')


def mapped(pins: MockFactory, seen: list[Event], **settings_: object) -> Button:
    return Button(settings.Button(type="gpio", pin=5, long_s=0.3, double_s=0.15, **settings_), seen.append)  # type: ignore[arg-type]


def press(pins: MockFactory, held_s: float = 0.0) -> None:
    pins.pin(5).drive_low()
    time.sleep(held_s)
    pins.pin(5).drive_high()


@pytest.mark.parametrize(
    ("wish", "event"),
    [
        ("talk", PRESSED),
        ("stop", Stopped("button")),
        ("mute", MuteToggled("button")),
        ("volume_up", LoudnessWanted("button", 10)),
        ("volume_down", LoudnessWanted("button", -10)),
    ],
)
def test_a_press_does_at_once_what_one_likes(pins: MockFactory, wish: str, event: Event) -> None:
    seen: list[Event] = []
    with mapped(pins, seen, short=wish):
        pins.pin(5).drive_low()
        assert seen == [event]
        pins.pin(5).drive_high()
    assert seen == [event]


def test_two_presses_are_something_else_and_a_single_one_waits_for_them(pins: MockFactory) -> None:
    seen: list[Event] = []
    with mapped(pins, seen, double="mute"):
        press(pins)
        assert seen == []
        time.sleep(0.3)
        assert seen == [PRESSED]
        press(pins)
        press(pins)
        assert seen == [PRESSED, MuteToggled("button")]
        time.sleep(0.3)
    assert seen == [PRESSED, MuteToggled("button")]


def test_a_long_press_is_one_thing_and_a_short_one_counts_when_it_ends(pins: MockFactory) -> None:
    seen: list[Event] = []
    with mapped(pins, seen, long="stop", double="none"):
        pins.pin(5).drive_low()
        time.sleep(0.05)
        assert seen == []
        pins.pin(5).drive_high()
        assert seen == [PRESSED]
        press(pins, 0.5)
    assert seen == [PRESSED, Stopped("button")]


def test_after_the_end_a_press_that_still_waits_is_forgotten(pins: MockFactory) -> None:
    seen: list[Event] = []
    with mapped(pins, seen, double="mute"):
        press(pins)
    time.sleep(0.3)
    assert seen == []
