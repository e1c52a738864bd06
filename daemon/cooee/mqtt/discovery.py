"""What Home Assistant is told once: that there is a speaker, and what of it can be seen and set. Pure.

Source: Home Assistant's documentation of MQTT discovery; checked against versions 2024.3 and 2025.4.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cooee.effects import Outcome, Phase
from cooee.mqtt.client import Message

COMMANDS = ("mute", "volume", "talk", "stop", "say", "ask")
TEXT_LIMIT = 255
"""The most that Home Assistant takes as a state."""

ENTITIES: Mapping[str, Mapping[str, Any]] = {
    "state": {"p": "sensor", "name": "State", "dev_cla": "enum", "options": [phase.value for phase in Phase]},
    "mute": {"p": "switch", "name": "Microphone mute", "ic": "mdi:microphone-off"},
    "volume": {"p": "number", "name": "Volume", "ic": "mdi:volume-high", "min": 0, "max": 100, "step": 1,
               "unit_of_meas": "%", "mode": "slider"},
    "talk": {"p": "button", "name": "Talk", "ic": "mdi:microphone-message"},
    "stop": {"p": "button", "name": "Stop", "ic": "mdi:stop"},
    "say": {"p": "text", "name": "Say", "ic": "mdi:bullhorn", "max": TEXT_LIMIT},
    "ask": {"p": "text", "name": "Ask", "ic": "mdi:comment-question", "max": TEXT_LIMIT},
    "answer": {"p": "event", "name": "Answer", "evt_typ": [outcome.value for outcome in Outcome]},
    "wake": {"p": "event", "name": "Wake", "evt_typ": ["wake"]},
    "error": {"p": "sensor", "name": "Last error", "ent_cat": "diagnostic", "ic": "mdi:alert-circle-outline"},
    "usage": {"p": "sensor", "name": "Usage today", "ent_cat": "diagnostic", "unit_of_meas": "min",
              "dev_cla": "duration", "stat_cla": "total_increasing"},
}  # fmt: skip
"""By the last level of their topics."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`root`: all of the speaker's own topics begin with it."""

    id: str
    root: str
    name: str
    area: str
    version: str

    @property
    def status_topic(self) -> str:
        return f"{self.root}/status"


def messages(identity: Identity, prefix: str, form: str) -> list[Message]:
    """The speaker in this form ("entities", "device" or "off"); what was told in another form is taken back first."""
    whole = _Form(f"{prefix}/device/{identity.id}/config", _device_message(identity))
    parts = [
        _Form(f"{prefix}/{entity['p']}/{identity.id}/{key}/config", _entity_message(identity, key))
        for key, entity in ENTITIES.items()
    ]
    told = {"device": [whole], "entities": parts}.get(form, [])
    taken_back = [each for each in (whole, *parts) if each not in told]
    return [
        *(Message(each.topic, "", retain=True) for each in taken_back),
        *(Message(each.topic, json.dumps(each.payload, ensure_ascii=False), retain=True) for each in told),
    ]


@dataclass(frozen=True, slots=True)
class _Form:
    topic: str
    payload: dict[str, Any]


def _device_message(identity: Identity) -> dict[str, Any]:
    entities = {key: {"p": entity["p"], **_entity(identity, key)} for key, entity in ENTITIES.items()}
    return {**_common(identity), "cmps": entities}


def _entity_message(identity: Identity, key: str) -> dict[str, Any]:
    return {**_common(identity), **_entity(identity, key)}


def _entity(identity: Identity, key: str) -> dict[str, Any]:
    topics = {}
    if ENTITIES[key]["p"] not in ("button", "text"):
        topics["stat_t"] = f"{identity.root}/{key}"
    if key in COMMANDS:
        topics["cmd_t"] = f"{identity.root}/{key}/set"
    about = {name: value for name, value in ENTITIES[key].items() if name != "p"}
    return {"uniq_id": f"{identity.id}_{key}", **about, **topics}


def _common(identity: Identity) -> dict[str, Any]:
    device = {"ids": identity.id, "name": identity.name, "mf": "cooee", "mdl": "Smart speaker", "sw": identity.version}
    return {
        "dev": {**device, "sa": identity.area} if identity.area else device,
        "o": {"name": "cooee", "sw": identity.version},
        "avty_t": identity.status_topic,
        "pl_avail": "online",
        "pl_not_avail": "offline",
        "qos": 1,
    }
