"""What is kept for the figures, worked out from the events alone: the same as was written event
by event, also for events from before it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.calendar import WorkingCalendar
from bot.domain.leads import lead_spans as spans_of
from bot.domain.stages import NAMES_A_STAGE, MoveKind, furthest_of, stay_days
from storage.dialects import in_chunks, read_by_index
from storage.lead_spans import lock_customers, to_rows
from storage.tables import accounts, lead_spans, opportunities, stage_events

RankOf = Callable[[str, str], int | None]
"""(ref of a library, key of a stage) -> its place among the stages."""


class _Event(NamedTuple):
    """What figures want of one; read a dozen times each, and quicker so than as a row."""

    account_id: int
    opportunity_id: int
    id: int
    kind: str
    went_to: str
    rank: int | None
    required_filled: int
    at: datetime


_TOLD = _Event._fields[1:]
_EVENTS = (
    select(opportunities.c.account_id, *(stage_events.c[name] for name in _TOLD))
    .join(opportunities, opportunities.c.id == stage_events.c.opportunity_id)
    .order_by(opportunities.c.account_id, stage_events.c.opportunity_id, stage_events.c.id)
)
_ENDS_NO_STAY = (MoveKind.OPENED, MoveKind.REMAPPED)
_UNNOTED = or_(
    and_(stage_events.c.rank.is_(None), stage_events.c.kind.in_(sorted(NAMES_A_STAGE))),
    and_(stage_events.c.stayed_days.is_(None), stage_events.c.kind.not_in(_ENDS_NO_STAY)),
)

_KEPT = select(
    lead_spans.c.account_id, lead_spans.c.first_day, lead_spans.c.last_day, lead_spans.c.converted
).order_by(lead_spans.c.account_id, lead_spans.c.first_day)

_account, _deal = attrgetter("account_id"), attrgetter("opportunity_id")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was worked out anew. events: how many were counted. astray: deals whose furthest stage
    is to be corrected."""

    events: int
    astray: list[int]


class FiguresRebuild:
    """Works figures out anew from the events, inside one transaction, for some customers at a
    time."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def last_id(self) -> int:
        """The highest id of a customer."""
        return await self._conn.scalar(select(func.max(accounts.c.id))) or 0

    async def lacks_notes(self) -> bool:
        """Whether there are events from before ranks and stays were noted."""
        return (
            await self._conn.scalar(select(stage_events.c.id).where(_UNNOTED).limit(1)) is not None
        )

    async def note(
        self, first_id: int, last_id: int, rank_of: RankOf, calendar: WorkingCalendar
    ) -> None:
        """Ranks and stays on the events of these customers that lack them."""
        await read_by_index(self._conn)
        columns = (*_TOLD, "library", "stayed_days")
        query = _EVENTS.with_only_columns(*(stage_events.c[name] for name in columns))
        rows = await self._conn.execute(query.where(_between(first_id, last_id)))
        ranks: list[dict[str, Any]] = []
        stays: list[dict[str, Any]] = []
        for _, deal in groupby(rows, key=_deal):
            since = None
            for event in deal:
                if event.rank is None and event.kind in NAMES_A_STAGE:
                    ranks.append(
                        {"of_id": event.id, "value": rank_of(event.library, event.went_to)}
                    )
                if since is not None and event.stayed_days is None:
                    stays.append({"of_id": event.id, "value": stay_days(since, event, calendar)})
                since = since if event.kind == MoveKind.REMAPPED else event.at
        await self._correct(stage_events, "rank", ranks)
        await self._correct(stage_events, "stayed_days", stays)

    async def run(self, first_id: int, last_id: int) -> Rebuilt:
        """The spans of the customers with ids from the first to the last. Their deals stay
        unlocked, because those who move one lock it before its customer."""
        await read_by_index(self._conn)
        of_these = accounts.c.id.between(first_id, last_id)
        await self._conn.execute(lock_customers(of_these))
        own = _between(first_id, last_id)
        events = await self._events(own)
        found = {
            account_id: to_rows(account_id, spans_of(of_account))
            for account_id, of_account in groupby(events, key=_account)
        }
        await self._write_spans(first_id, last_id, found)
        astray = await self._furthest(own, events)
        return Rebuilt(len(events), [deal_id for deal_id, _ in astray])

    async def correct_furthest(self, deal_ids: Iterable[int]) -> None:
        """Where these deals came to, by their events."""
        for chunk in in_chunks(deal_ids):
            own = opportunities.c.id.in_(chunk)
            lock = select(opportunities.c.id).where(own).order_by(opportunities.c.id)
            await self._conn.execute(lock.with_for_update(key_share=True))
            astray = await self._furthest(own, await self._events(own))
            changes = [{"of_id": deal_id, "value": came_to} for deal_id, came_to in astray]
            await self._correct(opportunities, "furthest", changes)

    async def _events(self, own: ColumnElement[bool]) -> list[_Event]:
        rows = (await self._conn.execute(_EVENTS.where(own))).all()
        return list(map(_Event._make, rows))

    async def _write_spans(
        self, first_id: int, last_id: int, found: Mapping[int, list[dict[str, Any]]]
    ) -> None:
        """Those that differ: a rebuild that finds nothing wrong writes nothing."""
        of_these = lead_spans.c.account_id.between(first_id, last_id)
        rows = (await self._conn.execute(_KEPT.where(of_these))).all()
        kept = {
            account_id: [row._asdict() for row in own]
            for account_id, own in groupby(rows, key=_account)
        }
        wrong = [one for one in kept if kept[one] != found.get(one)]
        for chunk in in_chunks(wrong):
            await self._conn.execute(delete(lead_spans).where(lead_spans.c.account_id.in_(chunk)))
        new = [row for one, own in found.items() if kept.get(one) != own for row in own]
        if new:
            await self._conn.execute(insert(lead_spans), new)

    async def _furthest(
        self, own: ColumnElement[bool], events: Sequence[_Event]
    ) -> list[tuple[int, str]]:
        """Deals whose furthest stage is not that of their events, and which that is."""
        found = {number: furthest_of(deal) for number, deal in groupby(events, key=_deal)}
        deals = select(opportunities.c.id, opportunities.c.furthest, opportunities.c.stage)
        return [
            (deal_id, came_to)
            for deal_id, furthest, stage in (await self._conn.execute(deals.where(own))).all()
            if (came_to := found.get(deal_id) or stage) != furthest
        ]

    async def _correct(self, table: Any, column: str, changes: Sequence[dict[str, Any]]) -> None:
        if changes:
            await self._conn.execute(
                update(table)
                .where(table.c.id == bindparam("of_id"))
                .values({column: bindparam("value")}),
                changes,
            )


def _between(first_id: int, last_id: int) -> ColumnElement[bool]:
    return opportunities.c.account_id.between(first_id, last_id)
