"""Whoever changes the past is found."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import asyncpg
import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import create_async_engine

from storage import audit as audit_module
from storage.audit import START
from storage.database import Database
from storage.engines import to_url
from storage.tables import audit
from tests.storage.samples import AT, after

FORGED: dict[str, Any] = {
    "seq": 6, "at": AT, "actor": "system", "action": "x", "subject": "x", "before": "null",
    "after": "null", "previous_hash": START, "hash": START,
}  # fmt: skip


async def test_an_untouched_chain_holds(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit_module, "PAGE", 2)
    async with database.read() as tx:
        assert (await tx.audit.head(), await tx.audit.verify()) == ((0, START), None)
    await _fill(database)
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        seq, head = await tx.audit.head()
    assert (seq, len(head)) == (5, 64)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        (update(audit).where(audit.c.seq == 3).values(after='{"amount_fen":1}'), 3),
        (update(audit).where(audit.c.seq == 2).values(actor="person:9"), 2),
        (update(audit).where(audit.c.seq == 5).values(at=after(9)), 5),
        (delete(audit).where(audit.c.seq == 4), 4),
        (delete(audit).where(audit.c.seq == 1), 1),
        (update(audit).where(audit.c.seq == 5).values(seq=7), 5),
        (insert(audit).values(FORGED), 6),
    ],
)
async def test_any_tampering_breaks_it_where_it_happened(
    database: Database, database_url: str, tampering: Any, broken: int
) -> None:
    await _fill(database)
    await _execute(database_url, tampering)
    async with database.read() as tx:
        assert await tx.audit.verify() == broken


async def test_a_cut_end_shows_against_a_head_that_was_written_down(
    database: Database, database_url: str
) -> None:
    async with database.read() as tx:
        empty = await tx.audit.head()
    await _fill(database)
    async with database.read() as tx:
        noted = await tx.audit.head()
    await _fill(database)
    async with database.read() as tx:
        assert await tx.audit.holds_head(*empty)
        assert await tx.audit.holds_head(*noted)
        assert not await tx.audit.holds_head(noted[0] - 1, noted[1])
    await _execute(database_url, delete(audit).where(audit.c.seq > 4))
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        assert not await tx.audit.holds_head(*noted)
    await _fill(database)  # the chain grows on, over the place where it was cut
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        assert not await tx.audit.holds_head(*noted)


async def test_entries_of_one_moment_form_one_chain(database: Database) -> None:
    async def act(number: int) -> None:
        async with database.begin() as tx:
            await tx.audit.append(
                at=AT, actor=f"person:{number}", action="x", subject="x", before=None, after=None
            )

    await asyncio.gather(*(act(number) for number in range(20)))
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        assert (await tx.audit.head())[0] == 20


@pytest.mark.postgres
async def test_beside_the_version_before_it_stays_one_chain(postgres_url: str) -> None:
    """Which took the lock, read the head and sealed by itself, while processes are replaced."""
    database = await Database.open(postgres_url)
    before = await asyncpg.connect(postgres_url)
    odd = 'a"b\\c%s中\u2028\n'

    async def act(number: int) -> None:
        async with database.begin() as tx:
            for word in (odd, str(number)):
                await tx.audit.append(
                    at=AT, actor=word, action="x", subject=odd, before=None, after={odd: word}
                )

    acting = [asyncio.create_task(act(number)) for number in range(8)]
    for _ in range(8):
        await _append_as_0_38_did(before)
    await asyncio.gather(*acting)
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        assert (await tx.audit.head())[0] == 24
    await before.close()
    await database.close()


async def _append_as_0_38_did(conn: asyncpg.Connection) -> None:
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock($1)", 0x67656E64)
        head = await conn.fetchrow("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        seq, previous = (head["seq"] + 1, head["hash"]) if head else (1, START)
        content = hashlib.sha256(b"s\nnull\nnull").hexdigest()
        sealed = [seq, AT.isoformat(timespec="microseconds"), "system", "x", "x", content, previous]
        text = json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))
        seal = hashlib.sha256(text.encode()).hexdigest()
        await asyncio.sleep(0.005)
        await conn.execute(
            "INSERT INTO audit (seq, at, actor, action, subject, before, after, salt,"
            " content_hash, previous_hash, hash)"
            " VALUES ($1, $2, 'system', 'x', 'x', 'null', 'null', 's', $3, $4, $5)",
            seq, AT, content, previous, seal,
        )  # fmt: skip


async def test_an_entry_that_was_rolled_back_leaves_no_gap(database: Database) -> None:
    await _fill(database)
    with pytest.raises(KeyError):
        await _fail_after_an_entry(database)
    await _fill(database)
    async with database.read() as tx:
        assert await tx.audit.verify() is None


async def _fill(database: Database) -> None:
    for number in range(5):
        async with database.begin() as tx:
            await tx.audit.append(
                at=after(number),
                actor="person:1",
                action="change_amount",
                subject="opportunity:7",
                before={"amount_fen": number, "阶段": "报价"},
                after={"阶段": "报价", "amount_fen": number + 1},
            )


async def _fail_after_an_entry(database: Database) -> None:
    async with database.begin() as tx:
        await tx.audit.append(
            at=AT, actor="system", action="x", subject="x", before=None, after=None
        )
        raise KeyError


async def _execute(url: str, statement: Any) -> None:
    engine = create_async_engine(to_url(url))
    async with engine.begin() as conn:
        await conn.execute(statement)
    await engine.dispose()
