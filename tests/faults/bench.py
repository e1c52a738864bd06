"""One scenario: a house, a vendor, the network between the two, and what has to be true of every one of them."""

import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fakes import Script, Server, server
from faults.house import Entry, House, house, told
from faults.late import lateness
from faults.proxy import Proxy, proxy
from faults.vendor import Vendor

FAULT = "! "
"""What the bench does to the house begins so in its timeline."""


@dataclass
class Bench:
    house: House
    proxy: Proxy
    server: Server
    vendors: list[Vendor]
    """Those among the server's scripts."""

    def fault(self, what: str) -> float:
        return self.house.mark(FAULT + what)

    @property
    def lost(self) -> int:
        """Words that nobody who took them as said ever got."""
        confirmed = [each for vendor in self.vendors for each in vendor.confirmed]
        return sum(sentence.lost(confirmed) for sentence in self.house.mouth.sentences)

    def row(self) -> "Row":
        entries = list(self.house.timeline)
        faults = [at for at, name in entries if name.startswith(FAULT)]
        since = [(at - faults[0], name) for at, name in entries if at >= faults[0]] if faults else []
        noticed = next((at for at, name in since if name.startswith(("down", "tell", "hush", "warned"))), None)
        recovered = next((at for at, name in since if name in ("up", "answer") and at >= (noticed or 0)), None)
        return Row(noticed, recovered, self.lost, any(name.startswith("tell") for _, name in since))


@dataclass
class Row:
    """A line of the table, in seconds since the fault; None: it never did, or never had to."""

    noticed_s: float | None
    recovered_s: float | None
    words_lost: int
    was_told: bool = False
    """Whether the user heard why."""


@asynccontextmanager
async def bench(
    *scripts: Script, seed: int = 0, host: str = "", tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Bench]:
    """The scripts are met in turn; without any there is one vendor that is always well. `options` are the house's.

    `host`: what the proxy is called in the house's config; with `tls`, the server has it and is called localhost.
    """
    scripts = scripts or (Vendor(),)
    vendors = [each for each in scripts if isinstance(each, Vendor)]
    with tempfile.TemporaryDirectory() as folder:
        async with server(*scripts, ssl=tls) as it, proxy(urlsplit(it.url).port or 0, seed) as between:
            address = between.url.replace("127.0.0.1", host) if host else between.url
            if tls:
                address = between.url.replace("ws://127.0.0.1", "wss://localhost")
            async with house(address, Path(folder), **options) as home:
                yield Bench(home, between, it, vendors)


LISTENS = (("wake", 60.0), ("listening", 0.2))
CONFIRMED = (("understood", 4.0), ("thinking", 0.2))
REPLIES = (("speaking", 0.4), ("answer", 0.5), ("asleep", 2.0))
WELL = (*LISTENS, ("up", 1.0), *CONFIRMED, *REPLIES)
"""A turn that nothing befalls, on a new line."""
AGAIN = (*LISTENS, *CONFIRMED, *REPLIES)
"""The same on the line that is there."""

Step = tuple[str, float] | tuple[str, float, float]


def follows(timeline: Sequence[Entry], *steps: Step) -> None:
    """The timeline is exactly this: each step's name, and at most, or between, how many seconds after the last one.

    The time that a busy machine took from the bench is added to the most.
    """
    assert [name for _, name in timeline] == [step[0] for step in steps], told(timeline)
    before = timeline[0][0] if timeline else 0.0
    for (at, name), (_, *bounds) in zip(timeline, steps, strict=True):
        least_s, most_s = (bounds[0], bounds[1]) if len(bounds) == 2 else (0.0, bounds[0])
        most_s += lateness.between(before, at)
        assert least_s <= at - before <= most_s, f"{name} after {at - before:.2f} s\n{told(timeline)}"
        before = at
