"""Lines that are booked, month by month: what a locked month has paid is never changed, and what
turns out otherwise afterwards becomes an adjustment in the first month that is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from bot.domain.payouts.days import SHANGHAI, local_day, midnight, month_end
from bot.domain.payouts.lines import UNASSIGNED, Kind, Line
from bot.domain.payouts.money import yuan

_SECOND = timedelta(seconds=1)


class Slot(NamedTuple):
    """Where booked and due amounts are compared. person: "" where nobody knows whose it is."""

    deal: str
    person: str
    rule_id: str


class Due(NamedTuple):
    """A line for an open month. month: 2026-10. person: "" where nobody knows whose it is."""

    deal: str
    person: str
    month: str
    kind: Kind
    fen: int
    rule_id: str
    rule_version: int | None
    why: str


class Closed(NamedTuple):
    """A locked month. cutoff: what happened up to then belongs to it. locked_at: when."""

    month: str
    cutoff: datetime
    locked_at: datetime


def month_name(day: date) -> str:
    return f"{day.year}-{day.month:02d}"


def cutoff_of(month: str) -> datetime:
    """The last second of a month, in its local time."""
    year, number = map(int, month.split("-"))
    return month_end((year, number)) - _SECOND


def next_month(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def runs_until(closed: Sequence[Closed], first: date, at: datetime) -> list[datetime]:
    """The ends of all months from `first`'s to the present one: what comes after belongs to the
    next. Cutoffs of locked months stand as they were."""
    known = {one.month: one.cutoff for one in closed}
    month, last = month_name(first), month_name(local_day(at))
    months = [month]
    while month < last:
        month = next_month(month)
        months.append(month)
    return [known.get(one, cutoff_of(one)) for one in months]


def counted_at(day: date, told_at: datetime, closed: Sequence[Closed]) -> datetime:
    """When a receipt of that day counts: on its day, or, if its month was locked before anybody
    told us, when we were told."""
    came = midnight(day)
    late = any(one.locked_at <= told_at and came <= one.cutoff for one in closed)
    return told_at.astimezone(SHANGHAI) if late else came


def due_lines(
    lines: Iterable[Line], booked: Mapping[Slot, int], *, closed: Sequence[Closed], at: datetime
) -> list[Due]:
    """What belongs in the open months of these deals.

    lines: all that the rules give for them. booked: what locked months hold of them, decisions
    left out.
    """
    last = max((one.month for one in closed), default="")
    this_month = month_name(local_day(at))
    first_open = next_month(last) if last else this_month
    due: list[Due] = []
    should: dict[Slot, int] = {}
    versions: dict[Slot, int | None] = {}
    for line in lines:
        one = _due(line, after=next_month(this_month))
        slot = Slot(one.deal, one.person, one.rule_id)
        versions[slot] = one.rule_version
        if one.month <= last:
            should[slot] = should.get(slot, 0) + one.fen
        else:
            due.append(one)
    for slot in dict.fromkeys([*booked, *should]):
        fen = should.get(slot, 0) - booked.get(slot, 0)
        if fen:
            why = _corrected(slot, should=should.get(slot, 0), booked=booked.get(slot, 0))
            version = versions.get(slot)
            due.append(Due(*slot[:2], first_open, Kind.ADJUSTMENT, fen, slot[2], version, why))
    return due


def _due(line: Line, *, after: str) -> Due:
    """after: the month of what lies beyond the last run."""
    person = "" if line.person == UNASSIGNED else line.person
    month = month_name(line.run) if line.run is not None else after
    return Due(
        line.deal or "",
        person,
        month,
        line.kind,
        line.fen,
        line.rule_id or "",
        line.rule_version,
        line.why,
    )


def _corrected(slot: Slot, *, should: int, booked: int) -> str:
    word = "补发" if should > booked else "冲回"
    return (
        f"合同 {slot.deal} 的资料在锁定后有变：按现在的资料应为 {yuan(should)}，"
        f"已锁定 {yuan(booked)}，{word} {yuan(abs(should - booked))}。"
    )
