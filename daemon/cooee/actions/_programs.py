"""Programs that run what they are given: interpreters, and those that start other programs. Pure."""

import re
from dataclasses import dataclass

_NEVER = "(?!)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Its names, its options after which code comes, and those after which something else does."""

    names: str
    code: str
    valued: str = ""
    is_mixed: bool = False
    """Whether options may also stand behind the first argument."""
    is_shell: bool = False
    """Whether the code is not what stands behind its option, but the first word that is no option."""
    said: tuple[str, ...] = ()
    """Words after which code comes."""
    skipped: tuple[str, ...] = ()
    """Words before the script."""


_INTERPRETERS = (
    Interpreter(
        r"(?:[ckz]|a|ba|da|tc|fi|mk|pdk|rba|ya|po|o|y)?sh|ksh93|oksh|elvish|nu|xonsh",
        r"-[a-zA-Z]*c[a-zA-Z]*|--commands?",
        r"[-+][a-zA-Z]*[oO][a-zA-Z]*|-C|--rcfile|--init-file|--init-command|--config|--env-config|--emulate|--rc",
        is_shell=True,
    ),
    Interpreter(r"(?:i|b)?python[\d.]*|pypy[\d.]*", "-[a-zA-Z]*[cm]", "-[WX]"),
    Interpreter(
        r"perl[\d.]*|ruby[\d.]*|raku|perl6|julia|racket|sbcl", "-[a-zA-Z]*[eE]|--eval|--print", "-[MIrLl]|--load"
    ),
    Interpreter(
        r"node|nodejs|deno|bun",
        "-e|-p|-pe|--eval|--print",
        "-[rC]|--require|--import|--preload|--loader",
        said=("eval",),
        skipped=("run", "task", "test", "x", "exec", "serve", "compile", "bundle", "install"),
    ),
    Interpreter(r"php[\d.]*", "-[rBRE]|--run|--process-code", "-[dcfF]|--define|--file"),
    Interpreter(r"osascript|Rscript", "-e"),
    Interpreter(
        r"lua[\d.]*|luajit|tclsh[\d.]*|wish|expect|R|guile|elixir|groovy|gnuplot|octave|erl|ghc|scala",
        _NEVER,
        "-[a-zA-Z]*[cefl]|--eval|--load|-eval",
    ),
    Interpreter(r"[gmn]?awk", "-[a-z]*[fe]|--file|--source|-E", "-[vF]", is_mixed=True),
    Interpreter(r"g?sed|ed|ex|vim?|nvim|emacs", "-[a-zA-Z]*[ecf]|--expression|--file|--eval", is_mixed=True),
)
JOINING = re.compile(
    r"ssh|rsh|mosh|autossh|dbclient|eval|watch|xargs|parallel|pwsh|crontab|script|screen|tmux|tmate|byobu|dtach|abduco|socat|su|dc"
    r"|sqlite3|duckdb|psql|mysql|mariadb|gdb|g?make|just|rake|npx|npm|pnpm|yarn|pipx|uvx?|poetry|cargo|entr|hyperfine"
    r"|kubectl|oc|lxc|lxc-attach|incus|machinectl|distrobox|toolbox|flatpak-spawn|schroot|start-stop-daemon|daemonize"
    r"|[a-z-]*xterm|xterm-\w+|x-terminal-emulator|[a-z0-9]+-terminal|lxterminal|u?rxvt[a-z]*|konsole|terminator"
    r"|alacritty|kitty|foot|st"
)
"""These hand their arguments to a shell, read them as commands, or start them in ways of their own."""


def _valued(letters: str, names: str = "") -> str:
    """Options after which something else stands, also behind others as in "-nu pi"."""
    short = [f"-[^{letters}-]*[{letters}]"] if letters else []
    long = [f"--(?:{'|'.join(names.split())})"] if names else []
    return "|".join([*short, *long]) or _NEVER


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SUDO = "user group prompt host close-from chdir chroot command-timeout role type other-user"
_SETPRIV = (
    "reuid regid ruid euid rgid egid groups inh-caps ambient-caps bounding-set securebits pdeathsig selinux-label"
    " apparmor-profile landlock-access landlock-rule"
)
_SYSTEMD_RUN = (
    "unit property description slice service-type uid gid nice working-directory setenv timer-property path-property"
    " socket-property machine host background job-mode on-active on-boot on-startup on-unit-active on-unit-inactive"
    " on-calendar"
)
_CONTAINER = (
    "env user workdir name volume publish network entrypoint env-file label hostname memory cpus mount device restart"
    " platform add-host dns cap-add cap-drop security-opt detach-keys tmpfs userns ulimit gpus index file"
)
_XVFB = "server-num error-file auth-file server-args xauth-protocol wait"
_RUNUSER = "user group supp-group shell command session-command whitelist-environment"
WRAPPERS = {
    **dict.fromkeys(("sudo", "doas"), _valued("ugphCDRTrtUa", _SUDO)),
    "env": _valued("uCa", "unset chdir argv0"),
    "nice": _valued("n", "adjustment"),
    "ionice": _valued("cnpPu", "class classdata pid pgid uid"),
    "timeout": _valued("sk", "signal kill-after"),
    "stdbuf": _valued("ioe", "input output error"),
    "time": _valued("fo", "format output"),
    "flock": _valued("wEc", "wait timeout conflict-exit-code command"),
    "setpriv": _valued("", _SETPRIV),
    "systemd-run": _valued("pEMHu", _SYSTEMD_RUN),
    "runuser": _valued("ugGscwT", _RUNUSER),
    "pkexec": _valued("", "user"),
    "sshpass": _valued("pfdP"),
    "sg": _valued("c"),
    "chrt": _valued("TPD", "sched-runtime sched-period sched-deadline"),
    "chroot": _valued("", "userspec groups"),
    "unshare": _valued("SGRw", "setuid setgid root wd propagation setgroups"),
    "nsenter": _valued("tSG", "target setuid setgid"),
    "exec": _valued("a"),
    "xvfb-run": _valued("nefspw", _XVFB),
    "strace": _valued("abeEoOpPsSuUX", "output user trace"),
    "ltrace": _valued("aAeDFlnopsuwx", "output"),
    "cpulimit": _valued("lpe", "limit pid exe"),
    "numactl": _valued("imNCpPl", "interleave membind cpunodebind physcpubind preferred"),
    **dict.fromkeys(("gosu", "su-exec", "taskset", "setsid", "nohup", "command", "builtin", "busybox"), _NEVER),
    **dict.fromkeys(("proxychains", "proxychains4"), _valued("f")),
    "rlwrap": _valued("bCDefghHlOpPsStw"),
    **dict.fromkeys(
        (
            "unbuffer",
            "fakeroot",
            "torsocks",
            "torify",
            "dbus-run-session",
            "dbus-launch",
            "firejail",
            "linux32",
            "linux64",
            "setarch",
        ),
        _NEVER,
    ),
}
"""Programs that start the one that they are given, and their options after which something else stands."""
CARRIERS = dict.fromkeys(("docker", "podman", "nerdctl"), _valued("euwlvphmcf", _CONTAINER))
"""The same, where that is what they are told to do: "exec" or "run"."""
BEFORE = {
    **dict.fromkeys(("timeout", "taskset", "flock", "chroot", "chrt", "sg", "gosu", "su-exec", "setarch"), 1),
    **dict.fromkeys(CARRIERS, 1),
}
"""So many words stand before that one."""
STARTS = re.compile(r"-(?:exec|execdir|ok|okdir)|-x|-X|--exec|--exec-batch")
PLAIN = _named(
    "grep egrep fgrep zgrep rg ag echo printf mpc amixer aplay arecord play sox notify-send ping date head tail wc"
    " cut sort uniq ls cat curl mosquitto_pub mosquitto_sub espeak espeak-ng flite say mpv ffplay playerctl pactl"
    " wpctl logger wall irsend i2cset xset xrandr brightnessctl etherwake wakeonlan wol pinctl raspi-gpio bc test"
)
"""To these nothing is code, and they start nothing."""
SPOKEN = _named(
    "time watch script screen command exec eval ed ex R nu nice just make expect wish parallel su st oc foot kitty"
    " toolbox dc node"
)
"""Names that are words as well: only what stands first is meant as a program."""


def interpreter(program: str) -> Interpreter | None:
    return next((kind for kind in _INTERPRETERS if re.fullmatch(kind.names, program)), None)
