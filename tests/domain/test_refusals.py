"""Shares, the other view and the trend of refusals (B19)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.activities import OBJECTIONS
from bot.domain.refusals import ENOUGH, WHOLE, Loss, Refusals, count, split

MONDAY = datetime(2026, 1, 26, tzinfo=UTC)
WEEK = timedelta(days=7)

codes = st.sampled_from(sorted(OBJECTIONS))
losses = st.lists(
    st.builds(
        Loss,
        opportunity_id=st.integers(1, 40),
        account_id=st.just(1),
        actor_id=st.just(1),
        lost_at=st.integers(0, 14 * 24).map(lambda hours: MONDAY - WEEK + timedelta(hours=hours)),
        primary=st.none() | codes,
        reasons=st.lists(codes, max_size=3).map(tuple),
        text=st.just(""),
    ),
    max_size=80,
)


def lost(number: int, primary: str | None, *others: str, at: datetime = MONDAY) -> Loss:
    reasons = (primary, *others) if primary else others
    return Loss(number, number, 1, at, primary, reasons, "")


def of_week(*told: Loss) -> Refusals:
    return count(told, since=MONDAY, until=MONDAY + WEEK)


def shares(report: Refusals) -> list[tuple[str, int, int, int | None]]:
    return [(one.code, one.count, one.tenths, one.change) for one in report.shares]


@given(st.dictionaries(codes, st.integers(1, 10_000)))
def test_the_shares_of_all_reasons_make_a_hundred_percent(told: dict[str, int]) -> None:
    tenths = split(Counter(told))
    assert sum(tenths.values()) == (WHOLE if told else 0)
    total = sum(told.values())
    for code, share in tenths.items():
        assert abs(share - told[code] * WHOLE / total) < 1


@given(losses)
def test_every_deal_counts_once_with_one_primary_reason(told: list[Loss]) -> None:
    report = of_week(*told)
    deals = {one.opportunity_id for one in told if MONDAY <= one.lost_at < MONDAY + WEEK}
    assert report.lost == len(deals)
    assert sum(one.count for one in report.shares) == report.told <= report.lost
    assert sum(one.tenths for one in report.shares) == (WHOLE if report.told else 0)
    assert all(one.count <= dict(report.mentioned)[one.code] for one in report.shares)


def test_thirds_are_rounded_so_that_they_add_up() -> None:
    report = of_week(lost(1, "budget"), lost(2, "timing"), lost(3, "no_need"))
    assert [one.tenths for one in report.shares] == [334, 333, 333]


def test_all_reasons_stand_in_the_other_view_and_only_one_in_the_shares() -> None:
    report = of_week(lost(1, "price_high", "competitor"), lost(2, "competitor"), lost(3, None))
    assert shares(report) == [("competitor", 1, 500, None), ("price_high", 1, 500, None)]
    assert report.mentioned == (("competitor", 2), ("price_high", 1))
    assert (report.lost, report.told) == (3, 2)


def test_a_deal_lost_again_counts_with_its_newest_reason() -> None:
    again = lost(1, "timing", at=MONDAY + timedelta(days=1))
    assert shares(of_week(again, lost(1, "budget"))) == [("timing", 1, 1000, None)]


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [(ENOUGH, ENOUGH, 500), (ENOUGH - 1, ENOUGH, None), (ENOUGH, ENOUGH - 1, None)],
)
def test_a_trend_wants_two_periods_with_enough(before: int, now: int, change: int | None) -> None:
    """Last week half of them, this week all."""
    earlier = [
        lost(n, "budget" if n % 2 else "timing", at=MONDAY - timedelta(days=1))
        for n in range(before)
    ]
    report = of_week(*earlier, *(lost(100 + n, "budget") for n in range(now)))
    assert report.shares[0].change == change
    assert report.enough is (now >= ENOUGH)


def test_the_period_begins_at_its_first_moment_and_ends_before_its_last() -> None:
    first, after = lost(1, "budget"), lost(2, "budget", at=MONDAY + WEEK)
    assert of_week(first, after).lost == 1
