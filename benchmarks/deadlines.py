"""10,000 records that owe something at once, half of them reminded and half locked: the sweep,
with their cards written to the outbox."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update

from benchmarks import company
from benchmarks.databases import KINDS, analyse, fresh
from benchmarks.office import office_for
from bot.messages import Address, Platform
from handlers.deadlines import deadline_rounds
from storage.database import Database
from storage.tables import accounts, activities, cards, deadlines, opportunities, outbox

DUE = 10_000
KEPT = 100_000
ROUNDS = 3
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)  # ten o'clock of a Wednesday
REMINDED, LOCKED = NOW - timedelta(hours=24), NOW - timedelta(hours=72)


async def fill(database: Database) -> None:
    await company.hire(database)
    await company.put(database, accounts, company.customers(KEPT, LOCKED))
    await company.put(database, opportunities, company.deals(KEPT, LOCKED))
    await company.put(database, activities, (
        {"id": n, "account_id": n, "opportunity_id": n, "actor_id": company.owner_of(n),
         "unit": "book_visit", "title": "预约面访", "text": "约了面访", "occurred_at": LOCKED,
         "recorded_at": LOCKED, "source_id": f"bench:{n}", "slots": {}, "file_hashes": [],
         "grade": "E0", "valid": True, "invalid_reason": ""}
        for n in range(1, KEPT + 1)
    ))  # fmt: skip
    await company.put(database, deadlines, (
        {"id": n, "activity_id": n, "account_id": n, "opportunity_id": n,
         "person_id": company.owner_of(n), "awaited": "minutes", "state": "open",
         "acted_at": LOCKED, "since": LOCKED, "hours": 48, "step": 0,
         "due_at": NOW + timedelta(days=2)}
        for n in range(1, KEPT + 1)
    ))  # fmt: skip
    await analyse(database)


async def sweep_once(database: Database) -> float:
    async with database.begin() as tx:
        conn = tx.delivery._conn
        for table in (outbox, cards):
            await conn.execute(delete(table))
        due = update(deadlines).where(deadlines.c.id <= DUE)
        fields = {"state": "open", "step": 0, "due_at": NOW, "since": LOCKED}
        await conn.execute(due.values(**fields))
        await conn.execute(due.where(deadlines.c.id <= DUE // 2).values(since=REMINDED))
    watch = office_for(lambda person: Address(Platform.WECOM, "sales", user_id=f"user{person.id}"))
    begun = time.perf_counter()
    async with database.begin() as tx:
        messages = await deadline_rounds.sweep(tx, watch, NOW)
        await tx.delivery.queue(messages, at=NOW)
    spent = time.perf_counter() - begun
    async with database.read() as tx:
        rows = select(deadlines.c.state, func.count()).where(deadlines.c.id <= DUE)
        found = await tx.delivery._conn.execute(rows.group_by(deadlines.c.state))
        queued = await tx.delivery._conn.scalar(select(func.count()).select_from(outbox))
    states = {state: count for state, count in found}
    assert (states, queued) == ({"open": DUE // 2, "locked": DUE // 2}, DUE), (states, queued)
    return spent


async def main() -> None:
    for kind in KINDS:
        async with fresh(kind) as database:
            await fill(database)
            spent = statistics.median([await sweep_once(database) for _ in range(ROUNDS)])
        print(f"   {kind}: {DUE:,} due of {KEPT:,} that are owed: {spent:.2f} s")
