"""Random cuts and freezes in a sentence; the link is back within the time that the sentence is held."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from faults.bench import Row, bench
from faults.late import lateness
from faults.race import scenario

pytestmark = [pytest.mark.faults, pytest.mark.slow]

CUTS, FREEZES = 50, 20
SIDE_BY_SIDE = 10
WORDS = 6
IN_TURN_S = 3.0


async def one(seed: int, hows: Sequence[str]) -> Row:
    chance = random.Random(seed)
    cut_s, back_s, how = chance.uniform(0.0, 2.8), chance.uniform(0.0, 2.0), chance.choice(hows)
    async with bench(seed=seed) as b:
        sentence = b.house.mouth.say(WORDS)
        # While it connects, other deadlines hold.
        await b.house.until("up" if how == "freeze" else "wake")
        await asyncio.sleep(cut_s)
        broke_at = b.fault(f"{how} for {back_s:.1f} s")
        await b.proxy.refuse()
        {"cut": b.proxy.cut, "fin": b.proxy.fin, "freeze": lambda: b.proxy.freeze(only_open=True)}[how]()
        await asyncio.sleep(back_s)
        await b.proxy.accept()
        await sentence.ended.wait()
        await b.house.until("asleep")
        assert "answer" in [name for _, name in b.house.timeline], f"seed {seed}\n{b.house.story()}"
        assert b.lost == 0, f"seed {seed}: {b.lost} words lost\n{b.house.story()}"
        row = b.row()
        if row.noticed_s is not None:
            assert row.noticed_s <= IN_TURN_S + lateness.between(broke_at, broke_at + row.noticed_s), b.house.story()
        return row


async def several(count: int, *hows: str) -> Row:
    """The worst of them."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def in_turn(seed: int) -> Row:
        async with room:
            return await one(seed, hows)

    rows = await asyncio.gather(*(in_turn(seed) for seed in range(count)))
    noticed = max(row.noticed_s for row in rows if row.noticed_s is not None)
    recovered = max(row.recovered_s for row in rows if row.recovered_s is not None)
    return Row(noticed, recovered, sum(row.words_lost for row in rows))


@scenario
async def test_50_random_cuts() -> Row:
    return await several(CUTS, "cut", "fin")


@scenario
async def test_20_random_freezes() -> Row:
    return await several(FREEZES, "freeze")
