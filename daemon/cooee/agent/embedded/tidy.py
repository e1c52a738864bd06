"""Text as speech recognition writes it, brought to plain lower-case words with numbers in digits."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher


def words_of(text: str) -> list[str]:
    """Its words; a table of words reads best as a text."""
    return text.split()


_ONES = {
    word: value
    for value, word in enumerate(
        words_of(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(words_of("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
_SYMBOLS = (
    ("\u2019", "'"),
    ("%", " percent "),
    ("°c", " degrees "),
    ("°f", " degrees "),
    ("°", " degrees "),
    ("&", " and "),
)
_POLITE = (
    "please|could you|can you|would you|will you|can we|could we|i want you to|i'd like you to|i would like you to"
    "|i want to|i'd like to|let's|lets|just|now|right now|for me|okay|ok|so|well|um|uh|hey|hi|hello|thanks|thank you"
    "|kindly|go ahead and"
    r"|(?:i'd like|i would like|i need|may i have|can i have|could i have)(?: a| an| some)?"
)
_DURATIONS = (
    (re.compile(r"\bhalf an hour\b|\ba half hour\b"), "30 minutes"),
    (re.compile(r"\b(?:a )?quarter of an hour\b"), "15 minutes"),
    (re.compile(r"\b(?:an|one) hour and a half\b"), "90 minutes"),
    (re.compile(r"\b(?:a|an) (?=(?:hour|minute)\b)"), "1 "),
)
_HEAD = re.compile(rf"^(?:(?:{_POLITE})\s+)+")
_TAIL = re.compile(rf"(?:\s+(?:{_POLITE}|would you|will you))+$")
MUMBLED = 0.5
"""How much like the wake phrase, of 1, a few words have to be to be cut where the rest alone makes sense."""
A_LETTER = 0.06
"""So much less is it like it for a letter too many."""
_CALLS = frozenset({"hey", "hi", "hello", "okay", "ok", "yo", "oh", "he", "a", "hay", "eh"})


def digits(words: Sequence[str]) -> list[str]:
    """Number words in digits: ["twenty", "one", "percent"] -> ["21", "percent"]; other words stay."""
    done: list[str] = []
    at = 0
    while at < len(words):
        value, after = _number(words, at)
        done.append(words[at] if value is None else str(value))
        at = max(after, at + 1)
    text = re.sub(r"\b(\d+) point (\d+)\b", r"\1.\2", " ".join(done))
    return re.sub(r"\b(?:minus|negative) (\d)", r"-\1", text).split()


def _number(words: Sequence[str], at: int) -> tuple[int | None, int]:
    """The number below a thousand that starts at `at`, and where it ends."""
    value, after = _below_hundred(words, at)
    if words[at] == "a" and words[at + 1 : at + 2] == ["hundred"]:
        value, after = 1, at + 1
    if words[after : after + 1] != ["hundred"] or value is None or not 0 < value < 10:
        return value, after
    value, after = 100 * value, after + 1
    skip = 1 if words[after : after + 1] == ["and"] else 0
    more, end = _below_hundred(words, after + skip)
    return (value, after) if more is None else (value + more, end)


def _below_hundred(words: Sequence[str], at: int) -> tuple[int | None, int]:
    if at >= len(words):
        return None, at
    if words[at] in _ONES:
        return _ONES[words[at]], at + 1
    if words[at] not in _TENS:
        return None, at
    one = _ONES.get(words[at + 1], 0) if at + 1 < len(words) else 0
    return (_TENS[words[at]] + one, at + 2) if 0 < one < 10 else (_TENS[words[at]], at + 1)


def tidy(text: str) -> str:
    """Lower case, units spelled out, numbers in digits, no punctuation: "Set it to 20%!" -> "set it to 20 percent"."""
    text = text.lower()
    for symbol, meaning in _SYMBOLS:
        text = text.replace(symbol, meaning)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<![\w.])-(?=\d)", " minus ", text)
    text = re.sub(r"(?<=\d)\.(?=\d)", " point ", text)
    text = re.sub(r"(?<=\d)(?=[a-z])", " ", text)
    for duration, meaning in _DURATIONS:
        text = duration.sub(meaning, text)
    words = re.sub(r"[^\w' ]|_", " ", text).split()
    return " ".join(digits([bare for word in words if (bare := word.strip("'"))]))


def plain(words: str) -> str:
    """Tidied words without what is only polite, at both ends."""
    return _TAIL.sub("", _HEAD.sub("", words + " ").strip()).strip()


_SOMEBODY = "(?:did|have|has) (?:i|we|you|he|she|they|anybody|somebody|anyone|someone)"
_CHECK = "(?:(?:please|can you|could you) )?(?:check|tell me|see|look|find out|do you know|are you sure)(?: for me)?"
_ASKED = (
    (re.compile(rf"^{_CHECK} (?:if|whether) (.+?) (is|are) (?=\S)(.+)$"), r"\2 \1 \3"),
    (re.compile(rf"^{_SOMEBODY} (?:leave|left) (.+)$"), r"is \1"),
    (re.compile(rf"^{_SOMEBODY} (?:turn|switch)(?:ed)? (on|off) (.+)$"), r"is \2 \1"),
    (re.compile(rf"^{_SOMEBODY} (?:turn|switch)(?:ed)? (.+) (on|off)$"), r"is \1 \2"),
    (re.compile(rf"^{_SOMEBODY} (lock|unlock|close|shut|open)(?:e?d)? (.+)$"), r"is \2 \1"),
)
_CLOSED = {"lock": "locked", "unlock": "unlocked", "close": "closed"}


def stated(text: str) -> str:
    """A question about a state as the plain one: "Did I leave the oven on?" -> "is the oven on"."""
    words = plain(tidy(text))
    for pattern, plainly in _ASKED:
        if pattern.match(words):
            *rest, last = pattern.sub(plainly, words).split()
            return " ".join([*rest, _CLOSED.get(last, last)])
    return text


def unaddressed(text: str, keyterms: Iterable[str]) -> str:
    """The sentence without a leading wake phrase, or the end of one: "Hey, Jarvis. Turn it on." -> "Turn it on."

    Whisper spells names as it likes, so a word after "hey" that sounds much like the keyterm counts too.
    """
    for keyterm in sorted(keyterms, key=len, reverse=True):
        names = [word for word in tidy(keyterm).split() if word not in _CALLS]
        rest = _cut(text.strip(), names) if names else None
        if rest is not None:
            return rest[:1].upper() + rest[1:]
    return text.strip()


def without_mumbling(text: str, keyterms: Iterable[str]) -> Iterator[str]:
    """The sentence without its first, or last, one to four words, where these sound a little like the wake phrase.

    No more than those that are most like it: "Kay jarvis, close" is less so than "Kay jarvis".
    """
    names = ["".join(tidy(keyterm).split()) for keyterm in keyterms]
    found = list(re.finditer(r"[\w']+", text))
    counts = range(1, min(5, len(found)))
    for count in _mumbled_counts([found[:count] for count in counts], names):
        rest = text[found[count - 1].end() :].lstrip(" ,.!?;:-")
        yield rest[:1].upper() + rest[1:]
    for count in _mumbled_counts([found[-count:] for count in counts], names):
        yield text[: found[-count].start()].rstrip(" ,;:-")


def _mumbled_counts(groups: Sequence[Sequence[re.Match[str]]], names: Sequence[str]) -> list[int]:
    """How many words may be cut, the likeliest first; more than those hardly, for they begin the command."""
    likeness = [_likeness(words, names) for words in groups]
    most = max(likeness, default=0.0)
    best = likeness.index(most) if likeness else 0
    counts = [
        count
        for count, like in enumerate(likeness)
        if like >= (MUMBLED if count <= best else max(MUMBLED, most - A_LETTER))
    ]
    return [count + 1 for count in sorted(counts, key=lambda count: -likeness[count])]


def only_mumbling(text: str, keyterms: Iterable[str]) -> bool:
    """Whether the whole of it may be the wake phrase, heard badly: "Clay Jarvis." for "hey jarvis"."""
    found = list(re.finditer(r"[\w']+", text))
    names = ["".join(tidy(keyterm).split()) for keyterm in keyterms]
    return len(found) <= 3 and _likeness(found, names) >= 0.65


def _likeness(words: Sequence[re.Match[str]], names: Sequence[str]) -> float:
    said = "".join(word.group().lower() for word in words)
    return max((SequenceMatcher(None, said, name).ratio() for name in names), default=0.0) if len(said) > 3 else 0.0


def _cut(text: str, names: list[str]) -> str | None:
    found = list(re.finditer(r"[\w']+", text))
    called = bool(found) and found[0].group().lower() in _CALLS
    start = 1 if called else 0
    for count in range(len(names), 0, -1):
        heard = found[start : start + count]
        if len(heard) == count and all(
            _alike(word.group().lower(), name, called) for word, name in zip(heard, names[-count:], strict=True)
        ):
            return text[heard[-1].end() :].lstrip(" ,.!?;:-")
    paused = found[:1] and re.match(r"\s*[,.!?]", text[found[0].end() :])
    if paused and len(found[0].group()) > 2 and names[-1].endswith(found[0].group().lower()):
        return text[found[0].end() :].lstrip(" ,.!?;:-")
    return None


def _alike(heard: str, name: str, called: bool) -> bool:
    return heard == name or SequenceMatcher(None, heard, name).ratio() >= (0.6 if called else 0.75)
