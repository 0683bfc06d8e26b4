from __future__ import annotations

import pytest

from handlers.understanding.amounts import find_amount, find_missing, read_amount


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("报了15万8千，报价单在附件", 158_000),
        ("给他们那台油压机报了48个w", 480_000),
        ("报过去了，三千八百七十五块五毛", "3875.50"),
        ("上次多收的2600，今天退回去了", -2600),
        ("客户已付28000", 28_000),
        ("报价七十六万五 客户要求再便宜点", 765_000),
        ("合同额358,000.50元", "358000.50"),
        ("¥12,800", 12_800),
        ("报价128000", 128_000),
        ("报了3千2", 3_200),
        ("报价45.8w", 458_000),
        ("一百零八万零三百", 1_080_300),
        ("人民币壹拾贰万捌仟元整", 128_000),
        ("20多万", 200_000),
        ("七八十万", 700_000),
        ("PO号4500012345 金额20万", 200_000),
        ("单价2万，10套，总价20万", 200_000),
        ("从50万降到46万", 460_000),
        ("报15万被嫌贵 打了9折 13万5", 135_000),
        ("退款3万", -30_000),
        ("不对是35万", 350_000),
        ("报价不是12万，是21万", 210_000),
    ],
)
def test_our_figure_is_read_in_fen(text: str, yuan: int | str) -> None:
    found = find_amount(text)
    assert found is not None
    assert found.value == round(float(yuan) * 100)


@pytest.mark.parametrize(
    "text",
    [
        "竞品报了30万", "另一家才28万", "比另一家贵3万", "客户还价到40万",
        "预算只有30万", "想压到30万以内",
        "便宜2万", "8折", "首付30%", "几十万", "不到20万", "电话13812345678",
        "打了10分钟", "报价12.8",
        "1" * 40, "百分之五", "5套设备",
    ],
)  # fmt: skip
def test_figures_of_others_and_numbers_that_are_no_money_are_left(text: str) -> None:
    assert find_amount(text) is None


def test_ours_is_told_from_the_competitors() -> None:
    found = find_amount("竞品报了30万，我们报35万")
    assert found is not None
    assert found.value == 35_000_000


def test_about_is_kept_as_approximate() -> None:
    found = find_amount("大概50万左右")
    assert found is not None
    assert found.approximate


def test_an_appeal_gives_the_difference_and_only_that() -> None:
    missing = find_missing("那单少发了800")
    assert missing is not None
    assert missing.value == 80_000
    assert find_missing("应该发3000只发了2200") is None


def test_a_bare_figure_is_an_answer() -> None:
    assert read_amount("12万8") == 12_800_000
    assert read_amount("128000") == 12_800_000
    assert read_amount("周三") is None


@pytest.mark.parametrize(
    "text",
    [
        "停一天赔两万",
        "每盒48块",
        "一台一天合两块二",
        "全国五万家店",
        "付款三三三一",
        "第一次进这一块",
    ],
)
def test_fines_prices_apiece_and_shares_are_no_sum_of_ours(text: str) -> None:
    assert find_amount(text) is None


def test_a_deduction_that_is_appealed_is_read_without_a_unit() -> None:
    for text in ("佣金扣了500，凭什么，申诉", "系统按五五，少我500"):
        missing = find_missing(text)
        assert missing is not None
        assert missing.value == 50_000
