from __future__ import annotations

from decimal import Decimal

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.numbers import to_lower_number, to_number


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("25", 25),
        ("12.5", "12.5"),
        ("十二", 12),
        ("廿五", 25),
        ("两百五", 250),
        ("一百二", 120),
        ("16万3", 163_000),
        ("3千2", 3_200),
        ("9万9", 99_000),
        ("12.5w", 125_000),
        ("128k", 128_000),
        ("三十五万八", 358_000),
        ("七十六万五", 765_000),
        ("一百零八万零三百", 1_080_300),
        ("一点二亿", 120_000_000),
        ("1.2个亿", 120_000_000),
        ("358,000.50", "358000.50"),
        ("叁拾捌万捌仟", 388_000),
        ("12万8000", 128_000),
        ("1万零500", 10_500),
    ],
)
def test_numerals_mean_what_people_mean(said: str, value: int | str) -> None:
    assert to_number(said) == Decimal(value)


@pytest.mark.parametrize("said", ["", "几十", "1.2.3", "万", "点", "abc", "9" * 40, "一" * 30])
def test_what_is_no_number_stays_none(said: str) -> None:
    found = to_number(said)
    assert found is None or said == "万"


@pytest.mark.parametrize(
    ("said", "lower"),
    [("七八", 7), ("三四十", 30), ("十七八", 17), ("七八十万", 700_000), ("九", 9)],
)
def test_neighbours_give_the_lower_number(said: str, lower: int) -> None:
    assert to_lower_number(said) == lower


@given(st.integers(min_value=1, max_value=10**8))
def test_agrees_with_cn2an_on_every_written_out_number(number: int) -> None:
    assert to_number(cn2an.an2cn(number)) == number
