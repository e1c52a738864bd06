import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cooee.sound import devices
from cooee.sound.alsa import Unavailable
from cooee.sound.devices import FLOOR_DBFS, Device, find, level_dbfs, owner

DAEMON = Path(devices.__file__).parents[1]
DEVICES = [
    Device("vc4-hdmi-0: MAI PCM i2s-hifi-0 (hw:0,0)", "hw:CARD=vc4hdmi0", 0, 8),
    Device("seeed2micvoicec: wm8960-hifi-0 (hw:1,0)", "hw:CARD=seeed2micvoicec", 2, 2),
    Device("Jabra SPEAK 410 USB: Audio (hw:2,0)", "hw:CARD=USB", 1, 2),
    Device("Jabra SPEAK 410 USB: Other (hw:2,1)", "hw:CARD=USB,DEV=1", 1, 0),
    Device("default", "", 128, 128, default_input=True, default_output=True),
]


@pytest.mark.parametrize(
    ("wanted", "direction", "index"),
    [
        ("default", "input", 4),
        ("seeed2micvoicec: wm8960-hifi-0 (hw:1,0)", "output", 1),
        ("hw:CARD=seeed2micvoicec", "input", 1),
        ("plughw:CARD=seeed2micvoicec,DEV=0", "input", 1),
        ("hw:CARD=USB", "output", 2),
        ("hw:CARD=USB", "input", 2),
        ("hw:CARD=USB,DEV=1", "input", 3),
        ("SEEED", "input", 1),
        ("hw:2,1", "input", 3),
        ("jabra", "output", 2),
    ],
)
def test_a_setting_means_a_device(wanted: str, direction: devices.Direction, index: int) -> None:
    assert find(DEVICES, wanted, direction) is DEVICES[index]


@pytest.mark.parametrize(
    ("wanted", "direction", "says"),
    [
        ("jabra", "input", '"jabra" fits more than one microphone: "Jabra SPEAK 410 USB: Audio (hw:2,0)" and "Jabra'),
        ("vc4", "input", '"vc4" is no microphone; there is "seeed'),
        ("hw:CARD=sed2micvoicec", "input", 'did you mean "hw:CARD=seeed2micvoicec"?'),
        ("Jabba", "output", 'loudspeaker "Jabba" is not there; there is "vc4-hdmi-0'),
        ("Jabba", "output", 'did you mean "Jabra SPEAK 410 USB: Audio (hw:2,0)"?'),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(wanted: str, direction: devices.Direction, says: str) -> None:
    with pytest.raises(Unavailable) as fault:
        find(DEVICES, wanted, direction)
    assert says in str(fault.value)


def test_no_card_at_all_is_said() -> None:
    with pytest.raises(Unavailable, match='microphone "default" is not there; there is no microphone at all'):
        find([], "default", "input")


def test_a_card_keeps_its_id_whatever_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "PROC", tmp_path)
    (tmp_path / "card3").mkdir()
    (tmp_path / "card3" / "id").write_text("Device\n")
    assert devices._card("USB PnP Sound Device: Audio (hw:3,0)") == "hw:CARD=Device"
    assert devices._card("USB PnP Sound Device: Audio #1 (hw:3,1)") == "hw:CARD=Device,DEV=1"
    assert devices._card("default") == ""


def test_who_has_a_busy_card_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "PROC", tmp_path)
    (tmp_path / "cards").write_text(
        " 1 [Device         ]: USB-Audio - USB PnP Sound Device\n   C-Media USB PnP Sound Device at usb-1, full speed\n"
    )
    for pcm, status in [("pcm0c", f"state: RUNNING\nowner_pid   : {os.getpid()}\n"), ("pcm0p", "closed\n")]:
        (tmp_path / "card1" / pcm / "sub0").mkdir(parents=True)
        (tmp_path / "card1" / pcm / "sub0" / "status").write_text(status)
    (tmp_path / "card1" / "id").write_text("Device\n")
    for wanted in ("hw:CARD=Device", "usb pnp", "default"):
        with pytest.raises(Unavailable, match=rf'microphone "{wanted}" is busy: \w+ \(process {os.getpid()}\) has it'):
            find([], wanted, "input")
        with pytest.raises(Unavailable, match="is not there"):
            find([], wanted, "output")
    with pytest.raises(Unavailable, match="is not there"):
        find([], "hw:CARD=Other", "input")
    device = Device("USB PnP Sound Device: Audio (hw:1,0)", "hw:CARD=Device", 1, 1)
    assert owner(device, "input").endswith(f"(process {os.getpid()})") and not owner(device, "output")
    (tmp_path / "card1" / "pcm0c" / "sub1").mkdir()
    (tmp_path / "card1" / "pcm0c" / "sub1" / "status").write_text("closed\n")
    assert not owner(device, "input"), "one of its substreams is free"


def test_levels() -> None:
    def frame(level: float) -> bytes:
        samples = level * 32767 * np.sin(2 * np.pi * 50 * np.arange(1280) / 1280)
        return samples.astype(np.int16).tobytes()

    assert level_dbfs(frame(1.0)) == pytest.approx((0.0, -3.01), abs=0.02)
    assert level_dbfs(frame(0.1)) == pytest.approx((-20.0, -23.01), abs=0.02)
    assert level_dbfs(bytes(2560)) == (FLOOR_DBFS, FLOOR_DBFS) == level_dbfs(b"")
    assert math.isclose(level_dbfs(np.full(9, -32768, np.int16).tobytes())[0], 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "prints"),
    [
        ("pcm.default { type null }\nctl.default { type null }\n", None),
        ("pcm.other { type null }\n", "[]"),
        ("pcm.default { type \n", "[]"),
    ],
    ids=["a sound system", "none that PortAudio survives", "a broken configuration"],
)
def test_listing_is_quiet_and_never_fails(tmp_path: Path, config: str, prints: str | None) -> None:
    (tmp_path / "asound.conf").write_text(config)
    env = {**os.environ, "PYTHONPATH": str(DAEMON), "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")}
    code = (
        "import os, sys; from cooee.sound.devices import list_devices; found = list_devices();"
        "print([d.name for d in found]); os.write(2, b'mine')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "mine"
    assert prints is None or done.stdout.strip() == prints


@pytest.mark.slow
def test_only_the_sound_libraries_are_silenced() -> None:
    """What others write meanwhile comes through, even from a child that outlives the silence."""
    code = (
        "import os, subprocess, sys; from cooee.sound import alsa\n"
        "with alsa.exclusive():\n"
        "    os.write(2, b\"Expression 'x' failed in 'y.c', line: 1\\nALSA lib z.c\\n\")\n"
        "    print('a log line', file=sys.stderr)\n"
        "    child = subprocess.Popen(['sh', '-c', 'read x; echo a child >&2'], stdin=subprocess.PIPE)\n"
        "print('afterwards', file=sys.stderr)\n"
        "child.communicate(b'go on\\n')\n"
        "import time; time.sleep(0.2)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(DAEMON)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30)
    assert done.stderr.splitlines() == ["a log line", "afterwards", "a child"]
