"""How the broker is called: as whom, with which keys and limits, and what its refusals mean."""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
REFUSALS = {
    132: 'the MQTT broker speaks another version; [mqtt] version = "3.1.1" may help.',
    133: "the MQTT broker does not like our client id.",
    134: "the MQTT broker refuses the user name or the password.",
    135: "the MQTT broker does not let us in; it may want another user name or password.",
}
"""By the reason codes of MQTT 5.0, 2.4, which the library also translates the older ones to."""


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
    client.pending_calls_threshold = QUEUE_LIMIT
    return client


def refusal(error: "aiomqtt.MqttError") -> str:
    """Why there is no connection, in a sentence."""
    code = getattr(getattr(error, "rc", None), "value", 0)
    return REFUSALS.get(code, "the MQTT broker can't be reached.")


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
