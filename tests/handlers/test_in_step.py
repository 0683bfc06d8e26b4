"""What one process keeps in memory follows what another has committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from benchmarks.office import whole_office
from handlers.desk import Office
from handlers.upkeep.in_step import Following
from storage.database import Database
from storage.news import News
from tests.storage.samples import AT, customer, member

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url)
    yield opened
    await opened.close()


@asynccontextmanager
async def listening(url: str, database: Database, office: Office) -> AsyncIterator[None]:
    following = Following(office, database.read)
    news = News(url, heard=following.heard, on_gap=following.missed)
    tasks = [asyncio.create_task(news.run()), asyncio.create_task(following.run())]
    await news.listening.wait()
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_known(office: Office, name: str, owner_id: int | None) -> None:
    while name not in office.customers.index or office.customers.owner_of(name) != owner_id:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_customer_that_another_process_entered_is_known_here(
    postgres_url: str, database: Database
) -> None:
    office = whole_office()
    async with listening(postgres_url, database, office):
        async with database.begin() as tx:
            rep = await member(tx, "zhang3")
            account = await customer(tx, rep, name="常州齿轮有限公司")
        await until_known(office, account.name, rep.id)
        assert office.customers.index.find("刚和常州齿轮有限公司通了电话")


async def test_a_customer_that_was_handed_over_or_merged_elsewhere_follows(
    postgres_url: str, database: Database
) -> None:
    office = whole_office()
    async with database.begin() as tx:
        rep, other = await member(tx, "zhang3"), await member(tx, "li4", "李四")
        first = await customer(tx, rep, name="常州齿轮有限公司")
        second = await customer(tx, rep, name="苏州轴承有限公司")
    office.customers.load([first, second])
    async with listening(postgres_url, database, office):
        async with database.begin() as tx:
            await tx.accounts.transfer(first.id, other.id, AT)
        await until_known(office, first.name, other.id)
        async with database.begin() as tx:
            await tx.merges.merge(second.id, first.id, by=rep.id, at=AT)
        while second.name in office.customers.index:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert first.name in office.customers.index


async def test_what_was_changed_while_nothing_was_heard_follows(
    postgres_url: str, database: Database
) -> None:
    """The connection was gone; then everything is compared."""
    office = whole_office()
    following = Following(office, database.read)
    async with database.begin() as tx:
        rep = await member(tx, "zhang3")
        gone = await customer(tx, rep, name="常州齿轮有限公司")
        stays = await customer(tx, rep, name="苏州轴承有限公司")
        office.customers.load([gone, stays])
        await tx.merges.merge(gone.id, stays.id, by=rep.id, at=AT)
    following.missed()
    task = asyncio.create_task(following.run())
    async with asyncio.timeout(20):
        while gone.name in office.customers.index:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    assert office.customers.known == {stays.id}
