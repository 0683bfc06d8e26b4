"""From SQLite to PostgreSQL: everything, once, compared; and gone on with where it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from bot.errors import PermanentError
from storage import admin, move
from storage.database import Database
from storage.ownership import sole_owner
from storage.tables import audit, metadata, people
from tests.storage.samples import AT, activity, customer, envelope, member, message

pytestmark = pytest.mark.postgres


@pytest.fixture
async def filled(sqlite_url: str) -> str:
    """A company with what is awkward: references to later rows, JSON with nothing in it, an
    emptied and a long body, moments."""
    database = await Database.open(sqlite_url)
    try:
        async with database.begin() as tx:
            rep = await member(tx, "zhang3")
            first = await customer(tx, rep, name="无锡恒锐自动化有限公司")
            second = await customer(tx, rep, name="恒锐机电")
            await tx.merges.merge(first.id, second.id, by=rep.id, at=AT)
            await tx.activities.add(activity(second, "s1"))
            await tx.settings.put("空", None, AT)
            await tx.settings.put("嵌", {"a": [1.5, None, "跟单"]}, AT)
            await tx.delivery.claim_tick("sweep", AT, at=AT + timedelta(microseconds=7))
            await tx.delivery.queue([message("k")], at=AT)
            for number in range(3):
                await tx.audit.append(
                    at=AT, actor="system", action="try", subject=str(number), before=None, after={}
                )
        await database.append(envelope(body=bytes(range(256)) * 40))
    finally:
        await database.close()
    return sqlite_url


async def rows_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = await Database.open(url)
    try:
        async with database.read() as tx:
            conn = tx.settings._conn
            return {
                table.name: sorted(
                    (tuple(row) for row in await conn.execute(select(table))), key=repr
                )
                for table in metadata.sorted_tables
            }
    finally:
        await database.close()


async def test_every_row_arrives_as_it_was(filled: str, empty_postgres_url: str) -> None:
    moved = await move.move(filled, empty_postgres_url)
    before, after = await rows_of(filled), await rows_of(empty_postgres_url)
    assert before["accounts"]
    assert before == after
    assert moved.rows == sum(map(len, after.values()))
    assert moved.entries == 3
    assert await admin.verify(empty_postgres_url) == []
    await move.refuse_half_moved(empty_postgres_url)


async def test_new_rows_get_numbers_after_the_old_ones(
    filled: str, empty_postgres_url: str
) -> None:
    await move.move(filled, empty_postgres_url)
    database = await Database.open(empty_postgres_url)
    try:
        async with database.begin() as tx:
            last = int(await tx.settings._conn.scalar(select(func.max(people.c.id))) or 0)
            assert (await member(tx, "li4", "新来的")).id > last
    finally:
        await database.close()


async def test_what_ended_in_the_middle_is_gone_on_with(
    filled: str, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page a row, and the power goes after a few of them."""
    monkeypatch.setattr(move, "PAGE", 1)
    copied: list[str] = []

    def told(table: str, rows: int) -> None:
        if (table, rows) == ("activities", 1):
            raise KeyboardInterrupt
        copied.append(table)

    with pytest.raises(KeyboardInterrupt):
        await move.move(filled, empty_postgres_url, told=told)
    with pytest.raises(PermanentError, match="a move is unfinished"):
        await move.refuse_half_moved(empty_postgres_url)
    await move.move(filled, empty_postgres_url)
    assert await rows_of(filled) == await rows_of(empty_postgres_url)


async def test_a_served_file_is_not_moved(filled: str, empty_postgres_url: str) -> None:
    async with sole_owner(filled):
        with pytest.raises(PermanentError, match="another bot serves"):
            await move.move(filled, empty_postgres_url)


async def test_a_target_with_data_of_its_own_is_left_alone(
    filled: str, empty_postgres_url: str
) -> None:
    await admin.upgrade(empty_postgres_url)
    database = await Database.open(empty_postgres_url)
    async with database.begin() as tx:
        await member(tx, "zhang3")
    await database.close()
    with pytest.raises(PermanentError, match="not empty"):
        await move.move(filled, empty_postgres_url)


async def test_a_broken_chain_is_not_taken_for_moved(filled: str, empty_postgres_url: str) -> None:
    database = await Database.open(filled)
    async with database.begin() as tx:
        await tx.settings._conn.execute(update(audit).where(audit.c.seq == 2).values(actor="x"))
    await database.close()
    with pytest.raises(PermanentError, match="chain is broken"):
        await move.move(filled, empty_postgres_url)
    with pytest.raises(PermanentError, match="a move is unfinished"):
        await move.refuse_half_moved(empty_postgres_url)
