"""What happens to a contract is what its bonus is, at once; what is locked stays."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.payouts import following
from storage.database import Database
from tests.handlers.payouts.payout_company import FLAT, ON_RECEIPTS, PayoutCompany


@pytest.fixture
async def company(database: Database) -> PayoutCompany:
    company = await PayoutCompany.open(database)
    await company.publish(ON_RECEIPTS)
    return company


async def test_a_receipt_changes_the_estimate_at_once(company: PayoutCompany) -> None:
    await company.signed()
    assert await company.amounts() == []
    await company.tell("SK1", 40_000)
    assert await company.amounts() == [("zhang", "commission", 120_000)]
    await company.tell("SK2", 60_000)
    assert await company.total("zhang") == 300_000


async def test_a_receipt_that_finance_matches_counts_too(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 40_000, contract="")
    assert await company.total("zhang") == 0
    await company.chat.say("qian", "匹配 SK1 HT-2026-018")
    assert await company.total("zhang") == 120_000


async def test_a_refund_takes_back_its_part(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.tell("TK1", -50_000)
    assert await company.amounts() == [
        ("zhang", "commission", 300_000),
        ("zhang", "clawback", -150_000),
    ]


async def test_a_receipt_told_again_with_another_amount_counts_once(
    company: PayoutCompany,
) -> None:
    await company.signed()
    await company.tell("SK1", 40_000)
    await company.tell("SK1", 30_000)
    assert await company.amounts() == [("zhang", "commission", 90_000)]


async def test_who_closed_it_stays_its_closer_when_the_customer_is_given_away(
    company: PayoutCompany,
) -> None:
    await company.signed()
    await company.chat.say("li", "把恒锐机电转给陈静")
    await company.tell("SK1", 100_000)
    assert await company.amounts() == [("zhang", "commission", 300_000)]


async def test_a_split_shares_to_the_fen(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 100_001)
    told = await company.chat.say("he", "奖金拆分 HT-2026-018 张伟70 陈静30")
    assert "张伟 70%、陈静 30%" in told
    assert sorted(await company.amounts()) == [
        ("chen", "commission", 90_001),
        ("zhang", "commission", 210_002),
    ]
    assert "合计 110%，超过了 100%" in await company.chat.say(
        "he", "奖金拆分 HT-2026-018 张伟70 陈静40"
    )
    assert "由 HRBP、财务或管理员改" in await company.chat.say(
        "zhang", "奖金拆分 HT-2026-018 张伟100"
    )


async def test_the_month_of_both_closers_is_computed_anew(database: Database) -> None:
    """With tiers over a month, taking a contract away lowers the rate of the others."""
    company = await PayoutCompany.open(database)
    tiers = [{"from_fen": 0, "rate_bp": 100}, {"from_fen": 10_000_000, "rate_bp": 200}]
    rule = {key: value for key, value in FLAT.items() if key not in ("rate_bp", "when")}
    await company.publish({**rule, "mode": "whole", "scope": "rep_month", "tiers": tiers})
    await company.signed("HT-2026-001", "6万")
    await company.signed("HT-2026-002", "6万")
    assert await company.total("zhang") == 240_000
    await company.chat.say("he", "奖金归属 HT-2026-002 签单人 陈静")
    assert (await company.total("zhang"), await company.total("chen")) == (60_000, 60_000)


async def test_money_that_is_nobodys_waits_for_a_named_person(database: Database) -> None:
    company = await PayoutCompany.open(database)
    collab = {"when": "kind==upsell", "share_bp": 3_000, "to": "lead_provider"}
    await company.publish({**ON_RECEIPTS, "collab": collab})
    await company.signed("HT-2026-001", "1万")
    await company.signed()
    await company.tell("SK1", 100_000)
    assert sorted(await company.amounts()) == [
        ("?", "collab", 90_000),
        ("zhang", "commission", 210_000),
    ]
    assert "协作奖金没有写给谁" in company.chat.heard_by("he")
    assert "HT-2026-018（何姐处理）" in await company.chat.say("qian", "奖金待办")
    await company.chat.say("he", "奖金归属 HT-2026-018 线索提供人 陈静")
    assert sorted(await company.amounts()) == [
        ("chen", "collab", 90_000),
        ("zhang", "commission", 210_000),
    ]
    assert await company.chat.say("he", "奖金待办") == "奖金没有待处理的事项。"


async def test_dollars_are_no_amount_and_finance_is_asked(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 10_000, currency="USD")
    assert await company.total("zhang") == 0
    assert "币种是 USD，折算前不计入" in company.chat.heard_by("qian")


async def test_a_refund_larger_than_what_came_in_is_asked_about(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 10_000)
    await company.tell("TK1", -20_000)
    assert await company.total("zhang") == 0
    assert "超过已回款 10,000.00元" in company.chat.heard_by("qian")


async def test_an_upheld_complaint_costs_what_the_rule_says(database: Database) -> None:
    company = await PayoutCompany.open(database)
    await company.publish({**ON_RECEIPTS, "penalty": {"per_complaint_fen": 20_000}})
    await company.signed()
    await company.tell("SK1", 100_000)
    told = await company.chat.say("he", "投诉成立 HT-2026-018 交付延期两周")
    assert "已记下合同 HT-2026-018 的一次成立投诉" in told
    assert await company.total("zhang") == 280_000


async def test_sums_beyond_the_reach_of_doubles_are_exact(company: PayoutCompany) -> None:
    await company.signed(amount="10万")
    await company.tell("SK1", 2**53 // 100 + 1)
    fen = (2**53 // 100 + 1) * 100
    assert await company.total("zhang") == (fen * 300 + 5_000) // 10_000


async def test_after_the_lock_there_are_only_adjustments(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 40_000)
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    await company.tell("SK1", 30_000, on=date(2026, 1, 28))
    await company.tell("SK2", 10_000, on=date(2026, 1, 31))  # told too late for January
    await company.tell("SK3", 10_000)
    lines = sorted(await company.lines(), key=lambda one: (one.month, -one.fen))
    assert [(one.month, one.kind, one.fen) for one in lines] == [
        ("2026-01", "commission", 120_000),
        ("2026-02", "commission", 60_000),
        ("2026-02", "adjustment", -30_000),
    ]
    assert "已锁定 1,200.00元，冲回 300.00元" in lines[-1].why
    assert await company.total("zhang") == 150_000


async def test_a_contract_that_is_amended_after_the_lock_is_adjusted_once(
    database: Database,
) -> None:
    company = await PayoutCompany.open(database)
    await company.publish({**FLAT, "when": []})
    await company.signed()
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    await company.chat.say("zhang", "改合同 HT-2026-018 金额12万")
    await company.chat.press("zhang", company.chat.card("zhang"), "确认变更")
    await company.tell("SK1", 1_000)
    assert [(one.month, one.fen) for one in await company.lines()] == [
        ("2026-01", 300_000),
        ("2026-02", 60_000),
    ]
    company.move_to("2026-03-03 10:00")
    await company.lock("2026-02")
    await company.tell("SK2", 1_000)
    assert await company.total("zhang") == 360_000


async def test_contracts_from_before_the_first_rule_are_computed(database: Database) -> None:
    company = await PayoutCompany.open(database)
    await company.signed()
    await company.tell("SK1", 40_000)
    await company.publish(ON_RECEIPTS)
    assert await company.total("zhang") == 120_000


async def test_what_was_locked_for_a_contract_off_the_record_is_taken_back(
    database: Database,
) -> None:
    company = await PayoutCompany.open(database)
    await company.publish({**FLAT, "when": []})
    await company.signed()
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    async with database.begin() as tx:
        contract = await tx.contracts.find("HT-2026-018")
        assert contract is not None
        await tx.contracts.withdraw(contract.id, at=company.chat.now)
        await following.follow(tx, company.chat.office, [contract.id], company.chat.now)
        lines = await tx.payout_ledger.of_contract(contract.id)
    assert [(one.month, one.fen) for one in lines] == [("2026-01", 300_000), ("2026-02", -300_000)]
