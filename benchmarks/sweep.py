"""A sweep costs what is due, not what exists: 10,000 due of 1,000,000 and of 100,000 open deals,
half of them turning yellow and half red."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, text, update

from benchmarks import company
from benchmarks.databases import KINDS, analyse, fresh
from benchmarks.office import office_for
from bot.messages import Address, Platform
from handlers.lights import light_changes
from storage.database import Database
from storage.tables import accounts, light_episodes, opportunities, pushes

DUE = 10_000
OPEN = (1_000_000, 100_000)
ROUNDS = 3
NOW = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)  # half past midnight of a Thursday
YELLOW, RED = NOW - timedelta(days=6), NOW - timedelta(days=12)


async def fill(database: Database, open_count: int) -> None:
    await company.hire(database)
    await company.put(database, accounts, company.customers(open_count, RED))
    later = NOW + timedelta(days=3)
    await company.put(
        database, opportunities, company.deals(open_count, YELLOW, light_due_at=later)
    )
    await analyse(database)


async def sweep_once(database: Database) -> float:
    """Make DUE leads due anew, then the sweep; its seconds."""
    async with database.begin() as tx:
        conn = tx.delivery._conn
        for table in (pushes, light_episodes):
            await conn.execute(delete(table))
        due = update(opportunities).where(opportunities.c.id <= DUE)
        fields = {"light": "green", "light_due_at": NOW - timedelta(minutes=30), "episode": 0}
        await conn.execute(due.values(**fields))
        red = due.where(opportunities.c.id <= DUE // 2)
        await conn.execute(red.values(assigned_at=RED, last_valid_at=RED))
    watch = office_for(lambda person: Address(Platform.WECOM, "sales", user_id=str(person.id)))
    begun = time.perf_counter()
    async with database.begin() as tx:
        await light_changes.sweep(tx, watch, NOW)
    spent = time.perf_counter() - begun
    async with database.read() as tx:
        lit = await tx.delivery._conn.scalar(select(func.count()).select_from(light_episodes))
        owed = await tx.delivery._conn.scalar(text("SELECT count(*) FROM pushes"))
    assert (lit, owed) == (DUE, DUE + DUE // 2), (lit, owed)
    return spent


async def measure(kind: str, open_count: int) -> float:
    async with fresh(kind) as database:
        await fill(database, open_count)
        return statistics.median([await sweep_once(database) for _ in range(ROUNDS)])


async def main() -> None:
    for kind in KINDS:
        many, few = [await measure(kind, count) for count in OPEN]
        print(
            f"   {kind}: {DUE:,} due of {OPEN[0]:,} open: {many:.2f} s; "
            f"of {OPEN[1]:,} open: {few:.2f} s; ratio {many / few:.2f}"
        )
