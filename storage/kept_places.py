"""How far a table is gone through at night, and how many of its rows were changed on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import insert_into
from storage.settings import Settings
from storage.tables import settings_rows


@dataclass(frozen=True, slots=True)
class Place:
    """How far a table was gone through. up_to: the number of the last row that was looked at. left:
    rows before it that are to be looked at again. untold: how many were changed since
    `take_counts`."""

    up_to: int = 0
    left: tuple[int, ...] = ()
    untold: int = 0


class KeptPlaces:
    """By the name of what is gone through, inside one transaction: the place moves with what was
    done, or not at all."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._settings = Settings(conn)

    async def get(self, name: str, at: datetime) -> Place:
        """Locked until the transaction ends: of two processes that go on from it at once, the
        second goes on from where the first has come to."""
        row = {"name": f"place.{name}", "value": asdict(Place()), "updated_at": at}
        await self._conn.execute(
            insert_into(self._conn, settings_rows).values(row).on_conflict_do_nothing()
        )
        told: Any = await self._conn.scalar(
            select(settings_rows.c.value)
            .where(settings_rows.c.name == row["name"])
            .with_for_update()
        )
        return Place(told["up_to"], tuple(told["left"]), told["untold"])

    async def put(self, name: str, place: Place, at: datetime) -> None:
        await self._settings.put(f"place.{name}", asdict(place), at)

    async def take_counts(self, names: Iterable[str], at: datetime) -> dict[str, int]:
        """Name -> how many of its rows were changed since this was last called; without zeros."""
        counts = {}
        for name in names:
            place = await self.get(name, at)
            if place.untold:
                counts[name] = place.untold
                await self.put(name, replace(place, untold=0), at)
        return counts
