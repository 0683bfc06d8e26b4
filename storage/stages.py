"""Changes of deals' stages, as events; and what is counted from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.calendar import WorkingCalendar
from bot.domain.funnel import FunnelCounts
from bot.domain.leads import COUNTED
from bot.domain.library import ActionLibrary
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.stages import MoveKind, StageEvent, state_event, stay_days
from storage.dialects import among
from storage.lead_spans import LeadSpans
from storage.tables import opportunities, stage_events

_COLUMNS = [stage_events.c[field.name] for field in fields(StageEvent)]
_QUERY = select(*_COLUMNS).order_by(stage_events.c.id)


class Stages:
    """Events of deals, inside one transaction. Append only."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._leads = LeadSpans(conn)

    async def open(self, event: StageEvent) -> int:
        """The first event of a deal. Its id."""
        return await self._append(event)

    async def add(self, event: StageEvent, calendar: WorkingCalendar) -> int:
        """An event of a deal that was open before, with how long the deal stayed where it was.
        Its id."""
        came_at = await self._conn.scalar(
            select(stage_events.c.at)
            .where(
                stage_events.c.opportunity_id == event.opportunity_id,
                stage_events.c.kind != str(MoveKind.REMAPPED),
            )
            .order_by(stage_events.c.id.desc())
            .limit(1)
        )
        stayed = stay_days(came_at, event, calendar) if came_at is not None else None
        return await self._append(replace(event, stayed_days=stayed))

    async def note_state(
        self,
        before: Opportunity,
        after: Opportunity,
        *,
        by: int | None,
        at: datetime,
        calendar: WorkingCalendar,
    ) -> None:
        """The event of a deal whose state was changed, if it was."""
        event = state_event(before, after, by=by, at=at)
        if event is not None:
            await self.add(event, calendar)

    async def of_deal(self, opportunity_id: int) -> list[StageEvent]:
        """The oldest first."""
        return await self._list(_QUERY.where(stage_events.c.opportunity_id == opportunity_id))

    async def funnel(
        self, library: ActionLibrary, refs: Sequence[str], owner_ids: Sequence[int] | None = None
    ) -> FunnelCounts:
        """Of the deals written in one of these libraries (all versions of `library`) that these
        people own now; None: of all."""
        deals = opportunities.c
        written = [deals.library.in_(refs)]
        owned = [] if owner_ids is None else [among(self._conn, deals.owner_id, owner_ids)]
        rank = case(
            (deals.state == str(OpportunityState.WON), len(library.stages)),
            *((deals.furthest == stage.key, n) for n, stage in enumerate(library.stages)),
            else_=-1,
        )
        each = select(deals.account_id, func.max(rank).label("furthest")).where(*written, *owned)
        customers = each.group_by(deals.account_id).subquery()
        furthest = select(customers.c.furthest, func.count()).group_by(customers.c.furthest)
        here = (
            select(deals.stage, func.count(deals.account_id.distinct()))
            .where(*written, *owned, deals.state == str(OpportunityState.OPEN))
            .group_by(deals.stage)
        )
        return FunnelCounts(
            furthest=await self._counts(furthest),
            here=await self._counts(here),
            stays=await self._stays(refs, owner_ids),
        )

    async def _stays(
        self, refs: Sequence[str], owner_ids: Sequence[int] | None
    ) -> dict[str, Counter[int]]:
        # By library too, in the order of the index: then the database counts without sorting.
        grouped = (stage_events.c.library, stage_events.c.came_from, stage_events.c.stayed_days)
        query = select(*grouped, func.count()).where(
            stage_events.c.stayed_days.is_not(None), stage_events.c.library.in_(refs)
        )
        if owner_ids is not None:
            query = query.join(opportunities, opportunities.c.id == stage_events.c.opportunity_id)
            query = query.where(among(self._conn, opportunities.c.owner_id, owner_ids))
        found: dict[str, Counter[int]] = defaultdict(Counter)
        for _, stage, days, count in await self._conn.execute(query.group_by(*grouped)):
            found[stage][days] += count
        return found

    async def _counts(self, query: Select[Any]) -> dict[Any, int]:
        return {key: count for key, count in await self._conn.execute(query)}

    async def _append(self, event: StageEvent) -> int:
        values = asdict(event) | {"kind": str(event.kind)}
        del values["id"]
        added = await self._conn.execute(
            insert(stage_events).values(values).returning(stage_events.c.id)
        )
        event_id = int(added.scalar_one())
        if event.kind in COUNTED:
            await self._leads.refresh([event.account_id])
        return event_id

    async def _list(self, query: Select[Any]) -> list[StageEvent]:
        rows = [row._asdict() for row in await self._conn.execute(query)]
        return [StageEvent(**(row | {"kind": MoveKind(row["kind"])})) for row in rows]
