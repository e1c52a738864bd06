import pytest

from cooee.agent.embedded.words import normalise, number, sentences, spoken


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Set a timer for 7:00.", "set a timer for seven o'clock"),
        ("It's 7:05 p.m. on the T.V.", "it's seven oh five pm on the tv"),
        ("7 o clock", "seven o'clock"),
        ("a 20-minute timer", "a twenty minute timer"),
        ("21.5°C, 45%", "twenty one point five degrees celsius forty five percent"),
        ("the 22nd of May", "the twenty second of may"),
        ("1,234 -5 10-5", "one thousand two hundred thirty four minus five ten five"),
        ("Café\u2019s & Küche", "cafe's and kuche"),
        ("123456789012345", "one two three four five six seven eight nine zero one two three four five"),
        ("¿?", ""),
    ],
)
def test_normalises(text: str, normal: str) -> None:
    assert normalise(text) == normal


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("25", 25),
        ("50.0", 50),
        ("twenty five", 25),
        ("Twenty-five", 25),
        ("a hundred", 100),
        ("one hundred and five", 105),
        ("nineteen hundred", 1900),
        ("two thousand twenty six", 2026),
        ("one million two hundred thousand three hundred and forty two", 1_200_342),
        ("minus two", -2),
        ("zero", 0),
        *((words, None) for words in ("", "a", "hundred", "twenty twelve", "five twenty", "one zero", "a hundred and")),
        *((words, None) for words in ("21.5", "fifty percent", "and five", "a five", "lamp", "thousand thousand")),
    ],
)
def test_counts(words: str, value: int | None) -> None:
    assert number(words) == value


def test_counts_what_it_normalises() -> None:
    for value in (*range(0, 1000), 1001, 2026, 10_010, 999_999, 1_000_000):
        assert number(normalise(str(value))) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("21.5 °C and 45 %", "21.5 degrees Celsius and 45 percent"),
        ("1 min, 21 min, 12 km/h", "1 minute, 21 minutes, 12 kilometers per hour"),
        ("at 14:05 or 7:00 or 7:30 p.m.", "at 14 oh 5 or 7 o'clock or 7 30 p.m."),
        ("on 2026-11-23 for $5", "on November 23, 2026 for 5 dollars"),
        ("[[h@l'oU]] \x1b<b>", "h l'oU b"),
        ("3 shops, 5 mice", "3 shops, 5 mice"),
    ],
)
def test_writes_out_what_is_spoken(text: str, said: str) -> None:
    assert spoken(text) == said


def test_splits_into_sentences_that_are_soon_spoken() -> None:
    assert list(sentences("Done. It is 7 p.m. now! Bye")) == ["Done.", "It is 7 p.m. now!", "Bye"]
    assert list(sentences("... !")) == []
    long = "The lamp in the kitchen is on, the lamp in the hall is off, and the lamp in the office was never there."
    assert " ".join(sentences(long)) == long and max(map(len, sentences(long))) <= 80
    assert max(map(len, sentences("word " * 1000))) <= 240 and "".join(sentences("a" * 1000)) == "a" * 1000
