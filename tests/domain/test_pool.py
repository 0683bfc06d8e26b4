"""When a customer nobody works on goes to the pool: counted in working days, never unwarned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import WorkingCalendar
from bot.domain.policy import CustomerPolicy
from bot.domain.pool import Fate, Idle, judge_idle

CALENDAR = WorkingCalendar()
POLICY = CustomerPolicy(pool_after_workdays=30)
SINCE = datetime(2026, 3, 2, 2, tzinfo=UTC)  # a Monday


def idle(**more: object) -> Idle:
    return Idle(1, "恒锐机电", 2, SINCE, **more)  # type: ignore[arg-type]


def moments(start: datetime) -> tuple[datetime, datetime]:
    """When the owner is warned and when the customer goes, if nothing happens."""
    known, at = idle(), start
    warned = gone = None
    while gone is None:
        judged = judge_idle(known, policy=POLICY, calendar=CALENDAR, at=at)
        if judged.fate is Fate.POOL:
            gone = at
        elif judged.fate is Fate.WARN:
            warned, known = at, idle(warned_at=at)
        assert gone is not None or (judged.next_at is not None and judged.next_at > at)
        at = judged.next_at or at
    assert warned is not None
    return warned, gone


def test_a_warning_comes_five_working_days_before() -> None:
    warned, gone = moments(SINCE)
    assert CALENDAR.workdays_between(SINCE.date(), CALENDAR.day_of(warned)) == 25
    assert CALENDAR.workdays_between(SINCE.date(), CALENDAR.day_of(gone)) == 30
    assert CALENDAR.local(gone).time() == CALENDAR.opens


@given(st.integers(0, 400))
def test_whoever_is_looked_at_late_is_warned_first_all_the_same(days: int) -> None:
    warned, gone = moments(SINCE + timedelta(days=days))
    notice = CALENDAR.workdays_between(CALENDAR.day_of(warned), CALENDAR.day_of(gone)) + 1
    assert notice >= POLICY.pool_warn_workdays
    assert CALENDAR.is_workday(CALENDAR.day_of(gone))


def test_an_action_after_the_warning_keeps_the_customer() -> None:
    warned, gone = moments(SINCE)
    acted = Idle(1, "恒锐机电", 2, since=warned + timedelta(hours=1), warned_at=warned)
    judged = judge_idle(acted, policy=POLICY, calendar=CALENDAR, at=gone)
    assert judged.fate is Fate.STAY


def test_what_is_won_or_whose_owner_is_away_stays() -> None:
    late = SINCE + timedelta(days=300)
    back = late + timedelta(days=3)
    for kept in (idle(exempt=True), idle(away_until=back)):
        judged = judge_idle(kept, policy=POLICY, calendar=CALENDAR, at=late)
        assert judged.fate is Fate.STAY
        assert judged.next_at is not None
        assert CALENDAR.day_of(judged.next_at) > date(2026, 12, 1)
