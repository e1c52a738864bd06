"""What a function is called in speech, taken from its name and its description."""

import re
from dataclasses import dataclass, replace

from cooee.agent.embedded.tidy import plain, tidy, words_of

ARTICLES = "the|my|our|your|a|an|some|this|that|any"
# Verbs that only say that something is worked or read: "set_volume" is about the volume.
GENERIC = frozenset(
    words_of(
        "set change adjust control get read check measure show tell switch use operate manage query fetch report give "
        "list"
    )
)
_THIRD_PERSON = {
    "does": "do",
    "goes": "go",
    "switches": "switch",
    "washes": "wash",
    "presses": "press",
    "pushes": "push",
}
# First words of function names that make the name a phrase to be said, such as "ring_bell".
ACTING = frozenset(
    words_of(
        "add announce ask begin book boost brew bring broadcast buzz call cancel charge clean clear close cook count "
        "cut deactivate activate decrease delete disable dim dismiss dispense dock do drive enable end feed fill find "
        "finish flash flush fold follow forget grind heat increase launch lift light listen locate lock log lower make "
        "mark mix mow mute open order park pause pay ping play post pour power press print pulse push put quit raise "
        "record refill release remember remind remove repeat reset restart resume ring roll rotate run save say scan "
        "search send shut skip snooze speak spin start stop store sing take text toggle trigger turn unlock unmute "
        "update upload vacuum wake warm wash water write"
    )
)
_NOUN_END = re.compile(
    r"\s+(?:on or off|on and off|up or down|up and down|open or closed?|to|in percent|in degrees|in cm|in centim\w+"
    r"|in celsius|and|or|which|that|is|are|was|has|when|if|so|with|as)\b.*$"
)
_PLACED = re.compile(
    r"^(?P<thing>[\w' ]+?) (?:on|in|at|of|by|over|under|above|below|near|inside|outside|from) "
    r"(?:the )?(?P<place>[\w' ]+)$"
)
# Words that say what kind of part it is, and that people leave out: "unlock the front door" is for front_door_lock.
_PARTS = re.compile(r" (?:lock|switch|opener|sensor|controller|relay|actuator|motor|servo|button)$")
_TO_YOU = {"is": "are", "was": "were", "has": "have"}
_VAGUE = frozenset(words_of("thing something one it anything item part state level value reading"))
_SYNONYMS = (
    ("lamp", "light"),
    ("lamps", "lights"),
    ("tv", "television"),
    ("fridge", "refrigerator"),
    ("hi fi", "stereo"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """`label` is what we say; `full` and `short` are what may be heard; `head` is the verb that it begins with.

    `phrases` say what it does, by its name and description; `also` are those that it was declared with.
    """

    label: str
    full: tuple[str, ...]
    short: tuple[str, ...]
    phrases: tuple[str, ...]
    head: str
    also: tuple[str, ...] = ()
    pressed: frozenset[str] = frozenset()
    """The verbs of those of `also` that are only a verb and a name, such as "close the gate"."""


def split(name: str) -> list[str]:
    """desk_lamp, desk-lamp and deskLamp -> ["desk", "lamp"]; Home Assistant's own prefix says nothing."""
    name = re.sub(r"^Hass(?=[A-Z])", "", name)
    return tidy(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ")).split()


def names(name: str, description: str, *, has_states: bool) -> Names:
    """`has_states`: it has a parameter such as on/off, so "open_sign" is a sign and not something to be opened."""
    words = split(name)
    head = words[0] if words and (words[0] in GENERIC or words[0] in ACTING) else ""
    if head in ACTING and (has_states or (len(words) == 1 and description)) and len(words) < 2:
        head = ""
    if head in ACTING and has_states and head != "turn":
        head = ""
    rest = [word for word in words[1:] if word not in ("on", "off", "of", "the", "up", "down")] if head else words
    found = _unique([" ".join(rest), *_described(description)])
    nouns = _unique([noun for noun in found if noun == found[0] or " " in noun])
    nouns = _unique([*nouns, *(form for noun in nouns for form in placed_forms(noun))])
    also = swapped(nouns)
    full = _unique(
        [
            *nouns,
            *(noun for noun in also if " " in noun),
            *(_PARTS.sub("", noun) for noun in nouns if _PARTS.search(noun)),
            *(nickname for noun in nouns for nickname in nicknames(noun)),
        ]
    )
    worked = tuple(_PARTS.sub("", noun).split()[-1] for noun in nouns if _PARTS.search(noun) and len(noun.split()) > 2)
    loose = (*found, *also, *_shortened(nouns), *worked)
    short = tuple(noun for noun in (*loose, *other_number((*full, *loose))) if noun not in full and noun not in _VAGUE)
    acts = [" ".join(words), *_phrases(description)] if head in ACTING else []
    phrases = _unique([*acts, *_questions(description)])
    return Names(nouns[0] if nouns else " ".join(words), full, tuple(dict.fromkeys(short)), phrases, head)


def also_said(found: Names, phrases: object) -> Names:
    """The names with the phrases that the function is declared to be asked for with."""
    texts = [tidy(text) for text in phrases if isinstance(text, str)] if isinstance(phrases, list) else []
    known = {*found.full, *found.short}
    parts = [re.sub(rf"^(\w+) (?:{ARTICLES}) ", r"\1 ", text).partition(" ") for text in texts]
    pressed = frozenset(verb for verb, _, noun in parts if noun in known)
    return replace(found, also=_unique([*texts, *map(plain, texts)]), pressed=pressed)


def _unique(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def nicknames(noun: str) -> tuple[str, ...]:
    """What people call it for short, and call nothing else so: the garage is opened by its door."""
    return ("garage",) if re.fullmatch(r"garage (?:door|gate)|(?:door|gate) of the garage", noun) else ()


def placed_forms(noun: str) -> list[str]:
    """For "bedroom fan", "fan in the bedroom" and the like: people say it either way."""
    *place, thing = noun.split()
    if not place or _PLACED.match(noun):
        return []
    return [f"{thing} {at} the {' '.join(place)}" for at in ("in", "on", "at", "of", "by")]


def _shortened(nouns: tuple[str, ...]) -> tuple[str, ...]:
    """The last word of each name, and what else people call that."""
    placed = [match["thing"] for noun in nouns if (match := _PLACED.match(noun))]
    lasts = [noun.split()[-1] for noun in nouns if not _PLACED.match(noun)]
    found = _unique([*placed, *lasts])
    return tuple(text for text in (*found, *swapped(found)) if not text.isdigit())


def swapped(nouns: tuple[str, ...]) -> tuple[str, ...]:
    """The same names with what else people call such a thing: "desk lamp" -> "desk light"."""
    pairs = [pair for a, b in _SYNONYMS for pair in ((a, b), (b, a))]
    return _unique([re.sub(rf"\b{a}$", b, noun) for noun in nouns for a, b in pairs if re.search(rf"\b{a}$", noun)])


def other_number(nouns: tuple[str, ...]) -> tuple[str, ...]:
    """One light is "the lights" to many people, and to many a recogniser."""
    return tuple(noun[:-1] if noun.endswith("s") else f"{noun}s" for noun in nouns if not noun.endswith(("ss", "x")))


def _first_clause(description: str) -> str:
    return tidy(re.split(r"[.,;:(\n]", description.strip(), maxsplit=1)[0])


def _described(description: str) -> list[str]:
    """Noun phrases of the description: "The lamp on the desk" -> "lamp on the desk", "desk lamp"."""
    clause = _first_clause(description)
    match = re.match(r"(?:whether|if|how \w+(?: away)?) (?:the |a |an )?(.+?)(?: (?:is|are|has|was)\b.*)?$", clause)
    match = match or re.match(r"(?:the|a|an|your|my|our) (.+)$", clause)
    match = match or re.match(r"\w+ (?:something|things|an? \w+|\w+s) (?:to|on|in|at) (?:the|a|my|your) (.+)$", clause)
    match = match or re.match(r"\w+ (?:on |off |up |down )*(?:the|a|an|your|my) (.+)$", clause)
    if not match:
        return []
    noun = _NOUN_END.sub("", match[1]).strip()
    noun = re.sub(r"^(?:current|state of the|state of|present)\s+", "", noun)
    noun = re.sub(r"\s+(?:on|off|up|down|in|at|louder|quieter|brighter|darker|higher|lower|warmer|colder)$", "", noun)
    if not noun or len(noun.split()) > 5:
        return []
    placed = _PLACED.match(noun)
    return [noun, f"{placed['place']} {placed['thing']}"] if placed and len(placed["place"].split()) < 3 else [noun]


def _phrases(description: str) -> list[str]:
    """An imperative or third-person description as something to say: "Starts the coffee machine" -> "start the ..."."""
    words = _first_clause(description).split()
    if not words or len(words) > 8:
        return []
    verb = _THIRD_PERSON.get(words[0], words[0])
    verb = verb if verb in ACTING else verb.removesuffix("s")
    return [" ".join([verb, *words[1:]])] if verb in ACTING else []


def _questions(description: str) -> list[str]:
    """ "How long the speaker has been running" as it is asked: "how long has the speaker been running"."""
    clause = re.match(
        r"(how \w+(?: away)?|what|when|where|which \w+) ((?:the|my|our|your|an?|this|that) .+?)"
        r" (is|are|was|were|has|have|can|will)\b ?(.*)$",
        _first_clause(description),
    )
    if not clause:
        return []
    word, who, verb, rest = clause.groups()
    forms = [f"{word} {verb} {who} {rest}"]
    if who in ("the speaker", "this speaker"):
        forms.append(f"{word} {_TO_YOU.get(verb, verb)} you {rest}")
    return [form.strip() for form in forms]
