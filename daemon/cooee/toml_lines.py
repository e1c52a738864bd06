"""A TOML file with the lines on which its tables and settings stand; tomllib does not say."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

DEPTH = 8
"""Deeper than any setting of ours."""
MOST_WRONG = 20
LEFT_OUT = "what stands twice"


class NoToml(Exception):
    """The text is none; str() is a sentence. `table` is the one that stands twice, if that is why; `others` were left
    out before.
    """

    def __init__(self, line: int, sentence: str, table: str = "") -> None:
        super().__init__(sentence)
        self.line = line
        self.table = table
        self.others: tuple[NoToml, ...] = ()


def read(text: str) -> dict[str, Any]:
    """The file's tables. Raises NoToml, and RecursionError for one that is nested too deeply."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(str(error), text) from error
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise NoToml(first(r"[0-9_]{4300}", text), "there is a number of thousands of digits") from error


def read_most(text: str) -> tuple[dict[str, Any], list[NoToml]]:
    """The same without settings that can't be read and tables that stand twice, each of which is told. Raises what is
    left if it can't be read even so.
    """
    wrong: list[NoToml] = []
    rows = text.split("\n")
    while True:
        try:
            tables = read("\n".join(rows))
            tables.pop(LEFT_OUT, None)
            return tables, wrong
        except NoToml as error:
            at = error.line - 1
            if len(wrong) == MOST_WRONG or not (error.table or _stands_alone(rows[at])):
                error.others = tuple(wrong)
                raise
            wrong.append(error)
            rows[at] = f'["{LEFT_OUT}".{at}]' if error.table else ""


def _stands_alone(row: str) -> bool:
    """Whether the row is a setting as a whole, as far as that can be seen of one that can't be read."""
    is_setting = re.match(r"\s*[\w.\"'-]+\s*=", row) and not re.search(r'"""|\'\'\'', row)
    return bool(is_setting) and all(row.count(opens) == row.count(closes) for opens, closes in ("[]", "{}"))


def _no_toml(message: str, text: str) -> NoToml:
    found = re.search(r"\(at line (\d+), column \d+\)", message)
    line = int(found[1]) if found else last(text)
    what = re.sub(r"\s*\(at .*\)$", "", message)
    if twice := re.match(r"Cannot declare \((.*?),?\) twice", what):
        table = ".".join(re.findall(r"'([^']*)'", twice[1])).join("[]")
        return NoToml(line, f"{table} stands twice; keep one of them", table)
    if what.startswith("Cannot overwrite a value"):
        what = "this setting stands twice; keep one of them"
    hint = "; strings need quotes, true and false do not" if what.startswith("Invalid ") else ""
    return NoToml(line, what + hint)


def first(pattern: str, text: str) -> int:
    """The line on which such a thing stands first; 1 if it is nowhere as a whole."""
    found = re.search(pattern, text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def lines(text: str) -> dict[tuple[str, ...], int]:
    """The line, counted from 1, on which each table and setting stands first.

    The nth table of an array of tables, [[agent.think]], is ("agent", "think", "n"), counted from 0.
    """
    found: dict[tuple[str, ...], int] = {}
    for path, line in _lines(text):
        found.setdefault(path, line)
    return found


def nearest(lines: Mapping[tuple[str, ...], int], path: tuple[str, ...]) -> int:
    """The line of the setting, else of the table that it belongs to, else 1."""
    for n in range(len(path), 0, -1):
        # The only one of several may stand as one table, without a number.
        for each in (path[:n], tuple(part for part in path[:n] if not part.isdecimal())):
            if each in lines:
                return lines[each]
    return 1


def last(text: str) -> int:
    """The number of the last line. Lines end at a line feed and at nothing else, as in TOML and in editors."""
    return text.rstrip("\n").count("\n") + 1


def section(text: str, line: int) -> int:
    """The line of the header below which that line is; 0: of none."""
    rows = enumerate(text.split("\n")[:line], start=1)
    return max((number for number, row in rows if re.match(r"\s*\[", row)), default=0)


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Inside multi-line strings nothing is looked for."""
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        opens = re.findall(r'"""|\'\'\'', line)
        if fence or len(opens) % 2:
            fence = "" if fence and fence in line else fence or opens[0]
            if fence == "" or not opens:
                continue
        if header := re.match(r"\s*\[(\[?)([^]]+)\]\]?\s*(#.*)?$", line):
            table = _within(_path(header[2]), counts)
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            yield from ((table[:n], number) for n in range(1, len(table) + 1))
        elif setting := re.match(r'\s*((?:[\w-]+|"[^"]*"|\'[^\']*\')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=', line):
            path = (*table, *_path(setting[1]))
            yield from ((path[:n], number) for n in range(len(table) + 1, len(path) + 1))


def _within(table: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """[agent.think.endpoint] below [[agent.think]] belongs to the last one of these."""
    outer = next((table[:n] for n in range(len(table) - 1, 0, -1) if table[:n] in counts), None)
    return (*outer, str(counts[outer]), *table[len(outer) :]) if outer else table


def _path(dotted: str) -> tuple[str, ...]:
    parts = re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', dotted.strip())[:DEPTH]
    return tuple(part.strip().strip("\"'") for part in parts)
