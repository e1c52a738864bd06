"""Where in a TOML file each table and setting stands; tomllib does not say."""

import re
from collections.abc import Iterator

DEPTH = 8
"""Deeper than any setting of ours."""


def lines(text: str) -> dict[tuple[str, ...], int]:
    """The line, counted from 1, on which each table and setting stands first."""
    found: dict[tuple[str, ...], int] = {}
    for path, line in _lines(text):
        found.setdefault(path, line)
    return found


def last(text: str) -> int:
    """The number of the last line. Lines end at a line feed and at nothing else, as in TOML and in editors."""
    return text.rstrip("\n").count("\n") + 1


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Inside multi-line strings nothing is looked for."""
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        opens = re.findall(r'"""|\'\'\'', line)
        if fence or len(opens) % 2:
            fence = "" if fence and fence in line else fence or opens[0]
            if fence == "" or not opens:
                continue
        if header := re.match(r"\s*\[\[?([^]]+)\]\]?\s*(#.*)?$", line):
            table = _path(header[1])
            yield from ((table[:n], number) for n in range(1, len(table) + 1))
        elif setting := re.match(r'\s*((?:[\w-]+|"[^"]*"|\'[^\']*\')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=', line):
            path = (*table, *_path(setting[1]))
            yield from ((path[:n], number) for n in range(len(table) + 1, len(path) + 1))


def _path(dotted: str) -> tuple[str, ...]:
    parts = re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', dotted.strip())[:DEPTH]
    return tuple(part.strip().strip("\"'") for part in parts)
