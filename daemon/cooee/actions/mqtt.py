"""Something that listens to an MQTT broker: it is told, asked or read, and what it reports back is what is said."""

import asyncio
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from cooee.actions import Failed, Report, Unsure
from cooee.actions._broker import Broker, Heard, Topic, hearing, topic_with
from cooee.actions._parameters import TemplateTable, answered, declared, fill, fill_json, placeholders, plain, texts
from cooee.actions._pointer import check, text_at
from cooee.actions._when import Misfit, Then, Trigger, When, misfits
from cooee.actions._words import one_line, sentence
from cooee.effects import Function

NEEDS = ("broker",)

WAIT_SHARE = 0.75
"""Of the time limit, for what comes back; the rest is for saying that nothing did."""
READ_S = 2.0
"""A state that the broker has kept is there within so long."""
_NOT_DONE = "so it is not known whether that was done."


class Settings(TemplateTable):
    """Something at the MQTT broker that [mqtt] names."""

    type: Literal["mqtt"] = "mqtt"
    """Something at the MQTT broker that [mqtt] names."""
    topic: Topic = ""
    """Where the command goes, with {name} of parameters. Left out: nothing is sent, `state_topic` is read."""
    payload: str | dict[str, JsonValue] = ""
    """The command: text, or a table that is sent as JSON; with {name} of parameters. In a table, a string that is
    nothing but {name} becomes the value itself."""
    qos: Literal[0, 1, 2] = 1
    """How sure the broker is to get it: 0 for once at most, 1 for once at least, 2 for just once."""
    retain: bool = False
    """Whether the broker keeps the command for whoever listens later; few devices want that."""
    state_topic: Topic = ""
    """Where it tells its state, or its answer. Left out: nobody knows whether the command was done."""
    state_pointer: Annotated[str, AfterValidator(check)] = ""
    """Which part of JSON that comes there is meant, as a JSON pointer such as "/state"; left out: all of it."""
    expected: str = ""
    """What the state is when the command was done, with {name} of parameters. Left out: what comes is its answer."""

    on_message: Then | None = None
    """What happens when something comes by `state_topic`; what the broker has kept from before is nothing new."""
    message: str = ""
    """Only when it is this; left out: whatever it is."""
    cooldown_s: Annotated[float, Field(ge=0, le=86400)] = 10.0
    """After that, it does not happen again for so long."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.topic and not self.state_topic:
            raise ValueError("needs a topic to send to, a state_topic to read from, or both")
        if self.expected and not (self.topic and self.state_topic):
            raise ValueError("expected needs topic and state_topic")
        if self.on_message and (not self.state_topic or placeholders(self.state_topic)):
            raise ValueError("on_message needs a state_topic, one without parameters")
        if not self.topic and self.payload:
            raise ValueError("has a payload, but no topic to send it to")
        if isinstance(self.payload, str) and _is_json(self.payload):
            raise ValueError('JSON with parameters is written as a table: payload = { state = "{state}" }')
        self.check_placeholders([self.topic, self.state_topic, self.expected, *texts(self.payload)])
        return self

    @property
    def when(self) -> When:
        """As what a sensor sets off."""
        own = {"type": self.type, "description": self.description, "cooldown_s": self.cooldown_s}
        return When.model_validate({**own, "on_active": self.on_message})

    def misfits(self, name: str, others: Mapping[str, Any], built_in: Collection[str]) -> Iterator[Misfit]:
        """What does not go together with the other tables of [actions]."""
        for (_, *rest), found, wrong in misfits(self.when, name, others, built_in):
            yield ("on_message", *rest), found, wrong


def declare(name: str, settings: Settings) -> Function:
    function = declared(name, settings)
    return Function(name, function.description, function.parameters, settings.side_effect and bool(settings.topic))


def open(name: str, settings: Settings, report: Report, broker: Broker | None) -> "Mqtt":
    return Mqtt(name, settings, report, broker)


class Mqtt:
    """Raises Failed where there is no broker."""

    def __init__(self, name: str, settings: Settings, report: Report, broker: Broker | None) -> None:
        if broker is None:
            raise Failed("there is no MQTT broker; [mqtt] host would name it.")
        self.function = declare(name, settings)
        self._settings = settings
        self._broker = broker
        self._trigger = Trigger(name, settings.when, report)
        self._last: bytes | None = None
        self._close: Callable[[], None] = lambda: None
        if settings.state_topic and not placeholders(settings.state_topic):
            self._close = broker.listen(settings.state_topic, self._remember)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        if self._broker.away:
            raise Failed(self._broker.away)
        topic, state_topic = (
            topic_with(self._settings.topic, arguments),
            topic_with(self._settings.state_topic, arguments),
        )
        expected = fill(self._settings.expected, arguments)
        try:
            if not state_topic:
                await self._send(topic, arguments)
                return self._said(arguments, "", "The command was sent; whether it was done is not reported back.")
            with hearing(self._broker, state_topic) as heard:
                await self._ready(state_topic)
                if not topic:
                    return self._said(arguments, await self._read(heard))
                await self._send(topic, arguments)
                state = await self._told(heard, expected)
                done = sentence(self._settings.description, _word(state)) if expected else ""
                return self._said(arguments, state, done)
        except ConnectionError as error:
            raise Failed(str(error)) from error

    async def _ready(self, state_topic: str) -> None:
        try:
            await self._broker.listening(state_topic)
        except TimeoutError as error:
            raise Failed(str(error)) from error

    async def _send(self, topic: str, arguments: Mapping[str, Any]) -> None:
        payload = self._settings.payload
        text = fill(payload, arguments) if isinstance(payload, str) else _json(payload, arguments)
        try:
            await self._broker.publish(topic, text, qos=self._settings.qos, retain=self._settings.retain)
        except TimeoutError as error:
            raise Unsure(f"The command was sent, but {str(error).rstrip('.')}, {_NOT_DONE}") from error

    async def _told(self, heard: Heard, expected: str) -> str:
        """What came back, the expected if there is any. Raises Failed, Unsure."""
        last = ""
        try:
            async with asyncio.timeout(self._settings.time_limit_s * WAIT_SHARE):
                while True:
                    payload, is_kept = await heard.get()
                    state = None if is_kept else self._picked(payload)
                    if state is not None and (not expected or _same(state, expected)):
                        return state
                    last = last if state is None else state
        except TimeoutError:
            if last:
                raise Failed(sentence(self._settings.description, f"still {_word(last)}")) from None
            gone = self._broker.away or "nothing came back."
            raise Unsure(f"The command was sent, but {gone.rstrip('.')}, {_NOT_DONE}") from None

    async def _read(self, heard: Heard) -> str:
        """The state as it was told last. Raises Failed."""
        payload = self._last
        try:
            async with asyncio.timeout(min(READ_S, self._settings.time_limit_s * WAIT_SHARE)):
                while payload is None or self._picked(payload) is None:
                    payload, _ = await heard.get()
        except TimeoutError:
            told = "it has not told its state yet." if payload is None else "what it told can't be understood."
            raise Failed(told) from None
        return self._picked(payload) or ""

    def _picked(self, payload: bytes) -> str | None:
        """None for what nobody can understand, and for what says nothing of this."""
        try:
            return one_line(text_at(payload, self._settings.state_pointer), 1000) or None
        except (ValueError, LookupError, RecursionError):
            return None

    def _remember(self, topic: str, payload: bytes, is_kept: bool) -> None:
        if (state := self._picked(payload)) is None:
            return
        self._last = payload
        if not is_kept and (not self._settings.message or _same(state, self._settings.message)):
            self._trigger.fire(True)

    def _said(self, arguments: Mapping[str, Any], output: str, otherwise: str = "") -> str:
        return answered(self._settings, arguments, output) if self._settings.answer or not otherwise else otherwise

    def close(self) -> None:
        self._close()


def _is_json(template: str) -> bool:
    names = placeholders(template)
    return bool(names) and fill(template, dict.fromkeys(names, "")).lstrip()[:1] in ("{", "[")


def _json(payload: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    for value in arguments.values():
        plain(value)
    return json.dumps(fill_json(payload, arguments), ensure_ascii=False)


def _same(state: str, expected: str) -> bool:
    try:
        return math.isclose(float(state), float(expected), abs_tol=0.01)
    except ValueError:
        return state.casefold() == expected.casefold()


def _word(state: str) -> str:
    return {"true": "on", "false": "off", "on": "on", "off": "off"}.get(state.casefold(), one_line(state))
