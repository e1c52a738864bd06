"""The sentences that work any function, as hassil templates, and the part of Home Assistant's that does.

In them {name} is what a function is called. Which verbs, numbers and values a function has is the grammar's to check.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

_RULES = {
    "n": "[(all|both|every|each)] [of] [(the|my|our|your|a|an|this|that|some)] {name}",
    "turn": "(turn|turned|switch|switched|put|power|bring)",
    "amount": "({number} [{unit}]|[(the|its)] {level} [(speed|power|brightness|strength|volume)])",
    "v": "[(the|some|a)] {value}",
    "extent": "(for|at|to) <amount>",
    "what": "(what is|what's|whats|what are|what was|tell me|read|read me|check|get|get me|show me|show|give me|report"
    "|how is|how's|how are|how much is|do you know|measure)",
    "is": "(is|are|was)",
    "quality": "(state|status|value|reading|level|brightness|speed|colour|color|temperature|position|volume)",
    "bit": "(a bit|a little|a little bit|a lot|much|some more)",
    "thanks": "(thanks|thank you)",
}

_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "on": (
        "<turn> [back] on <n> [<extent>]",
        "<turn> <n> [back] on [<extent>]",
        "<n> on [<extent>]",
        "(activate|enable) <n> [<extent>]",
    ),
    "off": (
        "<turn> [back] (off|out) <n> [<extent>]",
        "<turn> <n> [back] (off|out) [<extent>]",
        "<n> off [<extent>]",
        "(deactivate|disable|shut off|shut down) <n> [<extent>]",
    ),
    "toggle": ("(toggle|flip) <n>",),
    "pulse": ("(pulse|press|push|trigger|ring|buzz|tap|click) <n> [<extent>]",),
    "open": ("open [up] <n> [<extent>]",),
    "close": ("(close|shut) [up] <n> [<extent>]",),
    "lock": ("lock [up] <n>",),
    "unlock": ("unlock <n>",),
    "start": ("(start|begin|launch|run|make|brew) [me] <n> [<extent>]",),
    "stop": ("(stop|end|halt|cancel) <n>",),
    "pause": ("pause <n> [<extent>]",),
    "resume": ("(resume|continue|unpause) <n>",),
    "play": ("play <n>",),
    "next": ("next [(track|song)] (on|at) <n>", "skip [(the|this) (track|song)] (on|at) <n>"),
    "previous": ("previous [(track|song)] (on|at) <n>",),
    "up": (
        "(turn|move|roll|bring|put|pull) up <n>",
        "(turn|move|roll|bring|put|pull) <n> up",
        "<n> up",
        "(raise|increase|brighten) <n> [<bit>]",
        "(turn|bring|put|pull) <n> up <bit>",
        "make <n> [<bit>] (brighter|louder|warmer|hotter|faster|stronger|higher)",
    ),
    "down": (
        "(turn|move|roll|bring|put|pull) down <n>",
        "(turn|move|roll|bring|put|pull) <n> down",
        "<n> down",
        "(lower|decrease|reduce) <n> [<bit>]",
        "(turn|bring|put|pull) <n> down <bit>",
        "make <n> [<bit>] (darker|dimmer|quieter|softer|colder|cooler|slower|weaker|lower)",
    ),
    "mute": ("mute <n>", "turn <n> to mute"),
    "unmute": ("unmute <n>",),
    "number": (
        "(set|make|put|dim|adjust|change|turn|move|bring) <n> [{parameter}] [(to|at|on)] <amount>",
        "(raise|lower|increase|decrease|reduce|brighten|turn up|turn down|open|close) <n> [{parameter}] to <amount>",
        "(turn|put|bring|move) <n> [{parameter}] (up|down) to <amount>",
        "(open|close|lift|lower) <n> {level}",
        "<n> [{parameter}] [(to|at)] <amount>",
        "(set|change|adjust|turn|put|raise|lower|increase|decrease) [the] {parameter} (of|on|for|in) <n> to <amount>",
        "(set|start|make|create|add) [to] <n> (for|of) <amount>",
        "[(set|start|make|create)] [(a|at|to|an)] {number} {unit} {name}",
    ),
    "value": (
        "(set|put|switch|change|turn|tune|make|move|bring) <n> [{parameter}] [(to|on|into|in|at)] <v>",
        "(set|make|turn|put) <n> [to] <v> (at|and|with) <amount>",
        "<n> [to] <v>",
        "(play|show|use) <v> (on|with|in|from) <n>",
        "(set|change|turn|put) [the] {parameter} (of|on|for|in) <n> to <v>",
    ),
    "choose": (
        "switch to <n>",
        "(set|change|switch) the (scene|mode|mood) to <n>",
        "(it is|it's|its|time for|have) <n> [time]",
        "<n> time",
    ),
    "its_value": ("(play|show|sound) <v>",),
    "set": ("(set|change|adjust|dim|tune|control|operate) <n> [{parameter}]",),
    "ask": (
        "<what> [the] [(current|<quality> of)] <n> [(right now|now|reading|like|today)]",
        "how far (open|closed|up|down) <is> <n> [(right now|now)]",
        "<what> [(the|my|our)] {name} (<quality>|at|set to) [(right now|now)]",
        "(what|which) <quality> <is> <n> [(at|on|set to)] [(right now|now)]",
        "<is> [(there|the|my|our)] [any] {name} [(still|now)] {state}",
        "what does <n> (say|show|read)",
    ),
    "how": (
        "how {measure} {rest}",
        "how {measure}",
        "is it [(too|very|really)] {measure} [{rest}]",
        "(what|which) {quality:measure} (is it|do we have) [{rest}]",
    ),
    "do": ("(run|start|do|trigger|activate|press|ring|sound|use|open|execute|launch) <n>",),
    "bare": ("<n>",),
    "phrase": ("{phrase} [now]",),
    "phrase_number": ("{phrase} [(to|at|for|of|by|with|from)] <amount>",),
    "phrase_value": ("{phrase} [(to|on|in|for|with|at|as)] [(the|a|an|my)] {value}",),
    "phrase_text": (
        "{phrase} [(that|saying|about|for|to|called|named|with|of)] {text}",
        "add {text} to <n>",
        "put {text} on <n>",
    ),
    "time": (
        "what time is it [(now|right now|please)]",
        "(what is|what's|whats|tell me) the [(current|exact)] time [(now|right now)]",
        "what hour is it",
        "do you know what time it is",
        "do you have the time",
        "tell me what time it is",
        "time",
    ),
    "date": (
        "(what is|what's|whats|tell me) (the|today's|todays) [current] date [today]",
        "(what|which) day is (it|today) [today]",
        "(what is|what's|whats) today",
        "what date is it [today]",
        "what day of the week is it",
    ),
    "help": (
        "(what|which) (can|could|do) you do [for me]",
        "what else can you do",
        "what can i (say|ask|ask you|do)",
        "help [me]",
        "what are you able to do",
        "what do you (know|understand)",
        "(what|which) (devices|things|commands) (are there|do you (have|know)|can (i|you) (use|control|work|do))",
        "(who|what) are you",
    ),
    "dismiss": (
        "(never mind|nevermind|forget [about] it|nothing|cancel|stop|[be] quiet|shut up|silence)",
        "[no] (thanks|thank you) [(very much|so much|a lot)]",
        "[(no|ok|okay|<thanks>)] (that is|that's|thats|that will be|that'll be) (all|it|everything) [<thanks>]",
        "(goodbye|good bye|bye|bye bye|good night) [then]",
        "(stop|quit) listening",
        "(go [back] to sleep|leave me alone|go away|you can go|i'm done|we're done|i am done)",
    ),
}

MEASURES = {
    "far": "distance range far ultrasonic",
    "close": "distance proximity",
    "warm": "temperature warm hot thermometer",
    "hot": "temperature warm hot thermometer",
    "cold": "temperature cold warm hot thermometer",
    "cool": "temperature cold warm hot thermometer",
    "humid": "humidity humid moisture",
    "damp": "humidity humid moisture",
    "wet": "humidity moisture wet rain soil",
    "dry": "humidity moisture dry soil",
    "bright": "brightness light illuminance lux bright",
    "dark": "brightness light illuminance lux dark",
    "loud": "loudness noise volume sound loud",
    "full": "level full",
    "fast": "speed rpm fast fan fans ventilator motor pump",
    "strong": "fan fans level motor pump dimmer",
    "heavy": "weight heavy scale",
    "high": "height level high",
    "long": "length time long duration",
    "open": "gate door window valve blind blinds shutter shutters curtain curtains awning",
}
"""What is asked with "how", each with the words for what can tell it."""
ELSE = {
    **dict.fromkeys(("warm", "hot", "cold", "cool"), "heating heater thermostat climate radiator oven"),
    **dict.fromkeys(("bright", "dark"), "lamp lamps lights led strip bulb"),
    "loud": "radio music stereo television tv speaker player",
}
"""The same for what can tell it if nothing else can."""
_STATES = (
    "on off open closed shut locked unlocked pressed active running full empty warm cold hot wet dry moving busy "
    "occupied free ready home there dark bright muted detected clear triggered playing"
)
_HALVES = {
    "maximum": 1.0, "max": 1.0, "full": 1.0, "full power": 1.0, "highest": 1.0, "most": 1.0,
    "half": 0.5, "half way": 0.5, "halfway": 0.5,
    "minimum": 0.0, "min": 0.0, "lowest": 0.0, "least": 0.0,
}  # fmt: skip


_LISTS: Mapping[str, Any] = {
    "level": {"values": [{"in": word, "out": part} for word, part in _HALVES.items()]},
    "state": {"values": _STATES.split()},
    "measure": {"values": list(MEASURES)},
    "quality": {"values": [{"in": "temperature", "out": "warm"}, {"in": "humidity", "out": "humid"}]},
    "text": {"wildcard": True},
    "rest": {"wildcard": True},
}


@cache
def own() -> Any:
    """Our sentences as hassil Intents; the lists that they lack come with each grammar and sentence."""
    from hassil import Intents

    return Intents.from_dict(
        {
            "language": "en",
            "intents": {kind: {"data": [{"sentences": list(found)}]} for kind, found in _SENTENCES.items()},
            "expansion_rules": _RULES,
            "lists": _LISTS,
        }
    )


@cache
def amounts() -> Any:
    """A bare amount, the answer to "to how many percent?"."""
    from hassil import Intents

    return Intents.from_dict(
        {
            "language": "en",
            "intents": {"number": {"data": [{"sentences": ["[(to|at|for|about|around|make it|set it to)] <amount>"]}]}},
            "expansion_rules": _RULES,
            "lists": _LISTS,
        }
    )


@cache
def home_assistant() -> Any:
    """Those of Home Assistant's English sentences that speak of a thing by its name, as hassil Intents."""
    from hassil import Intents
    from home_assistant_intents import get_intents

    found = get_intents("en") or {}
    kept = {}
    for intent in _MEANINGS:
        data = [entry for entry in found["intents"][intent]["data"] if _by_name(entry)]
        kept[intent] = {"data": data}
    lists = {name: _digits_only(values) for name, values in found["lists"].items()}
    return Intents.from_dict({**found, "intents": kept, "lists": lists})


def _by_name(entry: Mapping[str, Any]) -> bool:
    """Only sentences with a {name}; a name alone would be a guess."""
    entry["sentences"][:] = [text for text in entry["sentences"] if "{name}" in text and text != "[<the>] {name}"]
    return bool(entry["sentences"]) and not any(
        "{area}" in text or "{floor}" in text or ":device_class" in text for text in entry["sentences"]
    )


def _digits_only(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Numbers come in digits; building the words for every range would take seconds."""
    return {"range": {**values["range"], "words": False}} if "range" in values else values


# What an intent of theirs means for a name of that domain, in the kinds of ours.
_MEANINGS: Mapping[str, Mapping[str, str]] = {
    "HassTurnOn": {"light": "on", "cover": "open", "lock": "lock", "button": "pulse", "script": "start"},
    "HassTurnOff": {"light": "off", "cover": "close", "lock": "unlock"},
    "HassLightSet": {"light": "number"},
    "HassFanSetSpeed": {"fan": "number"},
    "HassSetPosition": {"cover": "number"},
    "HassClimateSetTemperature": {"climate": "number"},
    "HassClimateGetTemperature": {"climate": "ask"},
    "HassGetState": {"sensor": "ask", "binary_sensor": "ask"},
    "HassMediaPause": {"media_player": "pause"},
    "HassMediaUnpause": {"media_player": "resume"},
    "HassMediaPlayerMute": {"media_player": "mute"},
    "HassMediaPlayerUnmute": {"media_player": "unmute"},
}
_AMOUNTS = ("brightness", "percentage", "position", "temperature", "volume_level")
# Which of their domains a function belongs to, by what it can do.
DOMAINS: Mapping[str, tuple[str, ...]] = {
    "on": ("light",),
    "open": ("cover",),
    "lock": ("lock",),
    "pulse": ("button",),
    "start": ("script",),
    "pause": ("media_player",),
    "mute": ("media_player",),
    "number": ("light", "fan", "cover", "climate"),
    "ask": ("sensor", "binary_sensor", "climate"),
}


def meaning(intent: str, domain: str, entities: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """A result of Home Assistant's grammar in our own kinds and list names."""
    kind = _MEANINGS.get(intent, {}).get(domain)
    if kind != "number":
        return (kind, {}) if kind else None
    amount = next((entities[name] for name in _AMOUNTS if isinstance(entities.get(name), int | float)), None)
    return ("number", {"number": amount}) if amount is not None else None
