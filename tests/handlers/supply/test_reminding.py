"""A notice that nobody takes note of: the station is reminded once, then its leader hears."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.domain.levels import Cause, Level
from bot.domain.opportunities import Opportunity
from bot.domain.people import Role
from handlers.supply.reminding import Reminding
from storage.database import Database
from tests.handlers.chat_company import Chat, words
from tests.handlers.light_company import at
from tests.handlers.supply.test_notices import HENGRUI, hire, level, order, worth


@pytest.fixture
async def chat(database: Database) -> Chat:
    """It is Wednesday, 15:00; a large sale has just been told."""
    chat = await Chat(database).open()
    chat.now = at("2026-01-28 15:00")
    await hire(chat)
    deal = await chat.deal(await chat.customer(HENGRUI, "zhang", "恒锐机电"))
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    await level(chat, deal, Level.L1)
    return chat


async def the_deal(chat: Chat) -> Opportunity:
    async with chat.database.begin() as tx:
        return await tx.opportunities.get(1)


async def tick(chat: Chat, now: datetime) -> list[tuple[str | None, str]]:
    """(to whom, what) of one tick then."""
    chat.now = now
    async with chat.database.begin() as tx:
        sent = await Reminding(chat.office).job().run(tx, now)
        await tx.delivery.queue(sent, at=now)
    return [(one.to.user_id, words(one.content)) for one in sent]


async def test_each_station_is_reminded_once_in_office_hours_and_then_the_director_hears(
    chat: Chat,
) -> None:
    assert await tick(chat, at("2026-01-29 09:30")) == []
    told = await tick(chat, at("2026-01-29 11:30"))
    assert [who for who, _ in told] == ["ma", "gao"]
    assert "大单备货通知 CK20260128-0001" in told[0][1]
    assert "收到 CK20260128-0001" in told[0][1]
    assert await tick(chat, at("2026-01-29 11:35")) == []
    above = await tick(chat, at("2026-01-29 18:00"))
    assert [who for who, _ in above] == ["wang", "wang"]
    assert "已提醒过仓储一次，还没有人确认" in above[0][1]
    assert await tick(chat, at("2026-02-05 18:00")) == []


async def test_who_has_taken_note_is_left_alone(chat: Chat) -> None:
    await chat.press("ma", chat.card("ma"), "收到")
    told = await tick(chat, at("2026-01-29 11:30"))
    assert [who for who, _ in told] == ["gao"]
    await chat.say("gao", "收到 CK20260128-0001")
    assert await tick(chat, at("2026-01-30 18:00")) == []


async def test_the_lead_of_a_station_goes_before_the_director(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        lead = await tx.people.find_by_identity("wecom", "ma")
        assert lead is not None
        await tx.people.set_roles(lead.id, [Role.WAREHOUSE, Role.SUPERVISOR])
    await tick(chat, at("2026-01-29 11:30"))
    above = await tick(chat, at("2026-01-29 18:00"))
    assert [who for who, _ in above] == ["ma", "wang"]


async def test_a_withdrawal_takes_the_place_of_its_push(chat: Chat) -> None:
    await tick(chat, at("2026-01-29 11:30"))
    chat.now = at("2026-01-29 14:00")
    await level(chat, await the_deal(chat), None, Cause.LOWERED, "客户撤单")
    assert await tick(chat, at("2026-01-29 17:30")) == []
    told = await tick(chat, at("2026-01-30 11:00"))
    assert [text[:4] for _, text in told] == ["备货撤回", "备货撤回"]


async def test_a_clock_that_jumps_stops_where_somebody_is_to_be_reminded(chat: Chat) -> None:
    due = Reminding(chat.office).job().next_due
    assert due is not None
    async with chat.database.begin() as tx:
        first = await due(tx)
    assert first is not None
    assert at("2026-01-29 09:30") < first <= at("2026-01-29 11:30")
