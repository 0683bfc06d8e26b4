"""How far a table is gone through at night, and how many of its rows were changed on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """up_to: the number of the last row that was looked at. left: rows before it that are to be
    looked at again. untold: how many were changed since `take_counts`."""

    up_to: int = 0
    left: tuple[int, ...] = ()
    untold: int = 0


class KeptPlaces:
    """By the name of what is gone through, inside one transaction: the place moves with what was
    done, or not at all."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._settings = Settings(conn)

    async def get(self, name: str) -> Place:
        told = await self._settings.get(f"place.{name}")
        return Place(**{**told, "left": tuple(told["left"])}) if told else Place()

    async def put(self, name: str, place: Place, at: datetime) -> None:
        await self._settings.put(f"place.{name}", asdict(place), at)

    async def take_counts(self, names: Iterable[str], at: datetime) -> dict[str, int]:
        """Name -> how many of its rows were changed since this was last called; without zeros."""
        counts = {}
        for name in names:
            place = await self.get(name)
            if place.untold:
                counts[name] = place.untold
                await self.put(name, replace(place, untold=0), at)
        return counts
