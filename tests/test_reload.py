"""The config read anew: what changes at once, what with a restart, and what is refused."""

import dataclasses
from pathlib import Path

import pytest

from cooee import reload
from cooee.config import Config, Faulty, load, parse
from cooee.reload import changes

LAMP = '[actions.lamp]\ntype = "gpio"\npin = {pin}\ndescription = "The lamp"\n'


def test_the_same_again_changes_nothing() -> None:
    found = changes(parse(LAMP.format(pin=17)), parse(LAMP.format(pin=17)))
    assert (found.live, found.later, str(found)) == ((), (), "nothing changed")
    assert found.config == parse(LAMP.format(pin=17))


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("[wake]\nthreshold = 0.7\n", "wake"),
        ("[conversation]\nfollow_up_s = 0.0\n", "conversation"),
        ('[session]\nkeep = "always"\n', "session"),
        ('[agent]\nprompt = "Be brief."\n', "agent"),
        (LAMP.format(pin=18), "actions"),
        ('[service]\nlog_level = "debug"\n', "service"),
    ],
)
def test_what_can_change_at_once_does(text: str, room: str) -> None:
    new = parse(text)
    found = changes(parse(LAMP.format(pin=17) if room == "actions" else ""), new)
    assert (found.live, found.later, str(found)) == ((room,), (), f"[{room}] changed")
    assert found.config == new


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mic]\ngain_db = 3.0\n", "[mic]"),
        ("[speaker]\nvolume = 3\n", "[speaker]"),
        ('[lights]\ntype = "led"\npin = 3\n', "[lights]"),
        ("[button]\npin = 3\n", "[button]"),
        ('[mqtt]\nhost = "broker.local"\n', "[mqtt]"),
        ('[mute]\nswitch = "gpio"\n', "[mute]"),
        ('[agent]\ntype = "deepgram"\n', "[agent]"),
        ("[agent]\noutput_rate_hz = 48000\n", "[agent] output_rate_hz"),
        ('[wake]\nwords = ["alexa"]\n', "[wake] words"),
    ],
)
def test_what_needs_a_restart_stays_as_it_was_and_is_said(text: str, told: str) -> None:
    old = parse("")
    found = changes(old, parse(text))
    assert (found.live, found.later) == ((), (told,))
    assert str(found) == f"nothing changed; {told} will change when the speaker is restarted"
    assert found.config == old
    assert changes(found.config, parse(text)).later == (told,), "it is said again as long as it is true"


def test_a_table_may_change_in_part() -> None:
    found = changes(
        parse(""), parse('[wake]\nwords = ["alexa"]\nthreshold = 0.7\n[mic]\ngain_db = 1.0\n' + LAMP.format(pin=5))
    )
    assert found.config.wake == parse("[wake]\nthreshold = 0.7\n").wake
    assert str(found) == (
        "[wake] and [actions] changed; [mic] and [wake] words will change when the speaker is restarted"
    )


def test_every_table_either_lives_or_needs_a_restart() -> None:
    known = {field.name for field in dataclasses.fields(Config)}
    assert known - reload.LIVE == {"mic", "speaker", "button", "mute", "mqtt", "lights", "file", "warnings"}


def test_a_file_with_faults_is_refused_as_a_whole_and_every_fault_is_logged_without_what_was_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    before = load(file)
    file.write_text('[agent]\nprompt = "Be brief."\nurl = "http://MARKER/"\nkey = "MARKER"\n[speaker]\nvolume = 101\n')
    assert isinstance(reload.read(before), Faulty)
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(": ")[0] for line in told[:-1]] == [f"{file}:{line}" for line in (3, 4, 6)]
    assert '[agent] url: must begin with "ws://"' in told[0]
    assert told[-1] == "the file is refused; the settings stay as they are"
    assert "MARKER" not in caplog.text


def test_a_good_file_is_read_from_where_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    file = tmp_path / "config.toml"
    file.write_text("")
    before = load(file)
    file.write_text('[agent]\nprompt = "Be a MARKER."\n')
    found = reload.read(before)
    assert isinstance(found, reload.Changes)
    assert found and found.config.agent.prompt == "Be a MARKER."
    assert caplog.messages == ["[agent] changed"]
