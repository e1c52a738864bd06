"""Which arguments of a program are code to somebody, so that nothing may be filled in there. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Open = Callable[[str], bool]
"""Whether something is filled into this argument."""


@dataclass(frozen=True, slots=True)
class _Interpreter:
    """Its names, its options after which code comes, and those after which something harmless does."""

    names: str
    code: str
    valued: str = ""
    is_mixed: bool = False
    """Whether options may also stand behind the first argument."""


_INTERPRETERS = (
    _Interpreter(r"(?:[ckz]|a|ba|da|tc|fi|mk|pdk|rba)?sh|ksh93|elvish|nu", "-[a-z]*c|--command", r"[-+]o|[-+]O"),
    _Interpreter(r"python[\d.]*|pypy[\d.]*", "-[a-zA-Z]*[cm]", "-[WX]"),
    _Interpreter(r"perl[\d.]*|ruby[\d.]*", "-[a-zA-Z]*[eEMrI]"),
    _Interpreter(r"node|nodejs|deno|bun", "-e|-p|-pe|-r|--eval|--print|--require|eval"),
    _Interpreter(r"php[\d.]*", "-[rBREfcd]|--run|--process-code"),
    _Interpreter(
        r"lua[\d.]*|luajit|tclsh[\d.]*|wish|expect|Rscript|R|guile|osascript|pwsh", "-[a-zA-Z]*[cef]|-Command"
    ),
    _Interpreter(r"[gmn]?awk", "-[a-z]*[fe]|--file|--source|-E", "-[vF]", is_mixed=True),
    _Interpreter(r"g?sed|ed|ex|vim?|nvim|emacs", "-[a-zA-Z]*[ecf]|--expression|--file|--eval", is_mixed=True),
)
_JOINING = re.compile(
    r"ssh|mosh|autossh|dbclient|eval|watch|xargs|parallel|script|screen|tmux|socat|su|sqlite3|psql|mysql|mariadb|gdb|dc|bc"
)
"""These hand their arguments to a shell, or read them as commands."""
_PIPING = re.compile(r"-[a-zA-Z]*[np][a-zA-Z]*")
"""With these options of Perl's, a file whose name ends with "|" is a program to start."""
_WRAPPERS = {
    **dict.fromkeys(("sudo", "doas"), "-[ugphCDRTrtU]"),
    **{"env": "-[uC]|--unset|--chdir", "nice": "-n", "timeout": "-[sk]|--signal|--kill-after", "ionice": "-[cnp]"},
    **{
        "stdbuf": "-[ioe]",
        "time": "-[fo]",
        "taskset": "",
        "setpriv": "",
        "flock": "-[wE]",
        "chroot": "",
        "unshare": "",
    },
    "systemd-run": "-[pEMHu]|--unit|--property",
    **dict.fromkeys(("setsid", "nohup", "exec", "command", "runuser", "pkexec", "xvfb-run", "chrt", "busybox"), ""),
}
"""Programs that start the one that they are given, and their options after which something else stands."""
_BEFORE = {"timeout": 1, "taskset": 1, "flock": 1, "chroot": 1, "chrt": 1}
"""So many words stand before that one."""
_STARTS = re.compile(r"-(?:exec|execdir|ok|okdir)|-x|-X|--exec|--exec-batch")


def code_in(words: Sequence[str], is_open: Open) -> str | None:
    """The first word into which something is filled that is code, or the name of what runs; None if there is none."""
    return next(_code_in(list(words), is_open), None)


def _code_in(words: list[str], is_open: Open) -> Iterator[str]:
    if not words:
        return
    program, rest = words[0].rpartition("/")[2], words[1:]
    is_piping = program.startswith("perl") and any(map(_PIPING.fullmatch, rest))
    if is_open(words[0]) or _JOINING.fullmatch(program) or is_piping:
        yield from filter(is_open, words)
    elif program in _WRAPPERS:
        yield from _wrapped(program, rest, is_open)
    elif (kind := _kind(program)) is not None:
        yield from _interpreted(kind, rest, is_open)
    elif program in ("find", "fd", "fdfind"):
        starts = [at for at, word in enumerate(rest) if _STARTS.fullmatch(word)]
        for at in starts:
            yield from _code_in(rest[at + 1 :], is_open)
    for at, (word, option) in enumerate(pairwise(rest)):
        kind = _kind(word.rpartition("/")[2])
        if kind is not None and re.fullmatch(kind.code, option):
            yield from _interpreted(kind, rest[at + 1 :], is_open)


def _kind(program: str) -> _Interpreter | None:
    return next((kind for kind in _INTERPRETERS if re.fullmatch(kind.names, program)), None)


def _wrapped(program: str, words: list[str], is_open: Open) -> Iterator[str]:
    before = _BEFORE.get(program, 0)
    while words:
        word, *words = words
        if re.fullmatch(_WRAPPERS[program] or "$", word) and words:
            yield from filter(is_open, (word, words[0]))
            words = words[1:]
        elif word.startswith("-") or re.match(r"\w+=", word) or before:
            before -= not word.startswith("-") and before > 0
            yield from filter(is_open, (word,))
        else:
            yield from _code_in([word, *words], is_open)
            return


def _interpreted(kind: _Interpreter, words: list[str], is_open: Open) -> Iterator[str]:
    """What stands behind the code, or behind the script's name, is data."""
    has_code = False
    while words:
        word, *words = words
        is_code, is_valued = re.fullmatch(kind.code, word), kind.valued and re.fullmatch(kind.valued, word)
        if (is_code or is_valued) and words:
            yield from filter(is_open, words[:1] if is_code else ())
            has_code, words = has_code or bool(is_code), words[1:]
        elif word.startswith(("-", "+")) and word not in ("-", "--"):
            yield from filter(is_open, (word,))
        elif word == "--":
            continue
        else:
            if not has_code:
                yield from filter(is_open, (word,))
                has_code = True
            if not kind.is_mixed:
                return
