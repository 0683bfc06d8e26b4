"""Changes of deals' stages, as events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.opportunities import Opportunity
from bot.domain.stages import MoveKind, StageEvent, state_event
from storage.tables import opportunities, stage_events

_COLUMNS = [stage_events.c[field.name] for field in fields(StageEvent)]
_QUERY = select(*_COLUMNS).order_by(stage_events.c.id)
CHUNK = 500


class Stages:
    """Events of deals, inside one transaction. Append only."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, event: StageEvent) -> int:
        """Its id."""
        values = asdict(event) | {"kind": str(event.kind)}
        del values["id"]
        added = await self._conn.execute(
            insert(stage_events).values(values).returning(stage_events.c.id)
        )
        return int(added.scalar_one())

    async def note_state(
        self, before: Opportunity, after: Opportunity, *, by: int | None, at: datetime
    ) -> None:
        """The event of a deal whose state was changed, if it was."""
        event = state_event(before, after, by=by, at=at)
        if event is not None:
            await self.add(event)

    async def of_deal(self, opportunity_id: int) -> list[StageEvent]:
        """The oldest first."""
        return await self._list(_QUERY.where(stage_events.c.opportunity_id == opportunity_id))

    async def of_owners(self, owner_ids: Iterable[int]) -> list[StageEvent]:
        """Of the deals that these people own now, in the order in which they were written."""
        ids = sorted(set(owner_ids))
        found: list[StageEvent] = []
        for start in range(0, len(ids), CHUNK):
            owned = select(opportunities.c.id).where(
                opportunities.c.owner_id.in_(ids[start : start + CHUNK])
            )
            found += await self._list(_QUERY.where(stage_events.c.opportunity_id.in_(owned)))
        return sorted(found, key=lambda event: event.id)

    async def _list(self, query: Select[Any]) -> list[StageEvent]:
        rows = [row._asdict() for row in await self._conn.execute(query)]
        return [StageEvent(**(row | {"kind": MoveKind(row["kind"])})) for row in rows]
