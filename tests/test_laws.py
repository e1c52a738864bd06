"""The laws of the house that a machine can check: who may import whom, how long a file may be, what is where."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
HOUSE = TOP / "daemon" / "cooee"

CONTRACTS = {"events", "effects", "settings"}
"""What any room may know."""
NEUTRAL = {"address", "kinds", "retry", "secret", "store"}
"""Knows no room: what an address is, which kind has a name, when to try again, where keys are, what is kept on disk."""
PURE = {"trouble", "wishes", "events", "effects", "gate", "reply", "calls", "lease", "outage", "patience", "floor"}
PURE |= {"announcements", "consent", "asking", "yes", "rescue", "conversation"}

MAY_IMPORT = {
    "__init__": set(),
    "__main__": {"cli"},
    "trouble": set(),
    "wishes": set(),
    "events": {"trouble", "wishes"},
    "effects": {"events"},
    "settings": set(),
    "gate": set(),
    "reply": {"effects"},
    "lease": set(),
    "outage": {"events"},
    "patience": {"settings"},
    "calls": {"events", "effects", "consent"},
    "consent": {"events", "asking", "yes"},
    "asking": set(),
    "yes": {"asking"},
    "floor": {"effects", "calls", "gate", "lease", "patience", "reply", "settings"},
    "rescue": {"events", "effects", "floor", "outage"},
    "announcements": {"events", "effects"},
    "conversation": PURE | {"settings"},
    "address": set(),
    "kinds": set(),
    "secret": set(),
    "store": set(),
    "ending": set(),
    "turns": CONTRACTS | {"store", "ending"},
    "clips": {"mic"},
    "cast": {"settings", "agent"},
    "aloud": {"events", "agent", "kinds"},
    "pins": set(),
    "board": {"settings"},
    "button": CONTRACTS | {"pins"},
    "mute": CONTRACTS | {"pins", "kept"},
    "kept": {"store"},
    "mixer": CONTRACTS | {"kept"},
    "threads": set(),
    "remote": {"store", "screen"},
    "screen": set(),
    "control": CONTRACTS | {"store", "faults"},
    "status": CONTRACTS | {"config", "session", "sound", "store"},
    "desk": CONTRACTS | {"control", "faults", "mixer", "mute", "reload"},
    "mqtt": CONTRACTS | {"retry", "secret"},
    "reload": {"config"},
    "sound": {"events"},
    "mic": CONTRACTS | {"sound"},
    "speaker": CONTRACTS | {"sound"},
    "embedding": set(),
    "wake_models": {"embedding"},
    "quiet": {"wake_models"},
    "wake": CONTRACTS | {"wake_models", "quiet"},
    "retry": {"events"},
    "session": CONTRACTS | {"agent", "retry", "store", "session"},
    "agent": CONTRACTS | NEUTRAL | {"agent", "yes"},
    "lights": CONTRACTS | NEUTRAL | {"lights"},
    "actions": CONTRACTS | NEUTRAL | {"retry", "actions"},
    "service": set(),
    "faults": {"kinds"},
    "toml_lines": set(),
    "mended": {"faults"},
    "review": {"kinds", "secret", "settings", "wake"},
    "config": CONTRACTS | NEUTRAL | {"board", "faults", "mended", "mute", "review", "toml_lines"},
    "schema": {"config", "kinds", "settings"},
    "meter": CONTRACTS | {"sound", "mic"},
    "timeline": CONTRACTS,
}
KNOW_ALL = {"rooms", "app", "cli", "simulate"}
"""`rooms` puts them together, `app` runs them; the commands put `app` to use."""


def sources() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide which room is meant"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "cooee" else [module]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name and name.startswith("cooee.")}
    return found - {"__version__"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_imports_only_what_it_may_know(path: Path) -> None:
    mine = room(path)
    if mine not in KNOW_ALL:
        assert imported(path) <= MAY_IMPORT[mine] | {mine}


@pytest.mark.parametrize("path", [HOUSE / f"{name}.py" for name in sorted(PURE)], ids=lambda path: path.stem)
def test_the_heart_knows_no_clock_thread_socket_or_device(path: Path) -> None:
    allowed = {"cooee", "collections", "dataclasses", "enum", "typing", "collections.abc"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {each.name for each in node.names} <= {"re"}, f"{path}: import {node.names[0].name}"
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] in allowed, f"{path}: from {node.module}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_file_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_only_the_agents_room_knows_the_vendors_library() -> None:
    for path in sources():
        names = {str(node.module) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        assert room(path) == "agent" or not any(name.startswith("deepgram") for name in names), path


def test_the_top_level_is_what_it_is() -> None:
    fixed = {"pyproject.toml", "daemon", "systemd", "config", "tests", "README.md", "LICENSE", "CHANGELOG.md"}
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False).stdout
    names = {line.split("/")[0] for line in listed.splitlines()} or fixed
    assert {name for name in names if not name.startswith(".") and not name.endswith(".lock")} == fixed


def test_the_commands_can_be_run() -> None:
    for script in ("daemon/run", "tests/run", ".ci/run"):
        assert os.access(TOP / script, os.X_OK), script
    assert not (TOP / "daemon" / "__init__.py").exists()


def test_every_setting_says_what_it_is_for() -> None:
    from cooee import config, kinds

    models = [*config.ROOMS.values()]
    models += [kinds.settings(place, name) for place in (*config.KINDS, "actions") for name in kinds.names(place)]
    for model in models:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__module__}: {name}"
