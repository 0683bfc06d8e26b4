"""A sweep costs what is due, not what exists: 2,000 due of 200,000 and of 20,000 open."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, text

from benchmarks.office import office_for
from bot.messages import Address, Platform
from handlers import light_changes
from storage import admin
from storage.database import Database
from storage.tables import accounts, light_episodes, opportunities, people, pushes
from storage.unit_of_work import UnitOfWork

DUE = 2_000
ROUNDS = 5
NOW = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)  # half past midnight of a Thursday
TOLD = NOW - timedelta(days=6)


async def fill(tx: UnitOfWork, open_count: int) -> None:
    conn = tx.delivery._conn
    await conn.execute(
        insert(people),
        [
            {"id": n, "name": f"销售{n}", "status": "active", "roles": ["rep"]}
            for n in range(1, 101)
        ],
    )
    for start in range(0, open_count, 10_000):
        numbers = range(start + 1, start + 10_001)
        await conn.execute(
            insert(accounts),
            [
                {"id": n, "name": f"客户{n}", "aliases": [], "industry": "",
                 "owner_id": n % 100 + 1, "created_at": TOLD}
                for n in numbers
            ],
        )  # fmt: skip
        await conn.execute(
            insert(opportunities),
            [
                {"id": n, "account_id": n, "name": f"商机{n}", "owner_id": n % 100 + 1,
                 "stage": "first_contact", "stage_since": TOLD, "state": "open", "created_at": TOLD,
                 "assigned_at": TOLD, "last_valid_at": TOLD, "light": "green", "stuck": False,
                 "light_due_at": NOW + timedelta(days=3), "episode": 0}
                for n in numbers
            ],
        )  # fmt: skip


async def sweep_once(database: Database) -> float:
    """Make 2,000 leads due anew, then the sweep; its seconds."""
    async with database.begin() as tx:
        for table in (pushes, light_episodes):
            await tx.delivery._conn.execute(delete(table))
        await tx.delivery._conn.execute(
            text(
                "UPDATE opportunities SET light = 'green', light_due_at = :due, episode = 0 "
                "WHERE id <= :n"
            ),
            {"due": (NOW - timedelta(minutes=30)).replace(tzinfo=None).isoformat(" "), "n": DUE},
        )
    watch = office_for(lambda person: Address(Platform.WECOM, "sales", user_id=str(person.id)))
    begun = time.perf_counter()
    async with database.begin() as tx:
        await light_changes.sweep(tx, watch, NOW)
    spent = time.perf_counter() - begun
    async with database.read() as tx:
        lit = await tx.delivery._conn.scalar(text("SELECT count(*) FROM light_episodes"))
    assert lit == DUE, lit
    return spent


async def measure(open_count: int, folder: Path) -> float:
    url = f"sqlite+aiosqlite:///{folder / f'{open_count}.db'}"
    await admin.upgrade(url)
    database = await Database.open(url, synchronous="FULL")
    try:
        async with database.begin() as tx:
            await fill(tx, open_count)
        return statistics.median([await sweep_once(database) for _ in range(ROUNDS)])
    finally:
        await database.close()


async def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        few = await measure(20_000, Path(folder))
        many = await measure(200_000, Path(folder))
    print(f"   {DUE:,} due of 200,000 open: {many:.2f} s; of 20,000 open: {few:.2f} s")
    print(f"   ratio {many / few:.2f}")
