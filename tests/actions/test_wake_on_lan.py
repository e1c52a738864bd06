"""A computer that is woken: the packet on a real socket, and what is said of whether it woke."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from cooee.actions import Actions, wake_on_lan
from cooee.effects import Act
from cooee.events import Acted, Call

MAC = "3c:7c:3f:01:02:03"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.bind(("127.0.0.1", 0))
        it.settimeout(5)
        monkeypatch.setattr(wake_on_lan, "PORT", it.getsockname()[1])
        yield it


async def woken(**settings: Any) -> Acted:
    table = wake_on_lan.Settings(description="The computer in the study", mac=MAC, broadcast="127.0.0.1", **settings)
    posted: list[Any] = []
    actions = Actions({"computer": table}, posted.append)
    await actions.run(Act(1, Call("c1", "computer", {"state": "on"})))
    actions.close()
    (acted,) = posted
    assert isinstance(acted, Acted)
    return acted


async def test_the_packet_names_the_card_sixteen_times_and_nothing_is_claimed(listener: socket.socket) -> None:
    acted = await woken()
    assert listener.recv(200) == b"\xff" * 6 + bytes.fromhex("3c7c3f010203") * 16
    assert not acted.ok and "not known" in acted.text


async def test_a_computer_that_answers_is_said_to_be_on(listener: socket.socket) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        acted = await woken(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    assert acted.ok and acted.text == "The computer is on."


async def test_a_computer_that_sleeps_on_is_not(listener: socket.socket) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        acted = await woken(host="127.0.0.1", port=deaf.getsockname()[1], time_limit_s=1.6)
    assert not acted.ok and "does not answer yet" in acted.text


@pytest.mark.parametrize("wrong", [{"mac": "3c7c3f010203"}, {"mac": MAC, "broadcast": "everywhere"}])
def test_what_is_no_address_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        wake_on_lan.Settings(description="The computer", **wrong)
