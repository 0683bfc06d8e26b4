"""Refusals as people see them: every Monday on a card, and on «拒绝原因»."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.domain.activities import Activity
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.messages import Card
from storage.database import Database
from tests.handlers.chat_company import Chat, words
from tests.handlers.light_company import at

MONDAY = at("2026-02-02 09:05")


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def lose(
    chat: Chat,
    number: int,
    primary: str | None,
    *,
    owner: str = "zhang",
    text: str = "价格谈不拢",
    when: datetime | None = None,
) -> Account:
    """A lost deal of another customer, as the dialogue stores it."""
    account = await chat.customer(f"杭州第{number:03}号机械有限公司", owner)
    deal = await chat.deal(account)
    slots: dict[str, object] = {"intent": "log_loss", "objections": [primary] if primary else []}
    if primary is not None:
        slots["loss_reason"] = primary
    async with chat.database.begin() as tx:
        await tx.activities.add(
            Activity(
                id=0,
                account_id=account.id,
                opportunity_id=deal.id,
                actor_id=chat.people[owner].id,
                unit="",
                title="丢单",
                text=text,
                occurred_at=when or chat.now,
                recorded_at=when or chat.now,
                source_id=f"lost:{number}",
                slots=slots,
            )
        )
    return account


async def monday(chat: Chat, moment: datetime = MONDAY) -> str:
    """What the job of that Monday sends, said to 赵倩, who is the product manager here."""
    (job,) = [job for job in chat.handlers.jobs() if job.name == "refusals of the week"]
    assert job.prepare is not None
    await job.prepare(chat.database.begin, moment)
    async with chat.database.begin() as tx:
        sent = list(await job.run(tx, moment))
    chat.said += sent
    assert {one.to.user_id for one in sent} <= {"zhao"}
    return "\n".join(words(one.content) for one in sent)


async def product(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, [Role.PRODUCT])


async def test_product_managers_get_the_week_on_monday(chat: Chat) -> None:
    await product(chat)
    reasons = ["price_high"] * 12 + ["competitor"] * 6 + ["lead_time"] * 4 + ["budget", "timing"]
    for number, code in enumerate(reasons):
        await lose(chat, number, code, text="王总嫌贵，找13812345678谈过也不降")
    said = await monday(chat)
    assert "客户为什么拒绝 1月26日–2月1日" in said
    assert "1. 价格高 12单，50.0%" in said
    assert "3. 交期/实施周期 4单，16.7%" in said
    assert "其余2项：2单，8.3%" in said
    assert "- 价格高：“某人嫌贵，找某号码谈过也不降”" in said
    assert isinstance(chat.said[0].content, Card)


async def test_product_managers_find_the_command_in_the_help(chat: Chat) -> None:
    await product(chat)
    assert "拒绝原因 上月" in await chat.say("zhao", "帮助")
    assert "没有丢单记录" in await chat.say("zhao", "拒绝原因 上月")


async def test_below_twenty_the_card_says_so_and_gives_no_share(chat: Chat) -> None:
    await product(chat)
    for number in range(5):
        await lose(chat, number, "price_high")
    said = await monday(chat)
    assert "不到20单，样本太少" in said
    assert "%" not in said


async def test_a_week_without_losses_sends_nothing(chat: Chat) -> None:
    await product(chat)
    await lose(chat, 1, "budget", when=MONDAY - timedelta(days=20))
    assert await monday(chat) == ""


async def test_what_no_reason_says_is_grouped_under_a_label_that_lasts(chat: Chat) -> None:
    await product(chat)
    notes = ("被关系户拿走了", "老板亲戚是关系户", "关系户截胡", "关系户，没办法")
    for number, note in enumerate(notes):
        await lose(chat, number, "other", text=note)
    assert "- 「关系户」4单，清单里没有，可考虑加一项。" in await monday(chat)
    later = MONDAY + timedelta(days=7)
    await lose(chat, 10, "other", text="又是关系户", when=later - timedelta(days=2))
    assert "- 「关系户」5单" in await monday(chat, later)


async def test_on_a_holiday_the_card_waits_for_the_next_working_day(chat: Chat) -> None:
    await product(chat)
    holiday = at("2026-02-16 09:05")  # Spring Festival
    await lose(chat, 1, "budget", when=holiday - timedelta(days=4))
    assert await monday(chat, holiday)
    assert {one.not_before for one in chat.said} == {at("2026-02-24 09:05")}


async def test_a_supervisor_sees_their_own_people_and_a_director_all(chat: Chat) -> None:
    await lose(chat, 1, "budget")
    await lose(chat, 2, "timing", owner="zhao")
    assert "丢单1单" in await chat.say("li", "拒绝原因")
    assert "丢单2单" in await chat.say("wang", "拒绝原因")
    assert "给产品经理、主管和销售总监看" in await chat.say("zhang", "拒绝原因")


async def test_a_period_is_asked_for_in_words(chat: Chat) -> None:
    await lose(chat, 1, "budget", when=at("2026-01-20 10:00"))
    await lose(chat, 2, None, when=at("2025-12-20 10:00"))
    said = await chat.say("wang", "拒绝原因 上周")
    assert "1月19日–1月25日" in said
    assert "丢单1单" in said
    assert "丢单1单，其中1单没填原因" in await chat.say("wang", "拒绝原因 上月")
    assert "丢单2单" in await chat.say("wang", "拒绝原因 近90天")
    assert "没有丢单记录" in await chat.say("wang", "拒绝原因 本周")
    assert "后面写「上周」" in await chat.say("wang", "拒绝原因 大概")


async def test_what_was_confirmed_in_chat_counts_and_what_was_taken_back_does_not(
    chat: Chat,
) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", "恒锐机电丢单了，因为价格高")
    await chat.say("zhang", "确认")
    assert "1. 价格高 1单" in await chat.say("wang", "拒绝原因")
    await chat.say("zhang", "撤销")
    assert "没有丢单记录" in await chat.say("wang", "拒绝原因")


async def test_in_a_group_the_answer_goes_to_the_asker_alone(chat: Chat) -> None:
    await lose(chat, 1, "budget")
    await chat.say("wang", "拒绝原因", group="room")
    assert "丢单1单" in chat.heard_by("wang")
    assert "丢单" not in chat.heard_in("room")
