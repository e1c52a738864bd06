"""Words as they are compared, counted and spoken: numbers and units both ways."""

import calendar
import functools
import re
import unicodedata
from collections.abc import Iterator

from unicode_rbnf import FormatPurpose, RbnfEngine

_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

# What is read out differently than it is written; "(s)" goes after exactly one.
_UNITS = {
    "°C": "degree(s) Celsius",
    "°F": "degree(s) Fahrenheit",
    "°": "degree(s)",
    "km/h": "kilometer(s) per hour",
    "mph": "mile(s) per hour",
    "m/s": "meter(s) per second",
    "kWh": "kilowatt hour(s)",
    "Wh": "watt hour(s)",
    "kW": "kilowatt(s)",
    "W": "watt(s)",
    "hPa": "hectopascal(s)",
    "dB": "decibel(s)",
    "lx": "lux",
    "ppm": "part(s) per million",
    "km": "kilometer(s)",
    "cm": "centimeter(s)",
    "mm": "millimeter(s)",
    "kg": "kilogram(s)",
    "ms": "millisecond(s)",
    "min": "minute(s)",
    "s": "second(s)",
    "h": "hour(s)",
    "m": "meter(s)",
}
_UNIT = re.compile(
    r"(\d[\d.,]*)\s?(" + "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True))) + r")(?![\w/²³])"
)
_MONEY = re.compile(r"([$€£])\s?(\d+(?:,\d{3})*(?:\.\d+)?)")
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds"}
_DATE = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?!\d)(\s?[ap]\.?m\b)?", re.IGNORECASE)

_SHORT, _LONG, _VERY_LONG = 20, 80, 240  # characters of a sentence


@functools.cache
def _engine() -> RbnfEngine:
    return RbnfEngine.for_language("en")


@functools.cache
def _single_words() -> tuple[dict[str, int], dict[str, int]]:
    """The numbers below twenty, and the tens from twenty on, by their words."""
    return {_in_words(str(n)): n for n in range(20)}, {_in_words(str(n)): n for n in range(20, 100, 10)}


def _in_words(digits: str, purpose: FormatPurpose = FormatPurpose.CARDINAL) -> str:
    whole, _, fraction = digits.partition(".")
    if len(whole) > 12:
        return " ".join(_in_words(digit) for digit in whole)
    words = _engine().format_number(int(whole), purpose).text.replace("-", " ")
    return f"{words} point {' '.join(_in_words(digit) for digit in fraction)}" if fraction else words


def _clock(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), match[2], match[3] or ""
    if minute == "00":
        return f"{hour}{half}" if half else f"{hour} o'clock"
    return f"{hour} {'oh ' + minute[1] if minute[0] == '0' else minute}{half}"


def _numbers(text: str) -> str:
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(
        r"\b(\d{1,9})(?:st|nd|rd|th)\b", lambda match: f" {_in_words(match[1], FormatPurpose.ORDINAL)} ", text
    )
    text = re.sub(r"(?<![\w.])-(?=\d)", " minus ", text)
    return re.sub(r"\d+(?:\.\d+)?", lambda match: f" {_in_words(match[0])} ", text)


def _unit(match: re.Match[str]) -> str:
    return f"{match[1]} {_UNITS[match[2]].replace('(s)', '' if match[1] == '1' else 's')}"


def normalise(text: str) -> str:
    """The text as bare words, so that two spellings of one sentence are equal: lower case, digits as words, "%" as
    "percent", "7:00" as "seven o'clock", no punctuation, no accents. Only a-z, "'" and single blanks are left.
    """
    text = unicodedata.normalize("NFKD", text).lower().replace("\u2019", "'")
    text = re.sub(r"°\s?c\b", "° celsius", text).replace("°", " degrees ")
    text = re.sub(r"\bo'?\s?clock\b", "o'clock", text)
    text = re.sub(r"\b([apt])\.\s?([mv])\b\.?", r"\1\2", text).replace("%", " percent ").replace("&", " and ")
    text = _numbers(_CLOCK.sub(_clock, text))
    text = re.sub(r"[\u0300-\u036f]", "", text)
    text = re.sub(r"(?<![a-z])'+|'+(?![a-z])", " ", re.sub(r"[^a-z']", " ", text))
    return " ".join(text.split())


def number(words: str) -> int | None:
    """The whole number that the words are ("twenty five", "a hundred", "25", "minus two"), or None if they are none."""
    if re.fullmatch(r"\s*-?\d{1,15}(\.0+)?\s*", words):
        return int(words.split(".")[0])
    tokens = normalise(words).split()
    sign = -1 if tokens and tokens[0] in ("minus", "negative") else 1
    value = _value(tokens[1:] if sign < 0 else tokens)
    return None if value is None else sign * value


def _value(tokens: list[str]) -> int | None:
    """One grammatical number: thousands, hundreds, tens and ones in falling order, each at most once."""
    small, tens = _single_words()
    total, group, room = 0, 0, 1000  # `room`: what may be added to the group has to be smaller than this
    last_scale = 10**12
    if not tokens or tokens[-1] == "and":
        return None
    for place, token in enumerate(tokens):
        if token in ("a", "an") and place == 0 and len(tokens) > 1 and tokens[1] in ("hundred", *_SCALES):
            group, room = 1, 1
        elif token in small and small[token] < room and (small[token] or len(tokens) == 1):
            group, room = group + small[token], 1
        elif token in tens and room >= 100:
            group, room = group + tens[token], 10
        elif token == "hundred" and 0 < group < 20:
            group, room = group * 100, 100
        elif token in _SCALES and group and _SCALES[token] < last_scale:
            last_scale = _SCALES[token]
            total, group, room = total + group * last_scale, 0, 1000
        elif not (token == "and" and place and tokens[place - 1] in ("hundred", *_SCALES)):
            return None
    return total + group


def spoken(text: str) -> str:
    """The text with the units, times, dates and signs written out that a synthesiser would spell or read as signs.

    Control characters and the brackets that some synthesisers take as commands are gone.
    """
    text = "".join(" " if unicodedata.category(char)[0] == "C" or char in "[]{}<>|\\^~`*_#@" else char for char in text)
    text = _DATE.sub(lambda match: f"{calendar.month_name[int(match[2])]} {int(match[3])}, {match[1]}", text)
    text = _MONEY.sub(lambda match: f"{match[2]} {_CURRENCIES[match[1]]}", _CLOCK.sub(_clock, text))
    text = _UNIT.sub(_unit, text)
    text = text.replace("%", " percent").replace("&", " and ").replace("=", " equals ")
    return " ".join(text.split())


def sentences(text: str) -> Iterator[str]:
    """The text's sentences in order; a long one is cut at a pause, and a very long one at a blank.

    What is spoken first should not wait for a long sentence to be synthesised.
    """
    for sentence in re.split(r"(?<=[.!?])(?<!\b[ap]\.m\.)\s+", text):
        yield from (piece for piece in _pieces(sentence.strip()) if re.search(r"\w", piece))


def _pieces(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONG:
        pause = max(sentence.rfind(sign, _SHORT, _LONG) for sign in (", ", "; ", ": ")) + 1
        if not pause and len(sentence) <= _VERY_LONG:
            break
        cut = pause or max(sentence.rfind(" ", 0, _VERY_LONG), 0) or _VERY_LONG
        yield sentence[:cut]
        sentence = sentence[cut:].strip()
    yield sentence
