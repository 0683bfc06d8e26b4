"""Who is away by an approval of the platform: which days that takes, and when they are back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.calendar import WorkingCalendar

AT_WORK = timedelta(hours=2)
"""Whoever is in the office for less on a day is away on it: two half days of leave leave an hour
at noon. Hours at the doctor's take no day."""

LONGEST = timedelta(days=366)
"""What is longer is looked at again when that is over."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Leave:
    """An approved one. user_id: of the platform. [begins_at, ends_at), aware."""

    user_id: str
    begins_at: datetime
    ends_at: datetime


def back_at(leaves: Iterable[Leave], at: datetime, calendar: WorkingCalendar) -> datetime | None:
    """When somebody with these leaves, who is away today, is back, in UTC: the midnight after the
    last day away with no working day between. None: not away today."""
    taken = sorted((leave.begins_at, leave.ends_at) for leave in leaves)
    today = day = calendar.day_of(at)
    if not _takes(taken, today, calendar):
        return None
    while day - today < LONGEST:
        next_day = day + _DAY
        following = next_day if _takes(taken, next_day, calendar) else calendar.next_workday(day)
        if not _takes(taken, following, calendar):
            break
        day = following
    return calendar.midnight(day + _DAY)


def _takes(
    taken: Iterable[tuple[datetime, datetime]], day: date, calendar: WorkingCalendar
) -> bool:
    """Whether next to nothing is left of the office hours. taken: the earliest first."""
    free_from, closes = (calendar.moment(day, one) for one in (calendar.opens, calendar.closes))
    left = timedelta()
    for begins_at, ends_at in taken:
        left += max(min(begins_at, closes) - free_from, timedelta())
        free_from = max(free_from, min(ends_at, closes))
    return left + max(closes - free_from, timedelta()) < AT_WORK
