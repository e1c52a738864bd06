"""What Home Assistant would see and could want, without a broker."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooee import effects as do
from cooee import events as on
from cooee.effects import Outcome, Phase
from cooee.mqtt.client import Message
from cooee.mqtt.discovery import ENTITIES, TEXT_LIMIT, Identity, messages
from cooee.mqtt.mirror import BY, HELD, Mirror, VolumeWanted
from cooee.trouble import Trouble

HALL = Identity("hall", "cooee/hall", "Hall speaker", "Hall", "1.2.3")


@pytest.fixture
def mirror() -> Mirror:
    return Mirror(HALL, 70)


def test_a_phase_is_a_state_that_is_kept_and_told_once(mirror: Mirror) -> None:
    shown = mirror.watch(do.Show(Phase.LISTENING))
    assert shown == [Message("cooee/hall/state", "listening", retain=True)]
    assert mirror.watch(do.Show(Phase.LISTENING, fault="no microphone")) == []


def test_mute_is_the_capture_device_and_not_the_phase(mirror: Mirror) -> None:
    assert mirror.watch(do.Capture(on=False)) == []
    assert mirror.watch(on.MicShut()) == [Message("cooee/hall/mute", "ON", retain=True)]
    assert mirror.watch(do.Show(Phase.SPEAKING))[0].topic == "cooee/hall/state"
    assert mirror.watch(do.Capture(on=True)) == [Message("cooee/hall/mute", "OFF", retain=True)]
    assert mirror.watch(on.MicShut()) == [], "one that was on its way when it was opened again"


def test_what_the_switch_holds_is_said_where_somebody_unmutes(mirror: Mirror) -> None:
    for item in (on.Muted("switch", is_switch=True), do.Capture(on=False), on.MicShut()):
        mirror.watch(item)
    told = {each.topic: each.payload for each in mirror.watch(on.Unmuted(BY))}
    assert told == {"cooee/hall/error": HELD, "cooee/hall/mute": "ON"}
    mirror.watch(on.Unmuted("switch", is_switch=True))
    assert mirror.watch(on.Unmuted(BY)) == []


def test_a_wake_happened_and_is_not_kept(mirror: Mirror) -> None:
    (woken,) = mirror.watch(on.Heard(b"", wake="hey_jarvis"))
    assert (woken.topic, woken.retain) == ("cooee/hall/wake", False)
    assert json.loads(woken.payload) == {"event_type": "wake", "by": "hey jarvis"}
    assert json.loads(mirror.watch(on.Heard(b"", wake="/home/me/hey_you.onnx"))[0].payload)["by"] == "hey you"
    assert json.loads(mirror.watch(on.Summoned("button"))[0].payload)["by"] == "button"
    assert mirror.watch(on.Heard(b"")) == []


def test_the_last_error_is_a_sentence_that_fits_a_state(mirror: Mirror) -> None:
    (lost,) = mirror.watch(on.MicLost("x" * 400))
    assert lost == Message("cooee/hall/error", "x" * TEXT_LIMIT, retain=True)
    assert mirror.watch(on.SessionDown("the agent hung up", Trouble.VENDOR))[0].payload == "the agent hung up"
    assert mirror.watch(on.SessionDown("asleep for ten minutes")) == []


@pytest.mark.parametrize("item", [on.UserText("my secret"), on.AgentText("my secret"), do.Ask(1, "my secret")])
def test_nothing_that_was_said_is_published(mirror: Mirror, item: Any) -> None:
    assert mirror.watch(item) == []


def test_volume_and_usage_are_told_when_they_change(mirror: Mirror) -> None:
    assert mirror.watch(on.LoudnessSet(70)) == []
    assert mirror.watch(on.LoudnessSet(60)) == [Message("cooee/hall/volume", "60", True)]
    assert mirror.use(90.0) == [Message("cooee/hall/usage", "1.5", True)]
    assert mirror.use(91.0) == []


def test_what_did_not_work_is_the_last_error_without_what_was_said(mirror: Mirror) -> None:
    (failed,) = mirror.watch(on.Acted(1, "a", "lamp", "That did not work: my secret", ok=False))
    assert failed == Message("cooee/hall/error", "lamp did not work", True)
    assert mirror.watch(on.Acted(1, "b", "my_secret", "There is no such function", ok=False, is_known=False)) == []
    assert mirror.watch(do.Report("1", Outcome.FAILED, "my secret"))[0].payload == "an announcement failed"


@pytest.mark.parametrize(
    "key, text, wanted",
    [
        ("mute", "ON", on.Muted(BY)),
        ("mute", "OFF", on.Unmuted(BY)),
        ("talk", "PRESS", on.Summoned(BY)),
        ("stop", "PRESS", on.Stopped(BY)),
        ("volume", "30", VolumeWanted(30)),
        ("volume", "30.0", VolumeWanted(30)),
        ("mute", "maybe", None),
        ("volume", "101", None),
        ("volume", " 40 ", VolumeWanted(40)),
        ("volume", "nan", None),
        ("volume", "1e1", None),
        ("volume", "4_0", None),
        ("volume", "٣", None),
        ("volume", "-1", None),
        ("volume", "loud", None),
        ("say", " \n ", None),
        ("state", "asleep", None),
        ("reboot", "PRESS", None),
    ],
)
def test_a_command_is_an_event_or_nothing(mirror: Mirror, key: str, text: str, wanted: object) -> None:
    assert mirror.obey(f"cooee/hall/{key}/set", text.encode(), is_retained=False) == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 1001, "an announcement has 1001 characters; it may have 1000"),
        ("be\x07ll", "an announcement has characters in it that no voice can say"),
    ],
)
def test_what_can_not_be_said_is_the_last_error_and_a_question_has_failed(mirror: Mirror, text: str, why: str) -> None:
    error = Message("cooee/hall/error", why, retain=True)
    assert mirror.obey("cooee/hall/say/set", text.encode(), is_retained=True) is None
    assert mirror.obey("cooee/hall/say/set", text.encode(), is_retained=False) == [error]
    assert error in mirror.states()
    (answer,) = mirror.obey("cooee/hall/ask/set", text.encode(), is_retained=False)  # type: ignore[misc, union-attr]
    assert (answer.topic, json.loads(answer.payload)["event_type"]) == ("cooee/hall/answer", "failed")


def test_an_old_command_that_the_broker_kept_is_not_done(mirror: Mirror) -> None:
    assert mirror.obey("cooee/hall/talk/set", b"PRESS", is_retained=True) is None


def test_what_is_asked_is_answered_to_who_asked(mirror: Mirror) -> None:
    wanted = mirror.obey("cooee/hall/ask/set", b"Tea or\ncoffee?", is_retained=False)
    assert isinstance(wanted, on.SayWanted)
    assert (wanted.text, wanted.wants_answer) == ("Tea or coffee?", True)
    (answer,) = mirror.watch(do.Report(wanted.id, Outcome.ANSWERED, "tea"))
    assert (answer.topic, answer.retain) == ("cooee/hall/answer", False)
    assert json.loads(answer.payload) == {"event_type": "answered", "text": "tea"}


@pytest.mark.parametrize("outcome", [Outcome.CUT, Outcome.STOPPED, Outcome.LATE, Outcome.FULL])
def test_what_was_not_said_is_told_and_what_others_wanted_said_is_theirs(mirror: Mirror, outcome: Outcome) -> None:
    said = mirror.obey("cooee/hall/say/set", b"Dinner is ready", is_retained=False)
    assert isinstance(said, on.SayWanted)
    (told,) = mirror.watch(do.Report(said.id, outcome))
    assert told.topic == "cooee/hall/error" and "announcement" in told.payload
    assert mirror.watch(do.Report("1", outcome)) == []


def test_the_answer_to_somebody_else_is_not_published(mirror: Mirror) -> None:
    said = mirror.obey("cooee/hall/say/set", b"Dinner is ready", is_retained=False)
    assert isinstance(said, on.SayWanted)
    assert mirror.watch(do.Report(said.id, Outcome.SAID)) == []
    assert mirror.watch(do.Report("cli 1", Outcome.ANSWERED, "tea")) == []


@given(st.text(), st.binary(max_size=100), st.booleans())
def test_garbage_is_nothing(key: str, payload: bytes, is_retained: bool) -> None:
    Mirror(HALL).obey(f"cooee/hall/{key}/set", payload, is_retained=is_retained)
    Mirror(HALL).obey(key, payload, is_retained=is_retained)


def test_what_was_not_done_is_shown_as_it_is(mirror: Mirror) -> None:
    assert mirror.echo("cooee/hall/volume/set") == [Message("cooee/hall/volume", "70", True)]
    assert mirror.echo("cooee/hall/talk/set") == []


@pytest.mark.parametrize("form", ["entities", "device"])
def test_every_entity_has_an_id_an_availability_and_a_way_to_be_seen_or_set(form: str) -> None:
    told = [json.loads(each.payload) for each in messages(HALL, "homeassistant", form) if each.payload]
    entities = list(told[0]["cmps"].values()) if form == "device" else told
    assert len({each["uniq_id"] for each in entities}) == len(ENTITIES) == 11
    assert all("stat_t" in each or "cmd_t" in each for each in entities)
    assert all(each["avty_t"] == "cooee/hall/status" for each in told)
    assert all(each["dev"]["sa"] == "Hall" for each in told)


def test_what_was_told_in_another_form_is_taken_back_first() -> None:
    for form in ("entities", "device", "off"):
        told = messages(HALL, "homeassistant", form)
        assert len(told) == len(ENTITIES) + 1
        assert all(each.retain for each in told)
        payloads = [bool(each.payload) for each in told]
        assert payloads == sorted(payloads)
        assert any(payloads) is (form != "off")
