"""A forecast from the rep's deals to two signatures, and what is shown of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.domain.people import Directory, DirectoryUser, Role
from storage.database import Database
from tests.handlers.chat_company import Chat, words
from tests.handlers.levels.proving import HENGRUI, ORDER, Proving
from tests.handlers.light_company import at


@pytest.fixture
async def company(database: Database) -> Proving:
    """With 刘洋 of customer success, and 恒锐 at L1."""
    company = await Proving(Chat(database)).open()
    chat = company.chat
    async with database.begin() as tx:
        users = (DirectoryUser("liu", "刘洋"),)
        news = Directory("wecom", users=users, whole=False)
        await tx.people.save_directory(news, roles_by_title=chat.policy.roles.roles_of, at=chat.now)
        found = await tx.people.find_by_identity("wecom", "liu")
        assert found is not None
        await tx.people.set_roles(found.id, [Role.CSM])
        chat.people["liu"] = await tx.people.get(found.id)
    await chat.customer(HENGRUI)
    await chat.say("li", "设置客户成功 恒锐机电 刘洋")
    order = company.paper("恒锐PO.pdf", ORDER)
    await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    await chat.press("zhang", chat.card(), "确认定级")
    return company


async def _submit(chat: Chat, scores: str = "80 80 80 80 80") -> str:
    await chat.say("zhang", "改预测 恒锐机电 35万 2月6日 风险：等对方盖章")
    await chat.say("zhang", "提交预测")
    await chat.say("zhang", f"评分 恒锐机电 {scores}")
    await chat.press("zhang", chat.shown(), "确认")
    return await chat.press("zhang", chat.shown(), "提交")


async def test_a_missing_date_blocks_until_it_is_given(company: Proving) -> None:
    chat = company.chat
    said = await chat.say("zhang", "提交预测")
    assert "还缺：预计成交日期、金额、五项评分" in said
    assert "预计成交日期" in await chat.press("zhang", chat.shown(), "确认")
    async with chat.database.begin() as tx:
        assert not await tx.forecasts.newest_of_each_week([chat.people["zhang"].id])
    said = await chat.say("zhang", "改预测 恒锐机电 35万 2月6日 风险：等对方盖章")
    assert "预计 2月6日" in said
    assert "金额 35万元" in said
    assert "1. 需求还在，没有缩水" in said
    assert "评分：80 80 80 80 80（80）" in await chat.say("zhang", "评分 80 80 80 80 80")
    assert "提交" in await chat.press("zhang", chat.shown(), "确认")
    said = await chat.press("zhang", chat.shown(), "提交")
    assert (
        "第5周（1月26日–2月1日）预测（迟交）已提交：1条，共35万元，其中1条已请客户成功复评" in said
    )


async def test_what_was_submitted_stays_whatever_the_deal_becomes(company: Proving) -> None:
    chat = company.chat
    await _submit(chat)
    await chat.say("zhang", "改预测 恒锐机电 20万 3月6日")
    assert "恒锐机电有限公司 L1 35万元 2月6日" in await chat.say("zhang", "预测")
    assert "已锁定" in await chat.say("zhang", "提交预测")  # Wednesday


async def test_the_csm_signs_beside_what_is_known_and_only_then_it_is_committed(
    company: Proving,
) -> None:
    chat = company.chat
    await _submit(chat)
    heard = chat.heard_by("liu")
    for part in (
        "上一单：还没有合同",
        "投诉：没有成立的",
        "近30天有效联系1次，最近一次1月23日",
        "等对方盖章",
    ):
        assert part in heard
    assert "承诺 0元（0条），最好情况 35万元（1条）" in await chat.say("zhang", "预测")
    assert "不是请你做的" in await chat.say("chen", "复评 #1 70 70 70 70 70")
    assert "不能自己复评" in await chat.say("zhang", "复评 #1 70 70 70 70 70")
    assert "你70分，销售80分" in await chat.say("liu", "复评 #1 70 70 70 70 70")
    said = await chat.say("zhang", "预测")
    assert "承诺 35万元（1条）" in said
    assert "已复评（自评80分、复评70分）" in said
    assert "已经复评过了" in await chat.say("liu", "复评 #1 10 10 10 10 10")


async def test_more_than_twenty_points_apart_call_a_meeting_that_decides(
    company: Proving,
) -> None:
    chat = company.chat
    await _submit(chat)
    said = await chat.say("liu", "复评 #1 80 30 30 50 50 上一单还没验收")
    assert "你48分，销售80分" in said
    for who in ("zhang", "liu", "li"):
        heard = chat.heard_by(who)
        assert "建议时间：1月29日(周四) 10:00，参加：张伟、刘洋、李敏（主管）" in heard
        assert "预算和审批走得通：张伟 80，刘洋 30" in heard
        assert "刘洋的说明：上一单还没验收" in heard
    assert "承诺 0元" in await chat.say("zhang", "预测")
    assert "主管做的" in await chat.say("zhang", "复评结论 #1 75 我说了算")
    assert "有结论：75分，验收单已看到" in await chat.say("li", "复评结论 #1 75 验收单已看到")
    assert "不在三方会审中" in await chat.say("li", "复评结论 #1 75 再来一次")
    said = await chat.say("zhang", "预测")
    assert "承诺 35万元" in said
    assert "自评80分、复评48分" in said  # both originals are kept


async def test_silence_is_shown_and_escalated_once(company: Proving) -> None:
    chat = company.chat
    await _submit(chat)
    submitted = chat.now
    assert not await _tick(chat, submitted + timedelta(hours=47), "second signatures")
    told = await _tick(chat, submitted + timedelta(hours=49), "second signatures")
    assert "没人复评，请刘洋处理。它显示为未复评，不计入承诺" in told
    assert not await _tick(chat, submitted + timedelta(hours=50), "second signatures")
    assert "未复评" in await chat.say("zhang", "预测")


async def test_the_supervisors_number_stands_beside_the_raw_one(company: Proving) -> None:
    chat = company.chat
    await _submit(chat)
    await chat.say("liu", "复评 #1 70 70 70 70 70")
    assert "主管做的" in await chat.say("zhang", "预测判断 张伟 99万 我看好")
    assert "原数不变" in await chat.say("li", "预测判断 张伟 30万 恒锐会砍价")
    await chat.say("li", "预测目标 张伟 2026Q1 100万")
    said = await chat.say("li", "预测 团队")
    assert "张伟（第5周，迟交）：承诺 35万元" in said
    assert "李敏的判断：30万元（恒锐会砍价），仅供对照，不改原数" in said
    assert "2026年第1季度目标 100万元：已赢 0元，加承诺 35万元，还差65万元" in said
    assert "没有提交：陈静" in said
    assert "风险：等对方盖章" in said


async def test_the_next_week_says_what_has_changed(company: Proving) -> None:
    chat = company.chat
    await _submit(chat)
    assert "要有两次提交" in await chat.say("zhang", "预测变化")
    chat.now = at("2026-02-02 10:00")
    await chat.say("zhang", "提交预测")  # last week's scores stand there already
    await chat.say("zhang", "改预测 恒锐机电 40万 2月20日")
    await chat.press("zhang", chat.shown(), "确认")
    assert "第6周（2月2日–8日）预测已提交" in await chat.press("zhang", chat.shown(), "提交")
    said = await chat.say("zhang", "预测变化")
    assert "预测变化 第5周（1月26日–2月1日） → 第6周（2月2日–8日）" in said
    assert "35万元 → 40万元" in said
    assert "推迟 +5万元：杭州恒锐机电有限公司" in said
    chat.now = at("2026-02-25 10:00")
    said = await chat.say("zhang", "预测准确率")
    assert "张伟：0%（2条，2条没有按期）" in said


async def test_reps_are_reminded_on_the_day_and_supervisors_hear_at_the_lock(
    company: Proving,
) -> None:
    chat = company.chat
    assert not await _tick(chat, at("2026-01-29 09:00"), "forecast reminder")
    told = await _tick(chat, at("2026-02-02 09:00"), "forecast reminder")
    assert "今天要提交预测：30天内（每周）、31–60天（双周）" in told
    assert "你有1个定过级的商机" in told
    told = await _tick(chat, at("2026-02-02 18:00"), "forecast lock")
    assert "第6周（2月2日–8日）预测已锁定，还没交的：张伟" in told


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ("改预测 恒锐机电 5月3日", True),  # the 90th day
        ("改预测 恒锐机电 5月4日", False),
        ("取消定级 恒锐机电 客户不买了", False),
    ],
)
async def test_who_is_reminded_has_what_the_sheet_would_ask_about(
    company: Proving, change: str, *, asked: bool
) -> None:
    chat = company.chat
    chat.now = at("2026-01-30 10:00")
    await chat.say("zhang", change)
    told = await _tick(chat, at("2026-02-02 09:00"), "forecast reminder")
    assert ("今天要提交预测" in told) is asked
    assert ("还没交的：张伟" in await _tick(chat, at("2026-02-02 18:00"), "forecast lock")) is asked
    said = await chat.say("zhang", "提交预测")
    assert ("1/1" in said) is asked


async def _tick(chat: Chat, moment: datetime, name: str) -> str:
    chat.now = moment
    async with chat.database.begin() as tx:
        job = {one.name: one for one in chat.handlers.jobs()}[name]
        sent = [*await job.run(tx, chat.now), *await job.run(tx, chat.now)]
    return "\n".join(words(one.content) for one in sent)


async def test_a_signature_under_a_replaced_snapshot_is_no_longer_waited_for(
    company: Proving,
) -> None:
    chat = company.chat
    await _submit(chat)
    submitted = chat.now
    await chat.say("li", "重开预测 张伟 恒锐加了两台")
    chat.now += timedelta(hours=20)
    await _submit(chat, "90 90 90 90 90")
    assert "不再算数" in await chat.say("liu", "复评 #1 70 70 70 70 70")
    assert not await _tick(chat, submitted + timedelta(hours=50), "second signatures")
    assert "没人复评" in await _tick(chat, chat.now + timedelta(days=5), "second signatures")


async def test_the_difference_is_measured_as_the_policy_says(company: Proving) -> None:
    chat = company.chat
    await chat.say("zhao", "设置 复评差距算法 销售评分")
    await chat.press("zhao", chat.card("zhao"), "确认修改")
    await _submit(chat, "40 40 40 40 40")
    await chat.say("liu", "复评 #1 30 30 30 30 30 预算没批")  # 10 points, 25 % of 40
    assert "两边评分相差超过销售评分的20%" in chat.heard_by("li")
    assert "三方会审中" in await chat.say("zhang", "预测")
    assert "承诺 0元" in await chat.say("zhang", "预测")


async def test_a_company_of_many_is_told_by_teams_and_nobody_reads_a_list_of_names(
    company: Proving,
) -> None:
    chat = company.chat
    await _submit(chat)
    async with chat.database.begin() as tx:
        users = tuple(DirectoryUser(f"n{n}", f"新人{n:03}") for n in range(60))
        news = Directory("wecom", users=users, whole=False)
        await tx.people.save_directory(news, roles_by_title=chat.policy.roles.roles_of, at=chat.now)
        for user in users:
            found = await tx.people.find_by_identity("wecom", user.user_id)
            assert found is not None
            await tx.people.set_roles(found.id, [Role.REP])
            leader = chat.people["li"].id
            await tx.people.set_supervisor_override(found.id, leader)
    said = await chat.say("wang", "预测 团队")
    assert "李敏团队（1/62人已提交）：承诺 0元（0条），最好情况 35万元（1条）" in said
    assert "- 张伟（" not in said
    assert "等61人" in said
    assert said.count("新人") < 30
    chat.now = at("2026-02-10 10:00")
    said = await chat.say("wang", "预测准确率")
    assert "L1：" in said
    assert "张伟" not in said
    assert "张伟" in await chat.say("zhang", "预测准确率")
