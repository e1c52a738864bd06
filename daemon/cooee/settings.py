"""What can be set: one model per room, a docstring per setting. Where they stand in a file is `config`'s business.

Kinds of devices (`agent/*`, `lights/*`, `actions/*`) keep their settings in their own file, made from `Table`.
"""

import math
import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class Table(BaseModel):
    """A table of config.toml: strict types, no unknown names, never changed after loading."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)


Percent = Annotated[int, Field(ge=0, le=100)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Pin = Annotated[int, Field(ge=0, le=27)]


def _one_of(*words: str) -> Callable[[str], str]:
    """A duration, or one of these words."""

    def check(text: str) -> str:
        if text in words or re.fullmatch(r"[1-9]\d{0,3}[smh]", text):
            return text
        known = "".join(f'"{word}", ' for word in words).removesuffix(", ") + (" or " if words else "")
        raise ValueError(f'must be {known}a duration such as "90s", "10m" or "1h"')

    return check


Duration = Annotated[str, AfterValidator(_one_of())]
Limit = Annotated[str, AfterValidator(_one_of("none"))]


def seconds(duration: str) -> float:
    """What a `Duration` or `Limit` is in seconds; "none" is infinite."""
    if duration == "none":
        return math.inf
    return int(duration[:-1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[duration[-1]]


def _is_named(file: str, info: ValidationInfo) -> str:
    if info.data.get("type") == "file" and not file:
        raise ValueError('must name a WAV file when type is "file"')
    return file


File = Annotated[str, AfterValidator(_is_named), Field(validate_default=True)]


class Mic(Table):
    """Where the microphone's samples come from."""

    type: Literal["alsa", "file"] = "alsa"
    """"alsa": a sound card; "file": a WAV file, played in real time."""
    device: str = "default"
    """The name, or a part of it, or the "hw:CARD=..." of the card, as `cooee devices` prints it."""
    channel: Annotated[int, Field(ge=0, le=31)] | Literal["mix"] = "mix"
    """Which of the card's channels to hear, counted from 0, or the mean of all of them."""
    gain_db: Annotated[float, Field(ge=-20, le=40)] = 0.0
    """Added to what the card gives; for I2S microphones that are too quiet."""
    file: File = ""
    """The WAV file, when type is "file"."""


class Wake(Table):
    """The wake words, and how sure the model has to be."""

    words: Annotated[list[str], Field(min_length=1, max_length=8)] = ["hey_jarvis"]
    """Names of the models that come with openWakeWord, or paths of .onnx files of one's own."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """A frame counts as a hit from this score on."""
    trigger_frames: Annotated[int, Field(ge=1, le=10)] = 2
    """So many hits among the last `window_frames` frames of 80 ms wake the speaker."""
    window_frames: Annotated[int, Field(ge=1, le=10, validate_default=True)] = 3
    """How many frames are looked at for `trigger_frames`."""
    refractory_s: Seconds = 2.0
    """After a wake, the same word is not believed again for so long."""

    @field_validator("window_frames")
    @classmethod
    def _holds_the_trigger(cls, window: int, info: ValidationInfo) -> int:
        if window < info.data.get("trigger_frames", 0):
            raise ValueError(f"must be at least trigger_frames ({info.data['trigger_frames']}), or nothing ever wakes")
        return window


class Conversation(Table):
    """When to listen, speak and sleep."""

    barge_in: Literal["wake", "voice", "off"] = "wake"
    """What interrupts a reply: the wake word, any voice (needs echo cancellation in the microphone), or nothing."""
    preroll_s: Annotated[float, Field(ge=0.5, le=3)] = 1.36
    """How much audio from before the wake is sent, so that wake word and command in one breath lose nothing."""
    connect_timeout_s: Seconds = 10.0
    """How long the user's words wait for the agent to be reachable before the speaker says that it is not."""
    no_speech_timeout_s: Seconds = 6.0
    """Nothing said for so long after the wake: asleep again."""
    utterance_limit_s: Seconds = 30.0
    """Someone (or the television) talks for longer than this without an end: asleep again."""
    thinking_timeout_s: Seconds = 30.0
    """The agent has heard but does not answer for so long: asleep again."""
    filler: Annotated[str, Field(max_length=200)] = "One moment."
    """What the agent says when a function takes long; empty: nothing."""
    filler_after_s: Annotated[float, Field(ge=0.5, le=30)] = 2.5
    """A function that takes longer than this is a slow one."""
    follow_up_s: Seconds = 5.0
    """After a reply, one may go on without the wake word for so long; 0 switches that off."""
    room_tail_s: Seconds = 0.3
    """How long the room still sounds after the loudspeaker's last sample."""
    speak_unasked: bool = False
    """Whether the agent may speak while the speaker is asleep, such as a greeting after a reconnect."""


class Session(Table):
    """How the line to the agent is kept."""

    keep: Annotated[str, AfterValidator(_one_of("always", "conversation"))] = "10m"
    """How long the line stays open after the last turn: "always", "conversation" or a duration. Minutes are billed."""
    hold_s: Annotated[float, Field(ge=1, le=60)] = 30.0
    """So much speech is held until the agent has understood it, to be sent again on a new line; the oldest goes."""
    keepalive_s: Annotated[float, Field(ge=1, le=8)] = 5.0
    """While no audio flows, a KeepAlive is sent this often; the vendor asks for at most 8."""
    apply_timeout_s: Annotated[float, Field(ge=1, le=30)] = 5.0
    """So long the agent may take to accept our settings."""
    backoff_first_s: Annotated[float, Field(ge=0.1, le=10)] = 0.5
    """The longest first wait before connecting anew; it doubles with each failure, with full jitter."""
    backoff_most_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    """The longest wait before connecting anew."""
    rotate_after: Duration = "110m"
    """A line is replaced at a quiet moment when it is so old; the vendor ends every line after two hours."""
    fallback_after_s: Annotated[float, Field(ge=0.5, le=15)] = 3.0
    """Where there is a fallback, it takes over when the agent has not answered for so long."""
    history_messages: Annotated[int, Field(ge=0, le=200)] = 30
    """So many messages of the conversation are carried over to a new line."""
    history_age: Duration = "12h"
    """Older messages are forgotten."""
    daily_limit: Limit = "1h"
    """All lines that cost money together may be open for so long a day; "none" for no limit."""
    monthly_limit: Limit = "10h"
    """The same for a month."""

    @property
    def keep_s(self) -> float | None:
        """`keep` in seconds; None: always."""
        match self.keep:
            case "always":
                return None
            case "conversation":
                return 0.0
            case duration:
                return seconds(duration)


class Speaker(Table):
    """Where replies are played."""

    type: Literal["alsa", "file"] = "alsa"
    """"alsa": a sound card; "file": a WAV file, written in real time."""
    device: str = "default"
    """The name, or a part of it, or the "hw:CARD=..." of the card, as `cooee devices` prints it."""
    volume: Percent = 70
    """How loud, until somebody sets it; what was set is kept, until this is changed."""
    mixer: Annotated[str, Field(min_length=1, max_length=60)] = "auto"
    """Which control of the card's mixer is the volume: "auto" finds one; "none": done in software."""
    period_ms: Annotated[int, Field(ge=5, le=100)] = 20
    """The card is fed in pieces of this length; two are always in flight. Longer: safer; shorter: hushes sooner."""
    file: File = ""
    """The WAV file, when type is "file"."""


Wish = Literal["talk", "stop", "mute", "volume_up", "volume_down", "none"]


class Button(Table):
    """A button to talk with."""

    type: Literal["none", "gpio"] = "none"
    """"gpio": a button on a pin."""
    pin: Pin = 26
    """The GPIO number (not the number on the header); 26 is next to a ground pin."""
    talk: Literal["press", "hold"] = "press"
    """"press": wakes the speaker, which hears when you have finished; "hold": held down for as long as you talk."""
    pull: Literal["up", "down", "none"] = "up"
    """Which way the pin is pulled; the button connects it to the other side."""
    active_high: bool = False
    """Whether a high pin means pressed, where `pull` is "none"."""
    debounce_ms: Annotated[int, Field(ge=1, le=200)] = 20
    """A contact counts when it has been steady for so long."""
    short: Wish = "talk"
    """What a press does; "mute" is on and off in turns. (Not where `talk` is "hold".)"""
    double: Wish = "none"
    """What two presses within `double_s` do; a single one then waits for so long."""
    long: Wish = "none"
    """What a press of `long_s` does; a shorter one then counts when it ends."""
    double_s: Annotated[float, Field(ge=0.1, le=2)] = 0.4
    """How long a second press may take to come."""
    long_s: Annotated[float, Field(ge=0.2, le=10)] = 1.0
    """How long a long press is."""

    def pins(self) -> tuple[int, ...]:
        """The GPIO pins that it takes."""
        return (self.pin,) if self.type == "gpio" else ()


def _tag(language: str) -> str:
    if language and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
        raise ValueError('must be a language tag such as "de" or "en-GB"')
    return language


class Persona(Table):
    """Another character of the agent's; what is left out is as in [agent]."""

    wake_word: str = ""
    """Which of [wake] words calls it; empty: it comes only when it is asked for."""
    prompt: str = ""
    """Who it is, in words to it."""
    voice: str = ""
    """The voice, by the name that the maker of the first [agent.speak] has for it."""
    language: Annotated[str, AfterValidator(_tag)] = ""
    """What is spoken with it, such as "de" or "en-GB"."""


def _key(reference: str) -> str:
    if reference and not re.fullmatch(r"secret:[\w.~/-]+", reference):
        raise ValueError('holds a key, which can\'t stand here; write "secret:NAME"')
    return reference


def _host(host: str) -> str:
    if not re.fullmatch(r"[\w.:%-]{0,253}", host):
        raise ValueError('must be the name or the address alone, such as "homeassistant.local"; the port has its own')
    return host


def _topic(topic: str) -> str:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", topic):
        raise ValueError('must be letters, digits and "_", "-" or ".", in levels parted by "/"')
    return topic


Topic = Annotated[str, AfterValidator(_topic)]


class Mqtt(Table):
    """The home's MQTT broker: for the actions of type "mqtt", and for the speaker to appear in Home Assistant."""

    host: Annotated[str, AfterValidator(_host)] = ""
    """The broker's name or address; empty: none."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """The broker's port; where `tls` is true it is mostly 8883."""
    tls: bool = False
    """Whether the connection is encrypted."""
    ca_file: str = ""
    """The certificate that the broker's is signed with, where that is one of your own."""
    username: str = ""
    """Who we are to the broker; empty: nobody in particular."""
    password: Annotated[str, AfterValidator(_key)] = ""
    """"secret:NAME": looked for in the environment variable NAME, in the systemd credential NAME, or, if NAME is a
    path, in a file of its owner's."""
    version: Literal["5", "3.1.1"] = "5"
    """Which MQTT the broker speaks."""
    discovery: Literal["entities", "device", "off"] = "entities"
    """How the speaker presents itself to Home Assistant: "entities" is understood by every version, "device" is one
    message for all and wants 2025 or later; "off": not at all."""
    discovery_topic: Topic = "homeassistant"
    """Where Home Assistant looks for what is new."""
    topic: Topic = "cooee"
    """The first levels of the speaker's own topics."""
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,40}$")] = ""
    """What sets this speaker apart from every other at the broker; empty: made from the machine's own number."""
    name: Annotated[str, Field(min_length=1, max_length=60)] = "Speaker"
    """What it is called in Home Assistant."""
    area: Annotated[str, Field(max_length=60)] = ""
    """The room that Home Assistant is to suggest for it."""


class Service(Table):
    """The daemon as a service."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From "info" on nothing that anybody said, no argument, address or key is logged."""
