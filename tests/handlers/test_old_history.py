"""Words in old streams, and old pushes, go after as many years as the policy says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.activities import Activity
from bot.domain.lights import Cleared
from bot.domain.notifying import Step
from bot.domain.opportunities import Account, OpportunityState
from bot.domain.policy import Policy, PrivacyPolicy
from storage import admin, old_history
from storage.database import Database
from storage.engines import to_url
from storage.light_pushes import NewPush
from storage.tables import light_episodes
from tests.handlers.chat_company import Chat
from tests.handlers.test_emptying import audited, night
from tests.storage.samples import AT, activity

YEARS_3 = 3 * 366
SLOTS = {"duration_min": 25, "objections": ["price_high"], "contact": "王建国", "remark": "嫌贵"}


@pytest.fixture
async def chat(database: Database) -> Chat:
    chat = await Chat(database).open()
    chat.now = AT
    return chat


async def talked(chat: Chat, name: str, state: OpportunityState, entries: int = 1) -> Account:
    """A customer with a deal in that state, and entries in its stream at AT."""
    account = await chat.customer(name)
    async with chat.database.begin() as tx:
        (deal,) = await tx.opportunities.of_account(account.id)
        await tx.opportunities.save(replace(deal, state=state))
        for number in range(entries):
            key = f"{name}:{number}"
            await tx.activities.add(activity(account, key, text="王建国嫌贵", slots=SLOTS))
    return account


async def told(chat: Chat, account: Account) -> list[Activity]:
    """What its stream holds, without the first call."""
    async with chat.database.read() as tx:
        page, _ = await tx.activities.page(account.id, limit=50, before=None)
    return [one for one in page if one.unit == "call"]


async def test_words_go_and_what_wages_are_proven_by_stays(chat: Chat, database_url: str) -> None:
    account = await talked(chat, "恒锐机电", OpportunityState.LOST)
    (before,) = await told(chat, account)
    await night(chat, YEARS_3)
    assert await told(chat, account) == [before]
    await night(chat, YEARS_3 + 1)
    slots = {"duration_min": 25, "objections": ["price_high"]}
    assert await told(chat, account) == [replace(before, text="", slots=slots)]
    assert await admin.verify(database_url) == []
    await night(chat, YEARS_3 + 2)
    one_a_night = [{"activities": 1}, {"activities": 1}]  # the first call some days before
    assert [entry["rows"] for entry in await audited(chat)] == one_a_night


async def test_a_customer_with_a_living_deal_keeps_them_until_it_has_ended(chat: Chat) -> None:
    open_one = await talked(chat, "恒锐机电", OpportunityState.OPEN)
    resting = await talked(chat, "华阳电气", OpportunityState.ON_HOLD)
    won = await talked(chat, "中天仪表", OpportunityState.WON)
    await night(chat, YEARS_3 + 1)
    assert [bool((await told(chat, one))[0].text) for one in (open_one, resting, won)] == [
        True, True, False,
    ]  # fmt: skip
    async with chat.database.begin() as tx:
        (deal,) = await tx.opportunities.of_account(resting.id)
        await tx.opportunities.save(replace(deal, state=OpportunityState.INVALID))
    await night(chat, YEARS_3 + 2)
    assert [bool((await told(chat, one))[0].text) for one in (open_one, resting)] == [True, False]


async def test_a_long_history_is_gone_through_batch_by_batch(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_history, "BATCH", 3)
    ended = await talked(chat, "恒锐机电", OpportunityState.LOST, entries=8)
    living = await talked(chat, "华阳电气", OpportunityState.OPEN, entries=7)
    later = await talked(chat, "中天仪表", OpportunityState.LOST, entries=5)
    await night(chat, YEARS_3 + 1)
    words = [{one.text for one in await told(chat, each)} for each in (ended, living, later)]
    assert words == [{""}, {"王建国嫌贵"}, {""}]
    assert [len(await told(chat, each)) for each in (ended, living, later)] == [8, 7, 5]


async def test_pushes_of_lights_that_ended_go_and_lights_stay(
    chat: Chat, database_url: str
) -> None:
    account = await talked(chat, "恒锐机电", OpportunityState.OPEN)
    async with chat.database.begin() as tx:
        (deal,) = await tx.opportunities.of_account(account.id)
        zhang = chat.people["zhang"].id
        for episode in (1, 2, 3):
            at = AT + timedelta(days=800 if episode == 2 else 0)
            new = NewPush(deal.id, episode, Step.YELLOW, zhang, owed_at=at, send_at=at)
            await tx.lights.pushes.owe([new])
    await _episodes(database_url, deal.id, zhang, {1: AT, 2: AT + timedelta(days=800), 3: None})
    await night(chat, YEARS_3 + 1)
    async with chat.database.read() as tx:
        owed = await tx.lights.pushes.list_owed(AT + timedelta(days=900))
        assert len(await tx.lights.list_ended(deal.id)) == 2
    assert sorted(one.episode for one in owed) == [2, 3]


async def test_with_0_history_stays_for_ever(database: Database) -> None:
    chat = await Chat(database, policy=Policy(privacy=PrivacyPolicy(history_years=0))).open()
    account = await talked(chat, "恒锐机电", OpportunityState.LOST)
    await night(chat, 20 * 366)
    assert [one.text for one in await told(chat, account)] == ["王建国嫌贵"]


async def _episodes(
    url: str, deal_id: int, owner_id: int, ended: dict[int, datetime | None]
) -> None:
    engine = create_async_engine(to_url(url))
    rows = [
        {
            "opportunity_id": deal_id,
            "episode": episode,
            "owner_id": owner_id,
            "yellow_at": AT,
            "cleared_at": at,
            "cleared_reason": str(Cleared.VALID_ACTION) if at else "",
        }
        for episode, at in ended.items()
    ]
    async with engine.begin() as conn:
        await conn.execute(insert(light_episodes), rows)
    await engine.dispose()
