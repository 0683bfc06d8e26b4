"""How many leads became opportunities, day by day, by distinct customers.

The rules R1 to R11 stand in docs/conversions.md; the numbers in the comments here are theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
_DAY = timedelta(days=1)
NEEDED_FIELDS = 3
"""A transition with fewer required fields filled is no transition (R5)."""


class Status(StrEnum):
    """Where a customer stands on the way to a contract."""

    LEAD = "lead"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    INVALID = "invalid"


class Transition(NamedTuple):
    """Somebody moved a customer on. at: aware. came_from: the status they saw, None for a
    customer that was new. required_filled: required fields of the move that were filled."""

    id: str | int
    at: datetime
    customer: str
    came_from: Status | None
    to: Status
    required_filled: int


class Merge(NamedTuple):
    """Two records were one customer all along: `loser` is called `survivor`, also before."""

    id: str | int
    at: datetime
    loser: str
    survivor: str


Event = Transition | Merge


@dataclass(frozen=True, slots=True)
class DayCount:
    """The conversion of one day, as a fraction. denominator: customers that were a lead at some
    moment of the day. numerator: those of them that had converted at its end."""

    day: date
    numerator: int
    denominator: int

    @property
    def rate(self) -> Decimal | None:
        """To six places, halves up; None where nobody was a lead (R10)."""
        if self.denominator == 0:
            return None
        millionths = (2_000_000 * self.numerator + self.denominator) // (2 * self.denominator)
        return Decimal(millionths).scaleb(-6)


@dataclass(frozen=True, slots=True)
class Conversions:
    """The conversion of each day, and what its customers went through. days: each one from the
    first to the last event's. rejected: events that changed nothing, since fields were missing (R5)
    or the customer stood elsewhere (R11)."""

    days: tuple[DayCount, ...]
    rejected: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class LeadSpan:
    """Days, one after the other, on each of which a customer was a lead at some moment (R3).

    first: date.min where it was one before the first event. last: date.max while it is one.
    converted: it had become an opportunity at the end of the last day (R4). Spans of a customer
    have no day in common, so that counting spans counts customers.
    """

    first: date
    last: date
    converted: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """What one customer went through. rejected: ids of events that changed nothing."""

    spans: tuple[LeadSpan, ...]
    rejected: tuple[str | int, ...]


def follow(stands: Status | None, events: Iterable[Transition]) -> Passage:
    """One customer's way from where it stood. events: its own, by time, then by id."""
    spans: list[LeadSpan] = []
    rejected: list[str | int] = []
    first = date.min  # of the span that lasts, while the customer is a lead
    for day, of_day in groupby(events, key=_day_of):
        was_lead_before = stands is Status.LEAD
        moves = _Moves(was_lead=was_lead_before)
        for event in of_day:
            if event.required_filled < NEEDED_FIELDS or event.came_from is not stands:
                rejected.append(event.id)
                continue
            for to in _steps(stands, event.to):
                moves.step(stands, to)
                stands = to
        if not moves.was_lead:
            continue
        if not was_lead_before:
            first = day
        converted = moves.counts(stands)
        if converted or stands is not Status.LEAD:
            spans.append(LeadSpan(first, day, converted))
            first = day + _DAY
    if stands is Status.LEAD:
        spans.append(LeadSpan(first, date.max))
    return Passage(tuple(spans), tuple(rejected))


def _day_of(event: Transition) -> date:
    return event.at.astimezone(CHINA).date()


def count_days(spans: Iterable[LeadSpan], first: date, last: date) -> tuple[DayCount, ...]:
    """Each day from `first` to `last`, by the spans of all customers."""
    begun: Counter[date] = Counter()
    ended: Counter[date] = Counter()
    converted: Counter[date] = Counter()
    for span in spans:
        begun[max(span.first, first)] += 1
        ended[span.last] += 1
        converted[span.last] += span.converted
    return tally(begun, ended, converted, first, last)


def tally(
    begun: Mapping[date, int],
    ended: Mapping[date, int],
    converted: Mapping[date, int],
    first: date,
    last: date,
) -> tuple[DayCount, ...]:
    """The same by numbers of spans: that begin on a day (none before `first`), that end on it,
    and that end on it converted."""
    days = []
    leads = 0
    day = first
    while day <= last:
        leads += begun.get(day, 0)
        days.append(DayCount(day, converted.get(day, 0), leads))
        leads -= ended.get(day, 0)
        day += _DAY
    return tuple(days)


def count_conversions(initial: Mapping[str, Status], events: Iterable[Event]) -> Conversions:
    """Count `events`, in whatever order they arrived, from where customers stood before."""
    history = _history(events)
    if not history:
        return Conversions((), ())
    names = _Names(event for event in history if isinstance(event, Merge))
    stood = names.carry_over(initial)
    moves: dict[str, list[Transition]] = {name: [] for name in stood}
    for event in history:
        if isinstance(event, Transition):
            moves.setdefault(names.of(event.customer), []).append(event)
    passages = [follow(stood.get(name), own) for name, own in moves.items()]
    rejected = {event_id for passage in passages for event_id in passage.rejected}
    first, last = (event.at.astimezone(CHINA).date() for event in (history[0], history[-1]))
    return Conversions(
        count_days((span for passage in passages for span in passage.spans), first, last),
        tuple(event.id for event in history if event.id in rejected),
    )


def _history(events: Iterable[Event]) -> list[Event]:
    """Each event once, by time, then by id (R9). Of several that share an id the earliest
    holds; a tie is settled by their content, so that the order of arrival never counts."""
    known: dict[str | int, Event] = {}
    for event in events:
        other = known.setdefault(event.id, event)
        if other is not event and _precedence(event) < _precedence(other):
            known[event.id] = event
    return sorted(known.values(), key=lambda event: (event.at, _rank(event.id)))


def _precedence(event: Event) -> tuple[datetime, str]:
    return event.at, str(event)


def _rank(event_id: str | int) -> tuple[bool, int, str]:
    """Numbers by value and before texts, texts by code point."""
    return (False, event_id, "") if isinstance(event_id, int) else (True, 0, event_id)


class _Names:
    """Who is who after all merges (R2)."""

    def __init__(self, merges: Iterable[Merge]) -> None:
        self._survivors: dict[str, str] = {}
        self._joined: list[tuple[str, str]] = []
        for merge in merges:
            loser, survivor = self.of(merge.loser), self.of(merge.survivor)
            if loser != survivor:  # else they are one already, as in a circle of merges
                self._survivors[loser] = survivor
                self._joined.append((loser, survivor))

    def of(self, name: str) -> str:
        """The surviving name. Shortens the way there, so that long chains stay cheap."""
        survivors = self._survivors
        while (survivor := survivors.get(name)) is not None:
            survivors[name] = survivors.get(survivor, survivor)
            name = survivor
        return name

    def carry_over(self, initial: Mapping[str, Status]) -> dict[str, Status]:
        """Where the survivors stood: a survivor where it stood itself, and only one that stood
        nowhere where the first of its losers did."""
        status = dict(initial)
        for loser, survivor in self._joined:
            if (left := status.pop(loser, None)) is not None:
                status.setdefault(survivor, left)
        return status


@dataclass(slots=True)
class _Moves:
    """What one customer went through on one day."""

    was_lead: bool
    converted: bool = False
    converted_and_lost: bool = False

    def step(self, came_from: Status | None, to: Status) -> None:
        if to is Status.LEAD:
            self.was_lead = True
            if came_from is Status.OPPORTUNITY:  # R6
                self.converted = self.converted_and_lost = False
        elif came_from is Status.LEAD and to is Status.OPPORTUNITY:
            self.converted = True
        elif came_from is Status.OPPORTUNITY and to is Status.LOST:
            self.converted_and_lost |= self.converted

    def counts(self, stands: Status | None) -> bool:
        """Whether the customer is in the numerator (R4), standing so at the end of the day."""
        ahead = stands in (Status.OPPORTUNITY, Status.WON)
        return self.was_lead and (ahead or self.converted_and_lost)


def _steps(came_from: Status | None, to: Status) -> tuple[Status, ...]:
    """An invalid customer becomes an opportunity by way of being a lead (R8)."""
    if came_from is Status.INVALID and to is Status.OPPORTUNITY:
        return Status.LEAD, to
    return (to,)
