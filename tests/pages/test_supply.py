"""`/supply`: what warehouse and planning were told of."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.people import Role
from bot.domain.supply import Station
from handlers.levels import changing
from tests.pages.website import Website

HENGRUI = "杭州恒锐机电有限公司"


async def large_sale(website: Website) -> int:
    """恒锐机电 ordered for 30万元. The number of the notice."""
    chat = website.chat
    deal = await chat.deal(await chat.customer(HENGRUI, "zhang", "恒锐机电"))
    async with chat.database.begin() as tx:
        locked = replace(await tx.opportunities.get_for_update(deal.id), amount_fen=30_000_000)
        await tx.opportunities.save(locked)
        await tx.levels.add_evidence(
            Evidence(
                id=0, opportunity_id=deal.id, kind=EvidenceKind.PURCHASE_ORDER,
                added_by=deal.owner_id, added_at=chat.now, number="PO-1", sha256="a" * 64,
                expires_at=changing.end_of_evidence(chat.office, chat.now),
            )
        )  # fmt: skip
        await changing.set_level(
            tx, chat.office, locked, Level.L1, cause=Cause.CLAIMED, at=chat.now
        )
        [notice] = await tx.supply.of(deal.id)
    return notice.id


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_see_the_board(website: Website, role: Role) -> None:
    allowed = {Role.WAREHOUSE, Role.PLANNING, Role.SALES_DIRECTOR, Role.ADMIN}
    async with website.chat.database.begin() as tx:
        await tx.people.set_roles(website.chat.people["chen"].id, [role])
    browser = await website.sign_in("chen")
    assert await browser.status("/supply") == (200 if role in allowed else 403)


async def test_the_board_tells_what_is_to_be_stocked_and_who_knows(website: Website) -> None:
    browser = await website.sign_in("wang")
    assert "还没有备货通知" in (await browser.get("/supply"))[1]
    number = await large_sale(website)
    async with website.chat.database.begin() as tx:
        person = website.chat.people["zhao"].id
        await tx.supply.acknowledge(number, Station.WAREHOUSE, person, website.chat.now)
    _, page = await browser.get("/supply")
    for part in ("CK20260128-0001", HENGRUI, "30万元", "张伟"):
        assert part in page
    assert re.search(r"<dt>仓储</dt><dd>赵倩", page)
    assert re.search(r"<dt>计划</dt><dd><[^>]+>还没确认", page)
