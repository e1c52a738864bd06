"""What somebody sees who sets up a microphone."""

import pytest

from cooee.meter import WIDTH, _bar, _described
from cooee.sound.devices import FLOOR_DBFS, Device


def test_louder_is_longer_and_the_peak_stands_right_of_it() -> None:
    quiet, loud = (_bar(peak, rms).plain.split(" dBFS")[0] for peak, rms in ((-30.0, -50.0), (-10.0, -20.0)))
    assert loud.count("█") > quiet.count("█") > 0
    for shown in (quiet, loud):
        assert "█ " in shown and " │" in shown


@pytest.mark.parametrize(("peak", "rms"), [(FLOOR_DBFS, FLOOR_DBFS), (0.0, 0.0), (-0.1, -3.0), (-70.0, -90.0)])
def test_no_level_moves_the_numbers_behind_the_bar(peak: float, rms: float) -> None:
    assert _bar(peak, rms).plain.index(" dBFS") == _bar(-30.0, -40.0).plain.index(" dBFS")
    assert _bar(peak, rms).plain.count("█") <= WIDTH


def test_the_peak_stands_where_it_is_however_quiet_the_rest() -> None:
    assert _bar(-40.0, -90.0).plain.index("│") == _bar(-40.0, -60.0).plain.index("│")


@pytest.mark.parametrize(
    ("peak", "rms", "color"), [(-0.5, -10.0, "red"), (-12.0, -30.0, "green"), (-50, -60, "yellow")]
)
def test_its_color_says_whether_it_is_too_loud_right_or_too_quiet(peak: float, rms: float, color: str) -> None:
    assert _bar(peak, rms).spans[0].style == color


def test_a_device_is_shown_with_the_name_to_paste_and_the_one_that_never_changes() -> None:
    device = Device("USB: Audio (hw:1,0)", "hw:CARD=Device", 1, 2, (16_000, 44_100), default_input=True)
    shown = _described(device).plain
    assert '"USB: Audio (hw:1,0)"  (the default microphone)' in shown
    assert '"hw:CARD=Device", which never changes' in shown
    assert "1 inputs, 2 outputs, 16, 44.1 kHz" in shown


def test_a_device_in_use_is_not_called_useless() -> None:
    assert "no usual rate opens just now" in _described(Device("mic", inputs=1)).plain
