"""Rules as sentences, and why a line has its amount."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.words import in_words
from tests.domain.payouts.worked_cases import compute_documents, deal, rule

GATE = {"field": "paid_ratio_bp", "op": ">=", "value": 9500}
BIG = {"field": "contract_fen", "op": ">=", "value": 10_000_000}
TIERS = [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 10_000_000, "rate_bp": 350}]
SINCE = "「R」第1版，适用于2026年1月1日起签约的合同："

SENTENCES: list[tuple[dict[str, Any], str]] = [
    (
        rule(mode="flat", rate_bp=300, when=[BIG, GATE]),
        f"{SINCE}合同额≥10万元且回款率≥95%时，按合同额的 3% 提成。",
    ),
    (
        rule(mode="marginal", tiers=TIERS, base="paid_fen"),
        f"{SINCE}按回款分段提成：0元至10万元的部分 2%，10万元以上的部分 3.5%。",
    ),
    (
        rule(mode="whole", tiers=TIERS, scope="rep_month"),
        f"{SINCE}按签单人当月签约合同的累计合同额达到的最高一档全额提成：0元起 2%，10万元起 3.5%。",
    ),
    (
        rule(mode="cap", cap_fen=123_456, effective_to="2026-03-16"),
        "「R」第1版，适用于2026年1月1日起、2026年3月16日前签约的合同："
        "每份合同各项奖金合计最多 1,234.56元，超出部分从后往前减。",
    ),
    (
        rule(
            mode="fixed",
            amount_fen=50_000,
            when=[{"field": "kind", "op": "in", "value": ["upsell", "renewal"]}],
            collab={
                "when": "kind==upsell and closer!=original_seller",
                "share_bp": 3000,
                "to": "lead_provider",
            },
            penalty={"per_complaint_fen": 20_000, "floor_fen": 0},
            stack="exclusive",
            group="g",
            priority=2,
            fund_bp=2000,
        ),
        f"{SINCE}合同类型属于(增购、续约)时，每份合同固定 500元；"
        "合同类型为增购且签单人不是原销售时，其中 30% 作为协作奖金归线索提供人；"
        "每次成立的投诉扣 200元，扣后该合同提成不低于 0元；"
        "与「g」组的其他规则不同时发放，序号小的优先，本规则序号 2；"
        "季度合计的 20% 划入成长基金。",
    ),
]


@pytest.mark.parametrize(("body", "sentence"), SENTENCES)
def test_rule_reads_as_a_sentence(body: dict[str, Any], sentence: str) -> None:
    assert in_words(read_rules([body])[0]) == sentence


def whys(body: dict[str, Any], *events: dict[str, Any], **more: Any) -> list[str]:
    facts = {"deals": [deal(**{"contract_fen": 10_000_100, **more})], "events": list(events)}
    return [line.why for line in compute_documents([body], facts).lines]


def test_a_commission_shows_its_calculation_and_its_rounding() -> None:
    assert whys(rule(mode="flat", rate_bp=333)) == [
        "合同 D1 按规则「R」第1版：合同额 100,001.00元 × 3.33% = 3,330.03元(四舍五入到分)。"
    ]


def test_slices_are_shown_one_by_one() -> None:
    assert whys(rule(mode="marginal", tiers=TIERS)) == [
        "合同 D1 按规则「R」第1版：合同额 100,001.00元 分段："
        "100,000.00元 × 2% + 1.00元 × 3.5% = 2,000.04元(四舍五入到分)。"
    ]


def test_a_refund_and_a_complaint_show_what_they_are_reckoned_from() -> None:
    refund = {"type": "refund", "deal": "D1", "fen": 2_500_000, "at": "2026-04-01"}
    complaint = {"type": "complaint", "deal": "D1", "upheld": True, "at": "2026-04-02"}
    body = rule(mode="fixed", amount_fen=40_000, penalty={"per_complaint_fen": 20_000})

    assert whys(body, refund, complaint, contract_fen=10_000_000)[1:] == [
        "合同 D1 累计退款 25,000.00元，占基数 100,000.00元，"
        "已计 400.00元 按比例累计追回 100.00元。",
        "合同 D1 有 1 次成立的投诉，按规则「R」第1版每次扣 200.00元，扣后不低于 0.00元，"
        "累计扣 200.00元。",
    ]


def test_a_share_says_what_it_is_a_share_of() -> None:
    split = [{"person": "A", "weight": 7}, {"person": "B", "weight": 3}]
    assert whys(rule(mode="fixed", amount_fen=1001), split=split)[1] == (
        "合同 D1 按规则「R」第1版：固定金额 = 10.01元，B 分得 3.00元。"
    )
