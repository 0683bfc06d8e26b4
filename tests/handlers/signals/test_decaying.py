"""L2 fades while nobody talks to the customer, and comes back when somebody does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.opportunities import Opportunity, OpportunityState
from handlers.levels import changing
from handlers.signals import decaying
from storage.database import Database
from tests.handlers.chat_company import Chat, words
from tests.handlers.light_company import at

CALL = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"


async def _proven(database: Database) -> tuple[Chat, Opportunity]:
    """L2 on a Monday at ten, with evidence for 90 days."""
    chat = await Chat(database, now=at("2026-03-09 10:00")).open()
    deal = await chat.deal(await chat.customer("杭州恒锐机电有限公司"))
    async with database.begin() as tx:
        for kind in (EvidenceKind.TECHNICAL_CONFIRMATION, EvidenceKind.BUDGET_APPROVAL):
            await tx.levels.add_evidence(
                Evidence(
                    id=0, opportunity_id=deal.id, kind=kind, added_by=deal.owner_id,
                    added_at=chat.now, expires_at=chat.now + timedelta(days=90), sha256="a" * 64,
                )
            )  # fmt: skip
        await changing.set_level(
            tx, chat.office, await tx.opportunities.get_for_update(deal.id), Level.L2,
            cause=Cause.CLAIMED, at=chat.now, by=deal.owner_id,
        )  # fmt: skip
    return chat, deal


async def _sweep(chat: Chat, when: datetime) -> str:
    chat.now = when
    async with chat.database.begin() as tx:
        sent = await decaying.sweep(tx, chat.office, when)
    chat.said += sent
    return "\n".join(words(one.content) for one in sent)


async def _level(chat: Chat, deal: Opportunity) -> Level | None:
    async with chat.database.read() as tx:
        return (await tx.levels.current([deal.id]))[deal.id].after


async def test_after_72_hours_of_silence_l2_is_l2_5_with_one_warning(database: Database) -> None:
    chat, deal = await _proven(database)
    async with database.read() as tx:
        due = await decaying.next_at(tx, chat.office)
    assert due is not None
    assert due - at("2026-03-12 10:00") < timedelta(seconds=1)
    assert await _sweep(chat, at("2026-03-12 10:00")) == ""
    told = await _sweep(chat, at("2026-03-12 10:01"))
    assert "超过72小时（休息日不算）" in told
    assert "L2 暂记为 L2.5" in told
    assert await _level(chat, deal) is Level.L2_5
    assert await _sweep(chat, at("2026-03-13 10:00")) == ""


async def test_a_valid_touch_restores_it(database: Database) -> None:
    chat, deal = await _proven(database)
    await _sweep(chat, at("2026-03-13 10:00"))
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    await _sweep(chat, chat.now + timedelta(minutes=1))
    assert await _level(chat, deal) is Level.L2
    assert await _sweep(chat, chat.now + timedelta(hours=20)) == ""
    assert "L2.5" in await _sweep(chat, at("2026-03-20 10:00"))  # and may fade again


async def test_without_its_evidence_it_is_not_restored(database: Database) -> None:
    chat, deal = await _proven(database)
    await _sweep(chat, at("2026-03-13 10:00"))
    async with database.begin() as tx:
        (first, *_) = await tx.levels.evidence_of(deal.id)
        await tx.levels.withdraw(first.id, by=deal.owner_id, reason="作废", at=chat.now)
    await chat.say("zhang", CALL)
    await chat.say("zhang", "确认")
    await _sweep(chat, chat.now + timedelta(minutes=1))
    assert await _level(chat, deal) is Level.L2_5


@pytest.mark.parametrize("state", [OpportunityState.WON, OpportunityState.ON_HOLD])
async def test_deals_that_nobody_works_on_do_not_fade(
    database: Database, state: OpportunityState
) -> None:
    chat, deal = await _proven(database)
    async with database.begin() as tx:
        kept = await tx.opportunities.get_for_update(deal.id)
        await tx.opportunities.save(replace(kept, state=state))
    assert await _sweep(chat, at("2026-03-20 10:00")) == ""
    assert await _level(chat, deal) is Level.L2
