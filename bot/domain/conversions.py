"""How many leads became opportunities, day by day, by distinct customers.

The rules R1 to R11 stand in docs/conversions.md; the numbers in the comments here are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
NEEDED_FIELDS = 3
"""A transition with fewer required fields filled is no transition (R5)."""


class Status(StrEnum):
    """Where a customer stands on the way to a contract."""

    LEAD = "lead"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Transition:
    """Somebody moved a customer on. at: aware. came_from: the status they saw, None for a
    customer that was new. required_filled: required fields of the move that were filled."""

    id: str | int
    at: datetime
    customer: str
    came_from: Status | None
    to: Status
    required_filled: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Two records were one customer all along: `loser` is called `survivor`, also before."""

    id: str | int
    at: datetime
    loser: str
    survivor: str


Event = Transition | Merge


@dataclass(frozen=True, slots=True)
class DayCount:
    """denominator: customers that were a lead at some moment of the day. numerator: those of
    them that had converted at its end."""

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
    """days: each one from the first to the last event's. rejected: events that changed
    nothing, since fields were missing (R5) or the customer stood elsewhere (R11)."""

    days: tuple[DayCount, ...]
    rejected: tuple[str | int, ...]


def count_conversions(initial: Mapping[str, Status], events: Iterable[Event]) -> Conversions:
    """Count `events`, in whatever order they arrived, from where customers stood before."""
    history = _history(events)
    names = _Names(event for event in history if isinstance(event, Merge))
    book = _Book(names.carry_over(initial))
    days = tuple(_count_days(history, names, book))
    return Conversions(days, tuple(book.rejected))


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


def _count_days(history: list[Event], names: _Names, book: _Book) -> Iterator[DayCount]:
    """The days between two events are told as well: their leads are leads all day."""
    last: date | None = None
    for day, events in groupby(history, key=lambda event: event.at.astimezone(CHINA).date()):
        while last is not None and (last := last + timedelta(days=1)) < day:
            yield DayCount(last, 0, book.leads)
        for event in events:
            if isinstance(event, Transition):
                book.enter(event, names.of(event.customer))
        yield book.close(day)
        last = day


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
    """What one customer went through on the day that is being counted."""

    began_as_lead: bool
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

    def counts(self, stands: Status) -> bool:
        """Whether the customer is in the numerator (R4), standing so at the end of the day."""
        ahead = stands in (Status.OPPORTUNITY, Status.WON)
        return self.was_lead and (ahead or self.converted_and_lost)


class _Book:
    """Where every customer stands, and what moved today."""

    def __init__(self, status: dict[str, Status]) -> None:
        self.leads = sum(stands is Status.LEAD for stands in status.values())
        self.rejected: list[str | int] = []
        self._status = status
        self._today: dict[str, _Moves] = {}

    def enter(self, event: Transition, customer: str) -> None:
        stands = self._status.get(customer)
        if event.required_filled < NEEDED_FIELDS or event.came_from is not stands:
            self.rejected.append(event.id)
            return
        moves = self._today.get(customer)
        if moves is None:
            is_lead = stands is Status.LEAD
            moves = self._today[customer] = _Moves(began_as_lead=is_lead, was_lead=is_lead)
        for to in _steps(stands, event.to):
            moves.step(stands, to)
            stands = to
        self._status[customer] = event.to

    def close(self, day: date) -> DayCount:
        """The count of the day that ends; the next one begins."""
        today = self._today
        unmoved = self.leads - sum(moves.began_as_lead for moves in today.values())
        count = DayCount(
            day,
            numerator=sum(moves.counts(self._status[name]) for name, moves in today.items()),
            denominator=unmoved + sum(moves.was_lead for moves in today.values()),
        )
        self.leads = unmoved + sum(self._status[name] is Status.LEAD for name in today)
        today.clear()
        return count


def _steps(came_from: Status | None, to: Status) -> tuple[Status, ...]:
    """An invalid customer becomes an opportunity by way of being a lead (R8)."""
    if came_from is Status.INVALID and to is Status.OPPORTUNITY:
        return Status.LEAD, to
    return (to,)
