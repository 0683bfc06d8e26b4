"""The nightly timer that keeps the inbox's months."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from bot.clock import WallClock
from handlers.texts import operations
from handlers.upkeep import months
from storage import admin
from storage.database import Database
from storage.partitions import month_after
from tests.storage.samples import envelope


def test_it_has_a_name_that_an_administrator_reads() -> None:
    assert "收件" in operations.job(months.job(0).name)


async def test_sqlite_has_nothing_to_keep(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    await database.append(envelope())
    async with database.begin() as tx:
        assert await months.job(1).run(tx, WallClock().now() + timedelta(days=1000)) == []
        assert await tx.partitions.parts() == []
    assert len(await database.unfinished()) == 1
    await database.close()


@pytest.mark.postgres
async def test_night_by_night_the_months_move_on(
    empty_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="handlers.upkeep.months")
    await admin.upgrade(empty_postgres_url)
    database = await Database.open(empty_postgres_url)
    start = month_after(WallClock().now(), 0)
    job = months.job(2)
    for number in range(6):
        for day in (3, 17):
            async with database.begin() as tx:
                await job.run(tx, month_after(start, number) + timedelta(days=day))
    async with database.begin() as tx:
        names = [part.name for part in await tx.partitions.parts()]
    await database.close()
    kept = range(3, 9)  # two whole ones before the sixth, which is begun, and three ahead
    assert names == [f"inbox_{month_after(start, number):%Y_%m}" for number in kept]
    assert [len(record.__dict__["made"]) for record in caplog.records] == [1, 1, 1, 1, 1]
