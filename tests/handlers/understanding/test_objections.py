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
        ("佢话你哋开价太辣", {"price_high"}),
        ("价格比我们低三万", {"price_high", "competitor"}),
        ("上面集团没批钱", {"budget"}),
        ("钱袋子捂得紧", {"budget"}),
        ("装机得等俩月", {"lead_time"}),
        ("没有火腿厂用过我不放心", {"no_industry_template"}),
        ("转头用飞书去了", {"competitor"}),
        ("标准版套不上得二次开发", {"feature_gap"}),
        ("管得过来不用系统", {"no_need"}),
        ("要等她老公回来商量", {"decision_process"}),
        ("要过完五一才定", {"timing"}),
        ("上半年不考虑，十月再看", {"timing"}),
        ("他们要煤安证", {"trust_risk"}),
        ("付款走票据财务不同意", {"payment_terms"}),
        ("法务卡着仲裁地", {"contract_terms"}),
        ("他们MES是西门子的，问能不能对得上", {"integration"}),
        ("必须三家比选，光资格预审就一个月", {"decision_process"}),
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
        "被我们领导压着没批", "报价我改了两回", "上午来咱公司坐了半小时",
        "嫌价高这个不是问题了已经解决", "昨天还嫌贵，今天不提了", "本来要用友商的，现在不比了",
        "对手已经出局了", "审批流程走完了", "法务看完了没改", "雪季结束了",
    ],
)  # fmt: skip
def test_what_is_no_problem_is_not_listed(text: str) -> None:
    assert codes(text) == set()


def test_of_two_reasons_the_denied_one_is_dropped() -> None:
    assert codes("不是嫌贵，是没预算") == {"budget"}


def test_a_message_longer_than_the_second_opinion_reads_is_still_read_by_the_rules() -> None:
    assert codes("今天从早上聊到下午，" * 15 + "最后就一句嫌贵") == {"price_high"}
