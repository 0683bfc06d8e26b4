"""Figures: shares never leave 0..1, medians say of how many, promises are kept in time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.figures import Interval, Share, Spoken, TeamLights, promises_kept, wait_of
from tests.handlers.light_company import CALENDAR, SHANGHAI, at

MONDAY, FRIDAY = date(2026, 1, 26), date(2026, 1, 30)
HOURS = st.integers(0, 24 * 60)


def spoken(when: str, promise: str = "", *, deal: int = 1, contact: bool = True) -> Spoken:
    return Spoken(deal, at(when), promise, contact)


def kept(*stream: Spoken) -> Share:
    return promises_kept(stream, SHANGHAI, first=MONDAY, last=FRIDAY)


def test_a_night_is_no_working_time() -> None:
    wait = wait_of([Interval(at("2026-01-27T17:00"), at("2026-01-28T10:00"))], CALENDAR)
    assert (wait.median, wait.n) == (timedelta(hours=2), 1)


def test_what_lasts_is_counted_apart() -> None:
    wait = wait_of([Interval(at("2026-01-27T17:00"), None)], CALENDAR)
    assert (wait.median, wait.n, wait.open) == (None, 0, 1)


@given(st.lists(st.tuples(HOURS, HOURS), max_size=20))
def test_a_median_lies_between_the_shortest_and_the_longest(pairs: list[tuple[int, int]]) -> None:
    start = datetime(2026, 1, 26, 9, tzinfo=SHANGHAI)
    intervals = [
        Interval(start + timedelta(minutes=first), start + timedelta(minutes=first + length))
        for first, length in pairs
    ]
    wait = wait_of(intervals, CALENDAR)
    assert wait.n == len(pairs)
    if wait.median is not None:
        assert (
            timedelta(0) <= wait.median <= max(one.end - one.begin for one in intervals if one.end)
        )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_a_share_of_many_teams_stays_a_share(counts: list[tuple[int, int]]) -> None:
    total = sum((Share(part, part + rest) for part, rest in counts), Share())
    assert total.value is None if not total.whole else 0 <= total.value <= Fraction(1)


def test_a_call_on_the_promised_day_keeps_the_promise() -> None:
    assert kept(spoken("2026-01-26T10:00", "2026-01-28"), spoken("2026-01-28T17:00")) == Share(1, 1)


def test_a_call_the_day_after_breaks_it() -> None:
    assert kept(spoken("2026-01-26T10:00", "2026-01-28"), spoken("2026-01-29T09:00")) == Share(0, 1)


def test_an_unanswered_call_keeps_nothing() -> None:
    entries = spoken("2026-01-26T10:00", "2026-01-28"), spoken("2026-01-28T09:00", contact=False)
    assert kept(*entries) == Share(0, 1)


def test_promises_for_other_weeks_are_not_counted() -> None:
    assert kept(spoken("2026-01-26T10:00", "2026-02-02")) == Share(0, 0)


def test_the_oldest_of_two_teams_is_the_older_one() -> None:
    old, new = at("2026-01-05T10:00"), at("2026-01-12T10:00")
    assert (TeamLights(oldest=new) + TeamLights(oldest=old)).oldest == old
    assert (TeamLights() + TeamLights(oldest=old)).oldest == old
