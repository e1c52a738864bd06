"""Fifty random cuts in a sentence; the link is back within the time that the sentence is held."""

import asyncio
import random

import pytest

from faults.bench import Row, bench
from faults.race import scenario

pytestmark = [pytest.mark.faults, pytest.mark.slow]

CUTS = 50
SIDE_BY_SIDE = 10
WORDS = 6
IN_TURN_S = 3.0


async def one(seed: int) -> Row:
    chance = random.Random(seed)
    cut_s, back_s, how = chance.uniform(0.0, 2.8), chance.uniform(0.0, 2.0), chance.choice(("cut", "fin"))
    async with bench(seed=seed) as b:
        sentence = b.house.mouth.say(WORDS)
        await b.house.until("wake")
        await asyncio.sleep(cut_s)
        b.fault(f"{how} for {back_s:.1f} s")
        await b.proxy.refuse()
        getattr(b.proxy, how)()
        await asyncio.sleep(back_s)
        await b.proxy.accept()
        await sentence.ended.wait()
        await b.house.until("asleep")
        assert "answer" in [name for _, name in b.house.timeline], f"seed {seed}\n{b.house.story()}"
        assert b.lost == 0, f"seed {seed}: {b.lost} words lost\n{b.house.story()}"
        return b.row()


@scenario
async def test_50_random_cuts() -> Row:
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def in_turn(seed: int) -> Row:
        async with room:
            return await one(seed)

    rows = await asyncio.gather(*(in_turn(seed) for seed in range(CUTS)))
    noticed = [row.noticed_s for row in rows if row.noticed_s is not None]
    recovered = [row.recovered_s for row in rows if row.recovered_s is not None]
    assert max(noticed) < IN_TURN_S
    return Row(max(noticed), max(recovered), sum(row.words_lost for row in rows))
