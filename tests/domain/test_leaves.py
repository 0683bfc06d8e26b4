"""Approved leaves as days away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.leaves import Leave, back_at
from config.policy import load_calendar

CALENDAR = load_calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone)


def leave(begins: str, ends: str) -> Leave:
    return Leave("zhang", at(begins), at(ends))


@pytest.mark.parametrize(
    ("leaves", "now", "back"),
    [
        ([leave("2026-01-28", "2026-01-30")], "2026-01-28T09:00", "2026-01-30"),
        ([leave("2026-01-28", "2026-01-30")], "2026-01-27T09:00", None),
        ([leave("2026-01-28", "2026-01-30")], "2026-01-30T09:00", None),
        # by the hour: from opening to closing is a day, an appointment is none
        ([leave("2026-01-28T09:00", "2026-01-28T18:00")], "2026-01-28T08:00", "2026-01-29"),
        ([leave("2026-01-28T14:00", "2026-01-28T16:00")], "2026-01-28T15:00", None),
        # two halves of a day, with noon between
        ([leave("2026-01-28T13:00", "2026-01-28T18:00"),
          leave("2026-01-28T09:00", "2026-01-28T12:00")], "2026-01-28T08:00", "2026-01-29"),
        # one that overlaps another, and one that begins after a weekend
        ([leave("2026-01-28", "2026-01-31"), leave("2026-01-29", "2026-01-30"),
          leave("2026-02-02", "2026-02-03")], "2026-01-28T08:00", "2026-02-03"),
        # a weekend before a day of work belongs to nobody's leave
        ([leave("2026-01-30", "2026-01-31")], "2026-01-30T08:00", "2026-01-31"),
        # somebody mistyped the year
        ([leave("2026-01-28", "9026-01-29")], "2026-01-28T09:00", "2027-01-30"),
        ([], "2026-01-28T08:00", None),
    ],
)  # fmt: skip
def test_a_leave_is_days_away(leaves: list[Leave], now: str, back: str | None) -> None:
    assert back_at(leaves, at(now), CALENDAR) == (at(back) if back else None)


moments = st.integers(0, 60 * 24).map(
    lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
some_leaves = st.lists(
    st.builds(
        lambda begins, hours: Leave("zhang", begins, begins + timedelta(hours=hours)),
        moments,
        st.integers(0, 400),
    ),
    max_size=5,
)


@given(leaves=some_leaves, now=moments, data=st.data())
def test_the_order_of_leaves_says_nothing_and_the_end_is_to_come(
    leaves: list[Leave], now: datetime, data: st.DataObject
) -> None:
    back = back_at(leaves, now, CALENDAR)
    assert back_at(data.draw(st.permutations(leaves)), now, CALENDAR) == back
    if back is not None:
        assert back > now
        assert back_at(leaves, back, CALENDAR) is None or not CALENDAR.is_workday(
            CALENDAR.day_of(back)
        )
