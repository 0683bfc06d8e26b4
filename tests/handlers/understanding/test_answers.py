from __future__ import annotations

from datetime import datetime

import pytest

from bot.domain.activities import Moment
from handlers.understanding.reader import Reader


@pytest.mark.parametrize(
    ("slot", "text", "value"),
    [
        ("duration_min", "25分钟", 25),
        ("duration_min", "大概25吧", 25),
        ("duration_min", "半小时", 30),
        ("next_contact", "周三", Moment.parse("2026-06-17")),
        ("next_contact", "下周一上午10点", Moment.parse("2026-06-15T10:00")),
        ("objections", "嫌贵", ("price_high",)),
        ("objections", "价格和交期", ("price_high", "lead_time")),
        ("objections", "没有异议", ()),
        ("contact", "王总", "王总"),
        ("contact", "是李经理", "李经理"),
        ("contact", "张伟", "张伟"),
        ("amount_fen", "12万8", 12_800_000),
        ("amount_fen", "128000", 12_800_000),
        ("customer_received", "收到了", True),
        ("customer_received", "还没收到", False),
    ],
)
def test_a_bare_answer_fills_the_slot_asked_for(
    slot: str, text: str, value: object, reader: Reader, now: datetime
) -> None:
    assert reader.read_answer(text, slot, now=now) == value


@pytest.mark.parametrize(
    ("slot", "text"),
    [
        ("duration_min", "周三"),
        ("next_contact", "25分钟"),
        ("next_contact", "过两天"),
        ("objections", "周三"),
        ("contact", "12万8"),
        ("amount_fen", "王总"),
        ("customer_received", "周三"),
        ("unheard_of", "是"),
        ("duration_min", ""),
        ("duration_min", "长" * 100),
    ],
)
def test_what_is_no_answer_to_the_question_is_none(
    slot: str, text: str, reader: Reader, now: datetime
) -> None:
    assert reader.read_answer(text, slot, now=now) is None
