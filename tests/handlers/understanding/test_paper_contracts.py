"""The facts of a contract out of the lines of its pages."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.paper import PaperLine
from config.policy import load_calendar
from handlers.texts import papers as texts
from handlers.understanding.paper_contracts import MOST_FEN, Doubt, PaperContract, read_paper
from tests.speech.ocr.papers import CONTRACT

CALENDAR = load_calendar()
HENGRUI, SELLER = "杭州恒锐机电有限公司", "上海精测仪器有限公司"


def read(*lines: str, confidence: float = 1.0) -> PaperContract:
    return read_paper([PaperLine(line, confidence) for line in lines], CALENDAR)


def test_a_whole_contract() -> None:
    found = read(*CONTRACT)
    assert found == PaperContract(
        number="HT-2026-018",
        buyer="杭州恒锐机电有限公司",
        seller="上海精测仪器有限公司",
        amount_fen=38_800_000,
        signed_on=date(2026, 1, 20),
        prepayment_fen=11_640_000,
        prepayment_due_on=date(2026, 1, 27),
        payment_terms="合同签订后7日内预付30%,发货前付60%,验收合格后付10%。",
        doubts={"prepayment": Doubt.STAGES},
    )


@pytest.mark.parametrize(
    ("line", "fen"),
    [
        ("合同总金额：人民币叁拾捌万捌仟元整（¥388,000.00）", 38_800_000),
        ("总价款（大写）：壹佰贰拾万零伍佰元伍角整", 120_050_050),
        ("价税合计：38.8万元", 38_800_000),
        ("合 同 总 金 额 ： ￥３８８，０００．００", 38_800_000),
        ("合计金额 388000元", 38_800_000),
        ("合计 2 台", None),
        ("总金额见附件", None),
    ],
)
def test_an_amount_in_figures_or_words(line: str, fen: int | None) -> None:
    assert read(line).amount_fen == fen


@given(yuan=st.integers(1, 99_999_999))
def test_an_amount_in_words_is_the_one_in_figures(yuan: int) -> None:
    words = cn2an.an2cn(yuan, "up")
    found = read(f"合同总金额：人民币{words}元整（¥{yuan:,}.00）")
    assert found.amount_fen == yuan * 100
    assert "amount" not in found.doubts


def test_figures_and_words_that_differ_are_pointed_out() -> None:
    found = read("合同总金额：人民币叁拾捌万捌仟元整", "（小写）¥338,000.00")
    assert found.doubts["amount"] is Doubt.AMOUNTS_DIFFER
    assert "大写和小写不一致" in texts.doubts(found.doubts)


def test_figures_without_words_want_a_look() -> None:
    assert read("合同总金额：¥388,000.00").doubts["amount"] is Doubt.NO_WORDS


def test_print_that_is_hard_to_read_is_pointed_out() -> None:
    found = read("合同编号：HT-2026-018", "买方：杭州恒锐机电有限公司", confidence=0.7)
    assert found.doubts == {"number": Doubt.UNSURE, "buyer": Doubt.UNSURE}


@pytest.mark.parametrize(
    ("lines", "buyer", "seller"),
    [
        (("甲方：杭州恒锐机电有限公司", "乙方：上海精测仪器有限公司"), HENGRUI, SELLER),
        ((f"甲方（供方）：{SELLER}", f"乙方（需方）：{HENGRUI}"), HENGRUI, SELLER),
        (("需方：宝鸡陈仓机床厂 供方：上海精测仪器有限公司",), "宝鸡陈仓机床厂", SELLER),
        (("采购方名称：杭州恒锐机电有限公司",), "杭州恒锐机电有限公司", ""),
    ],
)  # fmt: skip
def test_who_buys_is_said_by_the_paper_or_guessed(
    lines: tuple[str, ...], buyer: str, seller: str
) -> None:
    found = read(*lines)
    assert (found.buyer, found.seller) == (buyer, seller)
    guessed = found.doubts.get("buyer") is Doubt.SIDE_GUESSED
    assert guessed == (lines[0] == "甲方：杭州恒锐机电有限公司")


@pytest.mark.parametrize(
    ("terms", "prepaid", "due", "post_paid"),
    [
        ("预付30%，余款发货前付清", 11_640_000, None, False),
        ("预付款100,000.00元于2026年2月10日前支付", 10_000_000, date(2026, 2, 10), False),
        ("合同签订后5个工作日内支付定金20%", 7_760_000, date(2026, 1, 27), False),
        ("合同生效之日起十日内预付30%", 11_640_000, date(2026, 1, 30), False),
        ("货到后30日内付清全款", None, None, True),
        ("验收合格后一次性付清", None, None, True),
        ("双方另行商定", None, None, False),
    ],
)
def test_payment_terms(terms: str, prepaid: int | None, due: date | None, post_paid: bool) -> None:
    found = read(
        "签订日期：2026年1月20日", "合同金额：¥388,000.00元", f"付款方式：{terms}", "五、其他"
    )
    assert (found.prepayment_fen, found.prepayment_due_on, found.post_paid) == (
        prepaid, due, post_paid,
    )  # fmt: skip


def test_what_is_no_contract_is_none() -> None:
    assert not read("今日菜单", "红烧肉 38元", "合计 2 份").found
    assert not read().found


SCRAPS = (
    "合同编号：", "HT-2026-018", "甲方：", "乙方（卖方）：", HENGRUI, "合同总金额：", "¥388,000.00",
    "大写：", "叁拾捌万捌仟元整", "零元整", "九亿亿亿元整", "999999999999万元", "签订日期：",
    "2026年1月20日", "2026年2月31日", "付款方式：", "预付", "30%", "0%", "300%", "12万元",
    "签订后7日内", "签订后九十九个工作日内", "货到付款", "，", "。",
)  # fmt: skip
print_of_a_page = st.lists(st.sampled_from(SCRAPS), max_size=8).map("".join)


@given(st.lists(st.one_of(st.text(max_size=60), print_of_a_page), max_size=8))
def test_what_is_read_of_any_lines_is_sound(lines: list[str]) -> None:
    found = read(*lines)
    assert found.amount_fen is None or 0 < found.amount_fen <= MOST_FEN
    most = found.amount_fen or MOST_FEN
    assert found.prepayment_fen is None or 0 < found.prepayment_fen <= most
    assert not (found.prepayment_fen and found.post_paid)
    assert found.prepayment_due_on is None or found.prepayment_fen is not None
    assert (found.signed_on or date.max).year >= 2000
    assert found.doubts.keys() <= {field.name for field in fields(found)} | {"amount", "prepayment"}


def test_long_lines_take_no_long_time() -> None:
    """Each is longer than what anybody prints, and tells nothing but the words of a payment."""
    long_terms = "签订" * 10_000
    found = read(
        "合同总金额：" + "壹" * 20_000, "甲方：" + "公" * 20_000, "付款方式：" + long_terms
    )
    assert found == PaperContract(payment_terms=long_terms)
