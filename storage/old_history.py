"""The words of old entries in the streams, and old pushes of lights, taken out (docs/privacy.md).

What wages are proven by stays: time, kind, duration, objection codes, validity, author. Customers
with a living deal are passed over until it has ended, so each table is gone through again and
again, a part each night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.privacy import impersonal
from storage.dialects import AnyRow, among
from storage.kept_places import KeptPlaces
from storage.opportunities import IS_LIVING
from storage.tables import activities, light_episodes, opportunities, pushes

BATCH = 1_000
ACTIVITIES, PUSHES = "activities", "pushes"
HISTORY = (ACTIVITIES, PUSHES)

_HAS_ENDED = exists().where(
    light_episodes.c.opportunity_id == pushes.c.opportunity_id,
    light_episodes.c.episode == pushes.c.episode,
    light_episodes.c.cleared_at.is_not(None),
)
_WITHOUT_WORDS = update(activities).where(activities.c.id == bindparam("of"))


class OldHistory:
    """Takes words out of old entries of the streams, inside one transaction, which should be short:
    one batch."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._places = KeptPlaces(conn)

    async def go_on(self, name: str, *, before: datetime, at: datetime) -> bool:
        """The next BATCH rows; whether more may follow them. Past the last one that is old enough
        the next call begins anew. name: of HISTORY. before: what is younger stays."""
        place = await self._places.get(name, at)
        if name == ACTIVITIES:
            rows = await self._next_activities(place.up_to)
            old = [row for row in rows if row.since < before]
            changed = await self._empty(old)
        else:
            rows = await self._next_pushes(place.up_to)
            old = [row for row in rows if row.since < before]
            changed = await self._forget(old)
        more = bool(old) and len(rows) == BATCH
        up_to = max(row.id for row in old) if more else 0
        await self._places.put(name, replace(place, up_to=up_to, untold=place.untold + changed), at)
        return more

    async def _next_activities(self, after: int) -> Sequence[AnyRow]:
        its = activities.c
        query = select(its.id, its.recorded_at.label("since"), its.account_id, its.text, its.slots)
        return await self._page(query.where(its.id > after).order_by(its.id))

    async def _next_pushes(self, after: int) -> Sequence[AnyRow]:
        its = pushes.c
        query = select(its.id, its.owed_at.label("since"))
        return await self._page(query.where(its.id > after).order_by(its.id))

    async def _page(self, query: Select[Any]) -> Sequence[AnyRow]:
        rows: Sequence[AnyRow] = (await self._conn.execute(query.limit(BATCH))).all()
        return rows

    async def _empty(self, rows: Sequence[AnyRow]) -> int:
        accounts = {row.account_id for row in rows}
        query = select(opportunities.c.account_id).where(
            among(self._conn, opportunities.c.account_id, accounts), IS_LIVING
        )
        living = set((await self._conn.execute(query)).scalars())
        bare = [
            {"of": row.id, "text": "", "slots": slots}
            for row in rows
            if row.account_id not in living
            and ((slots := impersonal(row.slots)) != row.slots or row.text)
        ]
        if bare:
            await self._conn.execute(_WITHOUT_WORDS, bare)
        return len(bare)

    async def _forget(self, rows: Sequence[AnyRow]) -> int:
        ids = [row.id for row in rows]
        if not ids:
            return 0
        gone = delete(pushes).where(among(self._conn, pushes.c.id, ids), _HAS_ENDED)
        return (await self._conn.execute(gone)).rowcount
