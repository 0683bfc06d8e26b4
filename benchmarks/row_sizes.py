"""What a message, a customer and a person leave behind: rows and bytes of each table, with its
indexes, on both databases; and what a message costs on PostgreSQL. `deploy/capacity.py` counts with
these figures: run it again when tables change, and compare (`make bench` prints them).

A team is hired, then each rep says a sentence and confirms it, through the dispatcher and the real
handlers. MESSAGES in the environment makes it shorter.
"""

from __future__ import annotations

import asyncio
import os
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks import bodies
from benchmarks.databases import KINDS, fresh
from benchmarks.people import handlers_for, hire
from benchmarks.postgres_time import PostgresTime
from benchmarks.reply import envelope
from bot.clock import WallClock
from bot.dispatcher import Dispatcher
from bot.handling import Handling, Wording
from bot.messages import Envelope, Incoming, OutboundMessage
from connectors.http import Http
from connectors.wecom.client import WecomClient
from handlers.customers.customer_book import CustomerBook
from storage.database import Database
from storage.files import FileFolder
from storage.tables import inbox, metadata
from storage.tokens import SharedTokens
from storage.unit_of_work import UnitOfWork

MESSAGES = int(os.environ.get("MESSAGES", "4000"))
PEOPLE, CUSTOMERS = 1_000, 20_000

Sizes = Mapping[str, tuple[int, int]]
"""Table -> rows, bytes with indexes."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one message. ours_ms, server_ms: processor time of our process, of PostgreSQL's.
    body_bytes: of its envelope."""

    ours_ms: float
    server_ms: float
    body_bytes: float


async def main() -> None:
    for kind in KINDS:
        async with fresh(kind) as database:
            empty = await sizes(database)
            await hire(database, PEOPLE, customers=CUSTOMERS)
            hired = await sizes(database)
            held = await memory_bytes(database)
            cost = await talk(database)
            talked = await sizes(database)
        tell(kind, "customer", empty, hired, CUSTOMERS)
        tell(kind, "message", hired, talked, MESSAGES)
        print(
            f"   {kind}: a message of {cost.body_bytes:.0f} bytes takes {cost.ours_ms:.1f} ms of"
            f" our processor and {cost.server_ms:.1f} ms of PostgreSQL's; a customer"
            f" {held / CUSTOMERS:.0f} bytes of memory in each process"
        )


def tell(kind: str, what: str, before: Sizes, after: Sizes, count: int) -> None:
    total = 0.0
    for table, (rows, size) in sorted(after.items()):
        new_rows, new_bytes = rows - before[table][0], size - before[table][1]
        if new_rows * 100 < count:
            continue
        total += new_bytes / count
        print(
            f"   {kind}: {table}: {new_rows / count:.2f} rows a {what}, "
            f"{new_bytes / new_rows:.0f} bytes a row"
        )
    print(f"   {kind}: {total:.0f} bytes a {what}")


async def memory_bytes(database: Database) -> int:
    """What the names of all customers take, once they are loaded."""
    async with database.read() as tx:
        names = await tx.accounts.list_all()
    book = CustomerBook()
    tracemalloc.start()
    book.load(names)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


async def talk(database: Database) -> Cost:
    """Every other message confirms the one before."""
    handlers = await handlers_for(database)
    files, clock = FileFolder(Path(os.devnull)), WallClock()
    client = WecomClient(bodies.WECOM, Http(None), SharedTokens(database), files, clock)  # type: ignore[arg-type]

    async def handle(tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        return await handlers.handle(tx, incoming)

    dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
        Handling(
            store=database,
            connectors={("wecom", "sales"): client},
            files=files,
            handle=handle,
            clock=clock,
            wording=Wording(apology=str),
        ),
    )
    server = PostgresTime(database)
    await server.look()
    worked, served = time.process_time(), server.spent_s
    looking = asyncio.create_task(server.run())
    for number in range(MESSAGES):
        (await dispatcher.accept(said(number)))()
        if number % PEOPLE == PEOPLE - 1:
            await dispatcher.drained()
    await dispatcher.drained()
    looking.cancel()
    await server.look()
    worked, served = time.process_time() - worked, server.spent_s - served
    async with database.read() as tx:
        body = await tx.delivery._conn.scalar(select(func.avg(func.length(inbox.c.body))))
    return Cost(worked / MESSAGES * 1000, served / MESSAGES * 1000, float(body or 0))


def said(number: int) -> Envelope:
    """Rounds of all people: a sentence each, then a confirmation each."""
    one = envelope(number, people=PEOPLE)
    if number // PEOPLE % 2 == 0:
        return one
    begun = one.body.index("刚和".encode())
    ended = one.body.index(b"]]></Content>")
    return replace(one, body=one.body[:begun] + "确认".encode() + one.body[ended:])


async def sizes(database: Database) -> Sizes:
    """As they lie on the disk; PostgreSQL's without what is dead, of which a short run has as much
    as it happens to have. `deploy.capacity` adds what there is of it in the long run."""
    engine = database._engine
    if engine.dialect.name == "postgresql":
        async with engine.connect() as plain:
            conn = await plain.execution_options(isolation_level="AUTOCOMMIT")
            await conn.execute(text("VACUUM FULL"))
    found: dict[str, tuple[int, int]] = {}
    async with database.begin() as tx:
        conn = tx.delivery._conn
        for table in metadata.sorted_tables:
            rows = await conn.scalar(select(func.count()).select_from(table))
            found[table.name] = (rows or 0, await _bytes(conn, table.name))
    return found


async def _bytes(conn: AsyncConnection, table: str) -> int:
    if conn.dialect.name == "postgresql":
        query = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    else:
        query = text(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name IN"
            " (SELECT name FROM sqlite_master WHERE tbl_name = :name)"
        )
    return int(await conn.scalar(query, {"name": table}) or 0)


if __name__ == "__main__":
    asyncio.run(main())
