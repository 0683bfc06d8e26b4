"""Locked forecasts that a supervisor has opened again for their rep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import in_chunks, insert_into
from storage.tables import forecast_reopenings as table
from storage.tables import forecasts


@dataclass(frozen=True, slots=True)
class Reopening:
    """A locked forecast that was opened again. forecast_id: the submission that was locked; the
    next one of its week takes its place."""

    forecast_id: int
    by: int
    reason: str
    at: datetime


class ForecastReopenings:
    """Repository of reopened forecasts, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, reopening: Reopening) -> bool:
        """False where that submission was reopened before."""
        statement = insert_into(self._conn, table).values(
            forecast_id=reopening.forecast_id,
            by=reopening.by,
            reason=reopening.reason,
            at=reopening.at,
        )
        added = await self._conn.execute(statement.on_conflict_do_nothing())
        return bool(added.rowcount)

    async def of_locked(self, forecast_id: int) -> Reopening | None:
        row = (
            await self._conn.execute(select(table).where(table.c.forecast_id == forecast_id))
        ).one_or_none()
        return None if row is None else Reopening(row.forecast_id, row.by, row.reason, row.at)

    async def behind(self, forecast_ids: Iterable[int]) -> dict[int, Reopening]:
        """forecast -> what let it be submitted after the lock, of those submitted so."""
        found: dict[int, Reopening] = {}
        locked = forecasts.alias("locked")
        for chunk in in_chunks(forecast_ids):
            before = (
                select(forecasts.c.id, func.max(locked.c.id).label("locked_id"))
                .join(
                    locked,
                    (locked.c.person_id == forecasts.c.person_id)
                    & (locked.c.week == forecasts.c.week)
                    & (locked.c.id < forecasts.c.id),
                )
                .where(forecasts.c.id.in_(chunk))
                .group_by(forecasts.c.id)
                .subquery()
            )
            rows = await self._conn.execute(
                select(before.c.id, table).join(table, table.c.forecast_id == before.c.locked_id)
            )
            for row in rows:
                found[row.id] = Reopening(row.forecast_id, row.by, row.reason, row.at)
        return found
