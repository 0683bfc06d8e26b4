"""Customers, the worst light first, a page at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot.domain.people import Directory, DirectoryUser
from storage import dialects
from storage.database import Database
from storage.tables import accounts, opportunities
from storage.unit_of_work import UnitOfWork
from storage.urgent_customers import CALM, RED, START, YELLOW, Place
from tests.handlers.light_company import at

NOW = at("2026-01-28 15:00")


async def people(tx: UnitOfWork, *names: str) -> list[int]:
    users = tuple(DirectoryUser(one, one) for one in names)
    await tx.people.save_directory(
        Directory("wecom", users=users), roles_by_title=lambda _: frozenset(), at=NOW
    )
    found = [await tx.people.find_by_identity("wecom", one) for one in names]
    return [one.id for one in found if one is not None]


async def customer(
    tx: UnitOfWork, name: str, owner: int, *deals: tuple[str, int], whose: int | None = None
) -> int:
    """deals: light, and for how many days nobody looked after it. whose: the deals are."""
    account = await tx.accounts.add(name=name, owner_id=owner, at=NOW)
    for light, days in deals:
        deal = await tx.opportunities.add(
            account_id=account.id, name=name, owner_id=whose or owner, stage="quote", rank=3,
            at=NOW, light_due_at=None,
        )  # fmt: skip
        await tx._conn.execute(
            update(opportunities)
            .where(opportunities.c.id == deal.id)
            .values(light=light, last_valid_at=NOW - timedelta(days=days) if days else None)
        )
    return account.id


async def every(tx: UnitOfWork, owners: list[int], limit: int) -> list[Place]:
    found: list[Place] = []
    while page := await tx.urgent_customers.page(
        owners, after=found[-1] if found else START, limit=limit
    ):
        found += page
    return found


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_worst_light_of_each_decides_and_then_how_long(
    database: Database, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """However many people look after them, and wherever a page ends."""
    monkeypatch.setattr(dialects, "CHUNK", 1)
    async with database.begin() as tx:
        zhang, chen = await people(tx, "zhang", "chen")
        calm = await customer(tx, "无商机", zhang)
        green = await customer(tx, "绿", chen, ("green", 1))
        yellow = await customer(tx, "黄", zhang, ("yellow", 4), ("green", 9))
        both = await customer(tx, "红和黄", chen, ("yellow", 20), ("red", 7))
        red = await customer(tx, "红", zhang, ("red", 9), ("red", 6))
        new = await customer(tx, "刚分来的红", zhang, ("red", 0))
        others = await customer(tx, "同事的红灯", zhang, ("red", 30), whose=chen)
        gone = await customer(tx, "公海的", zhang, ("red", 40))
        pooled = update(accounts).where(accounts.c.id == gone).values(in_pool_since=NOW)
        await tx._conn.execute(pooled)
        found = await every(tx, [zhang, chen], limit)
    assert [(one.rank, one.account_id) for one in found] == [
        (RED, red), (RED, both), (RED, new), (YELLOW, yellow),
        (CALM, calm), (CALM, green), (CALM, others),
    ]  # fmt: skip


async def test_nobody_elses_are_among_them(database: Database) -> None:
    async with database.begin() as tx:
        zhang, chen = await people(tx, "zhang", "chen")
        await customer(tx, "陈静的", chen, ("red", 3))
        mine = await customer(tx, "张伟的", zhang, ("yellow", 3))
        found = await tx.urgent_customers.page([zhang], limit=9)
    assert [one.account_id for one in found] == [mine]
    assert isinstance(found[0].since, datetime)
