"""The night's forecast of a company's own deals, and how soon a large sale is in the outbox.

GENDAN_BENCH_OPEN: how many deals are open (a million).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import insert

from benchmarks.databases import fresh
from benchmarks.office import whole_office
from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.opportunities import OpportunityState
from bot.domain.stages import MoveKind
from bot.domain.supply import Station
from handlers.levels import changing
from handlers.machine_forecast.own_data import Collected, foresee
from storage.database import Database
from storage.tables import accounts, level_changes, opportunities, people, stage_events

OPEN = int(os.environ.get("GENDAN_BENCH_OPEN", "1000000"))
CLOSED = OPEN // 10
REPS, TEAM_SIZE, CHUNK = 500, 10, 20_000
NOW = datetime(2026, 1, 28, 3, 10, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SALES = 200


async def main() -> None:
    async with fresh("SQLite") as database:
        started = time.perf_counter()
        await _fill(database)
        print(f"   filled in {time.perf_counter() - started:.0f} s", flush=True)
        await _night(database)
        await _large_sales(database)


async def _night(database: Database) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    collected = Collected(ZONE)
    async with database.read() as tx:
        async for page in tx.forecast_history.pages():
            collected.add(page)
    read_s = time.perf_counter() - started
    team_of = {rep: 1 + (rep - 1) // TEAM_SIZE * TEAM_SIZE for rep in range(1, REPS + 1)}
    found = await asyncio.to_thread(foresee, collected, team_of, date(2026, 1, 27), NOW)
    async with database.begin() as tx:
        await tx.machine_forecasts.append(found)
    took, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"   forecast of {OPEN:,} open deals, {CLOSED:,} closed, {REPS} reps, {len(found)} scopes: "
        f"{took:.1f} s, of which {read_s:.1f} s reading; {cpu_s:.1f} s of one core; "
        f"peak memory {peak:.1f} GiB",
        flush=True,
    )


async def _large_sales(database: Database) -> None:
    """From the confirmed order to the committed outbox, one transaction each."""
    places = {
        Station.WAREHOUSE: ("wecom:sales:w:warehouse",), Station.PLANNING: ("dingtalk:sales:g:cid",)
    }  # fmt: skip
    office = replace(whole_office(), supply_groups=places)
    took: list[float] = []
    for number in range(1, SALES + 1):
        started = time.perf_counter()
        async with database.begin() as tx:
            deal = replace(await tx.opportunities.get_for_update(number), amount_fen=30_000_000)
            await tx.opportunities.save(deal)
            await tx.levels.add_evidence(
                Evidence(
                    id=0, opportunity_id=number, kind=EvidenceKind.PURCHASE_ORDER, added_by=1,
                    added_at=NOW, expires_at=NOW + timedelta(days=90), number=f"PO-{number}",
                    sha256="a" * 64,
                )
            )  # fmt: skip
            done = await changing.set_level(
                tx, office, deal, Level.L1, cause=Cause.CLAIMED, at=NOW, by=1
            )
            await tx.delivery.queue(done.messages, at=NOW)
        took.append(1000 * (time.perf_counter() - started))
    took.sort()
    print(
        f"   {SALES} large sales to their notices in the outbox: "
        f"p50 {statistics.median(took):.1f} ms, p99 {took[int(0.99 * len(took))]:.1f} ms"
    )


async def _fill(database: Database) -> None:
    """Two years of sales; the youngest are open. A tenth of what was closed, twice over, won."""
    async with database.begin() as tx:
        conn = tx._conn
        roles = [["rep"] if rep % TEAM_SIZE else ["supervisor"] for rep in range(REPS)]
        roles[1], roles[2] = ["warehouse"], ["planning"]
        await conn.execute(insert(people), [
            {"name": f"销售{rep}", "status": "active", "roles": roles[rep], "roles_fixed": True}
            for rep in range(REPS)
        ])  # fmt: skip
        await conn.execute(
            insert(accounts),
            [{"name": "客户", "aliases": [], "industry": "", "owner_id": 1, "created_at": NOW}],
        )
    rows = _rows()
    while chunk := list(itertools.islice(rows, CHUNK)):
        async with database.begin() as tx:
            conn = tx._conn
            await conn.execute(insert(opportunities), [deal for deal, _ in chunk])
            await conn.execute(insert(stage_events), [one for _, of in chunk for one in of])
            levels = [one for deal, _ in chunk for one in _levels(deal)]
            await conn.execute(insert(level_changes), levels)


def _levels(deal: dict[str, Any]) -> list[dict[str, Any]]:
    """Half of all deals are L3 from their second day; half of these come to L2 in a week."""
    steps = [(1, None, "L3"), (7, "L3", "L2")][: max(0, 2 - deal["id"] % 4)]
    return [
        {
            "opportunity_id": deal["id"], "before": before, "after": after, "cause": "claimed",
            "at": deal["created_at"] + timedelta(days=days), "by": 1, "reason": "",
        }
        for days, before, after in steps
    ]  # fmt: skip


def _rows() -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    dice = np.random.default_rng(3)
    ages = dice.integers(1, 120, OPEN + CLOSED).tolist()
    ends = dice.integers(0, 610, CLOSED).tolist()
    fen = (dice.lognormal(12, 0.8, OPEN + CLOSED).round() * 100).astype(int).tolist()
    for n in range(OPEN + CLOSED):
        is_open = n < OPEN
        ended = NOW if is_open else NOW - timedelta(days=ends[n - OPEN])
        created = ended - timedelta(days=ages[n])
        won = n % 2 == 0
        state = OpportunityState.WON if won else OpportunityState.LOST
        deal = {
            "id": n + 1, "account_id": 1, "name": "商机", "owner_id": 1 + n % REPS,
            "stage": "quote", "stage_since": created, "created_at": created,
            "assigned_at": created, "amount_fen": fen[n], "light": "green", "stuck": False,
            "episode": 0, "state": str(OpportunityState.OPEN if is_open else state),
        }  # fmt: skip
        event = {
            "opportunity_id": n + 1, "account_id": 1, "library": "", "person_id": 1,
            "required_filled": 0, "slots": {}, "reason": "",
        }  # fmt: skip
        moves = [(MoveKind.OPENED, "", "contact", created), (MoveKind.FORWARD, "contact", "quote",
                 created + timedelta(days=3))]  # fmt: skip
        if not is_open:
            moves.append((MoveKind.CLOSED, "quote", str(state), ended))
        yield (
            deal,
            [
                event | {"kind": str(kind), "came_from": before, "went_to": after, "at": at}
                for kind, before, after, at in moves
            ],
        )
