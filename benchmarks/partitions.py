"""What months as partitions cost and save on PostgreSQL: for the inbox, which has them, and for the
stream and the audit chain, which have not.

ROWS: of one month of the inbox; the others have a quarter of that, over three years. Each table is
made twice, whole and in months, and asked the same.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg

from benchmarks.databases import fresh_url
from storage import admin
from storage.database import Database
from storage.partitions import month_after

ROWS = int(os.environ.get("ROWS", "1000000"))
BATCH, BATCHES = 500, 100
ASKED = 2_000
MONTHS = 36
OLD, YOUNG = datetime(2031, 1, 1, tzinfo=UTC), datetime(2031, 2, 1, tzinfo=UTC)
WHOLE = {
    "whole_inbox": (
        "CREATE TABLE whole_inbox (LIKE inbox INCLUDING DEFAULTS, PRIMARY KEY (id),"
        " UNIQUE (channel, delivery_id))",
        "CREATE INDEX ON whole_inbox (sent_at, id) WHERE state = 'new'",
        "CREATE INDEX ON whole_inbox (conversation, sent_at, id) WHERE state = 'new'",
        "CREATE INDEX ON whole_inbox (finished_at) WHERE reason <> ''",
        "CREATE INDEX ON whole_inbox (id) WHERE state = 'dead'",
    ),
}
DELIVERIES = """
INSERT INTO {table} (channel, delivery_id, conversation, sent_at, received_at, body, state,
    attempts, reason, replayed)
SELECT 'wecom:sales:app', md5($1::text || g), 'wecom:sales:u:rep-' || g % 10000, at, at,
    convert_to(repeat(md5(g::text), 16), 'UTF8'), $4, 0, '', false
FROM (SELECT g, $2::timestamptz + g * ($3::interval / $6::int) AS at
    FROM generate_series($5::int, $6::int) AS g) AS month
"""
STREAM = """
INSERT INTO {table} (account_id, unit, title, text, occurred_at, recorded_at, source_id, slots,
    file_hashes, valid, invalid_reason, grade, late)
SELECT 1 + g % {customers}, 'visit', '拜访', repeat('谈了价格。', 20), at, at, 's' || g, '{{}}',
    '[]', true, '', 'A', false
FROM (SELECT g, $1::timestamptz + g * interval '{months} months' / {rows} AS at
    FROM generate_series(1, {rows}) AS g) AS years
"""
CHAIN = """
INSERT INTO {table} (seq, at, actor, action, subject, before, after, previous_hash, hash)
SELECT g, $1::timestamptz + g * interval '{months} months' / {rows}, 'person:1', 'record',
    'account:1', 'null', repeat('x', 200), repeat('0', 64), repeat('0', 64)
FROM generate_series(1, {rows}) AS g
"""


async def main() -> None:
    async with fresh_url() as url:
        await admin.upgrade(url)
        conn = await asyncpg.connect(url)
        try:
            await conn.execute(
                "ALTER TABLE activities DROP CONSTRAINT fk_activities_account_id_accounts"
            )
            await _inbox(conn, url)
            await _stream(conn)
            await _audit(conn)
        finally:
            await conn.close()


async def _inbox(conn: asyncpg.Connection, url: str) -> None:
    for statement in WHOLE["whole_inbox"]:
        await conn.execute(statement)
    for month in (OLD, YOUNG):
        await _month(conn, "inbox", month)
    for table in ("whole_inbox", "inbox"):
        took = await _timed(partial(_fill, conn, table))
        print(f"   {table}: {2 * ROWS / took:,.0f} rows/s in bulk,", end=" ")
        took = await _timed(partial(_commits, conn, table))
        print(f"{BATCH * BATCHES / took:,.0f} rows/s in commits of {BATCH},", end=" ")
        print(f"{await _settled(conn, table):.0f} µs to settle one")
        print(f"      {await _sizes(conn, table)}")
    print(f"      inbox_keys: {await _sizes(conn, 'inbox_keys')}")
    took = await _timed(
        lambda: conn.execute("DELETE FROM whole_inbox WHERE received_at < $1", YOUNG)
    )
    swept = await _timed(lambda: conn.execute("VACUUM whole_inbox"))
    print(f"   deleting {ROWS:,} rows: {took:.1f} s, VACUUM {swept:.1f} s;", end=" ")
    print(await _sizes(conn, "whole_inbox"))
    print(f"   dropping their month: {await _drop(url):.3f} s;", end=" ")
    print(await _sizes(conn, "inbox"))
    for months in (12, MONTHS):
        for number in range(months):
            await _month(conn, "inbox", month_after(YOUNG, 1 + number))
        parts = await conn.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = $1::regclass", "inbox"
        )
        print(f"   with {parts} partitions: {await _settled(conn, 'inbox'):.0f} µs to settle one")


async def _stream(conn: asyncpg.Connection) -> None:
    rows, customers = ROWS // 4, max(1, ROWS // 80)
    columns = "LIKE activities INCLUDING DEFAULTS"
    await conn.execute(f"CREATE TABLE whole_stream ({columns}, PRIMARY KEY (id))")
    await conn.execute(
        f"CREATE TABLE stream ({columns}, PRIMARY KEY (id, occurred_at))"
        " PARTITION BY RANGE (occurred_at)"
    )
    for table in ("whole_stream", "stream"):
        await conn.execute(f"CREATE INDEX ON {table} (account_id, occurred_at, id)")
    await _months(conn, "stream")
    for table in ("whole_stream", "stream"):
        fill = STREAM.format(table=table, customers=customers, months=MONTHS, rows=rows)
        await conn.execute(fill, OLD)
        await conn.execute(f"VACUUM ANALYZE {table}")
        page = await conn.prepare(
            f"SELECT * FROM {table} WHERE account_id = $1"  # noqa: S608
            " ORDER BY occurred_at DESC, id DESC LIMIT 21"
        )
        one = await conn.prepare(f"SELECT * FROM {table} WHERE id = $1")  # noqa: S608
        keys = [(1 + n * 7919 % customers,) for n in range(ASKED)]
        print(
            f"   {table}: {await _quick(page.fetch, keys):.0f} µs for a page of one customer,"
            f" {await _quick(one.fetch, keys):.0f} µs for an entry by its number"
        )


async def _audit(conn: asyncpg.Connection) -> None:
    columns = "LIKE audit INCLUDING DEFAULTS"
    await conn.execute(f"CREATE TABLE whole_chain ({columns}, PRIMARY KEY (seq))")
    await conn.execute(
        f"CREATE TABLE chain ({columns}, PRIMARY KEY (seq, at)) PARTITION BY RANGE (at)"
    )
    await _months(conn, "chain")
    for table in ("whole_chain", "chain"):
        await conn.execute(CHAIN.format(table=table, months=MONTHS, rows=ROWS // 4), OLD)
        await conn.execute(f"VACUUM ANALYZE {table}")
        head = await conn.prepare(
            f"SELECT seq, hash FROM {table} ORDER BY seq DESC LIMIT 1"  # noqa: S608
        )
        took = await _quick(head.fetch, [()] * ASKED)
        print(f"   {table}: {took:.0f} µs for its head, which each append asks for under the lock")


async def _months(conn: asyncpg.Connection, table: str) -> None:
    for number in range(MONTHS):
        await _month(conn, table, month_after(OLD, number))
    await conn.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


async def _month(conn: asyncpg.Connection, table: str, month: datetime) -> None:
    since, until = month.isoformat(), month_after(month, 1).isoformat()
    await conn.execute(
        f"CREATE TABLE IF NOT EXISTS {table}_{month:%Y_%m} PARTITION OF {table}"
        f" FOR VALUES FROM ('{since}') TO ('{until}')"
    )


async def _fill(conn: asyncpg.Connection, table: str) -> None:
    statement = DELIVERIES.format(table=table)
    for month in (OLD, YOUNG):
        length = month_after(month, 1) - month
        for first in range(1, ROWS, 100_000):
            last = min(first + 99_999, ROWS)
            at = month + length * (first / ROWS)
            await conn.execute(
                statement,
                f"{month:%m}-",
                at,
                length * 0.9 / max(1, ROWS // 100_000),
                "done",
                first,
                last,
            )


async def _commits(conn: asyncpg.Connection, table: str) -> None:
    statement = await conn.prepare(DELIVERIES.format(table=table))
    for number in range(BATCHES):
        await statement.fetch(f"c{number}-", YOUNG, YOUNG - OLD, "new", 1, BATCH)


async def _settled(conn: asyncpg.Connection, table: str) -> float:
    """As the program does: in months by its month too."""
    rows = await conn.fetch(
        f"SELECT id, received_at FROM {table} WHERE state = 'new'"  # noqa: S608
        f" ORDER BY id LIMIT {ASKED}"
    )
    its_month = "" if table == "whole_inbox" else " AND received_at = $2"
    settle = await conn.prepare(
        f"UPDATE {table} SET state = 'done', finished_at = now()"  # noqa: S608
        f" WHERE id = $1 AND state = 'new'{its_month}"
    )
    keys = [tuple(row)[: 2 if its_month else 1] for row in rows]
    async with conn.transaction():
        return await _quick(settle.fetch, keys)


async def _drop(url: str) -> float:
    database = await Database.open(url)
    started = time.perf_counter()
    async with database.begin() as tx:
        kept = await tx.partitions.keep(month_after(YOUNG, 1), ahead=0, months=1)
        assert f"inbox_{OLD:%Y_%m}" in kept.dropped, kept
    took = time.perf_counter() - started
    await database.close()
    return took


async def _sizes(conn: asyncpg.Connection, table: str) -> str:
    rows, indexes = await conn.fetchrow(
        "SELECT sum(pg_table_size(relid)), sum(pg_indexes_size(relid))"
        " FROM (SELECT relid FROM pg_partition_tree($1::regclass)"
        " UNION SELECT $1::regclass) AS parts",
        table,
    )
    return f"{rows / 2**20:,.0f} MiB of rows, {indexes / 2**20:,.0f} MiB of indexes"


async def _timed(what: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await what()
    return time.perf_counter() - started


async def _quick(ask: Callable[..., Awaitable[object]], keys: Sequence[tuple[Any, ...]]) -> float:
    """Microseconds of the quickest tenth, which the rest of the machine did not hold up; once
    PostgreSQL has settled on a plan."""
    took = [await _timed(partial(ask, *key)) for key in keys]
    return statistics.quantiles(took[10:], n=10)[0] * 1e6
