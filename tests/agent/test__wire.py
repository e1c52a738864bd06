"""What the server's messages come to on a real line, whole or broken."""

import logging
from typing import Any

import pytest

from cooee.agent import Brief, Refused, Remembered, deepgram
from cooee.agent._line import open_line
from cooee.events import (
    AgentDone,
    AgentSpeech,
    AgentText,
    AgentThought,
    Asked,
    Call,
    Event,
    InjectionRefused,
    LatencyReported,
    NothingSaid,
    Trouble,
    UserStarted,
    UserText,
    Warned,
    Withdrawn,
)
from fakes import Peer, server


async def meaning(*messages: Any, before: tuple[Any, ...] = ()) -> list[Event | Remembered]:
    """What comes out of a line on which the server says so and then closes it in order."""

    async def say(peer: Peer) -> None:
        await peer.apply(*before)
        await peer.say(*messages)
        await peer.socket.close(1000)

    async with server(say) as it:
        link, _ = await open_line(it.url, {}, deepgram.open(deepgram.Settings())._brief)
        await link.settle(Brief())
        try:
            return [event async for event in link.events()]
        finally:
            await link.close()


def request(*calls: Any) -> dict[str, Any]:
    return {"type": "FunctionCallRequest", "functions": list(calls)}


def call(**fields: Any) -> dict[str, Any]:
    return {"id": "c1", "name": "lamp", "arguments": "{}", "client_side": True} | fields


async def test_a_turn_comes_through_in_order() -> None:
    said = await meaning(
        {"type": "UserStartedSpeaking"},
        {"type": "ConversationText", "role": "user", "content": "Turn on the lamp."},
        {"type": "AgentThinking", "content": "which lamp"},
        request(call(arguments='{"state": "on"}')),
        {"type": "ConversationText", "role": "assistant", "content": "It is on."},
        b"\1\2\3",
        {"type": "AgentAudioDone"},
    )
    assert said == [
        UserStarted(),
        UserText("Turn on the lamp."),
        AgentThought(),
        Asked((Call("c1", "lamp", {"state": "on"}),)),
        AgentText("It is on."),
        AgentSpeech(b"\1\2\3"),
        AgentDone(),
    ]


async def test_a_greeting_before_the_settings_are_applied_is_heard_all_the_same() -> None:
    greeting = {"type": "ConversationText", "role": "assistant", "content": "Hello"}
    said = await meaning({"type": "AgentAudioDone"}, before=(greeting, b"\0\1"))
    assert said == [AgentText("Hello"), AgentSpeech(b"\0\1"), AgentDone()]


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"level": 40, "deep": [1, {"a": null}]}', {"level": 40, "deep": [1, {"a": None}]}),
        ("", {}),
        (None, {}),
        ({"level": 40}, {"level": 40}),
        ("{level: 40", None),
        ("[1]", None),
        ('"on"', None),
        ("null", None),
        ("[" * 100_000, None),
    ],
)
async def test_arguments_are_an_object_or_known_to_be_none(raw: Any, arguments: Any) -> None:
    assert await meaning(request(call(arguments=raw))) == [Asked((Call("c1", "lamp", arguments),))]


async def test_several_calls_come_together_without_those_that_are_not_ours() -> None:
    said = await meaning(
        request(
            call(), call(id="c2", client_side=False), call(id="c3", name="fan"), None, 7, call(id=None), {"id": "c"}
        ),
        request(call(client_side=False)),
    )
    assert said == [Asked((Call("c1", "lamp", {}), Call("c3", "fan", {})))]


async def test_calls_are_taken_back() -> None:
    cancelled = {"type": "FunctionCallCancelled", "functions": [{"id": "c1", "name": "lamp"}, {"id": "c2"}, {}, None]}
    assert await meaning(cancelled, {"type": "FunctionCallCancelled"}) == [Withdrawn(("c1", "c2"))]


KNOWN = ("Welcome", "SettingsApplied", "ConversationText", "UserStartedSpeaking", "AgentThinking", "LatencyReport")
KNOWN += ("FunctionCallRequest", "FunctionCallCancelled", "FunctionCallResponse", "AgentStartedSpeaking", "History")
KNOWN += ("AgentAudioDone", "PromptUpdated", "InjectionRefused", "FrustrationDetected", "Warning")
ODD = (None, 7, "text", [], [None, 3, "x", {}], {}, {"a": None}, True)


async def test_no_message_breaks_a_line() -> None:
    hostile: list[Any] = [
        "{oops",
        "",
        "null",
        "[1, 2, 3]",
        '"text"',
        "7",
        "true",
        "{}",
        "[" * 50_000,
        "\0",
        '{"type": 3}',
    ]
    hostile += [{"type": odd} for odd in ODD] + [{"type": kind} for kind in ("Unheard", "__customFromThinkProvider")]
    fields = ("content", "role", "functions", "function_calls", "code", "description", "message", "request_id")
    hostile += [{"type": kind} for kind in KNOWN]
    hostile += [{"type": kind, field: odd} for kind in KNOWN for field in fields for odd in ODD]
    said = await meaning(*hostile, b"", b"\1", {"type": "ConversationText", "role": "user", "content": "Still here"})
    assert said[-3:] == [AgentSpeech(b""), AgentSpeech(b"\1"), UserText("Still here")]
    assert not [event for event in said if isinstance(event, (Remembered, Asked, Withdrawn))]


async def test_history_is_kept_only_as_the_settings_take_it() -> None:
    kept = {"id": "c1", "name": "lamp", "client_side": True, "arguments": "{}", "response": "On.", "extra": 1}
    said = await meaning(
        {"type": "History", "role": "user", "content": "Hi", "languages": ["en"]},
        {"type": "History", "role": "system", "content": "Hi"},
        {"type": "History", "function_calls": [kept, {"id": "c2"}]},
        {"type": "History", "function_calls": [kept]},
    )
    del kept["extra"]
    assert said == [
        Remembered({"type": "History", "role": "user", "content": "Hi"}),
        Remembered({"type": "History", "function_calls": [kept]}),
    ]


@pytest.mark.parametrize(
    ("code", "trouble"),
    [(code, Trouble.SETTINGS) for code in ("INVALID_SETTINGS", "USER_AUDIO_FORMAT", "INVALID_AGENT_ID")]
    + [(code, Trouble.VENDOR) for code in ("INTERNAL_SERVER_ERROR", "CLIENT_MESSAGE_TIMEOUT", "FAILED_TO_THINK")]
    + [(code, Trouble.VENDOR) for code in ("MAXIMUM_SESSION_LENGTH_REACHED", "A_NEW_ONE", None)],
)
async def test_an_error_ends_the_line_and_says_whether_to_try_again(code: Any, trouble: Trouble) -> None:
    with pytest.raises(Refused) as refused:
        await meaning({"type": "Error", "code": code, "description": "because"})
    assert refused.value.trouble is trouble
    assert (code or "without a code") in str(refused.value)


@pytest.mark.parametrize(
    ("description", "setting"),
    [
        ("Check the agent.listen.provider.eot_threshold field", "agent.listen.provider.eot_threshold"),
        ("Check the agent.think[1].provider.model field.", "agent.think[1].provider.model"),
        ("What was said: marmalade", ""),
    ],
)
async def test_an_error_names_the_setting_and_nothing_else_of_its_description(description: str, setting: str) -> None:
    with pytest.raises(Refused) as refused:
        await meaning({"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": description})
    assert refused.value.setting == setting and setting in str(refused.value)
    assert "marmalade" not in str(refused.value)


async def test_warnings_go_on_and_are_logged_by_their_code_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cooee")
    said = await meaning(
        {"type": "Warning", "code": "SLOW_THINK_REQUEST", "description": "of marmalade"},
        {"type": "Warning", "code": "NOTHING_SAID"},
        {"type": "InjectionRefused", "message": "of marmalade"},
        {"type": "UserStartedSpeaking"},
    )
    assert said == [Warned("SLOW_THINK_REQUEST"), NothingSaid(), InjectionRefused(), UserStarted()]
    assert "SLOW_THINK_REQUEST" in caplog.text and "marmalade" not in caplog.text


async def test_of_a_latency_report_only_real_numbers_count() -> None:
    odd = {"stt_latency": "0.1", "tts_latency": None, "ttt_token_latency": True, "ttt_text_latency": -1, "x_latency": 1}
    said = await meaning(
        {"type": "LatencyReport", "total_latency": 10**400, **odd},
        {"type": "LatencyReport", "total_latency": 2, "stt_latency": 0.25, **{"tts_latency": "soon"}},
    )
    assert said == [LatencyReported({"stt_latency": 0.25, "total_latency": 2.0})]
