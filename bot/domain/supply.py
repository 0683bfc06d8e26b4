"""When warehouse and planning hear of a large sale, and of what became of it (docs/supply.md).

A deal at L1 worth more than the threshold is pushed once. While that push stands, a change of the
amount is one change notice; a level that falls or a deal that is lost is one withdrawal, after
which the deal may be pushed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import ClockKind, WorkingCalendar
from bot.domain.levels import Level
from bot.domain.opportunities import OpportunityState
from bot.domain.people import Role
from bot.domain.policy import SupplyPolicy

CANCELLED = frozenset({OpportunityState.LOST, OpportunityState.INVALID})
"""A deal on hold or won is no withdrawal: the goods are still wanted."""


class NoticeKind(StrEnum):
    """What a notice to warehouse and planning tells."""

    PUSH = "push"
    CHANGE = "change"
    WITHDRAWAL = "withdrawal"


class Station(StrEnum):
    """Who is told, each in groups of its own."""

    WAREHOUSE = "warehouse"
    PLANNING = "planning"


class Step(StrEnum):
    """Who hears that a station has not taken note, in order, once each."""

    STATION = "station"
    LEAD = "lead"


ROLES: Mapping[Station, Role] = {
    Station.WAREHOUSE: Role.WAREHOUSE,
    Station.PLANNING: Role.PLANNING,
}


@dataclass(frozen=True, slots=True)
class DealStanding:
    """How a deal stands. amount_fen: None if nobody said."""

    level: Level | None
    amount_fen: int | None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice, as it was given; appended, never edited.

    generation: counts the notices of a deal from 1, so that (deal, kind, generation) is unique
    and a consumer that saw one knows it again. evidence_id: of the push that a change or a
    withdrawal belongs to. before_fen: the amount of the notice before, None for a push.
    """

    id: int
    opportunity_id: int
    kind: NoticeKind
    generation: int
    evidence_id: str
    amount_fen: int
    at: datetime
    before_fen: int | None = None
    reason: str = ""

    @property
    def key(self) -> str:
        """For a consumer: the same notice twice has the same key."""
        return f"supply:{self.opportunity_id}:{self.kind}:{self.generation}"


def next_notice(
    now: DealStanding, last: NoticeKind | None, told_fen: int | None, *, above_fen: int
) -> NoticeKind | None:
    """What is to be told of a deal, None for nothing.

    last, told_fen: kind and amount of its last notice, None if there was none. above_fen: only
    more than this is pushed; exactly this is not. A deal that falls to the threshold or below it
    while its push stands is an order still, so that is a change.
    """
    amount = now.amount_fen or 0
    wanted = now.level is Level.L1 and not now.cancelled
    if last is None or last is NoticeKind.WITHDRAWAL:
        return NoticeKind.PUSH if wanted and amount > above_fen else None
    if not wanted:
        return NoticeKind.WITHDRAWAL
    return NoticeKind.CHANGE if amount != told_fen else None


def due_at(
    told_at: datetime,
    reminded_at: datetime | None,
    *,
    policy: SupplyPolicy,
    calendar: WorkingCalendar,
) -> datetime:
    """When silence about a notice is told next: to the station itself, and once that was reminded
    (reminded_at) to whoever leads it. Counted in office hours."""
    since = told_at if reminded_at is None else reminded_at
    hours = policy.remind_after_h if reminded_at is None else policy.escalate_after_h
    return calendar.add(ClockKind.OFFICE, since, timedelta(hours=hours))


def evidence_id(day: date, number: int) -> str:
    """«CK20260128-0007». number: of that day, from 1; after 9999 it grows longer."""
    return f"CK{day:%Y%m%d}-{number:04d}"
