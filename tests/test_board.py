"""Which pins there are, by what the board says that it is."""

from pathlib import Path

import pytest

from cooee import board
from cooee.config import Faulty, parse

LAMP = '[actions.lamp]\ntype = "gpio"\npin = {}\ndescription = "The lamp"\n'


@pytest.mark.parametrize(
    ("model", "lacking"),
    [
        ("", {0, 1}),
        ("Raspberry Pi 4 Model B Rev 1.4", {0, 1}),
        ("Raspberry Pi 5 Model B Rev 1.0", {0, 1}),
        ("Raspberry Pi Zero 2 W Rev 1.0", {0, 1}),
        ("Raspberry Pi Model B Plus Rev 1.2", {0, 1}),
        ("Raspberry Pi Model B Rev 1", {2, 3, 5, 6, 12, 13, 16, 19, 20, 26, 27}),
        ("Raspberry Pi Model B Rev 2", {0, 1, 5, 6, 12, 13, 16, 19, 20, 21, 26}),
        ("Raspberry Pi Model A Rev 2", {0, 1, 5, 6, 12, 13, 16, 19, 20, 21, 26}),
    ],
)
def test_a_board_has_the_pins_of_its_header(model: str, lacking: set[int]) -> None:
    assert {pin for pin in range(28) if board.lacks(pin, model)} == lacking


def test_the_config_goes_by_the_board_it_is_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "MODEL", tmp_path / "model")
    assert parse(LAMP.format(26))
    board.MODEL.write_bytes(b"Raspberry Pi Model B Rev 2\0")
    with pytest.raises(
        Faulty, match="pin = 26: is not on the header of this Raspberry Pi Model B Rev 2; there are 2, 3"
    ):
        parse(LAMP.format(26))
    assert parse(LAMP.format(27))
