"""The microphone and the loudspeaker on a sound card. Times are read off the card's own time line, in samples."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from card import Card
from card.rig import Rig
from card.sound import place, sounding, speech, tone, until

pytestmark = pytest.mark.slow

RATE_HZ = 24000
LOUD = {"device": "card", "volume": 100, "period_ms": 60}  # long periods: a busy test machine shall not matter


Steps = Callable[[Rig], dict[str, dict[str, Any]]]


def perform(folder: Path, steps: Steps, card_hz: int = 48000, sample: str = "s16") -> tuple[Card, dict[str, Any]]:
    """A card after `steps`, and what they gave; done anew when the machine was so busy that the card ran dry."""
    for attempt in range(4):
        card = Card(folder / f"card{attempt}", rate_hz=card_hz, sample=sample).start()
        with Rig(folder, card.env, speaker=LOUD, rate_hz=RATE_HZ) as rig:
            events = steps(rig)
            if rig.numbers()["underruns"] == 0:
                return card, events
    raise AssertionError("the card ran dry four times in a row")


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    yield Card(tmp_path / "card").start()


@pytest.mark.parametrize(
    ("rate_hz", "channels", "sample"),
    [(48000, 2, "s16"), (16000, 1, "s16"), (44100, 2, "s16"), (48000, 2, "s32"), (16000, 4, "s32")],
)
def test_what_is_said_in_the_room_is_heard_whatever_the_card_can(
    tmp_path: Path, rate_hz: int, channels: int, sample: str
) -> None:
    card = Card(tmp_path / "card", rate_hz=rate_hz, channels=channels, sample=sample).start()
    said = speech(1.5, 16000)
    with Rig(tmp_path, card.env, mic={"device": "card"}) as rig:
        card.speak(said, card.now_s + 0.2)
        until(lambda: len(rig.frames()) > 32000)
        numbers = rig.numbers()
    halves = [place(rig.frames(), half) for half in np.split(said, 2)]
    assert min(fit for _, fit in halves) > 0.99
    assert abs(halves[1][0] - halves[0][0] - 12000) < 0.3, "the offset is not steady"
    assert numbers["lost_s"] == 0 and numbers["reopened"] == 0
    assert rig.errors.read_text() == ""


@pytest.mark.parametrize(("channel", "loudness"), [("mix", 0.5), (1, 1.0), (0, 0.0)])
def test_a_microphone_in_the_right_channel_only(tmp_path: Path, channel: Any, loudness: float) -> None:
    card = Card(tmp_path / "card", sample="s32", ear=1).start()
    with Rig(tmp_path, card.env, mic={"device": "card", "channel": channel}) as rig:
        card.speak(tone(0.4, 16000), card.now_s + 0.1)
        until(lambda: len(rig.frames()) > 12000)
    assert np.abs(rig.frames()).max() == pytest.approx(8000 * loudness, rel=0.15, abs=1)


def test_the_default_device_works_too(tmp_path: Path, card: Card) -> None:
    said = speech(1, 16000)
    with Rig(tmp_path, card.env, mic={}, speaker={"volume": 100}, rate_hz=RATE_HZ) as rig:
        card.speak(said, card.now_s + 0.2)
        rig.play(1, tone(0.3, RATE_HZ))
        rig.ask("finish", turn=1)
        assert rig.wait_for("Spoken")["played_s"] == pytest.approx(0.3, abs=0.001)
        until(lambda: len(rig.frames()) > 24000)
    assert place(rig.frames(), said)[1] > 0.99
    assert len(sounding(card.heard())) > 0.28 * 48000


@pytest.mark.parametrize(("card_hz", "sample"), [(48000, "s16"), (24000, "s16"), (44100, "s32")])
def test_a_second_of_reply_sounds_for_exactly_a_second(tmp_path: Path, card_hz: int, sample: str) -> None:
    def steps(rig: Rig) -> dict[str, dict[str, Any]]:
        rig.play(1, tone(1, RATE_HZ))
        rig.ask("finish", turn=1)
        return {"Sounded": rig.wait_for("Sounded"), "Spoken": rig.wait_for("Spoken")}

    card, events = perform(tmp_path, steps, card_hz, sample)
    loud = sounding(card.heard())
    assert (loud[-1] + 1 - loud[0]) / card_hz == pytest.approx(1, abs=0.002)
    assert place(card.heard(), tone(1, card_hz))[1] > 0.99
    assert events["Spoken"]["played_s"] == pytest.approx(1, abs=0.002)
    # The events come when it has happened, not before, and soon after.
    for event, position in (("Sounded", loud[0]), ("Spoken", loud[-1])):
        assert -0.001 <= events[event]["t"] - card.epoch_s - position / card_hz < 0.5


def test_odd_pieces_sound_exactly_as_a_whole(tmp_path: Path) -> None:
    reply = speech(0.7, RATE_HZ)
    raw = reply.astype("<i2").tobytes()

    def steps(rig: Rig) -> dict[str, dict[str, Any]]:
        for at in range(0, len(raw), 333):
            rig.ask("play", turn=1, pcm=raw[at : at + 333].hex())
        rig.ask("finish", turn=1)
        return {"Spoken": rig.wait_for("Spoken")}

    card, _ = perform(tmp_path, steps, RATE_HZ)
    at = round(place(card.heard(), reply)[0])
    assert np.array_equal(card.heard()[at : at + len(reply)], reply)


@pytest.mark.parametrize("period_ms", [10, 20, 50])
def test_a_hush_silences_the_card_and_a_newer_turn_is_heard_whole(tmp_path: Path, card: Card, period_ms: int) -> None:
    new = speech(0.4, RATE_HZ, seed=7)
    with Rig(tmp_path, card.env, speaker={**LOUD, "period_ms": period_ms}, rate_hz=RATE_HZ) as rig:
        rig.play(1, tone(5, RATE_HZ))
        rig.wait_for("Sounded")
        time.sleep(0.4)
        rig.ask("hush", turn=1)
        rig.play(1, tone(1, RATE_HZ))
        rig.ask("finish", turn=1)
        events = rig.wait_for_all("hush", "Hushed")
        time.sleep(0.3)
        first = sounding(card.heard())
        rig.play(2, new)
        rig.ask("finish", turn=2)
        assert rig.wait_for("Spoken")["turn"] == 2
    asked_s = events["hush"]["t"] - card.epoch_s
    assert first[-1] / 48000 - asked_s <= 2 * period_ms / 1000 + 0.01
    assert events["Hushed"]["dropped_s"] == pytest.approx(5 - len(first) / 48000, abs=0.005)
    assert place(card.heard()[first[-1] + 1 :: 2], new)[1] > 0.99


def test_the_volume_changes_without_a_click(tmp_path: Path) -> None:
    def steps(rig: Rig) -> dict[str, dict[str, Any]]:
        rig.play(1, tone(2, RATE_HZ, 100))
        rig.ask("finish", turn=1)
        rig.wait_for("Sounded")
        for percent in (50, 0, 75):
            time.sleep(0.4)
            rig.ask("set_volume", percent=percent)
        return {"Spoken": rig.wait_for("Spoken")}

    card, _ = perform(tmp_path, steps)
    heard = card.heard().astype(int)
    loud = sounding(heard)
    levels = [np.abs(heard[loud[0] + round(s * 48000) :][:2400]).max() for s in (0.2, 0.7, 1.1, 1.6)]
    assert levels == pytest.approx([8000, 800, 0, 8000 * 10**-0.5], rel=0.05, abs=2)
    inside = heard[loud[0] + 200 : loud[-1] - 200]  # it begins and ends with a click of its own
    assert np.abs(np.diff(inside)).max() < 8000 * 2 * np.pi * 100 / 48000 * 1.2


def test_the_plug_is_pulled_and_put_back(tmp_path: Path, card: Card) -> None:
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker=LOUD, rate_hz=RATE_HZ) as rig:
        rig.play(1, tone(2, RATE_HZ))
        rig.ask("finish", turn=1)
        start_s = rig.wait_for("Sounded")["t"]
        time.sleep(0.33)
        card.unplug()
        lost = rig.wait_for_all("MicLost", "SpeakerLost")
        assert '"card"' in lost["MicLost"]["reason"] and '"card"' in lost["SpeakerLost"]["reason"]
        spoken = rig.wait_for("Spoken")
        assert spoken["t"] - start_s == pytest.approx(2, abs=0.3), "the reply did not end in its own time"
        assert not rig.passed("MicLost") and not rig.passed("SpeakerLost"), "said more than once"
        frames = len(rig.frames())
        card.plug()
        rig.wait_for_all("MicFound", "SpeakerFound", timeout_s=10)
        said = speech(1, 16000)
        card.speak(said, card.now_s + 0.2)
        rig.play(2, tone(0.5, RATE_HZ))
        rig.ask("finish", turn=2)
        assert rig.wait_for("Spoken")["played_s"] == pytest.approx(0.5, abs=0.001)
        until(lambda: len(rig.frames()) > frames + 24000)
    assert place(rig.frames()[frames:], said)[1] > 0.99
    left = rig.wait_for("left")
    assert rig.exit_code == 0 and left["threads"] == 1 and left["within_s"] < 0.5
    assert len(rig.errors.read_bytes()) < 10_000


def test_leaving_while_the_card_is_gone_takes_no_time(tmp_path: Path, card: Card) -> None:
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker=LOUD, rate_hz=RATE_HZ) as rig:
        until(lambda: len(rig.frames()))
        card.unplug()
        rig.wait_for_all("MicLost", "SpeakerLost")
    left = rig.wait_for("left")
    assert left["within_s"] < 0.5 and left["threads"] == 1


def test_a_card_that_comes_after_the_start_is_found(tmp_path: Path) -> None:
    card = Card(tmp_path / "card").start(plugged=False)
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker=LOUD, rate_hz=RATE_HZ) as rig:
        lost = rig.wait_for_all("MicLost", "SpeakerLost")
        assert "there is no microphone at all" in lost["MicLost"]["reason"]
        rig.play(1, tone(0.3, RATE_HZ))
        rig.ask("finish", turn=1)
        assert rig.wait_for("Spoken")["played_s"] == pytest.approx(0.3, abs=0.001)
        card.plug()
        rig.wait_for_all("MicFound", "SpeakerFound", timeout_s=10)
        until(lambda: len(rig.frames()) > 8000)


def test_a_second_card_is_found_while_the_first_one_is_in_use(tmp_path: Path, card: Card) -> None:
    """PortAudio sees new cards only when nobody uses it: the microphone has to make way for a moment."""
    other = Card(tmp_path / "other").start(plugged=False)
    card.add("other", other)
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker={"device": "other"}, renew_s=0.5) as rig:
        reason = rig.wait_for("SpeakerLost")["reason"]
        assert reason.startswith('loudspeaker "other" is not there; there is "card"')
        until(lambda: len(rig.frames()) > 8000)
        other.plug()
        assert rig.wait_for("SpeakerFound", timeout_s=10)["device"] == "other"
        rig.play(1, tone(0.3, RATE_HZ))
        rig.ask("finish", turn=1)
        rig.wait_for("Spoken")
        frames = len(rig.frames())
        until(lambda: len(rig.frames()) > frames + 8000)
    assert len(sounding(other.heard())) > 0.28 * 48000, rig.log.read_text()
    assert not rig.passed("MicLost")


def test_a_slow_wake_model_loses_nothing(tmp_path: Path, card: Card) -> None:
    said = speech(1.5, 16000)
    with Rig(tmp_path, card.env, mic={"device": "card"}, hear_s=0.06) as rig:
        card.speak(said, card.now_s + 0.2)
        until(lambda: len(rig.frames()) > 40000)
        numbers = rig.numbers()
    assert place(rig.frames(), said)[1] > 0.99
    assert numbers["lost_s"] == 0 and numbers["reopened"] == 0


def test_what_is_lost_to_a_model_that_is_too_slow_is_counted(tmp_path: Path, card: Card) -> None:
    with Rig(tmp_path, card.env, mic={"device": "card"}, hear_s=0.3) as rig:
        time.sleep(5)
        numbers = rig.numbers()
        frames = len(rig.frames())
    assert 1.5 < numbers["lost_s"] <= 5.1 - frames / 16000  # the last two seconds are not judged yet


def test_a_clock_that_stands_still_is_noticed(tmp_path: Path, card: Card) -> None:
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker=LOUD, rate_hz=RATE_HZ) as rig:
        until(lambda: len(rig.frames()))
        card.stall()
        lost = rig.wait_for_all("MicLost", "SpeakerLost", timeout_s=5)
        assert "gives no samples" in lost["MicLost"]["reason"]
        assert "takes no samples" in lost["SpeakerLost"]["reason"]
        card.plug()
        rig.wait_for_all("MicFound", "SpeakerFound", timeout_s=10)
        numbers = rig.numbers()
    assert numbers["reopened"] >= 1
    assert rig.wait_for("left")["within_s"] < 0.5


def test_muting_closes_the_card(tmp_path: Path, card: Card) -> None:
    with Rig(tmp_path, card.env, mic={"device": "card"}) as rig:
        until(lambda: len(rig.frames()))
        assert card.in_use()
        rig.ask("capture", on=False)
        assert rig.wait_for("closed")["within"]
        assert not card.in_use()
        frames = len(rig.frames())
        time.sleep(0.3)
        assert len(rig.frames()) == frames
        said = speech(0.5, 16000)
        rig.ask("capture", on=True)
        card.speak(said, card.now_s + 0.3)
        until(lambda: len(rig.frames()) > frames + 16000)
    assert place(rig.frames()[frames:], said)[1] > 0.99
    assert not rig.passed("MicLost")


def test_a_busy_card_is_called_so(tmp_path: Path, card: Card) -> None:
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker=LOUD) as rig:
        until(lambda: len(rig.frames()))
        rig.ask("capture", on=False)
        rig.wait_for("closed")
        card.busy()
        rig.ask("capture", on=True)
        reason = rig.wait_for("MicLost")["reason"]
        assert reason.startswith('microphone "card" is busy, another program has it; there is "')
        card.plug()
        rig.wait_for("MicFound")


def test_the_loudspeaker_is_heard_by_the_microphone(tmp_path: Path) -> None:
    card = Card(tmp_path / "card", echo=((180, 0.5), (210, 0.2))).start()
    reply = speech(0.5, 16000)
    with Rig(tmp_path, card.env, mic={"device": "card"}, speaker=LOUD, rate_hz=16000) as rig:
        until(lambda: len(rig.frames()))
        rig.play(1, reply)
        rig.ask("finish", turn=1)
        rig.wait_for("Spoken")
        time.sleep(0.4)
    echo = np.convolve(reply.astype(float), [0.5, *[0] * 479, 0.2])
    assert place(rig.frames(), echo)[1] > 0.99
