"""What of a person's numbers may be read in chats and logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.masking import masked


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("王总电话13812345678", "王总电话138****5678"),
        ("+86 138-1234-5678，记得打", "138****5678，记得打"),
        ("电话-13812345678。", "电话-138****5678。"),
        ("身份证33010619900307123X", "身份证330***********123X"),
        ("打到 6222 0212 3456 7890 128", "打到 **** 0128"),
        ("卡号4111111111111111", "卡号**** 1111"),
        ("卡号4111111111111112", "卡号4111111111111112"),  # no such card
        ("合同 HT-2026-021，PO20261127-03", "合同 HT-2026-021，PO20261127-03"),
        ("顺丰SF13812345678", "顺丰SF13812345678"),
        ("订单PO-13812345678", "订单PO-13812345678"),
        ("单号138123456789", "单号138123456789"),
        ("座机0571-88886666，金额1381234万", "座机0571-88886666，金额1381234万"),
        ("税号91330100799655058B", "税号91330100799655058B"),
        ("2026年11月27日 10:20，126万", "2026年11月27日 10:20，126万"),
    ],
)
def test_what_is_a_persons_is_not_readable(said: str, shown: str) -> None:
    assert masked(said) == shown


@given(st.integers(min_value=3, max_value=9), st.integers(min_value=0, max_value=10**9 - 1))
def test_no_mobile_stays_whole(second: int, rest: int) -> None:
    number = f"1{second}{rest:09}"
    assert number not in masked(f"找{number}谈")
    assert masked(masked(number)) == masked(number)


@given(st.text())
def test_whatever_is_said_it_is_masked_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)
