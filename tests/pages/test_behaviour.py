"""What a customer did by themselves, and what is left of the intent, on the deal's page."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.signals import Arrived
from handlers.levels import changing
from handlers.signals import gathering
from tests.pages.website import Website


async def test_a_deal_shows_its_customers_signals_with_their_reasons(website: Website) -> None:
    chat = website.chat
    account = await chat.customer("杭州恒锐机电有限公司")
    deal = await chat.deal(account)
    browser = await website.sign_in("zhang")
    assert "客户最近没有动静" in (await browser.get(f"/opportunities/{deal.id}"))[1]
    async with chat.database.begin() as tx:
        await tx.signals.arrive(
            [
                Arrived(
                    "main", f"event-{n:04}", "browser-1", "parameters", chat.now, chat.now,
                    f"/products/<{n}>", account_id=account.id,
                )
                for n in range(4)
            ]
        )  # fmt: skip
        await gathering.run(tx, chat.office, chat.now)
    page = (await browser.get(f"/opportunities/{deal.id}"))[1]
    assert "热度 1.0" in page
    assert "反复看参数页" in page
    assert "7天内超过3次；热度1，每7天减半" in page
    assert "/products/&lt;0&gt;" in page  # as text, whatever a website sends


async def test_an_l2_shows_how_much_of_it_is_left(website: Website) -> None:
    chat = website.chat
    deal = await chat.deal(await chat.customer("杭州恒锐机电有限公司"))
    browser = await website.sign_in("zhang")
    assert 'data-chart="lines"' not in (await browser.get(f"/opportunities/{deal.id}"))[1]
    async with chat.database.begin() as tx:
        for kind in (EvidenceKind.TECHNICAL_CONFIRMATION, EvidenceKind.BUDGET_APPROVAL):
            await tx.levels.add_evidence(
                Evidence(
                    id=0, opportunity_id=deal.id, kind=kind, added_by=1, added_at=chat.now,
                    expires_at=chat.now + timedelta(days=90), sha256="a" * 64,
                )
            )  # fmt: skip
        held = await tx.opportunities.get_for_update(deal.id)
        await changing.set_level(
            tx, chat.office, held, Level.L2, cause=Cause.CLAIMED, at=chat.now, by=1
        )
    chat.now += timedelta(hours=36)
    page = (await browser.get(f"/opportunities/{deal.id}"))[1]
    told = re.sub(r"<[^>]*>", "", page)  # what is not to be torn stands in elements of its own
    assert "L2 还剩 71%" in told
    assert "后降为 L2.5" in told
    assert 'data-chart="lines"' in page
