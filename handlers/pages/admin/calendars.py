"""`/admin/calendar`: which days are worked, holidays and make-up days, a year at a time."""

from __future__ import annotations

import calendar as months_of
from dataclasses import dataclass
from datetime import date

from bot.domain.calendar import WorkingCalendar
from bot.errors import InvalidInput
from handlers.pages.admin.rooms import Asked, Room
from handlers.texts import admin as texts
from handlers.texts.pages import day as day_words

FIRST, LAST = 2004, 2099


@dataclass(frozen=True, slots=True)
class Day:
    """kind: "", "off" at a weekend, "holiday", "makeup"; outside: of another month."""

    number: int
    kind: str
    outside: bool
    today: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month as weeks of days."""

    label: str
    workdays: int
    weeks: tuple[tuple[Day, ...], ...]


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """covered: whether the official table of the year is known. blocks: (name, from, to)."""

    year: int
    covered: bool
    known: str
    zone: str
    hours: str
    workdays: int
    months: tuple[Month, ...]
    blocks: tuple[tuple[str, str, str], ...]
    makeup: tuple[str, ...]


async def shown(room: Room, asked: Asked) -> CalendarPage:
    """Raises InvalidInput for a year that is none."""
    calendar = room.office.calendar
    today = calendar.day_of(room.at)
    words = asked.get("year", str(today.year))
    if not (words.isdecimal() and len(words) == 4 and FIRST <= int(words) <= LAST):
        raise InvalidInput(texts.NO_KIND)
    year = int(words)
    months = tuple(_month(calendar, year, month, today) for month in range(1, 13))
    covered = sorted(calendar.covered_years)
    return CalendarPage(
        year=year,
        covered=year in calendar.covered_years,
        known=f"{covered[0]}–{covered[-1]}" if covered else "",
        zone=texts.zone(room.at.astimezone(calendar.zone)),
        hours=f"{calendar.opens:%H:%M}–{calendar.closes:%H:%M}",
        workdays=sum(one.workdays for one in months),
        months=months,
        blocks=tuple(
            (
                one.name,
                day_words(one.first, date(year, 1, 1)),
                day_words(one.last, date(year, 1, 1)),
            )
            for one in calendar.blocks
            if one.first.year == year
        ),
        makeup=tuple(
            day_words(day, date(year, 1, 1))
            for day, worked in sorted(calendar.overrides.items())
            if day.year == year and worked and day.weekday() >= 5
        ),
    )


def _month(calendar: WorkingCalendar, year: int, month: int, today: date) -> Month:
    weeks = months_of.Calendar().monthdatescalendar(year, month)
    own = [day for week in weeks for day in week if day.month == month]
    return Month(
        label=f"{month}月",
        workdays=sum(calendar.is_workday(day) for day in own),
        weeks=tuple(
            tuple(
                Day(day.day, _kind(calendar, day), day.month != month, day == today) for day in week
            )
            for week in weeks
        ),
    )


def _kind(calendar: WorkingCalendar, day: date) -> str:
    worked, weekend = calendar.is_workday(day), day.weekday() >= 5
    if worked:
        return "makeup" if weekend else ""
    named = any(one.first <= day <= one.last for one in calendar.blocks)
    return "holiday" if named or not weekend else "off"
