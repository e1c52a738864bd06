"""What an action needs of the home's MQTT broker, and topics in which nothing leads astray."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator

from cooee.actions import Failed
from cooee.actions._parameters import fill, placeholders

Heard = asyncio.Queue[tuple[bytes, bool]]
"""What came for a topic, and whether the broker had kept it from before."""


class Broker(Protocol):
    """The home's MQTT broker. `away`: why there is none, in a sentence; "" while there is one."""

    @property
    def away(self) -> str: ...

    async def publish(self, topic: str, payload: str, *, qos: int = 1, retain: bool = False) -> None:
        """Raises ConnectionError where nothing was sent, TimeoutError where that is not known."""

    def listen(self, pattern: str, take: Callable[[str, bytes, bool], None]) -> Callable[[], None]: ...

    def listening(self, pattern: str) -> Awaitable[None]:
        """Until the broker knows that we listen. Raises ConnectionError, TimeoutError."""


def _topic(topic: str) -> str:
    placeholders(topic)
    if re.search(r"[+#]", topic):
        raise ValueError('can\'t have the wildcards "+" and "#"; name one topic')
    if topic.startswith("$") or len(topic) > 500 or not topic.isprintable():
        raise ValueError('must be printable, at most 500 characters and not begin with "$"')
    return topic


Topic = Annotated[str, AfterValidator(_topic)]


@contextmanager
def hearing(broker: Broker, topic: str) -> Iterator[Heard]:
    heard: Heard = asyncio.Queue()
    end = broker.listen(topic, lambda _, payload, is_kept: heard.put_nowait((payload, is_kept)))
    try:
        yield heard
    finally:
        end()


def topic_with(template: str, arguments: Mapping[str, Any]) -> str:
    """The topic with the values. Raises Failed for a value that would lead to another level of topics, or to many."""

    def level(value: str) -> str:
        if not value or re.search(r"[/+#]", value):
            raise Failed("that text can't be used here.")
        return value

    topic = fill(template, arguments, level)
    if topic.startswith("$") or len(topic.encode()) > 1000:
        raise Failed("that text can't be used here.")
    return topic
