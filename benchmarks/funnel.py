"""Funnel and conversion of 5,000,000 events of 1,000,000 deals of 900,000 customers, read as
«漏斗» and «转化率» do; and everything they are read from, worked out anew."""

# ruff: noqa: S608 - the statements are put together from constants of this file

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks import company
from benchmarks.databases import KINDS, analyse, fresh
from benchmarks.office import office_for
from bot.messages import Address, Platform
from handlers.deals import rebuilding
from storage.database import Database
from storage.unit_of_work import UnitOfWork

DEALS = int(os.environ.get("GENDAN_BENCH_DEALS", "1000000"))
EVENTS_EACH = 5
SLICE = 20_000
ROUNDS = 3
FIRST, LAST = date(2025, 11, 1), date(2026, 11, 1)
TEAM = list(range(1, company.REPS + 1, company.TEAMS))  # the reps of one supervisor

_BASE = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp())
_AT = f"({_BASE} + (n % 300 * 7919 % 300) * 86400 + k * (n % 17 + 1) * 86400 + n % 86400)"
_ACCOUNT = f"(CASE WHEN n <= {DEALS * 9 // 10} THEN n ELSE n - {DEALS * 9 // 10} END)"
_OWNER = f"({_ACCOUNT} % {company.REPS} + 1)"
_LAST = f"{EVENTS_EACH - 1}"
_WHAT = {
    "kind": "CASE WHEN k = 0 THEN 'opened' WHEN k = 3 AND n % 4 = 0 THEN 'back'"
    f" WHEN k = {_LAST} AND n % 3 < 2 THEN 'closed' ELSE 'forward' END",
    "went_to": "CASE k WHEN 0 THEN 'first_contact' WHEN 1 THEN 'needs' WHEN 2 THEN 'proposal'"
    " WHEN 3 THEN CASE WHEN n % 4 = 0 THEN 'first_contact' ELSE 'quote' END"
    " ELSE CASE n % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' ELSE 'negotiation' END END",
    "came_from": "CASE k WHEN 0 THEN '' WHEN 1 THEN 'first_contact' WHEN 2 THEN 'needs'"
    " WHEN 3 THEN 'proposal'"
    " ELSE CASE WHEN n % 4 = 0 THEN 'first_contact' ELSE 'quote' END END",
}
"""What happens to deal n at its k-th event: half a dozen ways through the stages."""
_NOTED = {
    "rank": f"CASE WHEN k < 3 THEN k WHEN k < {_LAST} THEN CASE WHEN n % 4 = 0 THEN 0 ELSE 3 END"
    " WHEN n % 3 = 2 THEN 4 END",
    "stayed_days": "CASE WHEN k > 0 THEN n % 17 * 5 / 7 END",
}
_FURTHEST = "CASE WHEN n % 3 = 2 THEN 'negotiation' WHEN n % 4 = 0 THEN 'proposal' ELSE 'quote' END"


async def fill(database: Database) -> None:
    """By the database itself, since nobody waits for millions of rows from outside. The events
    of a deal lie apart, as in life."""
    await company.hire(database)
    slices = [(first, min(first + SLICE, DEALS + 1)) for first in range(1, DEALS + 1, SLICE)]
    for first, end in slices:
        async with database.begin() as tx:
            await _insert_deals(tx.delivery._conn, first, end)
    for k in range(EVENTS_EACH):
        for first, end in slices:
            async with database.begin() as tx:
                await _insert_events(tx.delivery._conn, k, first, end)
    await analyse(database)


async def _insert_deals(conn: AsyncConnection, first: int, end: int) -> None:
    """The customers first: those of two deals have the first of them in an earlier slice."""
    since = _moment(conn).replace(" k *", " 0 *")
    state = "CASE n % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' ELSE 'open' END"
    no = "0" if conn.dialect.name == "sqlite" else "false"
    await conn.execute(text(
        "INSERT INTO accounts (id, name, aliases, industry, owner_id, created_at) "
        f"{_numbers(first, end)} SELECT n, '客户' || n, '[]', '', {_OWNER}, {since} FROM n "
        f"WHERE n <= {DEALS * 9 // 10}"
    ))  # fmt: skip
    await conn.execute(text(
        "INSERT INTO opportunities (id, account_id, name, owner_id, stage, stage_since, state,"
        " created_at, assigned_at, light, stuck, episode, library, furthest) "
        f"{_numbers(first, end)} SELECT n, {_ACCOUNT}, '商机', {_OWNER}, 'negotiation', {since},"
        f" {state}, {since}, {since}, 'green', {no}, 0, 'manufacturing@0', {_FURTHEST} FROM n"
    ))  # fmt: skip


async def _insert_events(conn: AsyncConnection, k: int, first: int, end: int) -> None:
    await conn.execute(text(
        "INSERT INTO stage_events (opportunity_id, account_id, kind, library, came_from,"
        " went_to, at, person_id, required_filled, slots, reason, rank, stayed_days) "
        f"{_numbers(first, end)}, k(k) AS (SELECT {k}) SELECT n, {_ACCOUNT}, {_WHAT['kind']},"
        f" 'manufacturing@0', {_WHAT['came_from']}, {_WHAT['went_to']}, {_moment(conn)}, {_OWNER},"
        f" 3, '{{}}', '', {_NOTED['rank']}, {_NOTED['stayed_days']} FROM n CROSS JOIN k"
    ))  # fmt: skip


def _numbers(first: int, end: int) -> str:
    one_more = f"SELECT n + 1 FROM n WHERE n < {end - 1}"
    return f"WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL {one_more})"


def _moment(conn: AsyncConnection) -> str:
    sqlite = conn.dialect.name == "sqlite"
    return f"datetime({_AT}, 'unixepoch')" if sqlite else f"to_timestamp({_AT})"


async def timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Seconds, and the longest time for which the event loop did nothing else."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begun)

    watching = asyncio.create_task(watch())
    begun = time.perf_counter()
    await work()
    spent = time.perf_counter() - begun
    watching.cancel()
    return spent, longest


async def read(database: Database, owners: list[int] | None) -> None:
    watch = office_for(lambda person: Address(Platform.WECOM, "sales", user_id=str(person.id)))
    library = watch.libraries.organisation

    async def funnel(tx: UnitOfWork) -> object:
        return await tx.stages.funnel(library, watch.libraries.refs_of(library), owners)

    async def week(tx: UnitOfWork) -> object:
        return await tx.lead_spans.count(LAST - timedelta(days=6), LAST, owner_ids=owners)

    async def year(tx: UnitOfWork) -> object:
        return await tx.lead_spans.count(FIRST, LAST, owner_ids=owners)

    whose = "a team" if owners else "everybody"
    for name, query in (("funnel", funnel), ("conversion, 7 days", week), ("a year", year)):

        async def once(query: Callable[[UnitOfWork], Awaitable[object]] = query) -> object:
            async with database.read() as tx:
                return await query(tx)

        runs = [await timed(once) for _ in range(ROUNDS)]
        spent, longest = statistics.median(run[0] for run in runs), max(run[1] for run in runs)
        print(f"   {name} of {whose}: {spent:.2f} s; event loop held {longest * 1000:.0f} ms")


async def rebuild(database: Database) -> str:
    watch = office_for(lambda person: Address(Platform.WECOM, "sales", user_id=str(person.id)))
    begun, begun_cpu = time.perf_counter(), time.process_time()
    count = await rebuilding.rebuild(
        database.begin, watch.libraries, watch.calendar, datetime.now(UTC)
    )
    assert count == DEALS * EVENTS_EACH, count
    spent, spent_cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    return f"{spent:.0f} s ({spent_cpu:.0f} s of processor time)"


async def main() -> None:
    for kind in os.environ.get("GENDAN_BENCH_KINDS", ",".join(KINDS)).split(","):
        async with fresh(kind) as database:
            begun = time.perf_counter()
            await fill(database)
            print(f"   {kind}, {DEALS * EVENTS_EACH:,} events; made in"
                  f" {time.perf_counter() - begun:.0f} s", flush=True)  # fmt: skip
            print(f"   rebuild: {await rebuild(database)}", flush=True)
            await analyse(database)
            for owners in (None, TEAM):
                await read(database, owners)
