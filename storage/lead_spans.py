"""When each customer was a lead: rows worked out from the events of its deals.

All rows of a customer are written anew by whatever changes its events, in the same transaction:
an event, a merge, an undone one. So an event that comes late, and customers that turn out to be
one, need no rule of their own; and a rebuild does the same for everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.conversions import DayCount, LeadSpan, tally
from bot.domain.leads import COUNTED
from bot.domain.leads import lead_spans as spans_of
from storage.dialects import among, in_chunks
from storage.tables import accounts, lead_spans, opportunities, stage_events

_KINDS = sorted(str(kind) for kind in COUNTED)
_TOLD = ("id", "opportunity_id", "kind", "went_to", "rank", "required_filled", "at")
_EVENTS = (  # of the deals that a customer has now: an undone merge takes its deals back
    select(opportunities.c.account_id, *(stage_events.c[name] for name in _TOLD))
    .join(opportunities, opportunities.c.id == stage_events.c.opportunity_id)
    .where(stage_events.c.kind.in_(_KINDS))
    .order_by(opportunities.c.account_id)
)


class LeadSpans:
    """Repository of when customers were leads, inside one transaction. account_ids: of customers
    that stand, not of those merged away."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def refresh(self, account_ids: Iterable[int]) -> None:
        """Work the rows of these customers out anew."""
        for chunk in in_chunks(account_ids):
            await self._conn.execute(lock_customers(accounts.c.id.in_(chunk)))
            await self._conn.execute(delete(lead_spans).where(lead_spans.c.account_id.in_(chunk)))
            own = await self._conn.execute(_EVENTS.where(opportunities.c.account_id.in_(chunk)))
            rows = [
                row
                for account_id, events in groupby(own, key=lambda event: event.account_id)
                for row in to_rows(account_id, spans_of(events))
            ]
            if rows:
                await self._conn.execute(insert(lead_spans), rows)

    async def of_account(self, account_id: int) -> list[LeadSpan]:
        """The oldest first."""
        columns = (lead_spans.c.first_day, lead_spans.c.last_day, lead_spans.c.converted)
        own = select(*columns).where(lead_spans.c.account_id == account_id)
        rows = await self._conn.execute(own.order_by(lead_spans.c.first_day))
        return [LeadSpan(*row) for row in rows]

    async def count(
        self, first: date, last: date, *, owner_ids: Sequence[int] | None = None
    ) -> tuple[DayCount, ...]:
        """Leads, and those of them that converted, on each of these days. owner_ids: of the
        customers that these people look after now; None: of all."""
        begun_on = case(
            (lead_spans.c.first_day < first, first), else_=lead_spans.c.first_day
        ).label("day")
        lasted = (lead_spans.c.first_day <= last, lead_spans.c.last_day >= first)
        begun = select(begun_on, func.count()).where(*lasted).group_by(begun_on)
        ended_on, converted = lead_spans.c.last_day, lead_spans.c.converted
        ended = select(ended_on, converted, func.count()).where(*lasted, ended_on <= last)
        ended = ended.group_by(ended_on, converted)
        begun_rows = await self._conn.execute(self._owned(begun, owner_ids))
        ends: dict[date, int] = defaultdict(int)
        conversions: dict[date, int] = defaultdict(int)
        for day, has_converted, count in await self._conn.execute(self._owned(ended, owner_ids)):
            ends[day] += count
            conversions[day] += count if has_converted else 0
        return tally({day: count for day, count in begun_rows}, ends, conversions, first, last)

    def _owned(self, query: Select[Any], owner_ids: Sequence[int] | None) -> Select[Any]:
        if owner_ids is None:
            return query
        # not a join, for which SQLite reads the spans of everybody in those days
        owned = select(accounts.c.id).where(among(self._conn, accounts.c.owner_id, owner_ids))
        return query.where(lead_spans.c.account_id.in_(owned))


def lock_customers(which: ColumnElement[bool]) -> Select[tuple[int]]:
    """Two who change the rows of one customer at a time must see each other's events."""
    query = select(accounts.c.id).where(which).order_by(accounts.c.id)
    return query.with_for_update(key_share=True)


def to_rows(account_id: int, spans: Iterable[LeadSpan]) -> list[dict[str, Any]]:
    """One customer's, for an insert."""
    return [
        {
            "account_id": account_id,
            "first_day": span.first,
            "last_day": span.last,
            "converted": span.converted,
        }
        for span in spans
    ]
