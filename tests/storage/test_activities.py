"""The stream: each source once, newest first, page by page without a gap or a repeat."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.activities import Activity, Grade
from bot.domain.opportunities import Account
from bot.errors import InvalidInput, NotFound
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, activity, after, customer, member, sale


async def test_an_entry_comes_back_as_it_was_added(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        entry = activity(
            account,
            "s1",
            opportunity_id=(await sale(tx, account)).id,
            slots={"duration_min": 25, "objections": ["price_high"], "contact": "王总"},
            file_hashes=("a" * 64,),
            valid=True,
            grade=Grade.FILE_ATTACHED,
            late=True,
            occurred_at=AT.replace(microsecond=123456),
        )
        added = await tx.activities.add(entry)
        assert added is not None
        assert added == replace(entry, id=added.id)
        assert await tx.activities.get(added.id) == added


async def test_a_source_is_recorded_once(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        assert await tx.activities.add(activity(account, "s1")) is not None
        assert await tx.activities.add(activity(account, "s1", text="again")) is None
        page, _ = await tx.activities.page(account.id, limit=10, before=None)
        assert [one.text for one in page] == ["嫌价格高"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 12, 50])
async def test_paging_is_complete_and_without_repeats_under_equal_times(
    database: Database, size: int
) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        moments = [AT, AT, AT, after(1), AT - timedelta(microseconds=1), AT] * 2
        for number, moment in enumerate(moments):
            await tx.activities.add(activity(account, f"s{number}", occurred_at=moment))
        found, before = await _pages(tx, account.id, size)
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found) == len(moments)
    assert before is None


async def test_what_arrives_while_somebody_reads_shifts_no_page(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        for number in range(4):
            await tx.activities.add(activity(account, f"s{number}", occurred_at=after(number)))
        first, before = await tx.activities.page(account.id, limit=2, before=None)
        await tx.activities.add(activity(account, "new", occurred_at=after(9)))
        second, _ = await tx.activities.page(account.id, limit=2, before=before)
    assert [one.source_id for one in first + second] == ["s3", "s2", "s1", "s0"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "2026-01-28~1", "2026-01-28T07:00:00+00:00~", f"{AT.isoformat()}~{10**30}"]
)
async def test_a_made_up_cursor_is_refused(database: Database, cursor: str) -> None:
    async with database.read() as tx:
        with pytest.raises(InvalidInput):
            await tx.activities.page(1, limit=2, before=cursor)


async def test_streams_of_opportunity_and_actor(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        account = await customer(tx, zhang)
        deal = await sale(tx, account)
        for number in range(3):
            await tx.activities.add(
                activity(
                    account,
                    f"s{number}",
                    opportunity_id=deal.id,
                    occurred_at=after(-number),
                    recorded_at=after(number),
                )
            )
        since = await tx.activities.list_of_opportunity(deal.id, since=after(-1))
        assert [one.source_id for one in since] == ["s1", "s0"]
        last = await tx.activities.last_of_actor(zhang.id, 2)
        assert [one.source_id for one in last] == ["s2", "s1"]


async def test_what_was_taken_back_is_known(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        kept, wrong = await _added(tx, account, "kept"), await _added(tx, account, "wrong")
        await tx.activities.add(activity(account, "undo", retracts_id=wrong.id))
        assert await tx.activities.retracted_among([kept.id, wrong.id]) == {wrong.id}
        assert await tx.activities.is_retracted(wrong.id)
        assert not await tx.activities.is_retracted(kept.id)
        assert await tx.activities.retracted_among([]) == set()
        with pytest.raises(NotFound, match="没有这条动态"):
            await tx.activities.get(10**6)


async def _added(tx: UnitOfWork, account: Account, source_id: str) -> Activity:
    added = await tx.activities.add(activity(account, source_id))
    assert added is not None
    return added


async def _pages(
    tx: UnitOfWork, account_id: int, size: int
) -> tuple[list[tuple[datetime, int]], str | None]:
    found: list[tuple[datetime, int]] = []
    before = None
    for _ in range(50):
        page, before = await tx.activities.page(account_id, limit=size, before=before)
        found += [(one.occurred_at, one.id) for one in page]
        if before is None:
            break
    return found, before
