"""One connection to the broker: kept, made anew when it breaks, and honest about being away.

What is to be sent while there is no connection is refused, never queued. Protocol: MQTT 5.0 and 3.1.1, OASIS.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from cooee.mqtt import client as calling
from cooee.mqtt.client import ACKNOWLEDGE_S, PAYLOAD_LIMIT, QUEUE_LIMIT, Forbidden, Message, Ousted, made, refusal
from cooee.retry import Retry
from cooee.settings import Mqtt as Settings

if TYPE_CHECKING:
    import aiomqtt

log = logging.getLogger("cooee.mqtt")

FIRST_S, MOST_S = 0.5, 30.0
"""The longest first wait before connecting anew, and the longest of all."""
OUSTED_S, OUSTED_MOST_S = 60.0, 600.0
"""Another client that has taken our place is left alone for so long, and each time for longer, or both would for ever
throw each other out.
"""
BRIEF_S, MOST_BRIEF = 30.0, 3
"""Many brokers don't tell whom they put out why; who is let in and put out so soon, so often, in a row, has a rival."""
RIVAL = "the MQTT broker ends the connection again and again; perhaps another client uses our client id ([mqtt] id)."
GOODBYE_S = 1.0

Take = Callable[[str, bytes, bool], None]
"""Is told of a message: its topic, its payload, and whether it is one that the broker has kept from before."""


class Link:
    """Used on the loop's thread, but for `listen`. `hello` is sent whenever a connection stands; `goodbye` is the will.

    `away` says why there is no connection, "" while there is one.
    """

    def __init__(self, settings: Settings, client_id: str, hello: Callable[[], Iterable[Message]], goodbye: Message):
        self.away = "the MQTT broker has not been reached yet."
        self._settings = settings
        self._client_id = client_id
        self._hello = hello
        self._goodbye = goodbye
        self._loop = asyncio.get_running_loop()
        self._client: aiomqtt.Client | None = None
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._listeners: dict[str, list[Take]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._warned: set[str] = set()
        self._has_stood = False

    async def run(self) -> None:
        """Keeps the connection until it is cancelled, and says goodbye then. Never raises."""
        retry, brief, ousted = Retry(FIRST_S, MOST_S), 0, 0
        while True:
            began, self._has_stood = self._loop.time(), False
            why = await self._until_it_breaks()
            now = self._loop.time()
            held_s = now - began
            brief = brief + 1 if self._has_stood and held_s < BRIEF_S else 0
            asked_s = None
            if isinstance(why, Ousted) or brief >= MOST_BRIEF:
                ousted = 1 if held_s > OUSTED_MOST_S else ousted + 1
                asked_s = min(OUSTED_MOST_S, OUSTED_S * 2 ** (ousted - 1))
            self._note(str(why) if isinstance(why, Ousted) or brief < MOST_BRIEF else RIVAL)
            retry.fail(now, held_s=held_s, asked_s=asked_s)
            await asyncio.sleep(max(0.0, retry.ready_at - now))

    async def _until_it_breaks(self) -> ConnectionError:
        """Why it did."""
        try:
            await self._serve()
        except ConnectionError as error:
            why = error
        except Exception as error:
            why = ConnectionError(f"the MQTT connection broke ({type(error).__name__}).")
        if (task := asyncio.current_task()) and task.cancelling():  # what broke was the goodbye
            raise asyncio.CancelledError
        return why

    async def publish(self, topic: str, payload: str, *, qos: int = 1, retain: bool = False) -> None:
        """Raises ConnectionError where nothing was sent, or it was refused, TimeoutError where nobody knows whether the
        broker has it.
        """
        client = self._client
        if client is None or self.away:
            raise ConnectionError(self.away)
        await self._until(asyncio.ensure_future(calling.publish(client, Message(topic, payload, retain), qos)))

    def tell(self, message: Message) -> None:
        """The same for what nobody waits for; it is dropped where there is no connection."""
        if not self.away and len(self._tasks) < QUEUE_LIMIT:
            self._start(self.publish(message.topic, message.payload, retain=message.retain))

    def listen(self, pattern: str, take: Take) -> Callable[[], None]:
        """From now on be told of what comes for a topic, or for one with wildcards. Call what it returns to end it.

        Both may be called on any thread.
        """
        self._loop.call_soon_threadsafe(self._add, pattern, take)
        return lambda: self._on_the_loop(self._remove, pattern, take)

    async def listening(self, pattern: str) -> None:
        """Returns when the broker knows that we listen. Raises ConnectionError, TimeoutError."""
        client = self._client
        if client is None or self.away:
            raise ConnectionError(self.away)
        await self._until(asyncio.ensure_future(self._subscribe(client, pattern)))

    async def _serve(self) -> None:
        """Raises ConnectionError in words."""
        import aiomqtt

        client = await made(self._settings, self._client_id, self._goodbye)
        try:
            async with client:
                try:
                    await self._greet(client)
                    async for message in client.messages:
                        self._take(message)
                except asyncio.CancelledError:
                    await self._leave(client)
                    raise
                finally:
                    self._client, self.away = None, "the MQTT broker has gone."
                    self._lost.set_result(None)
        except aiomqtt.MqttError as error:
            raise refusal(error) from error

    async def _greet(self, client: "aiomqtt.Client") -> None:
        self._lost = self._loop.create_future()
        self._client = client
        for pattern in tuple(self._listeners):
            await self._subscribe(client, pattern)
        self.away, self._has_stood = "", True
        log.info("connected to the broker")
        for message in self._hello():
            self.tell(message)

    async def _leave(self, client: "aiomqtt.Client") -> None:
        """Who disconnects in order leaves no will behind."""
        with contextlib.suppress(Exception):
            client.timeout = GOODBYE_S
            async with asyncio.timeout(GOODBYE_S):
                await calling.publish(client, self._goodbye, 1)

    async def _until(self, sending: asyncio.Future[None]) -> None:
        """Until it is done, or the connection is gone. Raises ConnectionError, TimeoutError."""
        import aiomqtt

        try:
            await asyncio.wait({sending, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise TimeoutError("the MQTT broker went away meanwhile.")
            sending.result()
        except aiomqtt.MqttCodeError as error:
            raise ConnectionError(self.away or "the MQTT broker has gone.") from error
        except aiomqtt.MqttError as error:
            raise TimeoutError("the MQTT broker does not answer.") from error
        finally:
            sending.cancel()

    async def _subscribe(self, client: "aiomqtt.Client", pattern: str) -> None:
        codes = await client.subscribe(pattern, 1, timeout=ACKNOWLEDGE_S)
        if any((code if isinstance(code, int) else code.value) >= 128 for code in codes):
            self._warn_once("the broker does not let us listen to a topic; its access rules say which")

    def _take(self, message: "aiomqtt.Message") -> None:
        payload: Any = message.payload
        if len(payload) > PAYLOAD_LIMIT:
            return
        for pattern, takes in tuple(self._listeners.items()):
            for take in takes if message.topic.matches(pattern) else ():
                try:
                    take(str(message.topic), bytes(payload), message.retain)
                except Exception as error:
                    log.warning("a message could not be used: %s", type(error).__name__)

    def _add(self, pattern: str, take: Take) -> None:
        takes = self._listeners.setdefault(pattern, [])
        takes.append(take)
        # Again where others listen already: the broker then sends what it has kept.
        if self._client is not None:
            self._start(self._subscribe(self._client, pattern))

    def _remove(self, pattern: str, take: Take) -> None:
        takes = self._listeners.get(pattern, [])
        if take in takes:
            takes.remove(take)
        if not takes and self._listeners.pop(pattern, None) is not None and self._client is not None:
            self._start(self._client.unsubscribe(pattern, timeout=ACKNOWLEDGE_S))

    def _on_the_loop(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call, *arguments)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def quietly() -> None:
            try:
                await work
            except Forbidden:
                self._warn_once("the broker does not let us publish to a topic; its access rules say which")
            except Exception:
                return

        task = asyncio.create_task(quietly(), name="mqtt")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _warn_once(self, what: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            log.warning("%s", what)

    def _note(self, why: str) -> None:
        if why != self.away:
            log.warning("%s It is tried again.", why[0].upper() + why[1:])
        self.away = why
