"""[agent] with its tables in config.toml: every fault on its line, every setting in the shipped file."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from cooee import config, schema
from cooee.agent import Persona, _speak, _think, deepgram, embedded, stand_in
from cooee.agent._listen import Listen
from cooee.config import Faulty, parse

SHIPPED = Path(__file__).parents[2] / "config" / "config.toml"
DEEPGRAM = '[agent]\ntype = "deepgram"\n'
ENDPOINT = 'endpoint = { url = "https://x.example/" }\n'


def told(text: str) -> list[str]:
    with pytest.raises(Faulty) as refused:
        parse(DEEPGRAM + text)
    return [str(fault).removeprefix("config.toml:") for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[agent.think]\n\ntype = "openai"', '5: [agent.think] type = "openai": must be one of open_ai, anthropic'),
        ('[agent.think]\ntype = "openai"', 'did you mean "open_ai"?'),
        ("[agent.think]\ntemprature = 1", "4: [agent.think] temprature: no such setting"),
        ("[agent.think]\ntemprature = 1", 'did you mean "temperature"?'),
        ("[agent.think]\ntemperature = 2.5", "4: [agent.think] temperature = 2.5: must be less than or equal to 2"),
        ('[agent.think]\ntype = "anthropic"', "3: [agent.think] model: must be set"),
        ('[agent.think]\ntype = "groq"', "3: [agent.think] endpoint: must be set"),
        ("[agent.think]\ncontext_length = 5", "4: [agent.think] context_length = 5: can only be set together with"),
        (f'[agent.think]\ntype = "deepgram"\nmodel = "m"\n{ENDPOINT}', "6: [agent.think.endpoint]: can't be set"),
        ("think = []", "3: [agent] think = []: must not be empty"),
        ("think = 5", "3: [agent] think = 5: must be a table"),
        ('[agent.listen]\nmodel = "nova-3"\neot_threshold = 0.7', "5: [agent.listen] eot_threshold = 0.7: can't be"),
        ('[agent.listen]\nlanguage = "de"', '4: [agent.listen] language = "de": can\'t be set for flux-general-en'),
        ('[agent.listen]\nlanguage_hints = ["de"]', "only flux-general-multi has that"),
        ("[agent.listen]\neot_timeout_ms = 100", "4: [agent.listen] eot_timeout_ms = 100: must be greater than or equ"),
        ('[agent.listen]\nmodel = "nova-2"\nkeyterms = ["a"]', "5: [agent.listen] keyterms = "),
        ("[agent.speak]\nspeed = 0.5", "4: [agent.speak] speed = 0.5: must be from 0.7 to 1.5 for an Aura voice"),
        ('[agent.speak]\nmodel = "flux-a"\nspeed = 0.52', "5: [agent.speak] speed = 0.52: must be in steps of 0.05"),
        ("[agent.speak]\nexpressivity = 1", "4: [agent.speak] expressivity = 1: can only be set for a Flux voice"),
        (f'[agent.speak]\ntype = "cartesia"\nmodel_id = "m"\n{ENDPOINT}voice.idd = "x"', 'did you mean "id"?'),
        ('key_file = "/k"\ntoken_command = ["k"]', "4: [agent] token_command: can't be set together with key_file; ke"),
        ('token_url = "http://x.example/"', '3: [agent] token_url: must begin with "https://"'),
        ('id = "5"', '3: [agent] id = "5": is no id'),
        ('fallback = "deepgram"', '3: [agent] fallback = "deepgram": must be "embedded", or "" for none'),
        ('region = "euu"', '3: [agent] region = "euu": must be \'us\', \'eu\', \'au\' or \'in\'; did you mean "eu"?'),
        ("[personas.a]\nvoise = 1", '4: [personas.a] voise: no such setting; did you mean "voice"?'),
        ('[personas.a]\nwake_word = "alexia"', '4: [personas.a] wake_word = "alexia": is none of [wake] words: hey_'),
        ('[personas.a]\nlanguage = "German please"', '4: [personas.a] language = "German please": must be a language'),
        ("[personas.Butler]", "3: [personas.Butler]: a name is lower-case letters"),
        ("[personas]\na = 5", "4: [personas] a = 5: must be a table: [personas.a]"),
    ],
)  # fmt: skip
def test_each_fault_is_said_on_its_line_in_the_words_of_the_file(text: str, fault: str) -> None:
    assert any(fault in each for each in told(text)), told(text)


def test_each_table_of_a_list_has_its_own_lines() -> None:
    text = '[[agent.think]]\nmodel = ""\n[[agent.think]]\ntype = "google"\n[agent.think.endpoint]\nurl = "ftp://x"\n'
    text += '[[agent.think]]\ntype = "anthropic"\nmodel = "m"\ntemperature = 1.5\n'
    assert [each.split(":")[0] for each in told(text)] == ["4", "5", "8", "12"]
    assert told('think = [{ model = "" }, { type = "google" }]') == [
        '3: [agent.think] model = "": must not be empty',
        "3: [agent.think] model: must be set",
    ]


def test_no_key_is_shown_whatever_is_wrong_with_it() -> None:
    text = """
token_command = "SECRET"
token_headers = { Authorization = "Bearer SECRET" }
[[agent.think]]
endpoint = { url = "https://user:SECRET@x/", headers = { Authorization = "SECRET" } }
[[agent.think]]
endpoint = { url = "ftp://x/?key=SECRET", headers = "SECRET" }
[[agent.speak]]
type = "aws_polly"
credentials = { type = "sts", access_key_id = "SECRET", secret_access_key = ["SECRET"], session_token = "SECRET" }
"""
    found = "\n".join(told(text))
    assert "SECRET" not in found
    for setting in ("token_command", "token_headers", "url", "headers", "access_key_id", "secret_access_key"):
        assert setting in found
    assert "token_url: is no URL" in told('token_url = "https://x:SECRET/"')[0]
    assert "SECRET" not in told('token_url = "https://x:SECRET/"')[0]


def test_short_lived_credentials_need_their_token_and_others_have_none() -> None:
    keys = 'region = "r", access_key_id = "secret:A", secret_access_key = "secret:B"'
    speak = f'[agent.speak]\ntype = "aws_polly"\nvoice = "Joanna"\nlanguage = "en-US"\n{ENDPOINT}credentials = '
    for wrong in (f'{{ type = "sts", {keys} }}', f'{{ {keys}, session_token = "secret:C" }}'):
        assert any("session_token" in each for each in told(speak + wrong))
    parse(f'{DEEPGRAM}{speak}{{ type = "sts", {keys}, session_token = "secret:C" }}')


def test_one_table_is_a_list_of_one_and_what_it_does_not_say_is_the_usual() -> None:
    read = parse(f'{DEEPGRAM}[agent.think]\nmodel = "gpt-5"\n[agent.speak]\nmodel = "aura-2-zeus-en"\n').agent
    assert read == deepgram.Settings(
        think=[_think.OpenAi(model="gpt-5")], speak=[_speak.Deepgram(model="aura-2-zeus-en")]
    )
    assert parse(DEEPGRAM).agent == deepgram.Settings()


def test_a_wake_word_calls_one_persona() -> None:
    words = '[wake]\nwords = ["hey_jarvis", "alexa"]\n'
    read = parse(f'{words}[personas.butler]\nwake_word = "alexa"\nvoice = "v"\n[personas.cook]\nprompt = "You cook."\n')
    assert read.personas["butler"].wake_word == "alexa" and read.personas["cook"].prompt == "You cook."
    twice = '[personas.a]\nwake_word = "hey_jarvis"\n[personas.b]\nwake_word = "hey_jarvis"\n'
    assert told(twice) == ['6: [personas.b] wake_word = "hey_jarvis": calls [personas.a] already']
    assert Persona() == Persona("", "", "")


def test_the_stand_in_speaks_at_the_same_rate_and_there_may_be_none() -> None:
    agent = stand_in(deepgram.Settings(output_rate_hz=48000, prompt="Be kind."))
    assert isinstance(agent, embedded.Embedded)
    assert agent.output_rate_hz == 48000 and agent.rate_usd_per_min == 0.0
    assert stand_in(deepgram.Settings(fallback="")) is None
    assert stand_in(embedded.Settings()) is None


PLACES = """\
[agent]
type = "deepgram"
prompt = "Be kind."
tags = []
[agent.listen]
model = "flux-general-en"
[[agent.think]]
model = "gpt-5"
[[agent.think]]
type = "google"
model = "gemini"
[agent.speak]
model = "aura-2-zeus-en"
[actions.lamp]
type = "gpio"
"""


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("agent.listen.provider.model", "[agent.listen] model, line 6"),
        ("agent.listen.provider.eot_threshold", "[agent.listen], line 5"),
        ("agent.think.provider.model", "[agent.think], line 7"),
        ("agent.think[1].provider.model", "[agent.think] model, line 11"),
        ("agent.think[1].provider.temperature", "[agent.think], line 9"),
        ("agent.think[0].functions[3].name", "[actions], line 14"),
        ("agent.think.prompt", "[agent] prompt, line 3"),
        ("agent.speak.provider.model", "[agent.speak] model, line 13"),
        ("agent.greeting", "[agent], line 1"),
        ("agent", "[agent], line 1"),
        ("tags", ""),
        ("audio.output.sample_rate", "[agent], line 1"),
        ("", ""),
        ("agent[", "[agent], line 1"),
    ],
)
def test_what_the_agent_objects_to_is_found_in_the_file(place: str, where: str, tmp_path: Path) -> None:
    assert config.where(PLACES, place) == where
    file = tmp_path / "config.toml"
    file.write_text(PLACES)
    shown = config.parse("", str(file))
    assert config.where(shown, place) == (f"{where} of {file}" if where else "")
    file.unlink()
    assert config.where(shown, place) == ""


def examples() -> list[tuple[str, dict[str, Any]]]:
    """The shipped file's examples of tables of the agent's, without their #."""
    plain = re.sub(r"^#(?=[\[\w])", "", SHIPPED.read_text(encoding="utf-8"), flags=re.M)
    blocks = [block.split("\n", 1) for block in re.split(r"^(?=\[)", plain, flags=re.M)[1:]]
    return [(header.strip("[]"), tomllib.loads(body)) for header, body in blocks if header.strip("[]").count(".") == 1]


@pytest.mark.parametrize(("table", "union"), [("think", _think.Think), ("speak", _speak.Speak)])
def test_the_shipped_file_shows_all_that_each_maker_has(table: str, union: Any) -> None:
    shown = [each for name, each in examples() if name == f"agent.{table}"]
    for model in get_args(get_args(union)[0]):
        kind = model.model_fields["type"].annotation.__args__[0]
        mine = [each for each in shown if each["type"] == kind]
        assert mine and all(model.model_validate(each) for each in mine), kind
        there = {name for name, field in model.model_fields.items() if field.annotation is not type(None)}
        assert set().union(*mine) == there, kind


def test_the_shipped_file_shows_all_that_an_ear_has() -> None:
    shown = [each for name, each in examples() if name == "agent.listen"]
    assert all(Listen.model_validate(each) for each in shown)
    assert set().union(*shown) == set(Listen.model_fields)


def test_the_shipped_files_deepgram_is_the_default_one() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    begin, end = text.index('#[agent]\n#type = "deepgram"'), text.index("# All that an ear can be.")
    plain = re.sub(r"^#(?=[\[\w])", "", text[begin:end], flags=re.M)
    assert parse(plain).agent == deepgram.Settings()


def test_the_shipped_persona_names_every_setting() -> None:
    (shown,) = [each for name, each in examples() if name == "personas.butler"]
    model = type(parse("[personas.butler]\n").personas["butler"])
    assert isinstance(model, type) and issubclass(model, BaseModel)
    assert shown == {name: field.default for name, field in model.model_fields.items()}


def test_an_editor_takes_one_table_or_several() -> None:
    (agent,) = [each for each in schema.schema()["properties"]["agent"]["anyOf"] if "think" in each["properties"]]
    kinds = [each.get("type", "one") for each in agent["properties"]["think"]["anyOf"]]
    assert kinds == ["one", "array"]
