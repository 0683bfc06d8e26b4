"""A month of bonuses: proposed by one, locked by another, stated to everybody, paid."""

from __future__ import annotations

from datetime import date

import pytest

from storage.database import Database
from tests.handlers.payouts.payout_company import ON_RECEIPTS, PayoutCompany


@pytest.fixture
async def company(database: Database) -> PayoutCompany:
    company = await PayoutCompany.open(database)
    await company.publish(ON_RECEIPTS)
    await company.signed()
    await company.tell("SK1", 40_000)
    return company


async def test_a_month_is_locked_by_a_second_person(company: PayoutCompany) -> None:
    assert "还没过完" in await company.chat.say("qian", "奖金核算 2026-01")
    company.move_to("2026-02-03 10:00")
    told = await company.chat.say("qian", "奖金核算")
    assert "2026年1月：1人、1笔，合计 1,200.00元" in told
    assert "张伟：1,200.00元（1笔）" in told
    own = company.card("qian", "payrun-")
    assert "要由另一个人批准" in await company.chat.press("qian", own, "lock")
    assert "由财务、HRBP 或管理员核算" in await company.chat.press("zhang", own, "lock")
    told = await company.press("he", "批准并锁定", "payrun-")
    assert "正在给1位同事发结算单" in told
    assert company.card("qian", "payrun-").closed == "已锁定"
    statement = company.card("zhang", "paystub-")
    assert statement.facts == (("合计", "1,200.00元"), ("状态", "已锁定，30天内可提异议"))
    assert [one.label for one in statement.buttons] == ["逐笔说明", "证据包", "有异议"]


async def test_nobody_locks_other_figures_than_they_saw(company: PayoutCompany) -> None:
    company.move_to("2026-02-03 10:00")
    await company.chat.say("qian", "奖金核算 2026-01")
    await company.tell("SK2", 10_000, on=date(2026, 1, 30))
    told = await company.press("he", "批准并锁定", "payrun-")
    assert "提交时合计 1,200.00元，现在 1,500.00元" in told
    await company.press("he", "重新核对", "payrun-")
    assert "正在给1位同事发结算单" in await company.press("he", "批准并锁定", "payrun-")


async def test_a_month_is_locked_once(company: PayoutCompany) -> None:
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    assert "已经锁定" in await company.chat.say("he", "奖金核算 2026-01")
    assert "已经锁定" in await company.chat.say("he", "奖金核算 2025-12")
    assert "由财务、HRBP 或管理员核算" in await company.chat.say("zhang", "奖金核算 2026-02")


async def test_the_end_of_the_audit_chain_is_told_to_several_people(
    company: PayoutCompany,
) -> None:
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    async with company.chat.database.begin() as tx:
        count, seal = await tx.audit.head()
        assert await tx.audit.verify() is None
    head = f"{count}:{seal}"  # as `gendan db verify --head` takes it
    for who in ("qian", "zhao", "wang"):
        assert head in company.chat.heard_by(who)
    assert head not in company.chat.heard_by("zhang")


async def test_what_belongs_to_the_next_month_stays_open(company: PayoutCompany) -> None:
    company.move_to("2026-02-03 10:00")
    await company.tell("SK2", 10_000)
    await company.lock("2026-01")
    lines = await company.lines()
    assert [(one.month, one.fen, one.run_id is None) for one in lines] == [
        ("2026-01", 120_000, False),
        ("2026-02", 30_000, True),
    ]


async def test_a_month_that_was_paid_says_so(company: PayoutCompany) -> None:
    company.move_to("2026-02-03 10:00")
    assert "还没锁定" in await company.chat.say("qian", "奖金已发 2026-01")
    await company.lock("2026-01")
    assert "2026年1月的奖金发放了" in await company.chat.say("qian", "奖金已发 2026-01")
    assert "已锁定，已发放" in await company.chat.say("zhang", "奖金 2026-01")


async def test_finance_is_told_when_a_month_can_be_reckoned(company: PayoutCompany) -> None:
    for day in ("2026-02-01", "2026-02-02", "2026-02-03"):  # a Sunday, then two working days
        company.move_to(f"{day} 09:31")
        await company.tick("bonuses of last month")
    assert company.chat.heard_by("qian").count("2026年1月过完了，可以核算奖金") == 1
    assert "可以核算奖金" not in company.chat.heard_by("zhang")
