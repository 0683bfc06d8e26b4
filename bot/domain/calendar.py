"""Working days and the three clocks that rules count on.

The facts (which days are off, which Saturdays are worked) come from config/policy/holidays.py;
years without facts fall back to Monday-Friday, and `covers` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import TypeVar
from zoneinfo import ZoneInfo

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

_DAY = timedelta(days=1)
_NOTHING = timedelta(0)

HOLIDAYS = ("元旦", "春节", "清明", "劳动节", "端午", "中秋", "国庆")

_FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})
"""Statutory days off whose date never moves: all that is known of an uncovered year."""

REMEMBERED = 4_096
"""So many answers of each kind are kept at most: a bot that runs on asks of ever new days."""

_SAME_BLOCK = timedelta(days=15)
"""Days of one holiday are closer together than this, even with another one in between."""


class ClockKind(StrEnum):
    """What a duration is counted on.

    WORKDAY: all 24 hours of a working day. OFFICE: its office hours. CALENDAR: every hour.
    """

    WORKDAY = "workday"
    OFFICE = "office"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class NamedDay:
    """One line of an official holiday table. off: False for a make-up working day."""

    day: date
    name: str
    off: bool


@dataclass(frozen=True, slots=True)
class HolidayBlock:
    """A holiday as people speak of it; "节后" is the first working day after `last`."""

    name: str
    first: date
    last: date


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked, in one zone.

    overrides: day -> is a workday, where the official table says so; other days of a covered
    year follow the week. covered_years: those with an official table. blocks: by first day.
    opens, closes: office hours, local. What begins with a line remembers answers: a sweep asks
    the same of thousands of leads.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    overrides: Mapping[date, bool] = field(default_factory=dict)
    covered_years: frozenset[int] = frozenset()
    blocks: tuple[HolidayBlock, ...] = ()
    opens: time = time(9)
    closes: time = time(18)
    _ranks: dict[int, tuple[int, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _later: dict[tuple[date, int], date] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _known: dict[tuple[ClockKind, date], tuple[datetime, datetime]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def with_table(self, days: Iterable[NamedDay], years: Iterable[int]) -> WorkingCalendar:
        """The same calendar, knowing the official tables of `years` as well.

        A table that names a year anew replaces what was known of it.
        """
        years = frozenset(years)
        days = tuple(days)
        told = {named.day for named in days}
        kept = {
            day: worked
            for day, worked in self.overrides.items()
            if day.year not in years and day not in told
        }
        blocks = [block for block in self.blocks if block.last.year not in years]
        return WorkingCalendar(
            zone=self.zone,
            overrides=kept | {named.day: not named.off for named in days},
            covered_years=self.covered_years | years,
            blocks=tuple(sorted([*blocks, *_blocks(days)], key=lambda block: block.first)),
            opens=self.opens,
            closes=self.closes,
        )

    def covers(self, day: date) -> bool:
        """Whether `day` is known from an official table, not guessed."""
        return day.year in self.covered_years

    def is_workday(self, day: date) -> bool:
        told = self.overrides.get(day)
        if told is not None:
            return told
        if not self.covers(day) and (day.month, day.day) in _FIXED_HOLIDAYS:
            return False
        return day.weekday() < 5

    def workdays_between(self, start: date, end: date) -> int:
        """Whole working days strictly between two days; 0 unless `end` lies later."""
        return self._count(start + _DAY, end)

    def next_workday(self, day: date) -> date:
        """The first working day after `day`."""
        return self.add_workdays(day, 1)

    def workday_from(self, day: date) -> date:
        """`day` itself if it is worked, else the next working day."""
        return day if self.is_workday(day) else self.next_workday(day)

    def add_workdays(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; `day` itself for 0."""
        assert count >= 0
        asked = day, count
        if asked not in self._later:
            while count:
                day += _DAY
                count -= self.is_workday(day)
            _remember(self._later, asked, day)
        return self._later[asked]

    def period_end(self, start: date, days: int) -> date:
        """Last day of a period of calendar days: the first day does not count, and an end on
        a day off moves to the next working day (Civil Code, articles 201 and 203)."""
        return self.workday_from(start + days * _DAY)

    def block_after(self, day: date, name: str = "") -> HolidayBlock | None:
        """The first holiday, or the first one called `name`, that ends after `day`."""
        for block in self.blocks:
            if block.last > day and name in ("", block.name):
                return block
        return None

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def day_of(self, at: datetime) -> date:
        return self.local(at).date()

    def moment(self, day: date, clock: time) -> datetime:
        """The UTC moment at which local clocks show `clock` on `day`."""
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)

    def midnight(self, day: date) -> datetime:
        """The UTC moment at which `day` begins."""
        return self.moment(day, time.min)

    def elapsed(self, clock: ClockKind, start: datetime, end: datetime) -> timedelta:
        """How far `clock` ran from `start` to `end`; zero unless `end` lies later."""
        if end <= start:
            return _NOTHING
        if clock is ClockKind.CALENDAR:
            return end - start
        first, last = self.day_of(start), self.day_of(end)
        if first == last:
            return self._overlap(clock, first, start, end)
        between = self.workdays_between(first, last) * self._day_length(clock)
        opening = self._overlap(clock, first, start, self.midnight(first + _DAY))
        return opening + between + self._overlap(clock, last, self.midnight(last), end)

    def add(self, clock: ClockKind, start: datetime, duration: timedelta) -> datetime:
        """The earliest moment, in UTC, from `start` on at which `clock` has run `duration`."""
        start = start.astimezone(UTC)
        if clock is ClockKind.CALENDAR or duration <= _NOTHING:
            return start + max(duration, _NOTHING)
        for opens, closes in self._windows(clock, self.day_of(start)):
            begin = max(opens, start)
            if closes - begin >= duration:
                return begin + duration
            duration -= max(closes - begin, _NOTHING)
        raise AssertionError("windows never end")

    def _windows(self, clock: ClockKind, day: date) -> Iterator[tuple[datetime, datetime]]:
        day = self.workday_from(day)
        while True:
            yield self._window(clock, day)
            day = self.next_workday(day)

    def _window(self, clock: ClockKind, day: date) -> tuple[datetime, datetime]:
        asked = clock, day
        if asked not in self._known:
            office = clock is ClockKind.OFFICE
            window = (
                (self.moment(day, self.opens), self.moment(day, self.closes))
                if office
                else (self.midnight(day), self.midnight(day + _DAY))
            )
            _remember(self._known, asked, window)
        return self._known[asked]

    def _overlap(self, clock: ClockKind, day: date, start: datetime, end: datetime) -> timedelta:
        if not self.is_workday(day):
            return _NOTHING
        opens, closes = self._window(clock, day)
        return max(min(closes, end) - max(opens, start), _NOTHING)

    def _day_length(self, clock: ClockKind) -> timedelta:
        if clock is ClockKind.WORKDAY:
            return _DAY
        return datetime.combine(date.min, self.closes) - datetime.combine(date.min, self.opens)

    def _count(self, first: date, end: date) -> int:
        """Working days from `first` up to, not including, `end`."""
        if first >= end:
            return 0
        total = 0
        for year in range(first.year, end.year + 1):
            ranks = self._ranks_of(year)
            total += ranks[_index(end)] if year == end.year else ranks[-1]
            total -= ranks[_index(first)] if year == first.year else 0
        return total

    def _ranks_of(self, year: int) -> tuple[int, ...]:
        """For each day of the year: how many of its days before that one are worked."""
        if year not in self._ranks:
            first = date(year, 1, 1)
            length = (date(year + 1, 1, 1) - first).days
            worked = (self.is_workday(first + index * _DAY) for index in range(length))
            _remember(self._ranks, year, tuple(accumulate(worked, initial=0)))
        return self._ranks[year]


def _remember(answers: dict[_Asked, _Answer], asked: _Asked, answer: _Answer) -> None:
    """Forgets all where they are too many: the newest are asked for again at once."""
    if len(answers) >= REMEMBERED:
        answers.clear()
    answers[asked] = answer


def _index(day: date) -> int:
    return day.timetuple().tm_yday - 1


def _blocks(days: tuple[NamedDay, ...]) -> list[HolidayBlock]:
    blocks: list[HolidayBlock] = []
    for name in HOLIDAYS:
        for day in sorted(named.day for named in days if named.off and name in named.name):
            if blocks and blocks[-1].name == name and day - blocks[-1].last < _SAME_BLOCK:
                blocks[-1] = HolidayBlock(name, blocks[-1].first, day)
            else:
                blocks.append(HolidayBlock(name, day, day))
    return blocks
