"""New bonus rules in chat, from a file to everybody's news."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.handlers.payouts.payout_company import FLAT, PayoutCompany


@pytest.fixture
async def company(database: Database) -> PayoutCompany:
    return await PayoutCompany.open(database)


async def test_a_file_becomes_a_sentence_and_pays_nobody_yet(company: PayoutCompany) -> None:
    told = await company.draft(FLAT)
    assert "回款率≥95%时，按合同额的 3% 提成" in told
    assert "从2026年1月1日起生效。发布之前谁的奖金都不会变。" in told
    assert [button.label for button in company.rule_card("he").buttons] == ["试算三个月", "作废"]
    await company.signed()
    await company.tell("SK1", 100_000)
    assert await company.lines() == []


async def test_it_can_be_pasted_into_the_chat(company: PayoutCompany) -> None:
    told = await company.chat.say(
        "he",
        '导入奖金规则 [{"id":"A","version":1,"effective_from":"2026-02-01","mode":"fixed",'
        '"amount_fen":50000}]',
    )
    assert "每份合同固定 500元" in told


async def test_what_would_pay_wrongly_is_refused_with_all_of_it(company: PayoutCompany) -> None:
    tiers = [
        {"from_fen": 0, "to_fen": 5_000, "rate_bp": 200},
        {"from_fen": 6_000, "rate_bp": 20_000},
    ]
    rule = {key: value for key, value in FLAT.items() if key != "rate_bp"}
    told = await company.draft({**rule, "mode": "marginal", "tiers": tiers})
    assert "规则没有存下，有2处要改" in told
    assert "5000 到 6000 分之间没有档" in told
    assert "不能大于 10000" in told
    assert "tier_gap" not in told


async def test_a_cliff_is_pointed_out_with_its_amount(company: PayoutCompany) -> None:
    tiers = [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 50_000_000, "rate_bp": 500}]
    rule = {key: value for key, value in FLAT.items() if key != "rate_bp"}
    told = await company.draft({**rule, "mode": "whole", "tiers": tiers})
    assert "断崖：满50万元时，比差一分钱多发 15,000.00元" in told


async def test_what_no_line_could_carry_is_refused(company: PayoutCompany) -> None:
    assert "太长" in await company.draft({**FLAT, "id": "提成" * 40})
    told = await company.draft({**FLAT, "version": 10**16})
    assert "太大了" in told
    assert "没读到规则" in await company.draft({**FLAT, "id": "提\0成"})


async def test_any_other_json_is_a_file_like_others(company: PayoutCompany) -> None:
    told = await company.chat.upload("he", "客户数据.json", b'{"name": "x"}')
    assert "给哪家客户" in told


async def test_only_those_who_keep_the_rules_bring_new_ones(company: PayoutCompany) -> None:
    assert "给哪家客户" in await company.draft(FLAT, by="zhang")
    assert "由 HRBP、财务或管理员维护" in await company.chat.say("zhang", "导入奖金规则 []")


async def test_who_wrote_it_does_not_approve_it(company: PayoutCompany) -> None:
    await company.draft(FLAT)
    await company.press("he", "试算三个月")
    await company.press("he", "送审")
    card = company.rule_card("qian")
    own = company.rule_card("he")
    assert "自己写的不能自己批" in await company.chat.press("he", own, "approve")
    assert "这一步不用做了" in await company.chat.press("he", own, "publish")
    await company.chat.press("qian", card, "批准")
    assert company.rule_card("he").facts == (("状态", "已批准，待发布"),)
    assert "钱进批准了你的规则变更" in company.chat.heard_by("he")


async def test_a_rep_can_press_nothing(company: PayoutCompany) -> None:
    await company.draft(FLAT)
    told = await company.chat.press("zhang", company.rule_card("he"), "drop")
    assert "由 HRBP、财务或管理员维护" in told


async def test_everybody_is_told_the_change_and_their_own_difference(
    company: PayoutCompany,
) -> None:
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.publish(FLAT)
    assert await company.amounts() == [("zhang", "commission", 300_000)]
    newer = {**FLAT, "version": 2, "rate_bp": 400, "effective_from": "2026-02-01"}
    await company.publish(newer)
    heard = company.chat.heard_by("zhang")
    assert "奖金规则有变化：2026年2月1日起签约的合同按新规则算" in heard
    assert "- 新：「提成」第2版" in heard
    assert "- 旧：「提成」第1版" in heard
    assert "现行规则 3,000.00元，新规则 4,000.00元（+1,000.00元）" in heard
    assert "影响面：涉及1人，金额会变" in heard
    assert "没有这些规则下的奖金" in company.chat.heard_by("chen")
    assert await company.amounts() == [("zhang", "commission", 300_000)]  # signed before


async def test_a_retroactive_cut_needs_a_lawyer_by_name(company: PayoutCompany) -> None:
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.publish(FLAT)
    lower = {**FLAT, "version": 2, "rate_bp": 200, "supersedes": 1}
    told = await company.draft({**lower, "legal_approval": "赵倩"})
    assert "「赵倩」不是在职的法务同事" in told
    await company.draft(lower)
    told = await company.press("he", "试算三个月")
    assert "必须有法务具名批准：张伟 −1,000.00元" in told
    await company.press("he", "送审")
    assert "必须有法务具名批准" in await company.press("qian", "批准")
    await company.press("he", "作废")
    await company.publish({**lower, "legal_approval": "周律"})
    assert await company.total("zhang") == 200_000


async def test_a_silent_test_tells_nobody_and_pays_nobody(company: PayoutCompany) -> None:
    await company.publish(FLAT)
    await company.draft({**FLAT, "version": 2, "rate_bp": 400, "effective_from": "2026-02-01"})
    await company.press("he", "试算三个月")
    await company.press("he", "送审")
    await company.press("qian", "批准")
    before = company.chat.heard_by("zhang")
    await company.press("he", "静默试运行")
    await company.signed()
    await company.tell("SK1", 100_000)
    told = await company.press("he", "看对比")
    assert "张伟：3,000.00元 → 4,000.00元" in told
    assert await company.amounts() == [("zhang", "commission", 300_000)]
    assert "第2版" not in company.chat.heard_by("zhang").removeprefix(before)


async def test_anybody_may_read_the_rules(company: PayoutCompany) -> None:
    assert await company.chat.say("zhang", "奖金规则") == "还没有发布过奖金规则。"
    await company.publish(FLAT)
    told = await company.chat.say("zhang", "奖金规则")
    assert "「提成」第1版，适用于2026年1月1日起签约的合同" in told
    assert "在途的变更" not in told


async def test_two_drafts_of_one_version_cannot_both_become_public(company: PayoutCompany) -> None:
    cards = []
    for rate in (100, 200):
        await company.draft({**FLAT, "rate_bp": rate})
        cards.append(company.rule_card("he"))
        await company.press("he", "试算三个月")
        await company.press("he", "送审")
        await company.press("qian", "批准")
    await company.chat.press("he", cards[0], "publish")
    assert "同一版本出现两次" in await company.chat.press("he", cards[1], "publish")


async def test_publishing_looks_at_what_was_signed_since_the_simulation(
    company: PayoutCompany,
) -> None:
    await company.publish({**FLAT, "when": []})
    await company.draft({**FLAT, "when": [], "version": 2, "rate_bp": 200, "supersedes": 1})
    await company.press("he", "试算三个月")
    await company.press("he", "送审")
    await company.press("qian", "批准")
    await company.signed()
    assert "必须有法务具名批准：张伟 −1,000.00元" in await company.press("he", "发布")
