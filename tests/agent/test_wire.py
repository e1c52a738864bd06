"""What the embedded agent answers to messages that the protocol does not allow."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from agent_line import Client, served, settings

pytestmark = pytest.mark.slow


def changed(path: str, value: Any) -> str:
    message = json.loads(json.dumps(settings()))
    *folders, last = path.split(".")
    place: Any = message
    for folder in folders:
        place = place[int(folder)] if folder.isdigit() else place[folder]
    place[last] = value
    return json.dumps(message)


FAULTS = [
    ("{oops", "UNPARSABLE_CLIENT_MESSAGE", "JSON"),
    ("[1, 2]", "UNPARSABLE_CLIENT_MESSAGE", "object"),
    ("[" * 50_000, "UNPARSABLE_CLIENT_MESSAGE", "JSON"),
    ('{"type": "Sing"}', "UNPARSABLE_CLIENT_MESSAGE", "type"),
    ('{"type": "KeepAlive"}', "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "KeepAlive"),
    (b"\0" * 320, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "Audio"),
    (" " * (2 << 20), "UNPARSABLE_CLIENT_MESSAGE", "at most"),
    (changed("agent.listen.endpointing", 300), "UNPARSABLE_CLIENT_MESSAGE", "agent.listen.endpointing"),
    (
        changed("agent.think.functions.0.parametres", {}),
        "UNPARSABLE_CLIENT_MESSAGE",
        "agent.think.functions[0].parametres",
    ),
    (changed("agent.greeting", None), "UNPARSABLE_CLIENT_MESSAGE", "agent.greeting"),
    (changed("agent.greeting", 7), "UNPARSABLE_CLIENT_MESSAGE", "a string"),
    (changed("audio.input.sample_rate", "fast"), "UNPARSABLE_CLIENT_MESSAGE", "audio.input.sample_rate"),
    (changed("audio.input.encoding", "opus"), "USER_AUDIO_FORMAT", "linear16"),
    (changed("audio.output.sample_rate", 96_000), "INVALID_SETTINGS", "48000"),
    (changed("audio.output.container", "wav"), "INVALID_SETTINGS", "container"),
    (changed("agent", "0b0e-a-stored-agent"), "INVALID_AGENT_ID", "stored"),
]


async def test_every_wrong_beginning_is_answered_and_the_server_lives_on() -> None:
    async with served() as url:
        for message, code, hint in FAULTS:
            async with connect(url) as socket:
                client = Client(socket)
                await client.until("Welcome")
                await socket.send(message)
                error = await client.until("Error")
                assert (error["code"], hint in error["description"]) == (code, True), (error, hint)
                await client.until("closed")


LATER = [
    (json.dumps(settings()), "SETTINGS_ALREADY_APPLIED"),
    ('{"type": "InjectUserMessage", "content": 7}', "UNPARSABLE_CLIENT_MESSAGE"),
    ('{"type": "InjectUserMessage"}', "UNPARSABLE_CLIENT_MESSAGE"),
    (
        '{"type": "UpdateThink", "think": {"provider": {"type": "open_ai", "model": "x"}, "tools": []}}',
        "UNPARSABLE_CLIENT_MESSAGE",
    ),
    ('{"type": "KeepAlive", "extra": 1}', "UNPARSABLE_CLIENT_MESSAGE"),
    (b"\1" * (2 << 20), "UNPARSABLE_CLIENT_MESSAGE"),
]


async def test_every_wrong_message_later_is_answered_and_the_server_lives_on() -> None:
    async with served() as url:
        for message, code in LATER:
            async with connect(url) as socket:
                client = Client(socket)
                await client.settle()
                await socket.send(message)
                assert (await client.until("Error"))["code"] == code
                await client.until("closed")
