"""The one place where a level changes: by the rules, on record, and told to whoever follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level, LevelChange
from bot.domain.opportunities import Opportunity
from bot.errors import Refused
from bot.messages import Address, OutboundMessage, Platform, Text
from handlers.desk import Office
from handlers.levels import changing
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.handlers.chat_company import Chat


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


@pytest.fixture
async def deal(chat: Chat) -> Opportunity:
    return await chat.deal(await chat.customer("杭州恒锐机电有限公司"))


def evidence(chat: Chat, deal: Opportunity, kind: EvidenceKind, **more: Any) -> Evidence:
    plain = Evidence(
        id=0,
        opportunity_id=deal.id,
        kind=kind,
        added_by=chat.people["zhang"].id,
        added_at=chat.now,
        expires_at=changing.end_of_evidence(chat.office, chat.now),
        number="PO-2026-018" if kind is EvidenceKind.PURCHASE_ORDER else "",
        sha256="a" * 64,
    )
    return replace(plain, **more)


async def _set(chat: Chat, deal: Opportunity, level: Level | None, **given: Any) -> LevelChange:
    async with chat.database.begin() as tx:
        locked = await tx.opportunities.get_for_update(deal.id)
        more: dict[str, Any] = {"cause": Cause.CLAIMED, "at": chat.now} | given
        return (await changing.set_level(tx, chat.office, locked, level, **more)).change


async def test_a_level_with_its_evidence_is_on_record_and_in_the_stream(
    chat: Chat, deal: Opportunity
) -> None:
    with pytest.raises(Refused, match="还缺：采购订单"):
        await _set(chat, deal, Level.L1)
    async with chat.database.begin() as tx:
        order = await tx.levels.add_evidence(evidence(chat, deal, EvidenceKind.PURCHASE_ORDER))
    change = await _set(chat, deal, Level.L1, by=chat.people["zhang"].id)
    assert (change.before, change.after, change.cause) == (None, Level.L1, Cause.CLAIMED)
    async with chat.database.begin() as tx:
        assert (await tx.levels.current([deal.id]))[deal.id] == change
        assert await tx.levels.at_level(Level.L1) == [change]
        assert await tx.levels.at_level(Level.L2) == []
        assert await tx.levels.evidence_of(deal.id) == [order]
        page, _ = await tx.activities.page(deal.account_id, limit=1, before=None)
        assert await tx.audit.verify() is None
    assert (page[0].title, page[0].text) == ("意向级别", "未定级 → L1（有凭据）")


async def test_an_order_taken_back_takes_its_level_along(chat: Chat, deal: Opportunity) -> None:
    rep = chat.people["zhang"].id
    async with chat.database.begin() as tx:
        order = await tx.levels.add_evidence(evidence(chat, deal, EvidenceKind.PURCHASE_ORDER))
        for kind in (EvidenceKind.TECHNICAL_CONFIRMATION, EvidenceKind.BUDGET_APPROVAL):
            await tx.levels.add_evidence(evidence(chat, deal, kind))
    await _set(chat, deal, Level.L1, by=rep)
    chat.now += timedelta(hours=1)
    async with chat.database.begin() as tx:
        assert await tx.levels.withdraw(order.id, by=rep, reason="客户撤单", at=chat.now)
        assert await tx.levels.withdraw(order.id, by=rep, reason="又一次", at=chat.now) is None
        locked = await tx.opportunities.get_for_update(deal.id)
        found = await changing.settle(
            tx, chat.office, locked, cause=Cause.WITHDRAWN, at=chat.now, by=rep
        )
        again = await changing.settle(tx, chat.office, locked, cause=Cause.EXPIRED, at=chat.now)
    assert found is not None
    assert (found.change.before, found.change.after) == (Level.L1, Level.L2)
    assert again is None


async def test_silence_lowers_l2_and_a_touch_restores_it_while_its_evidence_holds(
    chat: Chat, deal: Opportunity
) -> None:
    async with chat.database.begin() as tx:
        for kind in (EvidenceKind.TECHNICAL_CONFIRMATION, EvidenceKind.BUDGET_APPROVAL):
            await tx.levels.add_evidence(evidence(chat, deal, kind))
    await _set(chat, deal, Level.L2)
    assert (await _set(chat, deal, Level.L2_5, cause=Cause.DECAYED)).after is Level.L2_5
    assert (await _set(chat, deal, Level.L2, cause=Cause.RESTORED)).before is Level.L2_5
    await _set(chat, deal, Level.L2_5, cause=Cause.DECAYED)
    chat.now += timedelta(days=91)
    with pytest.raises(Refused, match="凭据不够"):
        await _set(chat, deal, Level.L2, cause=Cause.RESTORED)


async def test_followers_hear_of_a_change_in_its_transaction(
    chat: Chat, deal: Opportunity, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell(
        _tx: UnitOfWork, _office: Office, told: Opportunity, change: LevelChange
    ) -> list[OutboundMessage]:
        to = Address(Platform.WECOM, "sales", chat_id="warehouse")
        return [OutboundMessage(f"x:{change.id}", to, Text(f"{told.account_name} {change.after}"))]

    monkeypatch.setattr(changing, "FOLLOWERS", (tell,))
    async with chat.database.begin() as tx:
        await tx.levels.add_evidence(evidence(chat, deal, EvidenceKind.PURCHASE_ORDER))
        locked = await tx.opportunities.get_for_update(deal.id)
        done = await changing.set_level(
            tx, chat.office, locked, Level.L1, cause=Cause.CLAIMED, at=chat.now
        )
    assert [one.content for one in done.messages] == [Text("杭州恒锐机电有限公司 L1")]
