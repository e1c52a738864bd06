"""Everything that leaves is an object of the SDK's, sent by the SDK's client, and what the vendor's schema allows."""

import json
from typing import Any

import deepgram.types
import pytest
from deepgram.agent.v1 import types as sdk
from deepgram.agent.v1.socket_client import AsyncV1SocketClient, _sanitize_numeric_types
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

import voice_agent_schema
from cooee.agent import Brief, Persona
from cooee.agent import deepgram as ours
from cooee.effects import Answer, Function
from fakes import hold, server

LAMP = Function("lamp", "The lamp", {"type": "object", "properties": {"on": {"type": "boolean"}}})
HISTORY = (
    {"type": "History", "role": "user", "content": "Hi"},
    {
        "type": "History",
        "function_calls": [{"id": "c", "name": "lamp", "client_side": True, "arguments": "{}", "response": "On."}],
    },
)
KEYS = ("A_KEY", "AWS_ID", "AWS_KEY", "AWS_TOKEN", "DEEPGRAM_API_KEY")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, f"value-of-{name}")


async def test_every_message_is_the_sdks_and_leaves_as_it_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def recorded(name: str) -> Any:
        real = getattr(AsyncV1SocketClient, name)

        async def send(self: Any, *message: Any) -> None:
            sent.append((name, *message))
            await real(self, *message)

        return send

    for name in dir(AsyncV1SocketClient):
        if name.startswith("send_"):
            monkeypatch.setattr(AsyncV1SocketClient, name, recorded(name))
    async with server(hold) as it:
        agent = ours.open(ours.Settings(url=it.url))
        link, _ = await agent.connect()
        await link.settle(Brief(wake_words=("hey jarvis",), functions=(LAMP,), history=HISTORY))
        await link.send(bytes(640))
        await link.keep_alive()
        await link.answer(Answer("c1", "lamp", "On."))
        await link.ask("Turn it off.")
        await link.say("One moment.")
        await link.end_turn()
        assert await link.update(Brief(persona=Persona("Be rude.", "aura-2-zeus-en", "de"), wake_words=("hey jarvis",)))
        peer = it.peers[0]
        await peer.until(lambda: peer.of("UpdateListen") and peer.frames)
        await link.close()
    assert [name for name, *_ in sent] == [
        *("send_settings", "send_media", "send_keep_alive", "send_function_call_response"),
        *("send_inject_user_message", "send_inject_agent_message", "send_force_end_turn"),
        *("send_update_think", "send_update_speak", "send_update_listen"),
    ]
    models = [message[0] for _, *message in sent if message and not isinstance(message[0], bytes)]
    assert all(type(model).__module__.startswith("deepgram.agent.v1.types.") for model in models)
    arrived = [message for _, message in peer.messages if message["type"] not in ("KeepAlive", "ForceEndTurn")]
    assert arrived == [json.loads(json.dumps(_sanitize_numeric_types(model.dict()))) for model in models]
    assert len(peer.messages) == len(models) + 2


def test_the_parts_of_the_settings_are_of_the_sdks_unions() -> None:
    table = ours.Settings(think=[{"type": "google", "model": "g"}, {"model": "o"}], speak={"model": "flux-kit-en"})
    agent = ours.open(table)._brief(Brief(functions=(LAMP,), history=HISTORY)).agent
    # The library turns the listener into another class of its own, by the same name at the end.
    assert type(agent.listen.provider).__module__.startswith("deepgram.agent.v1.types.")
    assert type(agent.listen.provider).__name__.endswith("ListenProvider_V2")
    assert isinstance(agent.think[0].provider, deepgram.types.ThinkSettingsV1Provider_Google)
    assert isinstance(agent.think[1].provider, deepgram.types.ThinkSettingsV1Provider_OpenAi)
    assert isinstance(agent.think[1].functions[0], deepgram.types.ThinkSettingsV1FunctionsItem)
    assert isinstance(agent.speak.provider, deepgram.types.SpeakSettingsV1Provider_Deepgram)
    assert isinstance(agent.context.messages[0], sdk.ConversationHistoryMessage)
    assert isinstance(agent.context.messages[1], sdk.FunctionCallHistoryMessage)


TEXT = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)
ENDPOINT = st.fixed_dictionaries(
    {"url": st.just("https://model.example.org/v1")},
    optional={"headers": st.just({"Authorization": "Bearer secret:A_KEY", "X-Mode": "fast"})},
)
IAM = {"region": "eu", "access_key_id": "secret:AWS_ID", "secret_access_key": "secret:AWS_KEY"}
CREDENTIALS = st.sampled_from([IAM, {**IAM, "type": "sts", "session_token": "secret:AWS_TOKEN"}])
LENGTH = st.just("max") | st.integers(1, 10**6)
REASONING = st.sampled_from(["none", "minimal", "low", "medium", "high"])


def temperatures(most: float = 2.0) -> st.SearchStrategy[float]:
    return st.floats(0, most) | st.sampled_from([0, 1])


def table(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    strategies = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in required.items()
    }
    return st.fixed_dictionaries(strategies, optional=optional)


def with_endpoint(tables: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    more = st.fixed_dictionaries({"endpoint": ENDPOINT}, optional={"context_length": LENGTH})
    return st.builds(lambda one, two: {**one, **two}, tables, more)


V1 = st.just("v1")
OPEN_AI = table(
    {}, type=st.just("open_ai"), model=TEXT, version=V1, temperature=temperatures(), reasoning_mode=REASONING
)
ANTHROPIC = table({"type": "anthropic", "model": TEXT}, version=V1, temperature=temperatures(1))
GOOGLE = table({"type": "google", "model": TEXT}, version=st.just("v1beta"), temperature=temperatures())
GROQ = table({"type": "groq"}, version=V1, temperature=temperatures(), reasoning_mode=REASONING)
BEDROCK = table({"type": "aws_bedrock", "model": TEXT}, temperature=temperatures(), credentials=CREDENTIALS)
DEEPGRAM = table(
    {"type": "deepgram", "model": TEXT},
    version=V1,
    temperature=temperatures(),
    reasoning_mode=REASONING,
    voice_prompt_opt_out=st.booleans(),
)
THINK = st.one_of(
    *(OPEN_AI, ANTHROPIC, GOOGLE, DEEPGRAM),
    *(with_endpoint(each) for each in (OPEN_AI, ANTHROPIC, GOOGLE, GROQ, BEDROCK)),
)
SPEAK = st.one_of(
    table({}, model=TEXT.map("aura-2-{}-en".format), speed=st.floats(0.7, 1.5), endpoint=ENDPOINT),
    table(
        {"model": TEXT.map("flux-{}-en".format)},
        type=st.just("deepgram"),
        speed=st.integers(10, 30).map(lambda steps: steps / 20),
        expressivity=st.integers(-2, 2),
    ),
    table({"type": "eleven_labs", "model_id": TEXT, "endpoint": ENDPOINT}, version=V1, language=TEXT, voice=TEXT),
    table(
        {"type": "cartesia", "model_id": TEXT, "endpoint": ENDPOINT, "voice": table({"id": TEXT}, mode=TEXT)},
        version=st.just("2025-03-17"),
        language=TEXT,
        volume=st.floats(0.5, 2),
    ),
    table({"type": "open_ai", "endpoint": ENDPOINT}, model=TEXT, version=V1, voice=TEXT),
    table(
        {"type": "aws_polly", "voice": TEXT, "language": TEXT, "credentials": CREDENTIALS, "endpoint": ENDPOINT},
        engine=st.sampled_from(["generative", "long-form", "standard", "neural"]),
    ),
)
LISTEN = st.one_of(
    table(
        {"model": TEXT.map("flux-general-{}".format)},
        keyterms=st.lists(TEXT, max_size=3),
        eot_threshold=st.floats(0.5, 1),
        eager_eot_threshold=st.floats(0.3, 0.9),
        eot_timeout_ms=st.integers(500, 60_000),
    ),
    table({"model": "flux-general-multi"}, language_hints=st.lists(st.sampled_from(["en", "de"]), max_size=2)),
    table(
        {"model": TEXT.map("nova-3-{}".format)},
        keyterms=st.lists(TEXT, max_size=3),
        language=st.sampled_from(["", "de", "multi"]),
        smart_format=st.booleans(),
    ),
    table({"model": TEXT.map("nova-2-{}".format)}, language=TEXT),
)


def one_or_some(tables: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    return tables | st.lists(tables, min_size=1, max_size=3)


AGENTS = table(
    {},
    listen=LISTEN,
    think=one_or_some(THINK),
    speak=one_or_some(SPEAK),
    prompt=st.text(max_size=20),
    greeting=st.sampled_from(["", "Hi"]),
    mip_opt_out=st.booleans(),
    tags=st.lists(TEXT, max_size=2),
    id=st.sampled_from(["", "12345678-90ab-cdef-1234-567890abcdef"]),
    output_rate_hz=st.sampled_from([8000, 16000, 24000, 32000, 48000]),
)
BRIEFS = st.builds(
    Brief,
    wake_words=st.sampled_from([(), ("hey jarvis",)]),
    functions=st.sampled_from([(), (LAMP,)]),
    history=st.sampled_from([(), HISTORY]),
    greet=st.booleans(),
    persona=st.builds(
        Persona,
        prompt=st.sampled_from(["", "Be rude."]),
        voice=st.sampled_from(["", "aura-2-zeus-en", "flux-kit-en"]),
        language=st.sampled_from(["", "de", "en-GB"]),
    ),
)


def on_the_wire(model: Any) -> Any:
    return json.loads(json.dumps(_sanitize_numeric_types(model.dict())))


@how(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(AGENTS, BRIEFS, AGENTS, BRIEFS)
def test_whatever_is_configured_the_schema_allows_what_leaves(
    before: dict[str, Any], brief: Brief, after: dict[str, Any], other: Brief
) -> None:
    from cooee.agent._settings import updates

    sent = ours.open(ours.Settings.model_validate(before))._brief(brief)
    wanted = ours.open(ours.Settings.model_validate(after))._brief(other)
    for message in (sent, wanted, *(updates(sent, wanted) or ())):
        assert voice_agent_schema.faults(on_the_wire(message)) == []
    assert updates(sent, sent) == ()


def test_the_schema_refuses_what_a_server_would() -> None:
    good = on_the_wire(ours.open(ours.Settings())._brief(Brief(functions=(LAMP,))))
    assert voice_agent_schema.faults(good) == []
    spoiled = []
    for path, value in [
        ("agent.listen.provider.version", "v1"),
        ("agent.listen.provider.endpointing", 300),
        ("agent.greeting", None),
        ("agent.speak.provider.language", "en"),
        ("agent.think.provider.temperature", 2.5),
        ("agent.flags", {"history": True}),
        ("audio.output.container", "wav"),
        ("agent.think.context_length", 5),
        ("agent", "no-uuid"),
    ]:
        message = json.loads(json.dumps(good))
        *folders, last = path.split(".")
        place = message
        for folder in folders:
            place = place[folder]
        place[last] = value
        spoiled.append((path, voice_agent_schema.faults(message)))
    assert [path for path, faults in spoiled if not faults] == []
