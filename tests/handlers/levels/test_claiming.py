"""Levels set in chat: with evidence that a machine read and a person confirmed, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.levels import Level
from bot.messages import OutboundMessage
from storage.database import Database
from tests.handlers.chat_company import Chat, words
from tests.handlers.levels.proving import CONFIRMATION, HENGRUI, MAIL, ORDER, Proving


@pytest.fixture
async def company(database: Database) -> Proving:
    return await Proving(Chat(database)).open()


async def test_an_order_with_its_number_and_file_becomes_l1_by_one_press(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    order = company.paper("恒锐PO.pdf", ORDER)
    said = await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    assert "机器识别：有红章、对方名称一致、PO号 PO-2026-018、日期 2026-01-26" in said
    assert "由你确认才算数" in said
    assert await company.level(account) is None  # nothing before the press
    card = chat.card()
    assert "定为 L1，凭据4月28日到期" in await chat.press("zhang", card, "确认定级")
    assert dict(chat.shown_as(card).facts)["级别"] == "未定级 → L1"
    assert await company.level(account) is Level.L1
    assert "意向 L1（有 PO），凭据4月28日到期" in await chat.say("zhang", "客户 恒锐机电")
    listed = await chat.say("zhang", "凭据 恒锐机电")
    assert "#1 采购订单 PO-2026-018，「恒锐PO.pdf」" in listed
    assert "机器识别：有红章" in listed
    entry = (await chat.stream(account))[0]
    assert (entry.title, entry.text) == ("意向级别", "未定级 → L1（有凭据）")


async def test_a_second_press_changes_nothing(company: Proving) -> None:
    chat = company.chat
    await chat.customer(HENGRUI)
    order = company.paper("恒锐PO.pdf", ORDER)
    await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    card = chat.card()
    await chat.press("zhang", card, "确认定级")
    assert "已经处理过了" in await chat.press("zhang", card, "确认定级")


async def test_what_is_missing_is_asked_and_may_follow(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    said = await chat.say("zhang", "恒锐 L1")
    assert "还缺：采购订单的文件；PO 号" in said
    assert "确认定级" not in said
    order = company.paper("IMG_1.jpg", [*ORDER[:1], *ORDER[2:]])
    assert "还缺：PO 号" in await chat.say("zhang", "", files=(order,))
    said = await chat.say("zhang", "PO号 PO-2026-018")
    assert "还缺" not in said
    await chat.press("zhang", chat.shown(), "确认定级")
    assert await company.level(account) is Level.L1


async def test_an_unsigned_order_of_somebody_else_is_pointed_out(company: Proving) -> None:
    chat = company.chat
    await chat.customer(HENGRUI)
    lines = [line.replace(HENGRUI, "宁波天目精工有限公司").replace("018", "081") for line in ORDER]
    order = company.paper("PO.pdf", lines, seals=0)
    said = await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    assert "⚠没认出红章、⚠没找到对方名称" in said
    assert "你说的 PO 号是 PO-2026-018，文件上读到的是 PO-2026-081" in said


async def test_l2_wants_the_stamped_confirmation_and_the_mail(company: Proving) -> None:
    chat = company.chat
    account = replace(await chat.customer(HENGRUI), domain="hengrui.example")
    confirmation = company.paper("恒锐技术确认函.pdf", CONFIRMATION)
    said = await chat.say("zhang", "恒锐 升到L2", files=(confirmation,))
    assert "盖章的技术确认：恒锐技术确认函.pdf（机器识别：有红章、对方名称一致" in said
    assert "还缺：预算批准邮件的文件" in said
    said = await chat.say("zhang", "", files=(company.file("预算批准.eml", MAIL),))
    assert "发件人 ligong@hengrui.example" in said
    assert "邮件头有对方域名的签名（mx.ours.example 记录）" in said
    await chat.press("zhang", chat.shown(), "确认定级")
    assert await company.level(account) is Level.L2


async def test_a_mail_that_another_domain_signed_is_not_taken_for_signed(company: Proving) -> None:
    await company.chat.customer(HENGRUI)
    forged = MAIL.replace(
        b"dkim=pass header.d=hengrui.example",
        b"dkim=pass header.d=evil.example; spf=fail smtp.mailfrom=hengrui.example",
    )
    said = await company.chat.say("zhang", "恒锐 升到L2", files=(company.file("批准.eml", forged),))
    assert "发件人 ligong@hengrui.example" in said
    assert "邮件头没有签名可核对" in said


async def test_l3_wants_a_need_a_contact_and_something_that_shows_them(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    assert "还缺：具体需求" in await chat.say("zhang", "恒锐 L3")
    said = await chat.say("zhang", "恒锐 L3 需求：三台测量机，联系人王建国")
    assert "1月23日 首次电话" in said
    await chat.press("zhang", chat.card(), "确认定级")
    assert await company.level(account) is Level.L3


async def test_without_an_engine_files_are_taken_and_said_to_be_unread(database: Database) -> None:
    company = await Proving(Chat(database)).open(installed=False)
    chat = company.chat
    account = await chat.customer(HENGRUI)
    order = company.paper("恒锐PO.pdf", ORDER)
    said = await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    assert "文件内容没有识别，请自己对照原件核对" in said
    assert "机器识别的" not in said
    await chat.press("zhang", chat.card(), "确认定级")
    assert await company.level(account) is Level.L1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("恒锐机电高意向", "「高意向」这类说法我没法记成等级"),
        ("恒锐机电八九不离十了", "有没有PO号（L1）"),
        ("恒锐 L2.5", "L2.5 由系统按联系情况自动得出"),
        ("恒锐下周定", "记为客户承诺日期 2月6日，只作提醒，不算预测凭据"),
        ("恒锐 L3 因为预算推迟", "还缺：具体需求"),  # a claim, not a step down
    ],
)
async def test_vague_words_are_met_with_a_question(
    company: Proving, text: str, answer: str
) -> None:
    account = await company.chat.customer(HENGRUI)
    assert answer in await company.chat.say("zhang", text)
    assert await company.level(account) is None


async def test_down_is_free_with_a_reason(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    await _to_l1(company)
    assert "下调级别请带上原因" in await chat.say("zhang", "恒锐 L3")
    await chat.say("zhang", "恒锐降到 L3，因为客户预算推迟")
    said = await chat.press("zhang", chat.card(), "确认下调")
    assert "L1 → L3（下调：客户预算推迟）" in said
    assert "L3 → 未定级（下调：项目停了）" in await chat.say("zhang", "取消定级 恒锐机电 项目停了")
    assert await company.level(account) is None


async def test_evidence_taken_back_takes_its_level_along(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    await _to_l1(company)
    assert "撤回请带上编号和原因" in await chat.say("zhang", "撤回凭据 恒锐机电")
    assert "没有这份凭据" in await chat.say("chen", "撤回凭据 #1 客户撤单")
    said = await chat.say("zhang", "撤回凭据 #1 客户撤单")
    assert "L1 → 未定级（凭据撤回：客户撤单）" in said
    assert await company.level(account) is None
    assert "已撤回：客户撤单" in await chat.say("zhang", "凭据 恒锐机电")
    assert "已经撤回过了" in await chat.say("zhang", "撤回凭据 #1 再来一次")


async def test_the_rep_hears_days_before_evidence_ends_and_when_it_has(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    await _to_l1(company)
    before = chat.now
    assert not await _tick(chat, before + timedelta(days=70), "evidence that will end")
    told = await _tick(chat, before + timedelta(days=86), "evidence that will end")
    assert "采购订单 PO-2026-018」4月28日到期，还有4天" in told
    assert not await _tick(chat, before + timedelta(days=87), "evidence that will end")  # once
    assert not await _tick(chat, before + timedelta(days=90), "evidence that has ended")
    told = await _tick(chat, before + timedelta(days=91), "evidence that has ended")
    assert "已到期，级别 L1 → 未定级（凭据到期）" in told
    assert await company.level(account) is None


async def test_a_colleague_sets_no_level_of_a_customer_that_is_not_theirs(
    company: Proving,
) -> None:
    await company.chat.customer(HENGRUI)
    assert "张伟" in await company.chat.say("chen", "恒锐机电 L1 PO号 PO-2026-018")


async def test_a_card_that_is_dropped_gives_its_files_back(company: Proving) -> None:
    chat = company.chat
    account = await chat.customer(HENGRUI)
    order = company.paper("恒锐PO.pdf", ORDER)
    await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    await chat.press("zhang", chat.card(), "取消")
    assert await company.level(account) is None
    assert "有红章" in await chat.say("zhang", "恒锐 L1 PO号 PO-2026-018")  # found again


async def _to_l1(company: Proving) -> None:
    order = company.paper("恒锐PO.pdf", ORDER)
    await company.chat.say("zhang", "恒锐 L1 PO号 PO-2026-018", files=(order,))
    await company.chat.press("zhang", company.chat.card(), "确认定级")


async def _tick(chat: Chat, moment: datetime, name: str) -> str:
    chat.now = moment
    async with chat.database.begin() as tx:
        jobs = {job.name: job for job in chat.handlers.jobs()}
        sent: list[OutboundMessage] = []
        for _ in range(2):  # a daily job notes its first day, then runs
            sent += await jobs[name].run(tx, chat.now)
    return "\n".join(words(one.content) for one in sent)
