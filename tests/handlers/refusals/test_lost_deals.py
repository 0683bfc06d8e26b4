"""«丢单清单»: which deals were lost, for whoever may know of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.people import Role
from handlers.refusals import lost_deals
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.refusals.test_reporting import lose, product


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_a_rep_sees_their_own_with_amount_and_reason(chat: Chat) -> None:
    await lose(chat, 1, "price_high")
    await lose(chat, 2, None, owner="chen")
    said = await chat.say("zhang", "最近丢了哪些单")
    assert "第001号机械 · " in said
    assert "价格高" in said
    assert "第002号" not in said
    assert "张伟" not in said


async def test_supervisors_see_their_people_and_directors_everybody(chat: Chat) -> None:
    await lose(chat, 1, "price_high")
    await lose(chat, 2, None, owner="chen")
    said = await chat.say("li", "丢单清单")
    assert "价格高 · 张伟" in said
    assert "没填原因 · 陈静" in said
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, [Role.SALES_DIRECTOR])
    assert "陈静" in await chat.say("zhao", "丢单清单")


async def test_product_managers_get_no_names_of_customers(chat: Chat) -> None:
    await product(chat)
    await lose(chat, 1, "price_high")
    assert "汇总发「拒绝原因」" in await chat.say("zhao", "丢单清单")


async def test_the_period_is_told_and_kept(chat: Chat) -> None:
    await lose(chat, 1, "price_high", when=chat.now - timedelta(days=40))
    assert "没有丢单记录" in await chat.say("zhang", "丢单清单")
    assert "第001号" in await chat.say("zhang", "丢单清单 近60天")
    assert "12月1日–12月31日" in await chat.say("zhang", "丢单清单 上月")
    assert "看哪段时间" in await chat.say("zhang", "丢单清单 随便")


async def test_a_long_list_is_cut_and_says_so(chat: Chat) -> None:
    for number in range(lost_deals.MOST + 3):
        await lose(chat, number, "price_high", when=chat.now - timedelta(minutes=100 - number))
    said = await chat.say("zhang", "丢单清单")
    assert "第014号" in said
    assert "第002号" not in said
    assert "还有3单" in said


async def test_a_deal_lost_twice_stands_there_once(chat: Chat) -> None:
    account = await lose(chat, 1, "budget", when=chat.now - timedelta(days=3))
    async with chat.database.begin() as tx:
        entries = await tx.activities.page(account.id, limit=5, before=None)
        (first,) = [one for one in entries[0] if one.source_id == "lost:1"]
        slots = {**first.slots, "loss_reason": "price_high"}
        moment = chat.now - timedelta(days=1)
        await tx.activities.add(
            replace(first, id=0, source_id="lost:again", recorded_at=moment, slots=slots)
        )
    said = await chat.say("zhang", "丢单清单")
    assert said.count("第001号") == 1
    assert "价格高" in said
