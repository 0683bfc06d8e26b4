"""Figures about the process: how whole the records are, how fast lights are answered, how many
leads are lit, how soon a new lead is contacted, which promises are kept. Counts come in, shares
and medians go out; every one carries its n."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.domain.activities import Moment
from bot.domain.calendar import ClockKind, WorkingCalendar

LEAST_TO_RANK = 5
"""People in a team below which it is not ranked."""


@dataclass(frozen=True, slots=True)
class Share:
    """part of whole, both counts."""

    part: int = 0
    whole: int = 0

    @property
    def value(self) -> Fraction | None:
        """0..1; None for 0 of 0."""
        return Fraction(self.part, self.whole) if self.whole else None

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.whole + other.whole)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long something took. median: of the n that came to an end, in office time; None for
    n = 0. open: how many have not come to an end."""

    median: timedelta | None
    n: int
    open: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """From a beginning to its end, None while it lasts."""

    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One entry of the stream, as promises want it. next_contact: what was promised, as
    `Moment` writes it, or "". contact: the customer was really spoken to."""

    opportunity_id: int
    occurred_at: datetime
    next_contact: str
    contact: bool


@dataclass(frozen=True, slots=True)
class TeamLights:
    """The open leads of a team by light. oldest: since when the longest lit lead has been
    without a valid action."""

    leads: int = 0
    yellow: int = 0
    red: int = 0
    stuck: int = 0
    oldest: datetime | None = None

    @property
    def lit(self) -> Share:
        return Share(self.yellow + self.red, self.leads)

    def __add__(self, other: TeamLights) -> TeamLights:
        since = [moment for moment in (self.oldest, other.oldest) if moment is not None]
        return TeamLights(
            self.leads + other.leads,
            self.yellow + other.yellow,
            self.red + other.red,
            self.stuck + other.stuck,
            min(since, default=None),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some people and a period. completeness: valid actions of all. response: push to
    acknowledgement. first_contact: assignment to the first valid action."""

    completeness: Share
    response: Wait
    lights: TeamLights
    first_contact: Wait


def wait_of(intervals: Iterable[Interval], calendar: WorkingCalendar) -> Wait:
    """The median on the office clock; of an even number the mean of the middle two."""
    spans: list[timedelta] = []
    unfinished = 0
    for interval in intervals:
        if interval.end is None:
            unfinished += 1
        else:
            spans.append(calendar.elapsed(ClockKind.OFFICE, interval.begin, interval.end))
    return Wait(_median(sorted(spans)), len(spans), unfinished)


def promises_kept(stream: Iterable[Spoken], zone: ZoneInfo, *, first: date, last: date) -> Share:
    """Of the contacts promised for a day from `first` to `last`, those that took place on that
    day, or before it and after the promise was given. One customer and day is one promise."""
    by_deal: dict[int, list[Spoken]] = {}
    for entry in stream:
        by_deal.setdefault(entry.opportunity_id, []).append(entry)
    kept: dict[tuple[int, date], bool] = {}
    for number, entries in by_deal.items():
        entries.sort(key=lambda one: one.occurred_at)
        for place, entry in enumerate(entries):
            if not entry.next_contact:
                continue
            day = Moment.parse(entry.next_contact).day
            if first <= day <= last:
                later = entries[place + 1 :]
                done = any(_by(one, day, zone) for one in later)
                kept[number, day] = kept.get((number, day), False) or done
    return Share(sum(kept.values()), len(kept))


def _by(entry: Spoken, day: date, zone: ZoneInfo) -> bool:
    return entry.contact and entry.occurred_at.astimezone(zone).date() <= day


def _median(spans: Sequence[timedelta]) -> timedelta | None:
    if not spans:
        return None
    middle = len(spans) // 2
    if len(spans) % 2:
        return spans[middle]
    return (spans[middle - 1] + spans[middle]) / 2
