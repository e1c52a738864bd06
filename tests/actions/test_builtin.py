from typing import Any

import pytest

from cooee.actions import Action, Actions, change_persona, forget_conversation, gpio, stop_listening, volume
from cooee.effects import Act
from cooee.events import Acted, Call, Event


async def call(arguments: dict[str, Any], *builtins: Action, name: str = "") -> Acted:
    posted: list[Event] = []
    await Actions({}, posted.append, builtins).run(Act(3, Call("1", name or builtins[0].function.name, arguments)))
    (acted,) = posted
    assert isinstance(acted, Acted)
    return acted


async def test_the_volume_is_told_as_it_is_read_back() -> None:
    level = 70

    async def set_percent(percent: int) -> int:
        nonlocal level
        level = max(0, min(percent, 95))
        return level

    async def change(step: int) -> int:
        return await set_percent(level + step)

    async def say(name: str, **arguments: Any) -> str:
        return (await call(arguments, *volume(set_percent, change), name=name)).text

    assert await say("set_volume", level=60) == "The volume is 60 percent."
    assert await say("change_volume", direction="up") == "The volume is 70 percent."
    assert await say("change_volume", direction="down") == "The volume is 60 percent."
    assert await say("set_volume", level=100) == "The volume is 95 percent."
    for _ in range(12):
        await say("change_volume", direction="down")
    assert level == 0
    assert "did not work" in await say("set_volume", level="loud")


async def test_stop_listening_dismisses_and_need_not_wait_for_the_turn() -> None:
    dismissed = []
    builtin = stop_listening(lambda: dismissed.append(True))
    assert not builtin.function.side_effect
    assert (await call({}, builtin)).ok
    assert dismissed == [True]


async def test_a_conversation_is_forgotten_when_it_is_sure_that_the_user_said_so() -> None:
    forgotten = []
    builtin = forget_conversation(lambda: forgotten.append(True))
    assert builtin.function.side_effect
    assert (await call({}, builtin)).text == "This conversation is forgotten."
    assert forgotten == [True]


@pytest.mark.parametrize(("said", "chosen"), [("butler", "butler"), ("usual", "")])
async def test_a_persona_is_chosen_by_its_name(said: str, chosen: str) -> None:
    names: list[str] = []
    builtin = change_persona(["butler", "pirate"], names.append)
    assert builtin.function.parameters["properties"]["persona"]["enum"] == ["butler", "pirate", "usual"]
    assert (await call({"persona": said}, builtin)).text == f"From now on, the persona is {said}."
    assert names == [chosen]


async def test_a_persona_that_there_is_not_is_not_chosen() -> None:
    names: list[str] = []
    acted = await call({"persona": "nobody"}, change_persona(["butler"], names.append))
    assert acted.text == "That did not work: persona has to be 'butler' or 'usual', not 'nobody'."
    assert names == []


async def test_a_persona_may_itself_be_called_usual() -> None:
    names: list[str] = []
    await call({"persona": "usual"}, change_persona(["usual"], names.append))
    assert names == ["usual"]


def test_a_name_that_is_built_in_is_refused() -> None:
    table = gpio.Settings(pin=17, description="The lamp")
    with pytest.raises(ValueError, match=r"\[actions.stop_listening\]: this name is built in"):
        Actions({"stop_listening": table}, lambda event: None, [stop_listening(lambda: None)])
