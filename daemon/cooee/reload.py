"""The config read anew while the speaker runs: what changed, and what of it can be had without a restart."""

import dataclasses
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cooee import config
from cooee.config import Config, Faulty

log = logging.getLogger("cooee.reload")

LIVE = {"wake", "conversation", "session", "agent", "personas", "actions", "service"}
"""Tables that can change while the speaker runs; every other one needs a restart."""
FIXED = {"wake": ("words",), "agent": ("type", "output_rate_hz", "fallback")}
"""Settings in those tables that need a restart all the same: models and devices are made for them at start."""


@dataclass(frozen=True, slots=True)
class Changes:
    """`config`: what is in force from now on, which is the new file but for what needs a restart.

    `live`: the tables that are different in it. `later`: tables and settings of the new file that are not in it.
    """

    config: Config
    live: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One sentence for the log, without a value."""
        live = f"{_listed(self.live)} changed" if self.live else "nothing changed"
        later = f"; {_listed(self.later)} will change when the speaker is restarted" if self.later else ""
        return live + later


def read(in_force: Config) -> Changes | Faulty:
    """Read the file again, which may block. Where it has faults, each is logged, and what is in force stays."""
    try:
        found = changes(in_force, config.load(Path(in_force.file)))
    except Faulty as refused:
        # What was found may be an address; who mends the file sees it there.
        discreet = Faulty(tuple(replace(fault, found="") for fault in refused.faults))
        for fault in discreet.faults:
            log.error("%s", fault)
        log.error("the file is refused; the settings stay as they are")
        return discreet
    log.info("%s", found)
    return found


def changes(in_force: Config, new: Config) -> Changes:
    """Pure."""
    merged: dict[str, Any] = {}
    live, later = [], []
    for field in dataclasses.fields(Config):
        room, before, after = field.name, getattr(in_force, field.name), getattr(new, field.name)
        if not field.compare or room == "file" or before == after:
            continue
        if room not in LIVE or type(before) is not type(after):
            later.append(f"[{room}]")
            continue
        fixed = [name for name in FIXED.get(room, ()) if getattr(before, name, None) != getattr(after, name, None)]
        later += [f"[{room}] {name}" for name in fixed]
        if fixed:
            after = after.model_copy(update={name: getattr(before, name) for name in fixed})
        if after != before:
            merged[room] = after
            live.append(room)
    return Changes(replace(in_force, **merged), tuple(live), tuple(later))


def _listed(names: tuple[str, ...]) -> str:
    whole = [name if name.startswith("[") else f"[{name}]" for name in names]
    return whole[0] if len(whole) == 1 else f"{', '.join(whole[:-1])} and {whole[-1]}"
