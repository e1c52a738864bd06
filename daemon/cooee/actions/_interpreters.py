"""Which arguments of a program are code to somebody, so that nothing may be filled in there. Pure.

It errs to refusing: what a value is to a program that starts others has to be plain.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from cooee.actions._programs import (
    BEFORE,
    CARRIERS,
    JOINING,
    PLAIN,
    SPOKEN,
    STARTS,
    WRAPPERS,
    Interpreter,
    interpreter,
)

Open = Callable[[str], bool]
"""Whether something is filled into this argument."""

_CODE = re.compile(r"-c|-e|--eval|--exec|--command")
_ATTACHED = re.compile(r"--(?:eval|exec|command)=.*", re.DOTALL)
_PIPING = re.compile(r"-[a-zA-Z]*[np][a-zA-Z]*")
_READS_NAMES = re.compile(r"<>|<ARGV>|\bopen\b")
"""With these in Perl, a file whose name ends with "|" is a program to start."""
_RUNS = re.compile(r"timeit|pdb|c?[pP]rofile|trace|runpy|code|coverage")
"""Modules of Python's that run what they are given."""
_WHEN = re.compile(r"--on-[a-z-]+=.*", re.DOTALL)


def code_in(words: Sequence[str], is_open: Open) -> str | None:
    """The first word into which something is filled that is code, or the name of what runs; None if there is none."""
    return next(_code_in(list(words), is_open), None)


def _code_in(words: list[str], is_open: Open) -> Iterator[str]:
    if not words:
        return
    program, rest = _name(words[0]), words[1:]
    if is_open(words[0]) or JOINING.fullmatch(program) or _splits(program, rest):
        yield from filter(is_open, words)
    elif program in CARRIERS:
        at = next((at for at, word in enumerate(rest) if word in ("exec", "run")), len(rest))
        yield from _wrapped(program, rest[at + 1 :], is_open)
    elif program in WRAPPERS:
        yield from _wrapped(program, rest, is_open)
    elif (kind := interpreter(program)) is not None:
        yield from _interpreted(kind, program, rest, is_open)
    elif program in ("find", "fd", "fdfind"):
        starts = [at for at, word in enumerate(rest) if STARTS.fullmatch(word)]
        for at in starts:
            yield from _code_in(rest[at + 1 :], is_open)
    elif program not in PLAIN:
        yield from _unknown(program, rest, is_open)
    for at, (word, option) in enumerate(pairwise(rest)):
        kind = interpreter(_name(word))
        if kind is not None and re.fullmatch(kind.code, option):
            yield from _interpreted(kind, _name(word), rest[at + 1 :], is_open)


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _splits(program: str, rest: list[str]) -> bool:
    """Whether env makes several words of one."""
    return program == "env" and any(re.match(r"-[a-zA-Z]*S|--split-string", word) for word in rest)


def _unknown(program: str, words: list[str], is_open: Open) -> Iterator[str]:
    """What may be code to it, and what it may start: a name that is no common word."""
    behind = [word for option, word in pairwise(words) if _CODE.fullmatch(option)]
    yield from filter(is_open, [*behind, *filter(_ATTACHED.fullmatch, words)])
    for at, word in enumerate(words):
        name = _name(word)
        is_known = JOINING.fullmatch(name) or name in WRAPPERS or name in CARRIERS or interpreter(name)
        if is_known and name not in SPOKEN and not is_open(word):
            yield from _code_in(words[at:], is_open)
            return


def _wrapped(program: str, words: list[str], is_open: Open) -> Iterator[str]:
    before, valued = BEFORE.get(program, 0), WRAPPERS.get(program) or CARRIERS[program]
    while words:
        word, *words = words
        if re.fullmatch(valued, word) and words:
            yield from filter(is_open, (word, words[0]))
            words = words[1:]
        elif before and not word.startswith("-"):
            # How long, how urgent: no more than refused by the program; but not where, and not in what.
            before -= 1
            yield from filter(is_open, (word,) if program not in ("timeout", "chrt", "taskset") else ())
        elif word.startswith("-") or re.match(r"\w+=", word):
            yield from filter(is_open, (word,) if not _WHEN.fullmatch(word) else ())
        else:
            yield from _code_in([word, *words], is_open)
            return


def _interpreted(kind: Interpreter, program: str, words: list[str], is_open: Open) -> Iterator[str]:
    """What stands behind the code, or behind the script's name, is data."""
    has_code = is_piping = is_over = False
    while words:
        word, *words = words
        is_option = word.startswith(("-", "+")) and word != "-" and not is_over
        is_code = is_option and re.fullmatch(kind.code, word)
        is_piping |= program.startswith("perl") and is_option and bool(_PIPING.fullmatch(word))
        if is_option and kind.valued and re.fullmatch(kind.valued, word) and words:
            yield from filter(is_open, words[:1] if is_code or not kind.is_mixed else ())
            words = words[1:]
        if is_code and kind.is_shell:
            continue
        if (is_code or word in kind.said) and words:
            yield from filter(is_open, words[:1])
            is_piping |= program.startswith("perl") and bool(_READS_NAMES.search(words[0]))
            is_piping |= word.endswith("m") and bool(_RUNS.fullmatch(words[0]))
            has_code, words = True, words[1:]
        elif word == "--" or (word == "-" and kind.is_shell):
            is_over = True
        elif is_option:
            yield from filter(is_open, (word,))
        elif word not in kind.skipped or has_code:
            if not has_code:
                yield from filter(is_open, (word,))
                has_code = True
            if not kind.is_mixed:
                yield from filter(is_open, (word, *words) if is_piping else ())
                return
