"""The growth fund in the chat: off by default, fed by consent or by the employer, spent with
approval, paid out to leavers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.domain.payouts.growth import Book, Mode
from bot.domain.people import PersonStatus
from bot.domain.policy import GrowthFundPolicy
from config.policy import change_policy
from handlers import Handlers
from handlers.policy.policies import PolicyBook
from storage.database import Database
from storage.tables import people
from tests.handlers.payouts.payout_company import ON_RECEIPTS, PayoutCompany

FUNDED = {**ON_RECEIPTS, "fund_bp": 2000}


@pytest.fixture
async def company(database: Database) -> PayoutCompany:
    company = await PayoutCompany.open(database)
    await company.publish(FUNDED)
    await company.signed()
    return company


def choose(company: PayoutCompany, mode: Mode) -> None:
    chat = company.chat
    policy = replace(chat.policy, growth_fund=GrowthFundPolicy(mode))
    chat.office = replace(chat.office, policies=PolicyBook(policy, change_policy))
    chat.handlers = Handlers(chat.office, read=chat.database.read)


async def consent(company: PayoutCompany) -> None:
    await company.chat.say("zhang", "成长基金")
    told = await company.press("zhang", "我同意转入", "growth-")
    assert "每季度奖金的 20% 转入成长基金" in told


async def close(company: PayoutCompany, yuan: int = 40_000) -> None:
    """The quarter with a receipt in its last month."""
    company.move_to("2026-03-10 10:00")
    await company.tell("SK1", yuan)
    company.move_to("2026-04-02 10:00")
    await company.lock("2026-03")


async def balances(company: PayoutCompany, who: str = "zhang") -> dict[Book, int]:
    async with company.chat.database.begin() as tx:
        found = await tx.growth_fund.balances(company.chat.people[who].id)
    return {book: fen for book, fen in found.items() if fen}


async def catalogue(company: PayoutCompany) -> None:
    told = await company.chat.say("he", "新增兑换 课程 谈判技巧课 150元 两天")
    assert "课程 谈判技巧课 150.00元" in told


async def test_it_is_off_until_a_company_chooses(company: PayoutCompany) -> None:
    assert "没有开通成长基金" in await company.chat.say("zhang", "成长基金")
    await close(company)
    assert await balances(company) == {}
    assert "成长基金" not in str(company.card("zhang", "paystub-").facts)


async def test_nothing_is_taken_without_consent(company: PayoutCompany) -> None:
    choose(company, Mode.OPT_IN)
    await company.chat.say("zhang", "成长基金")
    shown = company.card("zhang", "growth-")
    assert "随时可以停止转入" in shown.lines[0]
    await close(company)
    assert await balances(company) == {}


async def test_a_consented_share_goes_there_once_and_is_said_to_all_who_pay(
    company: PayoutCompany,
) -> None:
    choose(company, Mode.OPT_IN)
    await consent(company)
    await close(company)
    assert await balances(company) == {Book.PAYABLE: -24_000, Book.OWN: 24_000}
    assert ("其中转入成长基金", "240.00元") in company.card("zhang", "paystub-").facts
    assert "转入成长基金 240.00元，余额 240.00元" in company.chat.heard_by("zhang")
    assert "张伟：240.00元" in company.chat.heard_by("qian")
    async with company.chat.database.begin() as tx:
        assert await tx.audit.verify() is None


async def test_a_consent_is_taken_back_for_the_future(company: PayoutCompany) -> None:
    choose(company, Mode.OPT_IN)
    await consent(company)
    told = await company.press("zhang", "停止转入", "growth-")
    assert "以后的季度奖金全部发现金" in told
    await close(company)
    assert await balances(company) == {}


async def test_what_was_paid_out_before_is_not_taken(company: PayoutCompany) -> None:
    choose(company, Mode.OPT_IN)
    await consent(company)
    await company.tell("SK0", 40_000)
    company.move_to("2026-02-02 10:00")
    await company.lock("2026-01")
    await company.chat.say("qian", "奖金已发 2026-01")
    await close(company, yuan=1_000)
    assert (await balances(company))[Book.OWN] == 3_000, "30 yuan was all that was still owed"


async def test_the_employer_puts_it_on_top(company: PayoutCompany) -> None:
    choose(company, Mode.MATCH)
    await close(company)
    assert await balances(company) == {Book.EMPLOYER: -24_000, Book.MATCH: 24_000}
    assert "由公司另存，现金奖金照发" in company.chat.heard_by("qian")


async def test_a_redemption_is_held_approved_and_spent(company: PayoutCompany) -> None:
    choose(company, Mode.OPT_IN)
    await consent(company)
    await close(company)
    await catalogue(company)
    assert "谈判技巧课 150.00元（两天）" in await company.chat.say("zhang", "兑换目录")
    assert "兑换后剩 90.00元" in await company.chat.say("zhang", "兑换 谈判技巧课")
    assert "等 HRBP 批准" in await company.press("zhang", "提交兑换", "redeem-wish-")
    assert (await balances(company))[Book.HELD] == 15_000
    assert "还差 60.00元" in await company.chat.say("zhang", "兑换 谈判技巧课")
    assert "已批准张伟" in await company.press("he", "批准", "redeem-")
    assert await balances(company) == {
        Book.PAYABLE: -24_000, Book.OWN: 9_000, Book.SPENT: 15_000,
    }  # fmt: skip
    assert "批准了你兑换的「谈判技巧课」" in company.chat.heard_by("zhang")
    card = company.card("he", "redeem-")
    assert card.closed == "已批准"
    assert "已经处理过" in await company.chat.press("he", card, "reject")


async def test_a_refusal_and_a_withdrawal_give_it_back(company: PayoutCompany) -> None:
    choose(company, Mode.MATCH)
    await close(company)
    await catalogue(company)
    for who, label in (("he", "驳回"), ("zhang", "撤回兑换")):
        await company.chat.say("zhang", "兑换 谈判技巧课")
        await company.press("zhang", "提交兑换", "redeem-wish-")
        await company.press(who, label, "redeem-")
        assert await balances(company) == {Book.EMPLOYER: -24_000, Book.MATCH: 24_000}


async def test_nobody_approves_but_who_may(company: PayoutCompany) -> None:
    choose(company, Mode.MATCH)
    await close(company)
    await catalogue(company)
    await company.chat.say("zhang", "兑换 谈判技巧课")
    await company.press("zhang", "提交兑换", "redeem-wish-")
    theirs = company.card("he", "redeem-")
    for who in ("zhang", "chen", "li"):
        assert "由 HRBP 或管理员批准" in await company.chat.press(who, theirs, "approve")
    mine = company.card("zhang", "redeem-")
    assert "不是发给你的" in await company.chat.press("he", mine, "withdraw")


async def test_others_see_it_by_the_rights_of_bonuses(company: PayoutCompany) -> None:
    choose(company, Mode.MATCH)
    await close(company)
    for who in ("li", "qian", "he"):
        assert "240.00元" in await company.chat.say(who, "成长基金 张伟")
    assert "只有本人" in await company.chat.say("chen", "成长基金 张伟")
    shown = company.card("li", "growth-")
    assert "不是发给你的" in await company.chat.press("li", shown, "revoke")


async def test_the_catalogue_is_kept_by_hrbp_and_by_file(company: PayoutCompany) -> None:
    assert "由 HRBP 或管理员维护" in await company.chat.say("zhang", "新增兑换 课程 谈判课 9元")
    good = "类别,名称,价格,说明\n课程,谈判课,1200,两天\n门票,工博会,300元,\n".encode()
    assert "加了2项" in await company.chat.upload("he", "目录.csv", good)
    bad = "类别,名称,价格\n课,谈判课,1200\n课程,,9\n培训,内训,0\n".encode()
    told = await company.chat.upload("he", "目录.csv", bad)
    assert "第 2 行：类别要写" in told
    assert "第 3 行" in told
    assert "第 4 行：价格要大于0" in told
    assert "谈判课 1,200.00元（两天）" in await company.chat.say("he", "兑换目录")
    assert "已下架" in await company.chat.say("he", "下架兑换 谈判课")
    assert "谈判课" not in await company.chat.say("he", "兑换目录")
    assert "没有「谈判课」" in await company.chat.say("zhang", "兑换 谈判课")


async def test_who_leaves_is_paid_the_own_balance(company: PayoutCompany) -> None:
    choose(company, Mode.OPT_IN)
    await consent(company)
    await close(company)
    await catalogue(company)
    await company.chat.say("zhang", "兑换 谈判技巧课")
    await company.press("zhang", "提交兑换", "redeem-wish-")
    async with company.chat.database.begin() as tx:
        await tx.delivery._conn.execute(
            update(people)
            .where(people.c.id == company.chat.people["zhang"].id)
            .values(status=str(PersonStatus.LEFT))
        )
    await company.tick("growth fund of leavers")  # notes that this morning has not come
    company.move_to("2026-04-03 09:41")
    await company.tick("growth fund of leavers")
    assert await balances(company) == {}
    assert "张伟已离职，成长基金结清：本人转入的 240.00元" in company.chat.heard_by("qian")


async def test_rules_that_differ_move_nothing(company: PayoutCompany) -> None:
    choose(company, Mode.MATCH)
    await company.publish({**FUNDED, "id": "另一条", "fund_bp": 1000})
    await close(company)
    assert await balances(company) == {}
    assert "不同的成长基金比例（10%、20%）" in company.chat.heard_by("he")
