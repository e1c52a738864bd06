import itertools
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin
from pydantic import ValidationError

from cooee import lights
from cooee.effects import Phase, Show
from cooee.events import Lit, Trouble
from cooee.lights import Lights, led, none, rgb
from cooee.lights._looks import FLASHES, brightness


def until(true: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + 5
    while not true():
        assert time.monotonic() < limit_s, "this never came true"
        time.sleep(0.002)


class Flaky(MockPWMPin):
    """A pin whose wire can come off."""

    broken = False
    failures = 0

    def _set_state(self, value: float) -> None:
        if Flaky.broken:
            Flaky.failures += 1
            raise OSError("the wire is off")
        super()._set_state(value)


class Stuck(MockPWMPin):
    """A pin that holds up whoever lights it."""

    entered = threading.Event()
    free = threading.Event()

    def _set_state(self, value: float) -> None:
        if value == 1:
            Stuck.entered.set()
            Stuck.free.wait(20)
        super()._set_state(value)


@pytest.fixture
def flaky(pins: MockFactory) -> Iterator[None]:
    pins.pin_class, Flaky.broken, Flaky.failures = Flaky, False, 0
    yield
    Flaky.broken = False


def test_a_kind_is_described_without_its_hardware_library() -> None:
    code = "import sys; from cooee.lights import led, none, rgb; sys.exit('gpiozero' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(lights.__file__).parents[2])


def test_an_led_is_on_while_listening_off_asleep_and_off_after_closing(pins: MockFactory) -> None:
    with Lights(led.Settings(pin=17)) as shown:
        shown.show(Show(Phase.LISTENING))
        until(lambda: pins.pin(17).state == 1)
        shown.show(Show(Phase.ASLEEP))
        until(lambda: pins.pin(17).state == 0)
        shown.show(Show(Phase.LISTENING))
        until(lambda: pins.pin(17).state == 1)
    assert pins.pin(17).state == 0


def test_brightness_scales_the_light(pins: MockFactory) -> None:
    with Lights(led.Settings(pin=17, brightness=40)) as shown:
        shown.show(Show(Phase.LISTENING))
        until(lambda: pins.pin(17).state == pytest.approx(0.4))


def test_a_fault_is_shown_instead_of_the_phase(pins: MockFactory) -> None:
    looks = led.Looks(asleep="off", fault="on")
    with Lights(led.Settings(pin=17, looks=looks)) as shown:
        shown.show(Show(Phase.ASLEEP, fault="the microphone is gone"))
        until(lambda: pins.pin(17).state == 1)


def test_a_moving_look_moves_and_gives_way_at_once(pins: MockFactory) -> None:
    with Lights(led.Settings(pin=17, looks=led.Looks(thinking="breathe", asleep="off"))) as shown:
        shown.show(Show(Phase.THINKING))
        until(lambda: len({state.state for state in pins.pin(17).states}) > 5)
        shown.show(Show(Phase.ASLEEP))
        until(lambda: pins.pin(17).state == 0)
        seen = len(pins.pin(17).states)
        time.sleep(0.15)
        assert len(pins.pin(17).states) == seen


def test_a_pin_without_pwm_is_on_where_it_should_be_dim(pins: MockFactory) -> None:
    pins.pin_class = MockPin
    with Lights(led.Settings(pin=17, brightness=5)) as shown:
        shown.show(Show(Phase.MUTED))
        until(lambda: pins.pin(17).state is True)
    assert pins.pin(17).state is False


def test_an_led_that_hangs_from_3_3_volts_is_lit_by_a_low_pin(pins: MockFactory) -> None:
    with Lights(led.Settings(pin=17, active_high=False)) as shown:
        shown.show(Show(Phase.ASLEEP))
        until(lambda: pins.pin(17).state == 1)
        shown.show(Show(Phase.LISTENING))
        until(lambda: pins.pin(17).state == 0)


def test_rgb_shows_the_colour_of_the_phase_and_goes_dark_at_the_end(pins: MockFactory) -> None:
    looks = rgb.Looks(listening="#ff8000", muted="purple")

    def colour() -> list[float]:
        return [round(pins.pin(number).state * 255) for number in (5, 6, 13)]

    with Lights(rgb.Settings(red=5, green=6, blue=13, looks=looks)) as shown:
        shown.show(Show(Phase.LISTENING))
        until(lambda: colour() == [255, 128, 0])
        shown.show(Show(Phase.MUTED))
        until(lambda: colour() == [128, 0, 255])
    assert colour() == [0, 0, 0]


def test_no_pins_cost_one_warning_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuch")
    with Lights(led.Settings(pin=17), retry_s=0.01) as shown:
        shown.show(Show(Phase.LISTENING))
        until(lambda: bool(caplog.records))
        time.sleep(0.1)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == [
        "the lights (led) do not work: this machine has no GPIO pins, or no library for them such as lgpio; "
        "everything else goes on without them"
    ]


def test_a_light_that_fails_is_tried_again_and_shows_the_latest_phase(
    pins: MockFactory, flaky: None, caplog: pytest.LogCaptureFixture
) -> None:
    with Lights(led.Settings(pin=17), retry_s=0.05) as shown:
        shown.show(Show(Phase.LISTENING))
        until(lambda: pins.pin(17).state == 1)
        Flaky.broken = True
        shown.show(Show(Phase.ASLEEP))
        until(lambda: "the wire is off" in caplog.text)
        shown.show(Show(Phase.LISTENING))
        Flaky.broken = False
        until(lambda: pins.pin(17).state == 1)


def test_a_light_that_fails_is_not_tried_again_before_its_time(pins: MockFactory, flaky: None) -> None:
    Flaky.broken = True
    with Lights(led.Settings(pin=17), retry_s=60) as shown:
        for phase in list(Phase) * 5:
            shown.show(Show(phase))
            time.sleep(0.002)
    assert Flaky.failures == 1


def test_a_light_that_hangs_holds_nobody_up_and_is_told_of_once(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lights, "HUNG_S", 0.02)
    pins.pin_class = Stuck
    with Lights(led.Settings(pin=17)) as shown:
        shown.show(Show(Phase.LISTENING))
        assert Stuck.entered.wait(5)
        until(lambda: shown.show(Show(Phase.ASLEEP)) or bool(caplog.records))
        for _ in range(1000):
            shown.show(Show(Phase.ASLEEP))
    Stuck.free.set()
    assert [record.getMessage() for record in caplog.records] == [
        "the lights (led) do not answer; everything else goes on without them"
    ]


def test_none_needs_no_pins() -> None:
    with Lights(none.Settings()) as shown:
        shown.show(Show(Phase.LISTENING))
    assert none.Settings().pins() == ()


@pytest.mark.parametrize(
    ("model", "values", "said"),
    [
        (led.Settings, {"pin": 28}, "less than or equal to 27"),
        (led.Settings, {"pin": 17, "brightness": "50"}, "valid integer"),
        (led.Settings, {"pin": 17, "looks": {"asleep": "sparkle"}}, "'off', 'on', 'dim'"),
        (led.Settings, {"pin": 17, "looks": {"sleepy": "on"}}, "Extra inputs"),
        (led.Settings, {"pin": 17, "looks": {"asleep": "code"}}, "'off', 'on', 'dim'"),
        (rgb.Settings, {"red": 5, "green": 6, "blue": 13, "looks": {"asleep": "blue code"}}, "breathe"),
        (rgb.Settings, {"red": 5, "green": 6, "blue": 6}, "three different pins"),
        (rgb.Settings, {"red": 5, "green": 6, "blue": 13, "looks": {"asleep": "bleu"}}, 'such as "blue pulse"'),
        (rgb.Settings, {"red": 5, "green": 6, "blue": 13, "looks": {"asleep": "blue wobble"}}, "breathe"),
        (rgb.Settings, {"red": 5, "green": 6, "blue": 13, "looks": {"asleep": "#12345"}}, "#0040ff"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(
    model: type[lights.LightTable], values: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        model(**values)


def test_a_light_reports_each_phase_that_it_really_shows(pins: MockFactory) -> None:
    reports: list[tuple[Lit, float]] = []

    def report(lit: Lit) -> None:
        reports.append((lit, pins.pin(17).state))

    with Lights(led.Settings(pin=17), report=report) as shown:
        for count, show in enumerate((Show(Phase.ASLEEP, turn=1), Show(Phase.LISTENING, turn=2)), 1):
            shown.show(show)
            until(lambda count=count: len(reports) == count)
    assert reports == [(Lit(1, "asleep"), 0), (Lit(2, "listening"), 1)]


def test_a_light_that_fails_or_shows_a_fault_reports_no_phase(pins: MockFactory, flaky: None) -> None:
    reports: list[Lit] = []
    Flaky.broken = True
    with Lights(led.Settings(pin=17, looks=led.Looks(fault="on")), report=reports.append, retry_s=0.02) as shown:
        shown.show(Show(Phase.LISTENING, turn=1))
        until(lambda: Flaky.failures > 1)
        assert not reports
        shown.show(Show(Phase.LISTENING, "the loudspeaker is gone", turn=1))
        Flaky.broken = False
        until(lambda: pins.pin(17).state == 1)
        assert not reports
        shown.show(Show(Phase.ASLEEP, turn=2))
        until(lambda: reports == [Lit(2, "asleep")])


def test_none_reports_nothing_since_nobody_sees_it() -> None:
    reports: list[Lit] = []
    with Lights(none.Settings(), report=reports.append) as shown:
        shown.show(Show(Phase.LISTENING, turn=1))
        time.sleep(0.05)
    assert not reports


def test_another_turn_does_not_start_a_moving_look_anew(pins: MockFactory) -> None:
    reports: list[Lit] = []
    with Lights(led.Settings(pin=17), report=reports.append) as shown:
        shown.show(Show(Phase.SPEAKING, turn=0))
        until(lambda: bool(reports))
        # Soft at its start: a look that began anew with each of these would never get bright.
        for turn in range(60):
            shown.show(Show(Phase.SPEAKING, turn=turn))
            time.sleep(0.02)
        assert pins.pin(17).state > 0.2
    assert reports == [Lit(0, "speaking")]


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_flashes_its_own_number_and_pauses(trouble: Trouble) -> None:
    bright = [brightness("code", (tick + 0.5) / 100, trouble)[0] for tick in range(2000)]
    began = [tick for tick, (before, now) in enumerate(itertools.pairwise([0.0, *bright])) if now > before]
    gaps = [after - before for before, after in itertools.pairwise(began)]
    pauses = [count for count, gap in enumerate(gaps, 1) if gap > 100]
    assert [pauses[0], pauses[1] - pauses[0]] == [FLASHES[trouble]] * 2
    assert {gap for gap in gaps if gap < 100} <= {50} and {gap for gap in gaps if gap > 100} == {140}


def test_each_trouble_can_be_told_from_the_others() -> None:
    assert FLASHES.keys() == set(Trouble) and sorted(FLASHES.values()) == list(range(1, len(Trouble) + 1))


def test_an_led_flashes_why_there_is_no_agent(pins: MockFactory) -> None:
    with Lights(led.Settings(pin=17)) as shown:
        shown.show(Show(Phase.OFFLINE, trouble=Trouble.VENDOR))
        until(lambda: [state.state for state in pins.pin(17).states][-4:] == [1, 0, 1, 0])
        flash = [state.timestamp for state in pins.pin(17).states]
        assert len(flash) == 5, "dark, and two flashes"
        shown.show(Show(Phase.OFFLINE, trouble=None))
        until(lambda: pins.pin(17).state == 1)


def test_a_light_of_colours_tells_apart_what_only_the_owner_can_mend(pins: MockFactory) -> None:
    def colour() -> list[float]:
        return [round(pins.pin(number).state * 255) for number in (5, 6, 13)]

    with Lights(rgb.Settings(red=5, green=6, blue=13)) as shown:
        for trouble, wanted in ((Trouble.NETWORK, "#ff5000"), (Trouble.KEY, "#8000ff"), (Trouble.BUSY, "#ff5000")):
            shown.show(Show(Phase.OFFLINE, trouble=trouble))
            until(lambda wanted=wanted: colour() == list(bytes.fromhex(wanted[1:])))


def test_the_owner_may_have_another_look_for_offline(pins: MockFactory) -> None:
    with Lights(led.Settings(pin=17, looks=led.Looks(offline="on"))) as shown:
        shown.show(Show(Phase.OFFLINE, trouble=Trouble.KEY))
        until(lambda: pins.pin(17).state == 1)
        time.sleep(0.3)
        assert pins.pin(17).state == 1


def test_settings_tell_which_pins_they_take() -> None:
    assert led.Settings(pin=17).pins() == (17,)
    assert rgb.Settings(red=5, green=6, blue=13).pins() == (5, 6, 13)


@pytest.mark.parametrize("motion", ["blink", "flash", "pulse", "breathe"])
def test_a_motion_goes_from_dark_to_full_and_never_beyond(motion: str) -> None:
    at_s, seen = 0.0, []
    while at_s < 8:
        bright, delay_s = brightness(motion, at_s)
        assert delay_s is not None
        assert delay_s > 0
        seen.append(bright)
        at_s += delay_s
    assert min(seen) == pytest.approx(0, abs=0.01)
    assert max(seen) == pytest.approx(1, abs=0.01)
    assert all(0 <= bright <= 1 for bright in seen)
