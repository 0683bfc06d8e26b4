"""What the forecaster said each night."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.machine_forecasts import MachineForecast, Quantiles
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import machine_forecasts as table

_METHOD = 400


class MachineForecasts:
    """Repository of what was foreseen each night, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def append(self, found: Iterable[MachineForecast]) -> None:
        """What was said of a scope on a day is kept as it was said first."""
        rows = [
            {
                "origin": one.origin,
                "scope": one.scope,
                "version": one.version,
                "enough": one.enough,
                "estimates": {
                    str(days): [of.p20, of.p50, of.p80] for days, of in one.by_horizon.items()
                },
                "method": one.method[:_METHOD],
                "reasons": list(one.reasons),
                "made_at": one.made_at,
            }
            for one in found
        ]
        if rows:
            statement = insert_into(self._conn, table).on_conflict_do_nothing()
            await self._conn.execute(statement, rows)

    async def latest(self, scopes: Collection[str]) -> dict[str, MachineForecast]:
        """scope -> what was said of it last, of those of which anything was."""
        found: dict[str, MachineForecast] = {}
        for chunk in in_chunks(scopes):
            newest = (
                select(table.c.scope, func.max(table.c.origin).label("origin"))
                .where(table.c.scope.in_(chunk))
                .group_by(table.c.scope)
                .subquery()
            )
            rows = await self._conn.execute(
                select(table).join(
                    newest,
                    (newest.c.scope == table.c.scope) & (newest.c.origin == table.c.origin),
                )
            )
            found |= {row.scope: _to_forecast(row) for row in rows}
        return found

    async def of_day(self, origin: date) -> list[MachineForecast]:
        rows = await self._conn.execute(
            select(table).where(table.c.origin == origin).order_by(table.c.id)
        )
        return [_to_forecast(row) for row in rows]


def _to_forecast(row: AnyRow) -> MachineForecast:
    return MachineForecast(
        origin=row.origin,
        scope=row.scope,
        by_horizon={int(days): Quantiles(*of) for days, of in row.estimates.items()},
        enough=row.enough,
        method=row.method,
        reasons=tuple(row.reasons),
        version=row.version,
        made_at=row.made_at,
    )
