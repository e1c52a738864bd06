"""config.toml: complete, and refused as a whole with every fault listed."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooee import config, kinds
from cooee import schema as schemas
from cooee.actions import gpio
from cooee.config import Faulty, load, parse

SHIPPED = Path(__file__).parents[1] / "config" / "config.toml"

FAULTS = """\
colour = "red"
[mic]
devise = "usb"
type = "usb"
channel = -1
gain_db = "loud"
[wake]
words = "hey_jarvis"
threshold = 1.5
trigger_frames = 2.5
[conversation]
barge_in = true
follow_up_s = -1
[session]
keep = "ten minutes"
[speaker]
volume = 101
[agent]
type = "embeded"
[lights]
type = "led"
pin = 99
[actions.desk_lamp]
type = "gpio"
pin = 17
[actions."Desk Lamp"]
type = "gpio"
pin = 18
description = "The other lamp"
[actions.fan]
type = "gpio"
pin = 18
description = "The fan"
[actions.door]
type = "gipo"
description = "The door"
[micro]
[service]
log_level = "loud"
api_key = "sk-very-secret"
"""


def faults(text: str) -> list[config.Fault]:
    with pytest.raises(Faulty) as refused:
        parse(text)
    return list(refused.value.faults)


def test_every_fault_is_told_at_once_each_on_its_line() -> None:
    found = faults(FAULTS)
    lines = FAULTS.splitlines()
    assert len(found) == len({(fault.line, fault.setting) for fault in found}) >= 20
    told = {(fault.line, fault.setting) for fault in found}
    for setting in ("devise", "channel", "threshold", "barge_in", "keep", "volume", "log_level", "api_key"):
        assert any(name.endswith(f"] {setting}") and lines[line - 1].startswith(setting) for line, name in told), (
            setting
        )
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)


def test_a_fault_says_what_was_found_what_is_allowed_and_what_was_meant() -> None:
    (fault,) = faults('[mic]\n\ndevise = "usb"\n')
    assert str(fault).startswith("config.toml:3: [mic] devise: no such setting")
    assert 'did you mean "device"?' in str(fault)
    (fault,) = faults("[speaker]\nvolume = 101\n")
    assert str(fault) == "config.toml:2: [speaker] volume = 101: must be less than or equal to 100"
    without, fault = faults('[lights]\ntype = "ledd"\n')
    assert 'did you mean "led"?' in str(fault) and "[lights] pin: must be set" in str(without)


def test_what_may_be_a_key_is_not_printed() -> None:
    assert not any("sk-very-secret" in str(fault) for fault in faults(FAULTS))


def test_a_pin_has_one_owner() -> None:
    text = "".join(
        f'[actions.{name}]\ntype = "gpio"\npin = 17\ndescription = "The {name}"\n' for name in ("lamp", "fan")
    )
    (fault,) = faults(text)
    assert fault.line == 7
    assert "[actions.lamp] already" in fault.allowed


BELL = '[actions.bell]\ntype = "gpio"\npin = 20\nkind = "button"\ndescription = "The bell"\n'
UP = '[actions.up]\ntype = "gpio"\npin = 17\ndescription = "The motor up"\ninterlock = "{}"\n'
DOWN = '[actions.down]\ntype = "gpio"\npin = 18\ndescription = "The motor down"\ninterlock = "{}"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[actions.x]\ntype = "gpio"\npin = 1\ndescription = "The lamp"',
         "[actions.x] pin = 1: is a line to the memory of a HAT; there are 2 to 27"),
        ('[actions.x]\ntype = "gpio"\npin = 28\ndescription = "The lamp"', "[actions.x] pin = 28: must be less than"),
        ('[lights]\ntype = "led"\npin = 18\n[actions.x]\ntype = "gpio"\nkind = "rgb"\nred = 5\ngreen = 18\nblue = 7\n'
         'description = "The strip"', "[actions.x] green = 18: is used by [lights] already"),
        ('[actions.x]\ntype = "gpio"\nkind = "distance"\ntrigger = 5\necho = 17\ndescription = "The car"\n'
         '[actions.y]\ntype = "gpio"\npin = 17\ndescription = "The lamp"',
         "[actions.y] pin = 17: is used by [actions.x] already"),
        (UP.format("down") + DOWN.format(""), 'must be said by both: [actions.down] needs interlock = "up"'),
        (UP.format("dwon") + DOWN.format(""), 'there is no other [actions.dwon]; did you mean "down"?'),
        (UP.format("up"), "there is no other [actions.up]"),
        (UP.format("bell") + BELL, "must be the name of an output; [actions.bell] is none"),
        (BELL + 'on_active = { call = "lmap" }\n[actions.lamp]\ntype = "gpio"\npin = 5\ndescription = "The lamp"',
         '[actions.bell.on_active] call = "lmap": there is no [actions.lmap]; there are lamp; did you mean "lamp"?'),
        (BELL + 'on_active = { call = "bell" }', "can't be this action itself"),
        (BELL + 'on_active.call = "lamp"\n[actions.lamp]\ntype = "gpio"\npin = 5\ndescription = "The lamp"',
         "[actions.bell.on_active] arguments: state is missing; it has to be 'on', 'off'"),
        (BELL + 'on_active = { sya = "Hello." }', 'did you mean "say"?'),
    ],
)  # fmt: skip
def test_things_on_pins_that_do_not_go_together_are_refused(text: str, says: str) -> None:
    (fault,) = faults(text)
    assert says in str(fault)


def test_two_outputs_that_name_each_other_and_a_bell_that_rings_are_no_fault() -> None:
    assert parse(UP.format("down") + DOWN.format("up")).actions["up"].interlock == "down"
    assert parse(BELL + 'on_active = { say = "Hello.", call = "set_volume", arguments = { level = 10 } }')


def test_the_fault_of_one_table_does_not_hide_what_another_says_of_it() -> None:
    (fault,) = faults(UP.format("down") + DOWN.format("up") + "pulse_s = 99.0\n")
    assert "[actions.down] pulse_s" in str(fault)


@pytest.mark.parametrize("text", ["[mic", "mic = ", "[mic]\ndevice = usb", "\x00"])
def test_what_is_no_toml_is_one_sentence_with_its_line(text: str) -> None:
    (fault,) = faults(text)
    assert fault.line >= 1
    assert "not TOML" in str(fault)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[lights]\ntype = "none"\n[lights]\ntype = "led"\n', "config.toml:3: [lights]: [lights] stands twice"),
        (
            '[lights]\ntype = "led"\npin = 4\n[lights.looks]\n[lights.looks]\n',
            "config.toml:5: [lights.looks]: [lights.looks] stands twice",
        ),
        ("[speaker]\nvolume = 1\nvolume = 2\n", "config.toml:3: not TOML: this setting stands twice"),
    ],
)
def test_what_stands_twice_is_said_without_talk_of_quotes(text: str, says: str) -> None:
    (fault,) = faults(text)
    assert str(fault) == f"{says}; keep one of them"


def test_quotes_are_spoken_of_where_they_may_be_missing() -> None:
    assert "strings need quotes" in str(faults("[mic]\ndevice = usb")[0])
    assert "quotes" not in str(faults("[mic")[0])


@pytest.mark.parametrize(
    ("value", "says"),
    [("1" * 5000, "thousands of digits"), ("0x" + "f" * 9000, "thousands of digits"), ("[" * 20000, "too deeply")],
)
def test_what_python_cannot_read_is_one_sentence_on_its_line(value: str, says: str) -> None:
    (fault,) = faults(f"[speaker]\n\nvolume = {value}\n")
    assert fault.line == 3 and says in str(fault) and len(str(fault)) < 200


@pytest.mark.parametrize("parts", [300, 5000])
def test_a_very_long_dotted_name_is_one_sentence(parts: int) -> None:
    lamp = '[actions.lamp]\ntype = "http"\ndescription = "The lamp"\nurl = "http://lamp/"\nmethod = "POST"\n'
    (fault,) = faults(f"{lamp}body{'.a' * parts} = 1\n")
    assert fault.line == 6 and "too deeply" in str(fault)


@pytest.mark.parametrize("between", ["\u2028", "\u0085", "\u2029", "\u001c"])
def test_a_line_ends_where_an_editor_ends_it(between: str) -> None:
    text = f"# one{between}line\n[speaker]\nvolume = 101\n"
    assert faults(text)[0].line == (1 if between == "\u001c" else 3)
    assert faults(f'# one{between}line\n[speaker]\ndevice = "x')[0].line == (1 if between == "\u001c" else 3)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf[speaker]\nvolume = 7\n")
    assert load(tmp_path / "config.toml").speaker.volume == 7


def test_a_pipe_or_a_folder_is_no_config_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(Faulty, match="no regular file"):
            load(path)


SECRETS = """\
[agent]
type = "deepgram"
key_file = 5
url = "http://user:SECRET@x/"
[actions.one]
type = "http"
description = "One"
url = "ftp://user:SEC/RET@x/"
headers = "SECRET"
body = "SECRET"
[actions.two]
type = "command"
description = "Two"
command = "SECRET"
env = { TOKEN = ["SECRET"] }
[actions.three]
type = "command"
description = "Three"
command = ["say", "SECRET {"]
[[actions.four]]
env = "SECRET"
"""


def test_no_value_that_may_be_a_secret_is_shown() -> None:
    told = "\n".join(map(str, faults(SECRETS)))
    assert "SECRET" not in told and "RET@" not in told
    for setting in ("key_file", "url", "headers", "body", "command", "TOKEN", "[actions.three]", "[actions.four]"):
        assert setting in told, setting


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[wake]\nwords = []", "[wake] words = []: must not be empty"),
        ("[wake]\nwords = [5]", "[wake] words = 5: must be text in quotes"),
        ('[agent]\ntype = "deepgram"\nlisten.model = ""', '[agent.listen] model = "": must not be empty'),
        ('[actions]\nx = {type = "command", description = "what", command = ["a", "{y}"], parameters = {y = 5}}',
         "[actions.x.parameters] y = 5: must be a table"),
        ('[actions]\nx = {type = "command", description = "what", command = ["a"], parameters = {Y = {type="string"}}}',
         "[actions.x.parameters] Y: a name is lower-case"),
        ('[actions]\nx = {type = "gpio", description = "    ", pin = 5}', "must say in words what it is"),
        ('[lights]\ntype = "rgb"\nred = 5\ngreen = 6\nblue = 7\nlooks.asleeep = "red"', 'did you mean "asleep"?'),
        ('[mic]\ntype = "file"', 'must name a WAV file when type is "file"'),
        ('[speaker]\ntype = "file"', 'must name a WAV file when type is "file"'),
        ('[mic]\ntype = "file"\nfile = "not-there.wav"', "there is no such file"),
        ('[agent]\nurl = "http://127.0.0.1/"', '"ws://" or "wss://"'),
        ('[agent]\nurl = "ws://"', '"ws://" or "wss://"'),
        ('[agent]\nurl = "ws://host:99999/"', "is no URL"),
    ],
)  # fmt: skip
def test_each_fault_is_said_in_the_words_of_the_file(text: str, says: str) -> None:
    (fault,) = faults(text)
    assert says in str(fault)


def test_two_actions_that_say_the_same_are_refused() -> None:
    (fault,) = faults(
        '[actions.one]\ntype = "gpio"\npin = 5\ndescription = "The lamp"\n'
        '[actions.two]\ntype = "gpio"\npin = 6\ndescription = "the  lamp"\n'
    )
    assert fault.line == 8 and "[actions.one] has the same one" in str(fault)


def test_no_fault_hides_behind_another_of_the_same_table() -> None:
    found = faults(
        '[wake]\nthreshold = 7\nwords = ["hey_jarvs", 5]\n'
        '[lights]\ntype = "led"\npin = 17\nbrightness = 700\n'
        '[actions.lamp]\ntype = "gpio"\npin = 17\n'
    )
    assert {(each.line, each.setting) for each in found} == {
        (2, "[wake] threshold"),
        (3, "[wake] words"),
        (7, "[lights] brightness"),
        (8, "[actions.lamp] description"),
        (10, "[actions.lamp] pin"),
    }
    assert any("hey_jarvis" in each.allowed for each in found)


def test_what_a_table_says_as_a_whole_does_not_wait_for_its_smaller_faults() -> None:
    found = faults(
        '[actions.heating]\ntype = "http"\ndescription = "x"\nurl = "http://10.0.0.1/{celcius}"\nmethode = "GET"\n'
        '[actions.heating.parameters.celsius]\ntype = "integr"\n'
        '[actions.door]\ntype = "gpio"\npin = 5\nkind = "puls"\n'
        '[actions.bell]\ntype = "gpio"\nkind = "button"\npin = "6"\non_active = { call = "dor" }\n'
        'description = "y"\n[actions.mcp]\ntype = "mpc"\ndescription = "Notes"\n'
    )
    told = [(each.line, each.setting, each.allowed.split("; did")[0]) for each in found]
    assert [each for each in told if each[0] not in (7, 11)] == [
        (3, "[actions.heating] description", "must have at least 3 characters"),
        (4, "[actions.heating]", "{celcius} is no parameter: there is no [actions.heating.parameters.celcius]"),
        (5, "[actions.heating] methode", "no such setting"),
        (8, "[actions.door] description", "must be set"),
        (15, "[actions.bell] pin", "must be a whole number, without quotes"),
        (16, "[actions.bell.on_active] call", "there is no [actions.dor]; there are heating, door, mcp"),
        (17, "[actions.bell] description", "must have at least 3 characters"),
        (18, "[actions.mcp]", "needs either url or command"),
        (19, "[actions.mcp] type", told[-1][2]),
    ]  # fmt: skip
    assert any(each.line == 11 and "needs pulse_s" in each.allowed for each in found)


def test_a_fault_of_a_whole_table_stands_where_it_is_mended() -> None:
    found = faults(
        '[actions.vent]\ntype = "gpio"\nkind = "servo"\npin = 9\ndescription = "The vent"\n\nmin_angle = 90\n'
        'max_angle = 10\ninitial_angle = 300\n[actions.plug]\ntype = "mqtt"\ndescription = "The plug"\ntopic = "a"\n'
        'payload = "{\'a\': 1}"\n[actions.tea]\ntype = "http"\ndescription = "The tea"\nurl = "http://10.0.0.2/"\n'
        '[actions.tea.parameters.x]\ntype = "integer"\nminimum = 3\nmaximum = 1\n'
    )
    assert [(each.line, each.setting) for each in found] == [
        (7, "[actions.vent]"),
        (9, "[actions.vent]"),
        (11, "[actions.plug] type"),
        (14, "[actions.plug]"),
        (19, "[actions.tea]"),
        (21, "[actions.tea.parameters.x]"),
    ]


def test_a_line_that_can_not_be_read_hides_no_other_fault_and_makes_none() -> None:
    found = faults(
        '[mic]\ndevice = usb\n[speaker]\nvolume = 101\n[actions.lamp]\ntype = "gpio"\npin = 1O\n'
        'description = "The lamp"\n[mqtt]\nhost = broker\n[actions.plug]\ntype = "mqtt"\ntopic = "a"\n'
        'description = "The plug"\ndescription = "The plug"\n'
    )
    assert [each.line for each in found] == [2, 4, 7, 10, 15]
    twice = '[lights]\ntype = "none"\n[lights]\ntype = "led"\npin = 99\n[lights.looks]\n[speaker]\nvolume = 101\n'
    assert [each.line for each in faults(twice)] == [3, 8]
    assert [each.line for each in faults("[mic]\ndevice = usb\n[speaker\nvolume = 101\n")] == [2, 3]
    assert [each.line for each in faults("[wake]\nwords = [\n  oops,\n]\n")] == [3]


COMMAND = '[actions.run]\ntype = "command"\ndescription = "Runs it"\ncommand = {}\n'
MQTT = '[actions.plug]\ntype = "mqtt"\ndescription = "The plug"\ntopic = "plug/set"\n'
HTTP = '[actions.car]\ntype = "http"\ndescription = "The car"\nurl = "http://{}/"\n'
FLUX = '[agent]\ntype = "deepgram"\nlisten = {{ eot_threshold = {} }}\n'
THINK = '[agent]\ntype = "deepgram"\nthink.type = "open_ai"\nthink.model = "m"\nthink.endpoint.url = "http://{}/"\n'
DOOR = '[actions.door]\ntype = "gpio"\npin = 5\nkind = "pulse"\npulse_s = 0.5\ndescription = "The door"\n'
RINGS = f'{BELL}on_active = {{ call = "door" }}\n{DOOR}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MQTT, '2: [actions.plug] type = "mqtt": needs a broker: set [mqtt] host'),
        (HTTP.format("8.8.8.8"), "4: [actions.car] url: is outside the home network, which allow_public = true"),
        (HTTP.format("[2001:4860:4860::8888]"), "4: [actions.car] url: is outside the home network"),
        (RINGS + 'risk = "confirm"\n', '6: [actions.bell.on_active] call = "door": [actions.door] asks for a yes'),
        (RINGS + 'risk = "deny"\n', '6: [actions.bell.on_active] call = "door": [actions.door] has risk = "deny"'),
        (BELL + 'on_active = { call = "home_lights" }\n[actions.home]\ntype = "home_assistant"\nrisk = "confirm"\n'
         'description = "The home"\n', '6: [actions.bell.on_active] call = "home_lights": [actions.home] asks for'),
        (FLUX.format(1), "3: [agent.listen] eot_threshold = 1: only a held button would end a turn"),
        (THINK.format("192.168.1.5"), "5: [agent.think.endpoint] url: is an address in your home"),
    ],
)  # fmt: skip
def test_what_will_never_work_is_a_fault(text: str, says: str) -> None:
    (fault,) = faults(text)
    assert f"config.toml:{says}" in str(fault)


@pytest.mark.parametrize(
    "text",
    [
        MQTT + '[mqtt]\nhost = "broker"\n',
        HTTP.format("192.168.1.5"),
        HTTP.format("8.8.8.8") + "allow_public = true\n",
        HTTP.format("car.example.org"),
        RINGS + 'risk = "safe"\n',
        BELL
        + 'on_active = { call = "home_lights" }\n[actions.home]\ntype = "home_assistant"\ndescription = "A home"\n',
        FLUX.format(0.9),
        FLUX.format(1) + '[button]\ntype = "gpio"\ntalk = "hold"\n',
        THINK.format("8.8.8.8"),
        THINK.format("192.168.1.5") + 'url = "ws://192.168.1.6/"\n',
    ],
)
def test_what_may_work_is_none(text: str) -> None:
    assert parse(text)


KEYED = HTTP.format("10.0.0.1/?{}") + "headers = {}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (COMMAND.format('["no-such-program"]'), "4: warning: [actions.run] command: there is no such program here"),
        (COMMAND.format('["sh -c"]'), "each word is a string of its own"),
        (COMMAND.format('["sh"]') + 'env = { API_TOKEN = "geheim" }', "env] API_TOKEN: looks like a key"),
        (COMMAND.format('["sh"]') + 'env = { A = "secret:COOEE_NOT_THERE" }', "env] A: this key is not here"),
        (KEYED.format("a=b", '{ X-Auth = "geheim" }'), "5: warning: [actions.car.headers] X-Auth: looks like a key"),
        (KEYED.format("a=b", '{ Authorization = "Bearer secret:COOEE_NOT_THERE" }'), "Authorization: this key is not"),
        (KEYED.format("token=geheim", "{}"), "4: warning: [actions.car] url: looks like it holds a key"),
        ('[mqtt]\nhost = "broker"\npassword = "secret:/not/there"\n', "3: warning: [mqtt] password: there is no such"),
        ('[mqtt]\nca_file = "/not/there"\n', "2: warning: [mqtt] ca_file: there is no such file here"),
        ('[agent]\ntype = "deepgram"\n', '2: warning: [agent] type = "deepgram": DEEPGRAM_API_KEY is not set'),
        ('[agent]\ntype = "deepgram"\nkey_file = "/not/there"\n', "3: warning: [agent] key_file: there is no such"),
        ('[agent]\ntype = "deepgram"\nkey_file = "~no-such-user/key"\n', "[agent] key_file: there is no such file"),
    ],
)  # fmt: skip
def test_what_may_not_work_here_is_a_warning(text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    (warning,) = parse(text).warnings
    assert says in str(warning) and "geheim" not in str(warning)
    with pytest.raises(Faulty) as refused:
        parse(f"{text}\n[nonsense]\n")
    assert says in str(refused.value) and len(refused.value.faults) == 1


def test_what_is_here_is_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COOEE_THERE", "k")
    text = KEYED.format("key={key}", '{ Authorization = "Bearer secret:COOEE_THERE", X-Id = "7", X-Monkey = "8" }')
    assert not parse(text + '[actions.car.parameters.key]\ntype = "string"\n').warnings
    assert not parse(COMMAND.format('["sh", "-c", "true"]') + 'env = { A = "b" }').warnings


@pytest.mark.parametrize(
    "text",
    [
        '[agent]\ntype = "deepgram"\napi_key = "geheim"\n',
        '[mqtt]\npassword = "geheim"\n',
        KEYED.format("a=b", '{ Authorization = "geheim" }'),
        '[actions.home]\ntype = "home_assistant"\ndescription = "The home"\ntoken = "geheim"\n',
    ],
)
def test_a_key_in_the_file_is_a_fault_that_does_not_show_it(text: str) -> None:
    (fault,) = faults(text)
    assert "geheim" not in str(fault) and re.search("key|token", fault.allowed)


def test_an_unknown_setting_is_answered_with_what_is_near_or_what_that_kind_has() -> None:
    (fault,) = faults(f"{BELL}debounce = 20\n")
    assert fault.allowed == 'no such setting; did you mean "debounce_ms"?'
    (fault,) = faults(f"{BELL}wattage = 20\n")
    assert "active_text" in fault.allowed and "fade_s" not in fault.allowed and "red" not in fault.allowed.split(", ")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Faulty, match="can't be read: No such file"):
        load(tmp_path / "config.toml")
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Faulty, match="not UTF-8"):
        load(tmp_path / "config.toml")


def test_lines_inside_a_long_string_are_no_settings() -> None:
    text = '[agent]\nprompt = """\n[mic]\nvolume = 3\n"""\n[speaker]\nvolume = 300\n'
    (fault,) = faults(text)
    assert fault.line == 7


def test_a_lamp_needs_three_lines() -> None:
    read = parse('[actions.desk_lamp]\ntype = "gpio"\npin = 17\ndescription = "The lamp on the desk"\n')
    assert list(read.actions) == ["desk_lamp"]


def test_an_empty_file_is_the_default_speaker() -> None:
    read = parse("")
    assert read.agent.type == "embedded"
    assert read.lights.type == "none"


def blocks(text: str) -> dict[str, dict[str, object]]:
    """The shipped file's tables, settings that are commented out included; keyed by header and type."""
    found: dict[str, dict[str, object]] = {}
    plain = re.sub(r"^#(?=[\[\w])", "", text, flags=re.M)
    for block in re.split(r"^(?=\[)", plain, flags=re.M)[1:]:
        header, body = block.split("\n", 1)
        table = tomllib.loads(body)
        name = header.strip("[]")
        found[f"{name}/{table['type']}" if "type" in table else name] = table
    return found


def test_the_shipped_file_has_no_fault() -> None:
    assert "desk_lamp" in load(SHIPPED).actions


def test_the_shipped_file_names_every_setting_with_its_default() -> None:
    shipped = blocks(SHIPPED.read_text(encoding="utf-8"))
    for room, model in config.ROOMS.items():
        mentioned = next(table for name, table in shipped.items() if name.split("/")[0] == room)
        assert set(mentioned) == set(model.model_fields), room
        for name, field in model.model_fields.items():
            assert mentioned[name] == field.default, f"[{room}] {name}"
    for room in (*config.KINDS, "actions"):
        for kind in kinds.names(room):
            mine = [name for name, table in shipped.items() if name.split(".")[0] == room and table.get("type") == kind]
            mine = [f"{room}/{kind}"] if room in config.KINDS else mine
            mentioned = {key for name in mine for key in shipped[name]}
            # A table below one of ours, such as [lights.looks], is a setting too.
            mentioned |= {name.split("/")[0].split(".")[-1] for name in shipped if name.startswith(f"{room}.")}
            mentioned |= {name.split(".")[2] for name in shipped if name.count(".") > 2}
            missing = set(kinds.settings(room, kind).model_fields) - mentioned
            assert not missing, f"[{room}] type = {kind}: {missing}"
            for name in mine if room in config.KINDS else ():
                for key, field in kinds.settings(room, kind).model_fields.items():
                    if not field.is_required() and isinstance(field.default, str | int | float):
                        assert shipped[name][key] == field.default, f"[{room}] type = {kind}: {key}"


def test_each_commented_table_of_the_shipped_file_would_be_accepted() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    for name, table in blocks(text).items():
        if "." in name or "type" not in table or name.split("/")[0] not in config.KINDS:
            continue
        room = name.split("/")[0]
        assert kinds.settings(room, str(table["type"])).model_validate(table)


def test_every_thing_on_a_pin_of_the_shipped_file_would_be_accepted_and_shows_all_that_it_can_be() -> None:
    shipped = blocks(SHIPPED.read_text(encoding="utf-8"))
    tables = {name.split("/")[0].split(".")[1]: table for name, table in shipped.items() if name.endswith("/gpio")}
    assert {table.get("kind", "output") for table in tables.values()} == set(gpio.FAMILIES) - {
        "sensor",
        "motion",
        "line",
    }
    settings = {name: gpio.Settings.model_validate(table) for name, table in tables.items()}
    pins = [pin for each in settings.values() for pin in each.pins()]
    assert len(pins) == len(set(pins))
    for name, each in settings.items():
        assert not list(each.misfits(name, settings, config.BUILT_IN))


def test_all_actions_of_the_shipped_file_could_be_in_force_together() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    actions = text[text.index("\n# What the speaker can do") :]
    plain = re.sub(r"^#(?=[\[\w])", "", actions, flags=re.M)
    assert len(parse(f'{plain}\n[mqtt]\nhost = "broker"\n').actions) > 20


def test_the_schema_knows_every_room() -> None:
    schema = schemas.schema()
    assert set(schema["properties"]) == {*config.ROOMS, *config.KINDS, "actions", "personas"}
    assert schema["properties"]["speaker"]["properties"]["volume"]["maximum"] == 100
    assert schema["properties"]["speaker"]["properties"]["volume"]["description"]


@given(st.text(max_size=200))
def test_no_text_ends_in_anything_but_a_config_or_faults(text: str) -> None:
    try:
        parse(text)
    except Faulty as refused:
        assert refused.faults


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


@given(
    st.sampled_from([*config.ROOMS, *config.KINDS]),
    st.dictionaries(st.sampled_from(["type", "device", "words", "keep", "volume", "pin", "url"]), LEAVES, max_size=4),
)
def test_no_value_ends_in_anything_but_a_config_or_faults(room: str, table: dict[str, object]) -> None:
    body = "\n".join(f"{name} = {_written(value)}" for name, value in table.items())
    try:
        parse(f"[{room}]\n{body}\n")
    except Faulty as refused:
        assert all(fault.line >= 1 for fault in refused.faults)


SETTINGS = sorted({name for kind in kinds.names("actions") for name in kinds.settings("actions", kind).model_fields})
VALUES = LEAVES | st.just({}) | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(SETTINGS), LEAVES)


@given(
    st.sampled_from([*kinds.names("actions"), "gpoi"]),
    st.dictionaries(st.sampled_from([*SETTINGS, "pinn", "methode"]), VALUES, max_size=6),
)
def test_no_action_ends_in_anything_but_a_config_or_faults(kind: str, table: dict[str, object]) -> None:
    body = "\n".join(f"{name} = {_written(value)}" for name, value in table.items() if name != "type")
    try:
        parse(f'[actions.x]\ntype = "{kind}"\n{body}\n[actions.x.parameters.y]\ntype = "text"\n')
    except Faulty as refused:
        assert all(fault.line >= 1 for fault in refused.faults)


def _written(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_written(each)}' for name, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return '"' + re.sub(r'["\\\x00-\x1f\x7f]', "", value) + '"'
    return str(value).lower() if value is not None else "[]"


def test_the_file_is_found_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COOEE_CONFIG", str(tmp_path / "mine.toml"))
    assert config.find() == tmp_path / "mine.toml"
