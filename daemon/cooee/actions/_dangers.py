"""What is dangerous to move, by the words for it in English and German. Pure."""

import re


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_DANGERS: tuple[tuple[re.Pattern[str], set[str]], ...] = (
    (_words(r"(?:un)?lock(?:s|ed)?|deadbolt|latch"), {"lock"}),
    (_words(r"\w*schl(?:oss|össer)|(?:auf|ent)(?:schließ|riegel|sperr)\w*"), set()),
    (_words(r"door openers?|gates?|barriers?|\w*türöffner|türsummer|schranke"), set()),
    (_words(r"\w*garagen?|garage doors?|(?:\w*garagen|hof|garten|einfahrts|roll|schiebe)?tore?|garagentür"), set()),
    (_words(r"valves?|stopcocks?|\w*ventile?|\w*absperrhahn|wasserhahn"), {"close", "closed"}),
    (_words(r"alarms?(?! clocks?\b)|sirens?|\w+alarm|\w*alarmanlage|sirene"), {"arm", "armed"}),
    (_words(r"(?:\w* )?heaters?|boilers?|ovens?|stoves?|hobs?|saunas?"), {"off"}),
    (_words(r"heiz(?:lüfter|strahler|gerät|ofen)|backofen|ofen|herd"), {"off"}),
)
"""Each with the values that move it to the safe side."""
_DOORS = _words(r"doors?|\w*tür|\w*türen|\w*öffner|openers?")
_HARMLESS = re.compile(
    r"(?:lights?|lamps?|lanterns?|fans?|cameras?|radios?|speakers?|sensors?|displays?|chimes?|bells?|signs?|strips?"
    r"|\w*licht|\w*lichter|\w*lampen?|\w*leuchten?|\w*kamera|\w*sensor|\w*klingel)$",
    re.IGNORECASE,
)
_PLACE = _words(
    r"in|on|of|at|for|by|over|under|above|below|behind|beside|near|next|outside|inside|with|to"
    r"|am|im|an|auf|bei|über|vor|von|vom|der|des|zum|zur"
)


def is_dangerous(description: str, values: set[str], *, is_pulse: bool) -> bool:
    """Whether it speaks of such a thing, and the values would not move that to the safe side.

    `is_pulse`: it does just one thing, as a door opener does. A lamp at the gate is a lamp.
    """
    things = re.split(r"[.,;:(!?\n]|\b(?:and|or|und|oder)\b", description)
    return any(_is_dangerous(thing.strip(), values, is_pulse) for thing in things)


def _is_dangerous(thing: str, values: set[str], is_pulse: bool) -> bool:
    if _HARMLESS.search(_PLACE.split(thing, maxsplit=1)[0].strip()):
        return False
    if is_pulse and _DOORS.search(thing):
        return True
    return any(words.search(thing) and not (values and values <= safe) for words, safe in _DANGERS)
