import struct
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from cooee import settings
from cooee.mic import Mic, Unplayable, read_wav
from cooee.sound.frames import Converter, Framer, Lag


def tone(seconds: float, rate_hz: int, hz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def write_wav(path: Path, samples: np.ndarray, rate_hz: int, bits: int, *, extensible: bool = False) -> Path:
    """`samples` between -1 and 1, of shape (frames, channels)."""
    if bits == 8:
        raw = (samples * 127 + 128).astype(np.uint8).tobytes()
    else:
        wide = np.rint(samples * (2 ** (bits - 1) - 1)).astype("<i4")
        raw = wide.reshape(-1, 1).view(np.uint8)[:, : bits // 8].tobytes()
    channels, block = samples.shape[1], samples.shape[1] * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else 1, channels, rate_hz, rate_hz * block, block, bits)
    if extensible:
        form += struct.pack("<HHIHH", 22, bits, 0, 1, 0) + bytes.fromhex("000010008000 00aa00389b71".replace(" ", ""))
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in [(b"fmt ", form), (b"LIST", b"odd"), (b"data", raw)]
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.astype(float), b.astype(float))[0, 1])


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_any_wav_becomes_16_khz_mono(tmp_path: Path, bits: int, rate_hz: int, channels: int) -> None:
    spoken = np.repeat(tone(0.5, rate_hz)[:, None], channels, axis=1)
    heard = read_wav(write_wav(tmp_path / "a.wav", spoken, rate_hz, bits, extensible=bits == 24))
    assert heard.dtype == np.int16 and len(heard) == 8000
    wanted = tone(0.5, 16000) * 32767
    assert likeness(heard[200:-200], wanted[200:-200]) > 0.999
    assert abs(np.abs(heard[200:-200]).max() - 16384) < 300


def test_16_khz_mono_is_taken_as_it_is(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, 5000).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as wav:
        wav.setparams((1, 2, 16000, 0, "NONE", ""))
        wav.writeframes(samples.tobytes())
    assert np.array_equal(read_wav(tmp_path / "a.wav"), samples)


def test_the_length_is_rounded_not_cut(tmp_path: Path) -> None:
    for frames in (1, 44100 + 17, 12345):
        path = write_wav(tmp_path / "a.wav", np.zeros((frames, 1)), 44100, 16)
        assert len(read_wav(path)) == round(frames * 16000 / 44100)


def test_one_channel_of_a_file_or_the_mean(tmp_path: Path) -> None:
    both = np.stack([tone(0.2, 16000, 300), np.zeros(3200)], axis=1)
    path = write_wav(tmp_path / "a.wav", both, 16000, 16)
    assert np.abs(read_wav(path, 0)).max() > 16000
    assert not read_wav(path, 1).any()
    assert 8000 < np.abs(read_wav(path, "mix")).max() < 8300
    with pytest.raises(Unplayable, match="channels are 0 to 1"):
        read_wav(path, 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"ID3\x03 this is music", "is no WAV file"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd", "does not say its format"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16), "holds no samples"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 7, 1, 8000, 8000, 1, 8), "is compressed"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 0, 16000, 0, 0, 16), "claims 0 channels"),
    ],
)
def test_what_is_no_wav_is_refused_in_one_sentence(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unplayable, match=says) as refusal:
        Mic(settings.Mic(type="file", file=str(path)), lambda frame, at_s: None, lambda event: None)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000, 96000])
def test_a_card_of_any_rate_and_shape_is_heard_in_full(rate_hz: int) -> None:
    convert = Converter(rate_hz, "mix", 0.0)
    spoken = np.stack([tone(2, rate_hz)] * 2, axis=1).astype(np.float32)
    pieces = np.split(spoken, np.cumsum(np.random.default_rng(2).integers(1, 4000, 300)))
    heard = np.concatenate([convert(piece) for piece in pieces if len(piece)])
    assert 0 <= 32000 - len(heard) < 800  # the resampler looks ahead
    assert likeness(heard[500:30000], tone(2, 16000)[500:30000]) > 0.9999


def test_gain_saturates() -> None:
    heard = Converter(16000, "mix", 40.0)(np.array([[0.5], [-0.5], [0.001]], np.float32))
    assert heard.tolist() == [32767, -32768, 3277]


def test_one_channel_of_a_card() -> None:
    samples = np.array([[0.5, -0.25]], np.float32)
    assert [int(Converter(16000, channel, 0.0)(samples)[0]) for channel in (0, 1, "mix")] == [16384, -8192, 4096]


def test_frames_carry_the_position_of_their_end() -> None:
    heard: list[tuple[bytes, float]] = []
    framer = Framer(lambda frame, at_s: heard.append((frame, at_s)))
    samples = np.arange(4000, dtype=np.int16)
    for piece in np.array_split(samples, 7):
        framer.add(piece)
    assert [at_s for _, at_s in heard] == pytest.approx([0.08, 0.16, 0.24])
    assert b"".join(frame for frame, _ in heard) == samples[:3840].tobytes()
    assert framer.missing_s() == pytest.approx((1280 - 160) / 16000)


def test_nothing_from_before_a_mute_is_in_the_frames_after_it() -> None:
    heard: list[bytes] = []
    framer = Framer(lambda frame, at_s: heard.append(frame))
    framer.add(np.full(1000, 7, np.int16))
    framer.restart()
    framer.add(np.full(1280, 9, np.int16))
    assert heard == [np.full(1280, 9, np.int16).tobytes()]


def lost_s(lag: Lag, steps: list[tuple[float, float]]) -> float:
    return sum(lag.note(now_s, heard_s) for now_s, heard_s in steps)


def test_lost_time_is_found_among_bursts_and_drift() -> None:
    burst = [(i * 0.02, (i // 4) * 0.08) for i in range(500)]
    assert lost_s(Lag(), burst) == 0
    drift = [(i * 0.02, i * 0.02 * 0.9997) for i in range(5000)]
    assert lost_s(Lag(), drift) == 0
    gap = [(i * 0.02, i * 0.02 - (0.16 if i > 200 else 0)) for i in range(500)]
    assert lost_s(Lag(), gap) == pytest.approx(0.16)


@pytest.mark.slow
def test_a_file_is_heard_in_real_time_and_then_silence_follows(tmp_path: Path) -> None:
    samples = np.random.default_rng(3).integers(-9000, 9000, 16000 + 100).astype(np.int16)
    path = write_wav(tmp_path / "a.wav", samples[:, None] / 32767, 16000, 16)
    heard: list[tuple[bytes, float, float]] = []
    start_s = time.monotonic()

    def hear(frame: bytes, at_s: float) -> None:
        heard.append((frame, at_s, time.monotonic() - start_s))
        if len(heard) == 5:
            time.sleep(0.2)  # a slow model; the clock must not fall behind for good

    with Mic(settings.Mic(type="file", file=str(path)), hear, lambda event: None):
        time.sleep(1.5)
    all_heard = np.frombuffer(b"".join(frame for frame, _, _ in heard), np.int16)
    assert np.array_equal(all_heard[:16100], samples)
    assert not all_heard[16100:].any() and len(all_heard) > 16100
    assert {len(frame) for frame, _, _ in heard} == {2560}
    assert all(came_s >= at_s - 0.005 for _, at_s, came_s in heard), "faster than real time"
    assert heard[-1][1] == pytest.approx(len(all_heard) / 16000)
    assert heard[-1][2] - heard[-1][1] < 0.2


@pytest.mark.slow
def test_a_muted_file_stands_still(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(3, 16000)[:, None], 16000, 16)
    heard: list[float] = []
    with Mic(settings.Mic(type="file", file=str(path)), lambda frame, at_s: heard.append(at_s), lambda _: None) as mic:
        time.sleep(0.3)
        mic.capture(False)
        assert mic.wait_closed(0.3)
        before = len(heard)
        time.sleep(0.3)
        assert len(heard) == before
        mic.capture(True)
        time.sleep(0.3)
        assert len(heard) > before
    assert heard == pytest.approx([0.08 * (i + 1) for i in range(len(heard))])


@pytest.mark.slow
def test_leaving_takes_no_time_and_stops_the_frames(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1, 16000)[:, None], 16000, 16)
    heard: list[float] = []
    with Mic(settings.Mic(type="file", file=str(path)), lambda frame, at_s: heard.append(at_s), lambda _: None):
        time.sleep(0.2)
    count = len(heard)
    time.sleep(0.2)
    assert len(heard) == count > 0


@pytest.mark.slow
def test_a_thread_that_hangs_is_told_from_one_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooee.mic.STUCK_S", 0.3)
    path = write_wav(tmp_path / "a.wav", tone(1, 16000)[:, None], 16000, 16)
    go_on = threading.Event()
    go_on.set()
    with Mic(
        settings.Mic(type="file", file=str(path)), lambda frame, at_s: bool(go_on.wait(10)), lambda _: None
    ) as mic:
        mic.capture(False)
        time.sleep(0.5)
        assert not mic.stuck, "muted is not stuck"
        mic.capture(True)
        time.sleep(0.5)
        assert not mic.stuck
        go_on.clear()
        time.sleep(0.5)
        assert mic.stuck
        go_on.set()
        time.sleep(0.2)
        assert not mic.stuck
    assert not mic.stuck
