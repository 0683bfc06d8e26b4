"""Mails come in, go to their customers' streams once, or onto the list of nobody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.activities import Activity
from bot.domain.opportunities import Account
from handlers import commands
from storage.database import Database
from tests.handlers.mails.mail_company import OWN, MailCompany, mail_company

LI = "李工 <li@hengrui.cn>"


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[MailCompany]:
    async with mail_company(database, tmp_path) as opened:
        yield opened


async def bound(company: MailCompany) -> Account:
    """恒锐机电, of whom 李工 has written before."""
    account = await company.chat.customer("恒锐机电")
    await company.arrive(LI, "你好", "请寄资料", number="first")
    assert "归到恒锐机电" in await company.say("zhang", "邮件 #1 归 恒锐机电")
    return account


async def told(company: MailCompany, account: Account) -> list[str]:
    """Of mails, the oldest first."""
    return [one.text for one in await entries(company, account)]


async def entries(company: MailCompany, account: Account) -> list[Activity]:
    page = await company.chat.stream(account)
    return [one for one in reversed(page) if one.source_id.startswith("mail:")]


async def test_an_unknown_mail_is_listed_and_enters_once_it_is_bound(company: MailCompany) -> None:
    account = await company.chat.customer("恒锐机电")
    await company.arrive(LI, "询价：减速机", "请报 R10 的价格")
    assert await told(company, account) == []
    listed = await company.say("zhang", "未归属邮件")
    assert "#1 1月28日(周三) 15:00 李工 li@hengrui.cn《询价：减速机》（sales）" in listed
    said = await company.say("zhang", "邮件 #1 归 恒锐机电")
    assert "以后 li@hengrui.cn、@hengrui.cn 的邮件自动归到这里" in said
    assert await told(company, account) == [
        "李工 <li@hengrui.cn>：《询价：减速机》\n请报 R10 的价格"
    ]
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")
    assert "#1 已经处理过了" in await company.say("zhang", "邮件 #1 归 恒锐机电")


async def test_after_that_address_domain_and_thread_find_the_customer(company: MailCompany) -> None:
    account = await bound(company)
    await company.arrive(LI, "再问", "交期呢", number="2")
    await company.arrive("采购 <cg@hengrui.cn>", "采购", "合同模板", number="3")
    await company.arrive(
        "外协 <wang@qq.com>", "Re: 采购", "我来补充", number="4", In_Reply_To="<3@mail.example>"
    )
    await company.arrive("别人 <zhao@qq.com>", "广告", "便宜", number="5")
    found = [text.partition("\n")[2] for text in await told(company, account)]
    assert found == ["请寄资料", "交期呢", "合同模板", "我来补充"]
    assert "zhao@qq.com" in await company.say("zhang", "未归属邮件")


async def test_a_public_mailbox_is_nobodys_domain(company: MailCompany) -> None:
    account = await company.chat.customer("恒锐机电")
    await company.arrive("李工 <li@qq.com>", "询价", "一", number="1")
    said = await company.say("zhang", "邮件 #1 归 恒锐机电")
    assert "以后 li@qq.com 的邮件" in said
    await company.arrive("王工 <wang@qq.com>", "询价", "二", number="2")
    assert len(await told(company, account)) == 1


async def test_a_domain_of_two_customers_says_nothing(company: MailCompany) -> None:
    first = await bound(company)
    second = await company.chat.customer("恒锐电气")
    await company.chat.say("zhang", "解绑邮箱 @hengrui.cn")
    await company.arrive("陈工 <chen@hengrui.cn>", "电气", "一", number="2")
    assert "、@hengrui.cn" not in await company.say("zhang", "邮件 #2 归 恒锐电气")
    await company.arrive("赵工 <zhao@hengrui.cn>", "谁的", "二", number="3")
    assert "谁的" in await company.say("zhang", "未归属邮件")
    assert (len(await told(company, first)), len(await told(company, second))) == (1, 1)


async def test_our_own_mail_to_a_customer_stands_there_too(company: MailCompany) -> None:
    account = await bound(company)
    await company.arrive(
        "张伟 <zhangwei@ours.cn>", "报价", "见附件", to="li@hengrui.cn", number="2",
        files={"报价.pdf": b"%PDF-1.4 quote"},
    )  # fmt: skip
    last = (await entries(company, account))[-1]
    assert last.title == "去信"
    assert last.text == "张伟 <zhangwei@ours.cn> → li@hengrui.cn：《报价》\n见附件"
    assert (last.actor_id, last.valid) == (None, False)
    assert await company.files.get(last.file_hashes[0]) == b"%PDF-1.4 quote"


async def test_a_mail_in_two_mailboxes_is_one_entry(company: MailCompany) -> None:
    account = await bound(company)
    for box in ("sales", OWN):
        company.put(LI, "抄送", "两边都收到", number="2", box=box, to="sales@ours.cn")
    await company.read()
    assert [text.partition("\n")[2] for text in await told(company, account)] == [
        "请寄资料",
        "两边都收到",
    ]


async def test_mails_among_ourselves_are_nobodys_business(company: MailCompany) -> None:
    await company.arrive("陈静 <chen@ours.cn>", "团建", "周五聚餐")
    assert "团建" not in await company.stored()
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")


async def test_what_was_quoted_is_left_out(company: MailCompany) -> None:
    account = await bound(company)
    words = "可以。\n\n在 2026年1月28日，张伟 写道：\n> 能便宜吗\n> 谢谢"
    await company.arrive(LI, "Re: 报价", words, number="2")
    assert (await told(company, account))[-1].partition("\n")[2] == "可以。"


async def test_own_mailbox_keeps_no_words_of_strangers(company: MailCompany) -> None:
    await company.arrive("医院 <clinic@hospital.cn>", "体检报告", "血压偏高", box=OWN)
    kept = await company.stored()
    assert "体检" not in kept
    assert "血压" not in kept
    assert "clinic@hospital.cn" in await company.say("zhang", "未归属邮件")
    assert "hospital" not in await company.say("li", "未归属邮件")
    assert "没有 #1" in await company.say("li", "邮件 #1 归 恒锐机电")
    assert "已从名单里拿掉" in await company.say("zhang", "邮件 #1 不是客户")
    assert "hospital" not in await company.stored()


async def test_heads_that_stay_nobodys_are_forgotten(company: MailCompany) -> None:
    await company.arrive("路人 <a@nobody.cn>", "推广", "广告")
    company.chat.now += timedelta(days=31)
    job = company.watch(company.reading("sales")).job()
    async with company.chat.database.begin() as tx:
        await job.run(tx, company.chat.now)
    assert "nobody.cn" not in await company.stored()
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")


async def test_only_who_looks_after_the_customer_binds(company: MailCompany) -> None:
    await company.chat.customer("恒锐机电")
    await company.arrive(LI, "询价", "一")
    assert "不在你名下" in await company.say("chen", "邮件 #1 归 恒锐机电")
    assert "归到恒锐机电" in await company.say("li", "邮件 #1 归 恒锐机电")
    await company.chat.customer("常州电机", "chen")
    await company.arrive(LI, "再来", "二", number="2")
    await company.arrive("李工 <li@other.cn>", "三", "三", number="3")
    assert "不在你名下" in await company.say("chen", "解绑邮箱 li@hengrui.cn")


async def test_a_binding_taken_back_leaves_what_was_said(company: MailCompany) -> None:
    account = await bound(company)
    assert "不再归恒锐机电" in await company.say("zhang", "解绑邮箱 li@hengrui.cn")
    await company.say("zhang", "解绑邮箱 @hengrui.cn")
    await company.arrive(LI, "后来", "二", number="2")
    assert len(await told(company, account)) == 1
    assert "后来" in await company.say("zhang", "未归属邮件")


async def test_a_reply_warms_the_customer_and_a_machine_does_not(company: MailCompany) -> None:
    account = await bound(company)
    await company.arrive(
        LI, "自动回复: 休假", "我在休假", number="2", Auto_Submitted="auto-replied"
    )
    assert (await entries(company, account))[-1].title == "来信（自动）"
    assert await company.signals() == []
    await company.arrive(LI, "Re: 报价", "价格可以", number="3", In_Reply_To="<x@ours.cn>")
    assert await company.signals() == ["reply"]
    await company.read()
    assert await company.signals() == ["reply"]
    assert "客户回信" in await company.say("zhang", "客户 恒锐机电")


async def test_an_erased_customers_mails_are_gone(company: MailCompany) -> None:
    account = await bound(company)
    await company.arrive(LI, "再问", "交期呢", number="2")
    async with company.chat.database.begin() as tx:
        traces = await tx.personal_data.trace(account.id)
        told_of = await tx.personal_data.rows(traces)
        await tx.personal_data.erase(traces, company.chat.now)
    assert "li@hengrui.cn" in str(told_of)
    assert "hengrui" not in await company.stored()
    assert not [text for text in await told(company, account) if text]
    await company.restart()
    company.server.renumber("sales@ours.cn")
    await company.read()
    assert "hengrui" not in await company.stored()


async def test_a_budget_mail_is_offered_as_evidence_to_who_looks_after_the_customer(
    company: MailCompany,
) -> None:
    account = await bound(company)
    noted = "mx.ours.cn; dkim=pass header.d=hengrui.cn"
    await company.arrive(
        "采购 <cg@hengrui.cn>", "预算审批", "贵司项目的预算已批准。", number="2",
        Authentication_Results=noted,
    )  # fmt: skip
    last = (await entries(company, account))[-1]
    assert "（邮件头有对方域名的签名）" in last.text
    card = await company.card()
    assert "邮件头有对方域名的签名（mx.ours.cn 记录）" in "".join(card.lines)
    assert "现在由张伟负责" in await company.chat.press("chen", card, "作为凭据")
    assert "L2 还缺：盖章的技术确认" in await company.chat.press("zhang", card, "作为凭据")
    assert "「预算审批.eml」" in await company.say("zhang", "凭据 恒锐机电")


async def test_any_other_mail_is_offered_as_nothing(company: MailCompany) -> None:
    await bound(company)
    await company.arrive(LI, "预算", "预算没有批准", number="2")
    with pytest.raises(IndexError):
        await company.card()


@pytest.mark.parametrize("words", ["邮件 #1 归 恒锐机电", "邮件1归恒锐机电", "邮件：#1 不是客户"])
async def test_ways_to_say_whose_a_mail_is(company: MailCompany, words: str) -> None:
    await company.chat.customer("恒锐机电")
    await company.arrive(LI, "询价", "一")
    await company.say("zhang", words)
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")


@pytest.mark.parametrize("words", ["邮件12号发给恒锐机电王总了", "邮件 3 封都归档了"])
def test_a_report_about_mails_is_no_order(words: str) -> None:
    assert not commands.is_known(words)
