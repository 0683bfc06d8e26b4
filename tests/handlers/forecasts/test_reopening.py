"""A locked forecast, opened again by whoever leads the rep."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.domain.people import Role
from storage.audit_search import Wanted
from storage.database import Database
from tests.handlers.chat_company import Chat, words
from tests.handlers.levels.proving import HENGRUI, Proving
from tests.handlers.light_company import at

NEED = "恒锐 L3 需求：三台测量机，联系人 王建国"


@pytest.fixture
async def chat(database: Database) -> Chat:
    """张伟 has a deal at L3 and has submitted it; it is Wednesday, so that is locked."""
    company = await Proving(Chat(database)).open()
    chat = company.chat
    await chat.customer(HENGRUI)
    await chat.say("zhang", NEED)
    await chat.press("zhang", chat.card(), "确认定级")
    await submit(chat, "35万")
    return chat


async def submit(chat: Chat, amount: str) -> str:
    await chat.say("zhang", f"改预测 恒锐机电 {amount} 2月6日")
    said = await chat.say("zhang", "提交预测")
    if "已锁定" in said:
        return said
    await chat.press("zhang", chat.shown(), "确认")
    return await chat.press("zhang", chat.shown(), "提交")


async def test_the_supervisor_opens_it_with_a_reason_and_it_is_submitted_once_more(
    chat: Chat,
) -> None:
    said = await submit(chat, "50万")
    assert "申请重开预测 原因" in said
    assert "请写原因" in await chat.say("zhang", "申请重开预测")
    assert "已请李敏重开" in await chat.say("zhang", "申请重开预测 恒锐加了两台")
    card = chat.card("li")
    asked = words(card)
    assert "张伟 申请重开已锁定的第5周（1月26日–2月1日）预测" in asked
    assert "申请理由：恒锐加了两台" in asked
    assert "第5周（1月26日–2月1日）：1条，共35万元" in asked
    assert "重开要写原因" in await chat.press("li", card, "重开")
    said = await chat.press("li", chat.shown("li"), "重开", reason="客户改了日期或金额")
    assert "已重开 张伟 的第5周（1月26日–2月1日）预测" in said
    assert "李敏已重开（客户改了日期或金额）" in words(chat.shown("li"))
    assert "李敏重开了你的第5周（1月26日–2月1日）预测（客户改了日期或金额）" in chat.heard_by(
        "zhang"
    )

    said = await submit(chat, "50万")
    assert (
        "第5周（1月26日–2月1日）预测（重开后重交：客户改了日期或金额）已提交：1条，共50万元" in said
    )
    assert "已锁定" in await submit(chat, "60万")
    assert "张伟（第5周，重开后重交：客户改了日期或金额）" in await chat.say("li", "预测 团队")
    assert "重开后重交：客户改了日期或金额" in await chat.say("zhang", "预测")


async def test_what_was_locked_stays_and_counts_until_the_next_is_there(chat: Chat) -> None:
    await chat.say("li", "重开预测 张伟 客户改了金额")
    assert "35万元" in await chat.say("zhang", "预测")
    await submit(chat, "50万")
    async with chat.database.begin() as tx:
        first = await tx.forecasts.get_for_update(1)
        [counts] = (await tx.forecasts.newest_of_week("2026-W05", [first.person_id])).values()
    assert [line.amount_fen for line in first.lines] == [35_000_000]
    assert [line.amount_fen for line in counts.lines] == [50_000_000]


async def test_it_is_in_the_audit_chain_by_whom_and_why(chat: Chat) -> None:
    await chat.say("li", "重开预测 张伟 客户改了金额")
    async with chat.database.begin() as tx:
        found = await tx.audit_search.search(Wanted(action="reopen_forecast"), before=None, limit=9)
        assert await tx.audit.verify() is None
    [entry] = found.entries
    assert (entry.actor, entry.subject) == (f"person:{chat.people['li'].id}", "forecast:1")
    assert json.loads(entry.after) == {
        "person_id": chat.people["zhang"].id, "reason": "客户改了金额", "week": "2026-W05"
    }  # fmt: skip


async def test_only_whoever_leads_the_rep_may(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["chen"].id, [Role.SUPERVISOR])
    await chat.say("zhang", "申请重开预测 恒锐加了两台")
    card = chat.card("li")
    for who in ("zhang", "chen"):
        assert "只有他的主管" in await chat.say(who, "重开预测 张伟 客户改了金额")
        refused = await chat.press(who, card, "重开", reason="填报有误")
        assert "只有他的主管" in refused
    assert "已锁定" in await submit(chat, "50万")
    assert "已重开 张伟" in await chat.say("zhao", "重开预测 张伟 客户改了金额")


async def test_the_first_decision_stands(chat: Chat) -> None:
    await chat.say("zhang", "申请重开预测 恒锐加了两台")
    card = chat.card("li")
    await chat.press("li", card, "不重开")
    assert "李敏没有同意重开第5周（1月26日–2月1日）预测" in chat.heard_by("zhang")
    again = await chat.press("li", card, "重开", reason="填报有误")
    assert "没有同意" in again
    assert "已锁定" in await submit(chat, "50万")


async def test_it_is_reopened_once_whoever_says_so_twice(chat: Chat) -> None:
    await chat.say("zhang", "申请重开预测 恒锐加了两台")
    card = chat.card("li")
    await chat.say("wang", "重开预测 张伟 客户改了金额")
    assert "已经重开了" in await chat.say("li", "重开预测 张伟 再来一次")
    assert "王建国已重开" in await chat.press("li", card, "不重开")
    assert "已经重开了" in await chat.say("zhang", "申请重开预测 恒锐加了两台")
    assert chat.heard_by("zhang").count("重开了你的") == 1


async def test_there_is_nothing_to_reopen_before_the_lock_or_in_another_week(chat: Chat) -> None:
    await chat.say("zhang", "申请重开预测 恒锐加了两台")
    card = chat.card("li")
    chat.now = at("2026-02-02 10:00")  # the next Monday
    assert "还没有锁定" in await chat.say("li", "重开预测 张伟 客户改了金额")
    assert "还没有锁定" in await chat.press("li", card, "重开", reason="填报有误")
    chat.now = at("2026-02-03 10:00")
    assert "本周还没有提交过" in await chat.say("zhang", "申请重开预测 恒锐加了两台")


async def test_a_reopened_week_is_over_with_the_week(chat: Chat) -> None:
    await chat.say("li", "重开预测 张伟 客户改了金额")
    await chat.say("zhang", "提交预测")
    chat.now += timedelta(days=7)
    await chat.press("zhang", chat.shown(), "确认")
    assert "已经处理过了" in await chat.press("zhang", chat.shown(), "提交")
