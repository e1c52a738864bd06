"""Which persona answers whom."""

from types import SimpleNamespace
from typing import Any

from cooee.agent import Persona
from cooee.cast import Cast
from cooee.rooms import Rooms
from cooee.settings import Persona as Table

TABLES = {
    "butler": Table(wake_word="hey_jarvis", prompt="You are a butler.", voice="v1", language="en-GB"),
    "pirate": Table(prompt="You are a pirate."),
}
BUTLER = Persona("You are a butler.", "v1", "en-GB")
PIRATE = Persona("You are a pirate.")
USUAL = Persona()


def test_a_persona_comes_when_its_word_is_said_and_goes_with_the_turn() -> None:
    cast = Cast(TABLES)
    assert (cast.of("hey_jarvis"), cast.of("alexa")) == (BUTLER, USUAL)


def test_who_was_asked_for_stays_for_every_word_that_is_nobodys_own() -> None:
    cast = Cast(TABLES)
    cast.chosen = "pirate"
    assert [cast.of(word) for word in ("alexa", "", "hey_jarvis")] == [PIRATE, PIRATE, BUTLER]


def test_what_the_agent_is_told_meanwhile_does_not_send_away_whom_the_word_called() -> None:
    cast = Cast(TABLES)
    house: Any = SimpleNamespace(wake=SimpleNamespace(words=()), actions=SimpleNamespace(functions=()), cast=cast)
    assert Rooms.brief(house).persona == USUAL
    cast.of("hey_jarvis")
    assert Rooms.brief(house).persona == BUTLER
    cast.tables = {**TABLES, "butler": TABLES["butler"].model_copy(update={"prompt": "You are old."})}
    assert Rooms.brief(house).persona == Persona("You are old.", "v1", "en-GB")
    cast.of("alexa")
    assert Rooms.brief(house).persona == USUAL


def test_the_button_calls_nobody_who_comes_only_when_asked_for() -> None:
    assert Cast(TABLES).of("") == USUAL


def test_a_persona_that_is_taken_out_of_the_config_is_not_stayed_with() -> None:
    cast = Cast(TABLES)
    cast.chosen = "pirate"
    cast.tables = {"butler": TABLES["butler"]}
    assert cast.of("alexa") == USUAL
