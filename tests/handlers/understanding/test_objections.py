from __future__ import annotations

import pytest

from handlers.understanding.normal import normalise
from handlers.understanding.objections import find_objections


def codes(text: str) -> set[str]:
    return {found.value for found in find_objections(normalise(text))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("嫌价格高", {"price_high"}),
        ("说太贵了", {"price_high"}),
        ("比另一家贵", {"price_high", "competitor"}),
        ("预算没批下来", {"budget"}),
        ("嫌实施太慢", {"lead_time"}),
        ("没有鞋业模板", {"no_industry_template"}),
        ("缺移动端功能", {"feature_gap"}),
        ("暂时没需求", {"no_need"}),
        ("要走招标", {"decision_process"}),
        ("老板还没拍板", {"decision_process"}),
        ("明年再看", {"timing"}),
        ("担心售后跟不上", {"trust_risk"}),
        ("采购嫌账期短", {"payment_terms"}),
        ("违约金那条不同意", {"contract_terms"}),
        ("要对接他们自己的ERP", {"integration"}),
        ("现在用的是金蝶", {"competitor"}),
        ("要跟金蝶打通", {"integration"}),
        ("异议：价格、交期", {"price_high", "lead_time"}),
        ("赔偿上限那条不同意", {"contract_terms"}),
        ("就怕来不及装", {"lead_time"}),
        ("医保接口对不上", {"integration"}),
        ("QA的人怕配方数据泄露", {"trust_risk"}),
        ("丢了，人家选了东软", {"competitor"}),
        ("嫌太慢", {"lead_time"}),
        ("审批流程太慢", {"decision_process"}),
    ],
)
def test_objections_are_read_as_codes(text: str, expected: set[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "没异议", "价格没问题", "价格方面没有异议", "不嫌贵", "预算已经批了", "之前嫌贵现在接受了",
        "质量没得说", "王总在开会让我晚点打", "报价单放附件了", "那边才聊了5分钟",
        "交期OK", "客户很满意", "贵公司", "不是嫌价格高",
    ],
)  # fmt: skip
def test_what_is_no_problem_is_not_listed(text: str) -> None:
    assert codes(text) == set()


def test_of_two_reasons_the_denied_one_is_dropped() -> None:
    assert codes("不是嫌贵，是没预算") == {"budget"}
