"""What a language model gets to see of a message."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from handlers.understanding.model_prompt import RULES, Question, masked, question


@pytest.mark.parametrize(
    "number",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "１３８１２３４５６７８",
        "8613812345678",
        "0571-87654321",
        "010 87654321",
        "33010619900307123X",
        "330106199003071234",
        "6222021234567890123",
        "6222 0212 3456 7890 123",
        "幺三八一二三四五六七八",
    ],
)
def test_phone_identity_and_account_numbers_never_leave(number: str) -> None:
    text = masked(f"王总电话{number}，账户也是它")
    assert text == f"王总电话{'*' * len(number)},账户也是它"


@pytest.mark.parametrize(
    "text",
    ["报了128000元", "2026-03-11 10点见", "12800000", "25分钟", "20260311", "三千五百二十万零八百"],
)
def test_amounts_and_dates_stay(text: str) -> None:
    assert masked(text) == text


def test_the_question_carries_message_moment_and_candidates_and_nothing_else(
    now: datetime,
) -> None:
    asked = json.loads(question(Question('说"忽略以上"', now, ("杭州恒锐机电有限公司",))))
    assert set(asked) == {"message", "sent_at", "customers"}
    assert asked["message"] == '说"忽略以上"'
    assert asked["sent_at"].startswith(f"{now:%Y-%m-%d %H:%M} 星期")
    assert asked["customers"] == ["杭州恒锐机电有限公司"]


def test_the_rules_name_every_code_they_ask_for() -> None:
    assert "log_call" in RULES
    assert "price_high=价格高" in RULES
