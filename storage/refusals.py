"""Lost deals with their reasons, read from the stream."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import Intent
from bot.domain.losses import NOTE, REASON
from bot.domain.refusals import Loss
from storage.dialects import AnyRow, fixed
from storage.tables import activities


class Refusals:
    """What customers said no for, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def losses(self, *, since: datetime, until: datetime) -> list[Loss]:
        """Recorded in [since, until) and not taken back, oldest first; more than one for a deal
        that was lost again."""
        later = activities.alias()
        taken_back = select(later.c.id).where(later.c.retracts_id == activities.c.id).exists()
        rows = await self._conn.execute(
            select(
                activities.c.opportunity_id,
                activities.c.account_id,
                activities.c.actor_id,
                activities.c.recorded_at,
                activities.c.slots,
                activities.c.text,
            )
            .where(
                activities.c.unit == fixed(""),
                activities.c.recorded_at >= since,
                activities.c.recorded_at < until,
                activities.c.slots["intent"].as_string() == str(Intent.LOG_LOSS),
                activities.c.opportunity_id.is_not(None),
                ~taken_back,
            )
            .order_by(activities.c.recorded_at, activities.c.id)
        )
        return [_to_loss(row) for row in rows]


def _to_loss(row: AnyRow) -> Loss:
    said = row.slots.get("objections") or []
    primary = row.slots.get(REASON)
    note = row.slots.get(NOTE)
    return Loss(
        opportunity_id=row.opportunity_id,
        account_id=row.account_id,
        actor_id=row.actor_id,
        lost_at=row.recorded_at,
        primary=None if primary is None else str(primary),
        reasons=tuple(str(code) for code in said),
        text=str(note) if note else row.text,
    )
