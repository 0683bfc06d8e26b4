"""A rep disputes a line; the facts go to an arbiter who decides; everybody hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.people import Role
from bot.messages import Markdown
from storage.database import Database
from tests.handlers.payouts.payout_company import ON_RECEIPTS, PayoutCompany


@pytest.fixture
async def company(database: Database) -> PayoutCompany:
    """January is locked, with one line of 张伟's; it is Tuesday morning, the 3rd of February."""
    company = await PayoutCompany.open(database)
    await company.draft(ON_RECEIPTS, by="qian")
    await company.press("qian", "试算三个月")
    await company.press("qian", "送审")
    await company.press("he", "批准")
    await company.press("qian", "发布")
    await company.signed()
    await company.tell("SK1", 40_000)
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    return company


async def dispute(company: PayoutCompany, reason: str = "应该按新规则5%算，少发了800元") -> str:
    await company.press("zhang", "有异议", "paystub-")
    await company.chat.say("zhang", reason)
    return await company.press("zhang", "提交申诉", "dispute-")


def report_of(company: PayoutCompany, who: str) -> str:
    return next(
        one.content.text
        for one in reversed(company.chat.said)
        if one.to.user_id == who
        and isinstance(one.content, Markdown)
        and "事实核查报告" in one.content.text
    )


async def test_the_arbiter_gets_the_facts_with_the_dispute(company: PayoutCompany) -> None:
    told = await company.press("zhang", "有异议", "paystub-")
    assert "「HT-2026-018 提成 +1,200.00元（2026年1月）」哪里不对？" in told
    await company.chat.say("zhang", "应该按新规则5%算，少发了800元")
    told = await company.press("zhang", "提交申诉", "dispute-")
    assert "已提交给何姐" in told
    report = report_of(company, "he")
    assert "本人说：应该按新规则5%算，少发了800元" in report
    assert "回款 40,000.00元 × 3% = 1,200.00元" in report
    assert "到账 40,000.00元（books 收款单 SK1 第1行）" in report
    assert "签约前1条跟进记录" in report
    assert "用锁定时的单据和规则重算，结果是 1,200.00元，与锁定的一分不差" in report
    assert "月度核算：不到1分钟，钱进提交、何姐批准" in report
    assert report_of(company, "zhang") == report


async def test_a_recording_is_a_reason_and_files_are_kept(company: PayoutCompany) -> None:
    await company.press("zhang", "有异议", "paystub-")
    await company.chat.say("zhang", "", files=("邮件.png",))
    told = await company.chat.dictate("zhang", "客户是我谈下来的")
    assert "理由：客户是我谈下来的" in told
    assert "附件1份" in told
    await company.press("zhang", "提交申诉", "dispute-1-")
    assert "邮件.png" in company.chat.heard_by("he")


async def test_words_name_the_contract(company: PayoutCompany) -> None:
    told = await company.chat.say("zhang", "HT-2026-018的提成少发了800，我要申诉")
    assert "HT-2026-018 提成 +1,200.00元" in told
    assert "提交申诉" in told


async def test_what_is_upheld_is_posted_and_everybody_is_told(company: PayoutCompany) -> None:
    await dispute(company)
    await company.press("he", "支持", "dispute-")
    await company.chat.say("he", "800元，应按5%算")
    told = await company.press("he", "确认裁定", "dispute-rule-")
    assert "由何姐裁定：支持，补发 800.00元" in told
    lines = await company.lines()
    assert [(one.month, one.kind, one.fen, one.origin) for one in lines] == [
        ("2026-01", "commission", 120_000, "rules"),
        ("2026-02", "adjustment", 80_000, "decision"),
    ]
    for who in ("li", "qian"):
        assert "张伟的奖金申诉 #1" in company.chat.heard_by(who)
    assert "补发 800.00元，记在2026年2月" in company.chat.heard_by("zhang")
    assert "陈静" not in company.chat.heard_by("chen")
    await company.tell("SK2", 10_000)
    assert await company.total("zhang") == 230_000  # the decision is not corrected away


async def test_a_rejection_posts_nothing_and_can_be_appealed_once(company: PayoutCompany) -> None:
    await dispute(company)
    await company.press("he", "驳回", "dispute-")
    await company.chat.say("he", "合同是1月签的，按1月的规则")
    await company.press("he", "确认裁定", "dispute-rule-")
    assert await company.total("zhang") == 120_000
    assert "理由：合同是1月签的" in company.chat.heard_by("zhang")
    await company.press("zhang", "再申诉一次", "dispute-1-")
    await company.chat.say("zhang", "客户邮件里写的是5%")
    told = await company.press("zhang", "提交申诉", "dispute-2-")
    assert "已提交给王建国" in told  # higher, and somebody else
    await company.press("wang", "驳回", "dispute-2-")
    await company.chat.say("wang", "维持原裁定")
    await company.press("wang", "确认裁定", "dispute-rule-")
    assert company.card("zhang", "dispute-2-").closed == "驳回"
    told = await company.press("zhang", "有异议", "paystub-")
    assert "裁定是最终的" in told


async def test_an_appeal_comes_within_five_working_days(company: PayoutCompany) -> None:
    await dispute(company)
    await company.press("he", "驳回", "dispute-")
    await company.chat.say("he", "按规则")
    await company.press("he", "确认裁定", "dispute-rule-")
    company.move_to("2026-02-11 10:00")
    assert "5个工作日内才能再申诉" in await company.press("zhang", "再申诉一次", "dispute-1-")


async def test_a_dispute_comes_within_thirty_days(company: PayoutCompany) -> None:
    company.move_to("2026-03-06 10:00")
    assert "已经过了30天的申诉期" in await company.press("zhang", "有异议", "paystub-")


async def test_only_the_own_pay_is_disputed_and_only_the_arbiter_decides(
    company: PayoutCompany,
) -> None:
    statement = company.card("zhang", "paystub-")
    assert "只能对自己的奖金" in await company.chat.press("chen", statement, "dispute")
    await dispute(company)
    card = company.card("he", "dispute-")
    for who in ("chen", "qian", "li"):
        assert "由本人和裁定人处理" in await company.chat.press(who, card, "uphold")


async def test_who_wrote_the_rule_does_not_decide(database: Database) -> None:
    company = await PayoutCompany.open(database)
    await company.publish(ON_RECEIPTS)  # 何姐 wrote it
    await company.signed()
    await company.tell("SK1", 40_000)
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    assert "已提交给钱进" in await dispute(company)


async def test_the_clock_stands_still_while_the_rep_is_asked(company: PayoutCompany) -> None:
    await dispute(company)
    company.chat.now += timedelta(minutes=50)
    await company.press("he", "要补充材料", "dispute-")
    await company.chat.say("he", "把客户邮件发我")
    assert "何姐问你（申诉 #1）：把客户邮件发我" in company.chat.heard_by("zhang")
    company.chat.now += timedelta(hours=3)
    await company.tick("disputes that wait")
    assert "已等了" not in company.chat.heard_by("he")
    await company.press("zhang", "回答", "dispute-1-")
    await company.chat.say("zhang", "邮件在这里", files=("邮件.png",))
    assert "张伟补充（申诉 #1）：邮件在这里（附件1份）" in company.chat.heard_by("he")
    company.chat.now += timedelta(minutes=11)
    await company.tick("disputes that wait")
    assert "已等了1小时" in company.chat.heard_by("he")


async def test_who_takes_long_is_reminded_then_those_above_hear(company: PayoutCompany) -> None:
    await dispute(company)
    company.chat.now += timedelta(minutes=61)
    await company.tick("disputes that wait")
    assert "已等了1小时1分（工作时间）" in company.chat.heard_by("he")
    assert "请督促" not in company.chat.heard_by("wang")
    company.chat.now += timedelta(hours=3)
    for _ in range(2):
        await company.tick("disputes that wait")
    assert company.chat.heard_by("wang").count("等何姐裁定已4小时1分（工作时间），超过了4小时") == 1


async def test_a_disputed_line_is_held_back_until_the_decision(company: PayoutCompany) -> None:
    await dispute(company)
    told = await company.chat.say("qian", "奖金已发 2026-01")
    assert "其中1笔正在申诉，裁定后再发" in told
    assert "已锁定，30天内可提异议" in await company.chat.say("zhang", "奖金 2026-01")
    await company.press("he", "驳回", "dispute-")
    await company.chat.say("he", "按规则")
    await company.press("he", "确认裁定", "dispute-rule-")
    assert "已锁定，已发放" in await company.chat.say("zhang", "奖金 2026-01")


async def test_it_can_be_taken_back_and_disputed_again(company: PayoutCompany) -> None:
    await dispute(company)
    assert "这笔已经在申诉了" in await company.press("zhang", "有异议", "paystub-")
    await company.press("zhang", "撤回申诉", "dispute-1-")
    assert "张伟撤回了申诉 #1" in company.chat.heard_by("he")
    await dispute(company)
    assert "#2" in await company.chat.say("zhang", "我的申诉")


async def test_nothing_is_disputed_by_mistake(company: PayoutCompany) -> None:
    await company.press("zhang", "有异议", "paystub-")
    assert await company.chat.say("zhang", "取消") == "好，不申诉了。"
    told = await company.chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，嫌价格高")
    assert "提交申诉" not in told


async def test_where_nobody_is_free_to_decide_administrators_are_asked(
    company: PayoutCompany,
) -> None:
    async with company.chat.database.begin() as tx:
        for who in ("he", "qian", "wang", "zhao"):
            person = company.chat.people[who]
            keep = [Role.REP] if who != "zhao" else [Role.ADMIN]
            await tx.people.set_roles(person.id, keep)
        await tx.people.set_roles(company.chat.people["zhang"].id, [Role.REP, Role.ADMIN])
        await tx.people.set_roles(company.chat.people["zhao"].id, [Role.REP])
    told = await dispute(company)
    assert "已请管理员指定" in told
    async with company.chat.database.begin() as tx:
        await tx.people.set_roles(company.chat.people["he"].id, [Role.HRBP])
    assert "由你裁定了" in await company.chat.say("he", "接手申诉 1")
