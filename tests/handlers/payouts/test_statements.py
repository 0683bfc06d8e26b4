"""What a rep is told of their own bonuses, and nobody else's."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.handlers.payouts.payout_company import FLAT, ON_RECEIPTS, PayoutCompany


@pytest.fixture
async def company(database: Database) -> PayoutCompany:
    company = await PayoutCompany.open(database)
    await company.publish(ON_RECEIPTS)
    await company.signed()
    await company.tell("SK1", 40_000)
    return company


async def test_the_own_month_line_by_line(company: PayoutCompany) -> None:
    told = await company.chat.say("zhang", "奖金")
    assert "我的奖金 2026年1月" in told
    assert "HT-2026-018 恒锐机电 提成 +1,200.00元" in told
    assert "预估，随回款和退款变化" in told
    details = await company.press("zhang", "逐笔说明", "paystub-")
    assert "合计 1,200.00元" in details
    assert "回款 40,000.00元 × 3% = 1,200.00元" in details
    assert "#" not in details


@pytest.mark.parametrize("words", ["奖金 2026-01", "奖金 1月", "奖金 2026年1月", "我的奖金 本月"])
async def test_a_month_by_name(company: PayoutCompany, words: str) -> None:
    assert "我的奖金 2026年1月" in await company.chat.say("zhang", words)


async def test_another_month_is_empty(company: PayoutCompany) -> None:
    assert "这个月还没有奖金。" in await company.chat.say("zhang", "奖金 上月")


async def test_others_pay_is_for_who_leads_and_who_pays(company: PayoutCompany) -> None:
    for who in ("li", "wang", "he", "qian"):
        assert "张伟的奖金 2026年1月" in await company.chat.say(who, "奖金 张伟")
    assert "奖金只有本人、上级、HRBP、财务、" in await company.chat.say("chen", "奖金 张伟")
    card = company.card("li", "paystub-")
    assert "只有本人" in await company.chat.press("chen", card, "details")
    assert "没有找到同事「王五」" in await company.chat.say("he", "奖金 王五")


async def test_in_a_group_it_goes_to_the_asker_alone(company: PayoutCompany) -> None:
    await company.chat.say("zhang", "奖金", group="sales")
    assert "1,200" not in company.chat.heard_in("sales")
    assert "1,200" in company.chat.heard_by("zhang")


async def test_a_deal_tells_why_there_is_nothing_yet(database: Database) -> None:
    company = await PayoutCompany.open(database)
    await company.publish(FLAT)
    await company.signed()
    await company.tell("SK1", 40_000)
    told = await company.chat.say("zhang", "奖金明细 HT-2026-018")
    assert "还没到规则的条件" in told
    assert "回款率≥95%：实际 40,000.00元/100,000.00元(约 40%)，不满足" in told


async def test_a_deal_shows_only_the_own_part(company: PayoutCompany) -> None:
    await company.chat.say("he", "奖金拆分 HT-2026-018 张伟70 陈静30")
    told = await company.chat.say("chen", "奖金明细 HT-2026-018")
    assert "陈静 提成 +360.00元" in told
    assert "张伟" not in told
    told = await company.chat.say("he", "奖金明细 HT-2026-018")
    assert "张伟 提成 +840.00元" in told


@pytest.mark.parametrize(
    ("words", "fen"),
    [
        ("如果这单签38万我拿多少", "11,400.00元"),
        ("恒锐机电这单要是签38万，我能拿多少？", "11,400.00元"),
        ("签20万有多少提成", "6,000.00元"),
    ],
)
async def test_what_would_i_get(company: PayoutCompany, words: str, fen: str) -> None:
    told = await company.chat.say("zhang", words)
    assert f"你拿 {fen}" in told
    assert "没有记下任何东西" in told
    assert await company.total("zhang") == 120_000


async def test_what_would_i_get_counts_the_month_so_far(database: Database) -> None:
    company = await PayoutCompany.open(database)
    tiers = [{"from_fen": 0, "rate_bp": 100}, {"from_fen": 10_000_000, "rate_bp": 200}]
    rule = {key: value for key, value in FLAT.items() if key not in ("rate_bp", "when")}
    await company.publish({**rule, "mode": "marginal", "scope": "rep_month", "tiers": tiers})
    await company.signed(amount="8万")
    told = await company.chat.say("zhang", "如果这单签4万我拿多少")
    assert "你拿 600.00元" in told  # 2万 at 1 %, 2万 at 2 %


async def test_too_small_tells_which_condition_fails(database: Database) -> None:
    company = await PayoutCompany.open(database)
    big = [{"field": "contract_fen", "op": ">=", "value": 10_000_000}]
    await company.publish({**ON_RECEIPTS, "when": big})
    told = await company.chat.say("zhang", "如果这单签5万我拿多少")
    assert "签 50,000.00元，按现行规则拿不到奖金。" in told
    assert "合同额≥10万元：实际 50,000.00元，不满足" in told


async def test_before_any_rule_it_says_so(database: Database) -> None:
    company = await PayoutCompany.open(database)
    for words in ("奖金", "如果这单签38万我拿多少"):
        assert "还没有发布奖金规则" in await company.chat.say("zhang", words)


@pytest.mark.parametrize(
    "words", ["和恒锐机电聊了20分钟，他们问有多少优惠", "签了20万，客户有多少人不清楚"]
)
async def test_reports_are_no_questions_about_pay(company: PayoutCompany, words: str) -> None:
    assert "你拿" not in await company.chat.say("zhang", words)
