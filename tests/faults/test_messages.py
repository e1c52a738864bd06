"""What a server may say that it should not, and what it may leave unsaid: the turn has its answer all the same."""

import asyncio
from typing import Any

import pytest

from fakes import Peer
from faults.bench import AGAIN, CONFIRMED, FAULT, LISTENS, REPLIES, WELL, Row, bench, follows
from faults.race import scenario
from faults.vendor import DONE, PIECE, STARTED, Doing, Vendor, reply, say, text, then, wait

pytestmark = [pytest.mark.faults, pytest.mark.slow]

DEEP = '{"type": "ConversationText", "content": ' + "[" * 100_000 + "]" * 100_000 + "}"
KINDS = (
    *("Welcome", "SettingsApplied", "ConversationText", "UserStartedSpeaking", "AgentThinking", "LatencyReport"),
    *("FunctionCallRequest", "FunctionCallCancelled", "FunctionCallResponse", "AgentStartedSpeaking", "PromptUpdated"),
    *("InjectionRefused", "History", "Warning", "FrustrationDetected"),
)
WRONG = (None, 5, "x" * 300, [], {}, [None], [{"id": 7, "name": None}], {"a": {"b": []}})
FIELDS = ("role", "content", "functions", "function_calls", "code", "description", "request_id", "message")


def wrongly_typed() -> list[dict[str, Any]]:
    """Every kind of message, with every field of a type that it should not have."""
    kinds = [kind for kind in KINDS if kind != "UserStartedSpeaking"]
    return [{"type": kind, **dict.fromkeys(FIELDS, value)} for kind in kinds for value in WRONG]


STRANGE: dict[str, list[Any]] = {
    "malformed": ["{oops", "", "\x00", '{"type": "ConversationText", "role": "user"', "NaN", '{"type": Infinity}'],
    "unknown": [{"type": "SomethingNew", "field": [1, 2]}, "[1, 2, 3]", "null", '"text"', "7", {"no": "type"}],
    "empty": [b"", {}, "{}", "[]"],
    "deeply nested": [DEEP, '{"type":' * 50_000 + "1" + "}" * 50_000],
    "wrongly typed": wrongly_typed(),
    "large": [{"type": "AgentThinking", "content": "x" * 1_000_000}, text("assistant", "y" * 1_000_000)],
}


@scenario
@pytest.mark.parametrize("what", STRANGE)
async def test_strange_messages(what: str) -> Row:
    """Before the answer, in the middle of a turn."""
    async with bench(Vendor(then(say(*STRANGE[what]), reply))) as b:
        b.fault(what)
        await b.house.answered()
        await b.house.answered()
        names = [name for _, name in b.house.timeline if not name.startswith("warned")]
        assert names == [FAULT + what, *(step[0] for step in (*WELL, *AGAIN))], b.house.story()
        assert b.lost == 0
        return b.row()


@scenario
async def test_strange_messages_while_asleep() -> Row:
    """Nothing of it is heard."""
    strange = [each for several in STRANGE.values() for each in several]
    async with bench(Vendor(then(reply, wait(1.0), say(*strange, PIECE * 10, DONE)), reply)) as b:
        await b.house.answered()
        b.fault("strange")
        await asyncio.sleep(2)
        await b.house.answered()
        names = [name for _, name in b.house.timeline if not name.startswith("warned")]
        assert names == [*(step[0] for step in WELL), FAULT + "strange", *(step[0] for step in AGAIN)], b.house.story()
        return b.row()


@scenario
@pytest.mark.parametrize("voice", [b"", b"\1"], ids=["empty", "of one byte"])
async def test_a_voice_without_a_sample(voice: bytes) -> Row:
    """While the user speaks: nothing sounds, so nothing of his sentence is lost."""
    async with bench(Vendor(began=then(wait(0.5), say(voice, DONE)))) as b:
        b.fault("voice without a sample")
        await b.house.say(6)
        await b.house.until("understood")
        await b.house.until("asleep")
        assert b.lost == 0, b.house.story()
        return b.row()


@scenario
async def test_a_greeting_into_the_users_words() -> Row:
    """Wake word and command in one breath, and the agent greets meanwhile: the command is not lost."""
    async with bench(Vendor(applied=say(text("assistant", "Hello."), *[PIECE] * 5, DONE))) as b:
        b.fault("greeting")
        await b.house.say(6)
        await b.house.until("understood")
        await b.house.until("asleep")
        assert b.lost == 0, b.house.story()
        return b.row()


@scenario
@pytest.mark.parametrize("huge", ["x" * (5 * 2**20), b"\0" * (5 * 2**20)], ids=["text", "voice"])
async def test_an_oversized_message(huge: str | bytes) -> Row:
    """Larger than we take: that line is over, and the question is asked anew on the next."""
    async with bench(Vendor(say(huge)), Vendor()) as b:
        b.fault("oversized")
        await b.house.say()
        await b.house.until("answer")
        await b.house.until("asleep")
        downs = [name for _, name in b.house.timeline if name.startswith("down")]
        assert len(downs) == 1 and b.vendors[-1].asked == ["sentence 1"], b.house.story()
        return b.row()


@scenario
async def test_a_flood() -> Row:
    """A minute of voice in an instant, among thousands of reports; the wake word still hushes it at once."""
    report = {"type": "LatencyReport", "stt_latency": 0.1}
    flood = say(text("assistant", "Well"), *[PIECE] * 600, *[report] * 2000, DONE)
    async with bench(Vendor(flood, reply)) as b:
        await b.house.say()
        b.fault("flood")
        await b.house.until("answer")
        await asyncio.sleep(1)
        await b.house.answered()
        steps = [name for _, name in b.house.timeline]
        assert [name for name in steps if name.startswith(("down", "tell", "! "))] == [FAULT + "flood"]
        assert steps[-9:] == ["answer", "wake", "hush", "listening", *(step[0] for step in (*CONFIRMED, *REPLIES))][-9:]
        assert b.lost == 0
        return b.row()


RETRIED = (
    *("INTERNAL_SERVER_ERROR", "CLIENT_MESSAGE_TIMEOUT", "FAILED_TO_START_LISTENING", "ASR_CONNECTION_CLOSED"),
    *(
        "ASR_DRIVER_TIMEOUT",
        "FAILED_TO_SPEAK",
        "FAILED_TO_THINK",
        "SERVER_GOING_AWAY",
        "MAXIMUM_SESSION_LENGTH_REACHED",
    ),
)
OURS = (
    *("UNPARSABLE_CLIENT_MESSAGE", "INVALID_SETTINGS", "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"),
    *("SETTINGS_ALREADY_APPLIED", "USER_AUDIO_FORMAT", "NON_EXISTENT_FUNCTION_CALLED"),
    *("INVALID_AGENT_ID", "AGENT_ID_NOT_SUPPORTED"),
)
WARNINGS = (
    *("INJECT_AGENT_MESSAGE_DURING_USER_SPEECH", "INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH", "PROMPT_TOO_LONG"),
    *("THINK_REQUEST_FAILED", "SPEAK_REQUEST_FAILED", "FUNCTION_CALL_FAILED", "SLOW_THINK_REQUEST"),
    *("SLOW_SPEAK_REQUEST", "FORCE_END_TURN_UNSUPPORTED", "GPT_4O_STREAM_END_ERROR"),
    "MAXIMUM_SESSION_LENGTH_APPROACHING",
)


def error(code: str) -> Doing:
    async def erring(vendor: Vendor, peer: Peer) -> None:
        await peer.error(code, "Something about it.")

    return erring


@scenario
@pytest.mark.parametrize("code", RETRIED)
async def test_an_error_that_passes(code: str) -> Row:
    """In the middle of the user's sentence: it is heard whole on the next line."""
    async with bench(Vendor(began=then(wait(0.3), error(code))), Vendor()) as b:
        b.fault("error")
        await b.house.answered(6)
        entries = [(at, "down" if name.startswith("down") else name) for at, name in b.house.timeline]
        steps = ((FAULT + "error", 1.0), *LISTENS, ("up", 1.0), ("down", 2.0), ("up", 1.5), *CONFIRMED, *REPLIES)
        follows(entries, *steps)
        assert b.lost == 0
        return b.row()


@scenario
@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "SERVER_GOING_AWAY", "FAILED_TO_THINK"])
async def test_an_error_that_passes_while_it_thinks(code: str) -> Row:
    """The sentence was understood: the next line is asked the same as text."""
    async with bench(Vendor(then(wait(0.3), error(code))), Vendor()) as b:
        b.fault("error")
        await b.house.answered()
        downs = [name for _, name in b.house.timeline if name.startswith(("down", "tell"))]
        assert len(downs) == 1 and b.vendors[-1].asked == ["sentence 1"], b.house.story()
        return b.row()


@scenario
@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "CLIENT_MESSAGE_TIMEOUT", "INVALID_SETTINGS"])
async def test_an_error_while_idle(code: str) -> Row:
    """Nothing is said about it; the next turn is as every other."""
    async with bench(Vendor(then(reply, wait(1.0), error(code))), Vendor()) as b:
        await b.house.answered()
        b.fault("error")
        await asyncio.sleep(2)
        await b.house.answered()
        names = [name for _, name in b.house.timeline]
        assert [name for name in names if name.startswith("tell")] == []
        assert b.lost == 0
        return b.row()


@scenario
async def test_an_error_of_ours_in_a_turn() -> Row:
    """What comes of what was asked is told at once, and the line is not tried again for it."""
    async with bench(Vendor(then(wait(0.3), error("NON_EXISTENT_FUNCTION_CALLED"))), Vendor()) as b:
        await b.house.say()
        await b.house.until("understood")
        b.fault("error")
        await b.house.until("told")
        await asyncio.sleep(1)
        assert len(b.server.requests) == 1
        await b.house.answered()
        told = ((FAULT + "error", 4.0), ("down settings", 1.0), ("tell settings", 0.1), ("offline", 0.1), ("told", 8.0))
        follows(b.house.timeline, *WELL[:5], *told, *WELL)
        return b.row()


@scenario
@pytest.mark.parametrize("code", OURS)
async def test_an_error_of_ours(code: str) -> Row:
    """What only a change of the settings mends is told and not tried again."""

    async def refuse(peer: Peer) -> None:
        await peer.welcome()
        await peer.until(lambda: peer.settings)
        await peer.error(code, "Check the agent.think.provider field.")

    async with bench(refuse, Vendor()) as b:
        b.fault("error")
        await b.house.woken()
        await b.house.until("told")
        await asyncio.sleep(1)
        assert len(b.server.requests) == 1
        await b.house.answered()
        told = (*LISTENS, ("down settings", 1.0), ("tell settings", 0.1), ("offline", 0.1), ("told", 8.0))
        follows(b.house.timeline, (FAULT + "error", 1.0), *told, *WELL)
        return b.row()


@scenario
@pytest.mark.parametrize("code", WARNINGS)
async def test_a_warning(code: str) -> Row:
    """The session goes on."""
    warn = say({"type": "Warning", "code": code, "description": "Something about it."})
    async with bench(Vendor(then(warn, reply), reply)) as b:
        b.fault("warn")
        await b.house.answered()
        await b.house.answered()
        entries = [name for _, name in b.house.timeline if not name.startswith(("warned", "tell moment", "up", "down"))]
        steps = (*WELL[:2], *WELL[3:], *AGAIN)
        assert entries == [FAULT + "warn", *(step[0] for step in steps)], b.house.story()
        assert b.lost == 0
        return b.row()


@scenario
async def test_a_reply_whose_end_is_never_announced() -> Row:
    """It ends when nothing has come for a while, and the speaker does not stay "speaking"."""
    async with bench(Vendor(say(text("assistant", "Well"), *[PIECE] * 3), reply)) as b:
        b.fault("no AgentAudioDone")
        await b.house.say()
        await b.house.until("asleep")
        follows(b.house.timeline, (FAULT + "no AgentAudioDone", 1.0), *WELL[:-1], ("asleep", 2.5, 4.5))
        await b.house.answered()
        assert b.lost == 0
        return b.row()


@scenario
async def test_user_started_speaking_after_the_end_of_the_reply() -> Row:
    """Sent is not heard: the reply still sounds when somebody speaks, and is hushed."""
    async with bench(Vendor(say(text("assistant", "Well"), *[PIECE] * 30, DONE), reply)) as b:
        await b.house.say()
        await b.house.until("answer")
        b.fault("UserStartedSpeaking")
        await b.server.peers[-1].say(STARTED)
        await b.house.until("listening")
        story = list(b.house.timeline)[len(WELL) - 1 :]
        follows(story, (FAULT + "UserStartedSpeaking", 1.0), ("hush", 0.1), ("listening", 0.1))
        await b.house.say(wake=False)
        await b.house.until("answer")
        assert b.lost == 0
        return b.row()
