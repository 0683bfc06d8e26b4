"""Days and clocks (B1), on the real calendar of 2026."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import REMEMBERED, ClockKind, NamedDay, WorkingCalendar
from config.policy import load_calendar

CALENDAR = load_calendar()
SHANGHAI = ZoneInfo("Asia/Shanghai")

days = st.dates(date(2025, 6, 1), date(2027, 6, 1))
moments = st.timedeltas(timedelta(0), timedelta(days=730)).map(
    lambda later: datetime(2025, 6, 1, tzinfo=UTC) + later
)
spans = st.timedeltas(timedelta(0), timedelta(days=20))
working_clocks = st.sampled_from([ClockKind.WORKDAY, ClockKind.OFFICE])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 1, 28), True),
        (date(2026, 1, 31), False),  # a Saturday
        (date(2026, 2, 14), True),  # make-up Saturday before Spring Festival
        (date(2026, 2, 15), False),
        (date(2026, 2, 16), False),  # a Monday of the festival
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 2, 28), True),  # make-up Saturday after it
        (date(2026, 10, 10), True),
        (date(2027, 1, 1), False),  # not yet announced: a fixed statutory day
        (date(2027, 2, 8), True),  # not yet announced: taken for a plain Monday
    ],
)
def test_workdays_follow_the_official_calendar(day: date, worked: bool) -> None:
    assert CALENDAR.is_workday(day) is worked


def test_years_without_a_table_are_said_to_be_uncovered() -> None:
    assert CALENDAR.covers(date(2026, 12, 31))
    assert not CALENDAR.covers(date(2027, 1, 4))


@pytest.mark.parametrize(
    ("start", "end", "gap"),
    [
        (date(2026, 1, 28), date(2026, 1, 28), 0),
        (date(2026, 1, 28), date(2026, 1, 29), 0),
        (date(2026, 1, 30), date(2026, 2, 2), 0),  # Friday to Monday
        (date(2026, 1, 30), date(2026, 2, 3), 1),
        (date(2026, 1, 30), date(2026, 1, 26), 0),  # backwards
        (date(2026, 2, 13), date(2026, 2, 24), 1),  # only the make-up Saturday lies between
        (date(2026, 2, 27), date(2026, 3, 2), 1),  # make-up Saturday
        (date(2025, 12, 31), date(2026, 1, 5), 1),  # new year, 01-04 is worked
    ],
)
def test_a_gap_counts_whole_working_days_strictly_between(start: date, end: date, gap: int) -> None:
    assert CALENDAR.workdays_between(start, end) == gap


@given(days, days)
def test_the_fast_count_agrees_with_counting_day_by_day(start: date, end: date) -> None:
    between = (start + timedelta(days=n) for n in range(1, max((end - start).days, 1)))
    assert CALENDAR.workdays_between(start, end) == sum(map(CALENDAR.is_workday, between))


@given(days, st.integers(1, 60))
def test_adding_workdays_lands_on_a_workday_with_the_others_before_it(day: date, n: int) -> None:
    end = CALENDAR.add_workdays(day, n)
    assert CALENDAR.is_workday(end)
    assert CALENDAR.workdays_between(day, end) == n - 1


def test_a_bot_that_runs_for_ever_does_not_remember_every_day() -> None:
    calendar = WorkingCalendar()

    def ask(first: int, last: int) -> int:
        for number in range(first, last):
            calendar.add_workdays(date(2000, 1, 1) + timedelta(days=number), 3)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    soon, later = ask(0, 2 * REMEMBERED), ask(2 * REMEMBERED, 8 * REMEMBERED)
    tracemalloc.stop()
    assert later < 1.2 * soon
    assert calendar.add_workdays(date(2026, 3, 6), 3) == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("clock", "start", "end", "hours"),
    [
        (ClockKind.WORKDAY, "2026-01-30T15:00", "2026-02-02T15:00", 24),
        (ClockKind.CALENDAR, "2026-01-30T15:00", "2026-02-02T15:00", 72),
        (ClockKind.OFFICE, "2026-01-30T15:00", "2026-02-02T15:00", 9),
        (ClockKind.WORKDAY, "2026-02-13T12:00", "2026-02-24T12:00", 48),
        (ClockKind.OFFICE, "2026-02-14T17:00", "2026-02-24T10:00", 2),
        (ClockKind.OFFICE, "2026-01-28T19:00", "2026-01-29T08:00", 0),
        (ClockKind.OFFICE, "2026-01-28T08:00", "2026-01-28T23:00", 9),
        (ClockKind.WORKDAY, "2026-01-29T12:00", "2026-01-28T12:00", 0),
    ],
)
def test_clocks_stand_still_outside_their_hours(
    clock: ClockKind, start: str, end: str, hours: int
) -> None:
    assert CALENDAR.elapsed(clock, at(start), at(end)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("clock", "start", "hours", "end"),
    [
        (ClockKind.OFFICE, "2026-01-28T14:00", 4, "2026-01-28T18:00"),
        (ClockKind.OFFICE, "2026-01-28T16:00", 4, "2026-01-29T11:00"),
        (ClockKind.OFFICE, "2026-01-30T17:00", 4, "2026-02-02T12:00"),
        (ClockKind.OFFICE, "2026-01-28T22:00", 4, "2026-01-29T13:00"),
        (ClockKind.WORKDAY, "2026-02-14T12:00", 72, "2026-02-26T12:00"),
        (ClockKind.CALENDAR, "2026-02-14T12:00", 72, "2026-02-17T12:00"),
        (ClockKind.OFFICE, "2026-01-31T12:00", 0, "2026-01-31T12:00"),
    ],
)
def test_adding_to_a_clock(clock: ClockKind, start: str, hours: int, end: str) -> None:
    assert CALENDAR.add(clock, at(start), timedelta(hours=hours)) == at(end)


@given(working_clocks, moments, spans)
def test_what_was_added_has_elapsed(clock: ClockKind, start: datetime, span: timedelta) -> None:
    end = CALENDAR.add(clock, start, span)
    assert CALENDAR.elapsed(clock, start, end) == span


@given(working_clocks, moments, spans, spans)
def test_elapsed_time_adds_up(
    clock: ClockKind, start: datetime, first: timedelta, second: timedelta
) -> None:
    middle, end = start + first, start + first + second
    parts = CALENDAR.elapsed(clock, start, middle) + CALENDAR.elapsed(clock, middle, end)
    assert CALENDAR.elapsed(clock, start, end) == parts


def test_a_legal_period_ends_on_the_next_workday() -> None:
    assert CALENDAR.period_end(date(2026, 2, 2), 7) == date(2026, 2, 9)
    assert CALENDAR.period_end(date(2026, 2, 9), 7) == date(2026, 2, 24)


def test_midnight_is_local_and_stored_in_utc() -> None:
    assert CALENDAR.midnight(date(2026, 1, 28)) == datetime(2026, 1, 27, 16, tzinfo=UTC)
    assert CALENDAR.day_of(datetime(2026, 1, 27, 16, tzinfo=UTC)) == date(2026, 1, 28)
    assert CALENDAR.day_of(datetime(2026, 1, 27, 15, 59, tzinfo=UTC)) == date(2026, 1, 27)


def test_holidays_are_known_by_name() -> None:
    festival = CALENDAR.block_after(date(2026, 1, 28), "春节")
    assert festival is not None
    assert (festival.first, festival.last) == (date(2026, 2, 15), date(2026, 2, 23))
    assert CALENDAR.next_workday(festival.last) == date(2026, 2, 24)
    following = CALENDAR.block_after(date(2026, 5, 20))
    assert following is not None
    assert following.name == "端午"
    assert CALENDAR.block_after(date(2026, 12, 1)) is None


def test_a_holiday_inside_another_one_keeps_its_own_name() -> None:
    """In 2025 中秋 fell into 国庆."""
    moon = CALENDAR.block_after(date(2025, 9, 1), "中秋")
    nation = CALENDAR.block_after(date(2025, 9, 1), "国庆")
    assert moon is not None
    assert nation is not None
    assert (moon.first, moon.last) == (date(2025, 10, 6), date(2025, 10, 6))
    assert (nation.first, nation.last) == (date(2025, 10, 1), date(2025, 10, 8))


def test_an_imported_table_takes_over_its_year() -> None:
    table = [
        NamedDay(date(2027, 2, 5), "春节", off=True),
        NamedDay(date(2027, 2, 6), "春节", off=True),
        NamedDay(date(2027, 1, 30), "春节", off=False),
    ]
    extended = CALENDAR.with_table(table, [2027])
    assert extended.covers(date(2027, 6, 1))
    assert not extended.is_workday(date(2027, 2, 5))
    assert extended.is_workday(date(2027, 1, 30))
    assert extended.is_workday(date(2027, 10, 1)), "a covered year needs no guessing"
    assert extended.is_workday(date(2026, 2, 14)), "other years stay"
    corrected = extended.with_table([], [2027])
    assert corrected.is_workday(date(2027, 2, 5)), "a new table replaces the old one"
    assert corrected.block_after(date(2027, 1, 1)) is None


def test_a_calendar_without_any_table_still_works() -> None:
    bare = WorkingCalendar(opens=time(8), closes=time(17))
    assert bare.elapsed(
        ClockKind.OFFICE, at("2026-01-28T07:00"), at("2026-01-29T07:00")
    ) == timedelta(hours=9)
