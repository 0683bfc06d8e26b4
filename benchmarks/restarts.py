"""NATS and PostgreSQL restarted under load, again and again, every other time as if they crashed:
nothing lost, nothing twice, order kept. What doors refuse meanwhile the platform sends again; with
the inbox on JetStream they refuse nothing while PostgreSQL is away.

RESTARTS in the environment makes it shorter.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.databases import fresh_url
from benchmarks.nats_server import find_server, own_server
from benchmarks.postgres_server import own_postgres
from benchmarks.several import Several, several
from connectors.queue.access import Access

RESTARTS = int(os.environ.get("RESTARTS", "10"))
NODES = 3
SEED = 20261126

Restart = Callable[[int, float], Awaitable[None]]
"""Of the how-manieth time, and how long it is away in seconds."""


async def main() -> None:
    if find_server() is None:
        print("   not measured: there is no nats-server here")
    else:
        await restart_nats()
        await restart_postgres(with_queue=True)
    await restart_postgres(with_queue=False)


async def restart_nats() -> None:
    async with AsyncExitStack() as stack:
        folder = _folder(stack)
        nats = await stack.enter_async_context(own_server(folder))

        async def restart(number: int, away_s: float) -> None:
            await nats.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
            await asyncio.sleep(away_s)
            await nats.start()

        url = await stack.enter_async_context(fresh_url())
        queue = Access(nats.url)
        company = await stack.enter_async_context(several(url, folder, nodes=NODES, queue=queue))
        await under_load("NATS", company, restart)


async def restart_postgres(*, with_queue: bool) -> None:
    async with AsyncExitStack() as stack:
        folder = _folder(stack)
        queue = None
        if with_queue:
            queue = Access((await stack.enter_async_context(own_server(folder))).url)
        postgres = await stack.enter_async_context(own_postgres())

        async def restart(number: int, away_s: float) -> None:
            await postgres.stop("immediate" if number % 2 else "fast")
            await asyncio.sleep(away_s)
            await postgres.start()

        company = await stack.enter_async_context(
            several(postgres.url, folder, nodes=NODES, queue=queue)
        )
        name = "PostgreSQL behind JetStream" if with_queue else "PostgreSQL"
        refused = await under_load(name, company, restart)
        assert not (with_queue and refused), "the stream takes what comes, whatever lies behind it"


async def under_load(name: str, company: Several, restart: Restart) -> int:
    """How often a word was refused."""
    chance = random.Random(SEED)
    waits = []
    async with company.load():
        await company.accepts(more=20)
        for number in range(RESTARTS):
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            await restart(number, chance.uniform(0.2, 4.0))
            up_at = time.perf_counter()
            await company.accepts(more=5)
            waits.append(time.perf_counter() - up_at)
        await company.accepts(more=20)
    await company.drained()
    await company.stop()
    faults = await company.faults()
    accepted = company.accepted
    print(
        f"   {name}: {RESTARTS} restarts, {len(accepted.sentences) + len(accepted.confirmations)}"
        f" messages accepted, {accepted.refused} refusals; five more words taken after"
        f" {statistics.median(waits):.1f} s (median), {max(waits):.1f} s (longest); "
        + ", ".join(f"{what}: {count}" for what, count in faults.items()),
        flush=True,
    )
    # What was going out while the database could not note it may go out again.
    assert faults.pop("sent twice") <= RESTARTS
    assert not any(faults.values())
    return accepted.refused


def _folder(stack: AsyncExitStack) -> Path:
    return Path(
        stack.enter_context(tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")))
    )
