"""`kill -9` of one of three processes on one PostgreSQL, again and again under load: nothing lost,
nothing twice, order kept, and others have all of its work within ten seconds.

Every other time the one is killed that has the clock and the long connections. KILLS in the
environment makes it shorter.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
from pathlib import Path

from benchmarks.databases import fresh_url
from benchmarks.several import Several, several
from bot.domain.sharing import HOME

KILLS = int(os.environ.get("KILLS", "20"))
NODES = 3
SEED = 20261126
LONGEST_S = 10.0


async def main() -> None:
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        async with (
            fresh_url() as url,
            several(url, Path(folder), nodes=NODES) as company,
        ):
            async with company.load():
                waits = [await kill_one(company, chance, number) for number in range(KILLS)]
                await asyncio.sleep(2)
            await company.drained()
            await company.stop()
            faults = await company.faults()
    accepted = len(company.accepted.sentences) + len(company.accepted.confirmations)
    print(
        f"   {KILLS} kills of one of {NODES}, {accepted} messages accepted; taken over after"
        f" {statistics.median(waits):.1f} s (median), {max(waits):.1f} s (longest); "
        + ", ".join(f"{name}: {count}" for name, count in faults.items())
    )
    assert not any(faults.values())
    assert max(waits) < LONGEST_S


async def kill_one(company: Several, chance: random.Random, number: int) -> float:
    """Seconds until the others had all of its work; then it is back."""
    await asyncio.sleep(chance.uniform(0.5, 3.0))
    index = chance.choice(sorted(company.nodes))
    if number % 2 == 0:
        index = await company.index_of(HOME)
    names, node = len(company.names), await company.node_of(index)
    await company.kill(index)
    waited_s = await company.taken_over_s(node, names=names)
    await company.start(index)
    return waited_s
