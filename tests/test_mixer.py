"""How loud it is: kept over restarts, in software, and in the mixer of a real sound server through the real amixer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cooee import mixer as room
from cooee import settings
from cooee.events import Event, LoudnessSet
from cooee.kept import Kept
from cooee.mixer import Mixer
from cooee.store import Store
from pulse import Pulse

MISSING = [*Pulse.missing(), *(["amixer"] if not shutil.which("amixer") else [])]


class Loudness:
    """A mixer, what the software makes of it, and what was told."""

    def __init__(self, store: Store | None = None, **table: object) -> None:
        self.softened: list[int] = []
        self.told: list[Event] = []
        speaker = settings.Speaker(**table)  # type: ignore[arg-type]
        self.mixer = Mixer(speaker, self.softened.append, Kept(store or Store(None)), self.told.append)


@pytest.fixture
def no_amixer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


async def test_without_a_mixer_it_is_done_in_software(no_amixer: None, caplog: pytest.LogCaptureFixture) -> None:
    loudness = Loudness(volume=70)
    await loudness.mixer.open()
    assert await loudness.mixer.set(40) == 40
    assert await loudness.mixer.change(-50) == 0
    assert await loudness.mixer.change(300) == 100
    assert loudness.softened == [70, 40, 0, 100]
    assert loudness.told == [LoudnessSet(40), LoudnessSet(0), LoudnessSet(100)]
    assert not caplog.records


async def test_a_mixer_that_was_asked_for_and_is_not_there_is_one_warning(
    no_amixer: None, caplog: pytest.LogCaptureFixture
) -> None:
    await Loudness(mixer="Speaker").mixer.open()
    assert [record.getMessage() for record in caplog.records] == [
        "volume in software: the program amixer is not here (Debian: alsa-utils)"
    ]


async def test_what_was_set_is_kept_until_the_config_says_something_new(no_amixer: None) -> None:
    store = Store(None)
    await Loudness(store, volume=70).mixer.set(35)
    assert Loudness(store, volume=70).mixer.percent == 35
    assert Loudness(store, volume=70).softened == [35]
    assert Loudness(store, volume=60).mixer.percent == 60


def test_the_card_is_the_loudspeakers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.write_text(
        " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n"
        " 2 [Device         ]: USB-Audio - USB Audio Device\n                      C-Media USB Audio at usb-1.3\n"
    )
    monkeypatch.setattr(room, "CARDS", cards)
    assert room._card("default") == ()
    assert room._card("hw:CARD=Device,DEV=0") == ("-c", "Device")
    assert room._card("plughw:1,0") == ("-c", "1")
    assert room._card("USB Audio") == ("-c", "2")
    assert room._card("jack") == ("-D", "jack")


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    with Pulse(tmp_path / "pulse") as pulse:
        config = Path(pulse.env["ALSA_CONFIG_PATH"])
        config.write_text(config.read_text() + '\nctl.!default { type pulse; device "speaker" }\n')
        for name, value in pulse.env.items():
            monkeypatch.setenv(name, value)
        yield pulse


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
async def test_a_cards_own_mixer_is_set_read_back_and_lost(pulse: Pulse, caplog: pytest.LogCaptureFixture) -> None:
    loudness = Loudness(volume=70)
    await loudness.mixer.open()
    assert loudness.softened[-1] == 100, "it is softened twice"
    assert await loudness.mixer.set(40) == 40
    assert "40%" in await loudness.mixer._amixer("sget", "Master")
    await loudness.mixer._amixer("sset", "Master", "80%")
    assert await loudness.mixer.change(-10) == 70, "somebody else's change was forgotten"
    await loudness.mixer.set(0)
    assert loudness.softened[-1] == 0
    await loudness.mixer.set(50)
    assert loudness.softened[-1] == 100
    pulse.__exit__()
    assert await loudness.mixer.set(30) == 30
    assert loudness.softened[-1] == 30
    assert await loudness.mixer.read() == 30
    assert [record.getMessage() for record in caplog.records] == [
        "volume in software from now on: the card has no mixer"
    ]


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
async def test_a_control_that_the_card_has_not_is_told_with_those_it_has(
    pulse: Pulse, caplog: pytest.LogCaptureFixture
) -> None:
    await Loudness(mixer="Treble").mixer.open()
    assert "the card has no mixer called Treble; it has Master, Capture" in caplog.text
