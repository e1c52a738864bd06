"""How the broker is called: as whom, with which keys and limits, and what its refusals mean."""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cooee.secret import Exposed, referred
from cooee.settings import Mqtt as Settings

if TYPE_CHECKING:
    import aiomqtt

ACKNOWLEDGE_S = 5.0
"""The broker acknowledges what it is given within so long, or it is not known whether it has it."""
KEEPALIVE_S = 20
PAYLOAD_LIMIT = 65536
"""A larger message is none for us."""
QUEUE_LIMIT = 1000
FAILURE, NOT_AUTHORIZED, TAKEN_OVER = 128, 135, 142
"""Reason codes of MQTT 5.0, 2.4: from the first on, they mean no."""
REFUSALS = {
    132: 'the MQTT broker speaks another version; [mqtt] version = "3.1.1" may help.',
    133: "the MQTT broker does not like our client id.",
    134: "the MQTT broker refuses the user name or the password.",
    135: "the MQTT broker does not let us in; it may want another user name or password.",
    142: "another client at the MQTT broker uses our client id; give each speaker an [mqtt] id of its own.",
}
"""The library also translates the older codes to these."""


class Ousted(ConnectionError):
    """Another client has come with our client id, and the broker let us go."""


class Forbidden(ConnectionError):
    """The broker refuses what was published."""


@dataclass(frozen=True, slots=True)
class Message:
    topic: str
    payload: str
    retain: bool = False


async def made(settings: Settings, client_id: str, will: Message) -> "aiomqtt.Client":
    """Not connected yet. Raises ConnectionError, in words, where a key or a certificate is missing."""
    import aiomqtt
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    context, password = await asyncio.to_thread(_read, settings)
    properties = None
    if settings.version == "5":
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        # The broker then keeps to itself what is larger.
        properties.MaximumPacketSize = 2 * PAYLOAD_LIMIT
    quiet = logging.getLogger("cooee.mqtt.client")
    quiet.setLevel(logging.CRITICAL)
    client = aiomqtt.Client(
        settings.host,
        settings.port,
        username=settings.username or None,
        password=password,
        logger=quiet,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5 if properties else aiomqtt.ProtocolVersion.V311,
        will=aiomqtt.Will(will.topic, will.payload, 1, will.retain),
        timeout=ACKNOWLEDGE_S,
        keepalive=KEEPALIVE_S,
        max_queued_incoming_messages=QUEUE_LIMIT,
        tls_context=context,
        properties=properties,
    )
    client._client.user_data_set({})
    client._client.on_publish = _take_acknowledgement
    return client


def _take_acknowledgement(_: Any, waiting: dict[int, asyncio.Future[int]], number: int, reason: Any, *__: Any) -> None:
    if (acknowledged := waiting.get(number)) and not acknowledged.done():
        acknowledged.set_result(reason.value)


async def publish(client: "aiomqtt.Client", message: Message, qos: int) -> None:
    """Returns when the broker has it. Raises Forbidden, in words, and aiomqtt.MqttError.

    aiomqtt's own takes every PUBACK for a yes; MQTT 5.0, 3.4.2.1 has reasons for a no in it (3.1.1 has none, and a
    broker of that age drops what its access rules forbid without a word). What paho does not tell is a no to QoS 2.
    """
    import aiomqtt

    waiting: dict[int, asyncio.Future[int]] = client._client.user_data_get()
    sent = client._client.publish(message.topic, message.payload, qos, message.retain)
    if sent.rc:
        raise aiomqtt.MqttCodeError(sent.rc, "not sent")
    if qos == 0 or sent.is_published():
        return
    waiting[sent.mid] = asyncio.get_running_loop().create_future()
    try:
        async with asyncio.timeout(ACKNOWLEDGE_S):
            reason = await waiting[sent.mid]
    except TimeoutError:
        raise aiomqtt.MqttError("not acknowledged") from None
    finally:
        del waiting[sent.mid]
    if reason >= FAILURE:
        why = "its access rules do not let us" if reason == NOT_AUTHORIZED else f"reason {reason}"
        raise Forbidden(f"the MQTT broker refuses what was sent ({why}).")


def refusal(error: "aiomqtt.MqttError") -> ConnectionError:
    """Why there is no connection, in a sentence."""
    found = (getattr(getattr(each, "rc", None), "value", 0) for each in (error, error.__cause__))
    code = next((code for code in found if code in REFUSALS), 0)
    return (Ousted if code == TAKEN_OVER else ConnectionError)(REFUSALS.get(code, "the MQTT broker can't be reached."))


def _read(settings: Settings) -> tuple[ssl.SSLContext | None, str | None]:
    """The certificates and the password, from the disk. Raises ConnectionError in words."""
    name = settings.password.removeprefix("secret:")
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None) if settings.tls else None
        password = referred(name) if name else None
    except (OSError, ssl.SSLError) as error:
        raise ConnectionError("[mqtt] ca_file can't be read, or holds no certificate.") from error
    except Exposed as error:
        raise ConnectionError(f"[mqtt] password: {error}.") from error
    if name and password is None:
        raise ConnectionError(f"[mqtt] password: {name} is missing; set it as environment variable or credential.")
    return context, password
