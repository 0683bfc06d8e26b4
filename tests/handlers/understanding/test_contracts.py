"""What a sentence says of a contract."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from config.policy import load_calendar
from handlers.understanding.contracts import SaidContract, read_contract

CALENDAR = load_calendar()
NOW = datetime(2026, 1, 14, 10, 0, tzinfo=CALENDAR.zone)
WAN = 1_000_000


def said(
    number: str | None = "HT-2026-018",
    amount_fen: int | None = 35 * WAN,
    signed_on: date | None = None,
    prepayment_fen: int | None = None,
    due_on: date | None = None,
    *,
    post_paid: bool = False,
) -> SaidContract:
    return SaidContract(number, amount_fen, signed_on, prepayment_fen, due_on, post_paid)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "恒锐机电合同签了，HT-2026-018，35万，预付30%，1月28日前付",
            said(prepayment_fen=10_500_000, due_on=date(2026, 1, 28)),
        ),
        ("合同HT-2026-018签了，35万，预付款10万", said(prepayment_fen=10 * WAN)),
        ("恒锐机电 ht-2026-018 金额35万 预付三成", said(prepayment_fen=10_500_000)),
        (
            "合同 HT-2026-018，1月12日签的，总价35万，定金5万1月20日前到账",
            said(signed_on=date(2026, 1, 12), prepayment_fen=5 * WAN, due_on=date(2026, 1, 20)),
        ),
        ("合同HT-2026-018签了，35万，货到付款", said(post_paid=True)),
        ("合同HT-2026-018签了，35万，月结", said(post_paid=True)),
        ("合同签了，35万", said(number=None)),
        ("合同HT-2026-018签了", said(amount_fen=None)),
        ("合同XS20260118签了，10.01元，预付50%", said("XS20260118", 1001, None, 501)),
    ],
)
def test_what_is_said_is_read_and_the_rest_is_left_open(text: str, expected: SaidContract) -> None:
    assert read_contract(text, NOW, CALENDAR) == expected
