"""Two people want one customer: what was asked, and what was decided."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound
from storage.dialects import AnyRow
from storage.tables import collisions


@dataclass(frozen=True, slots=True)
class Collision:
    """The claimant entered `asked` (JSON values), which may be the holder's customer
    account_id for these reasons. decision: "" while it is open."""

    id: int
    account_id: int
    holder_id: int
    claimant_id: int
    asked: dict[str, Any]
    reasons: list[str]
    asked_at: datetime
    decided_at: datetime | None = None
    decided_by: int | None = None
    decision: str = ""
    reason: str = ""


_COLUMNS = [collisions.c[field.name] for field in fields(Collision)]


class Collisions:
    """Repository of customers that two people want, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, collision_id: int) -> Collision:
        """Raises NotFound."""
        found = await self._first(collisions.c.id == collision_id)
        if found is None:
            raise NotFound("没有这个撞单。")
        return found

    async def open_between(self, account_id: int, claimant_id: int) -> Collision | None:
        """What this person has asked about this customer and nobody has decided."""
        return await self._first(
            collisions.c.account_id == account_id,
            collisions.c.claimant_id == claimant_id,
            collisions.c.decided_at.is_(None),
        )

    async def add(self, collision: Collision) -> Collision:
        """As it is stored, with an id of its own."""
        values = asdict(collision)
        del values["id"]
        added = await self._conn.execute(insert(collisions).values(values).returning(*_COLUMNS))
        return _to_collision(added.one())

    async def decide(
        self, collision_id: int, *, by: int, decision: str, reason: str, at: datetime
    ) -> bool:
        """False when somebody decided before."""
        decided = await self._conn.execute(
            update(collisions)
            .where(collisions.c.id == collision_id, collisions.c.decided_at.is_(None))
            .values(decided_at=at, decided_by=by, decision=decision, reason=reason)
        )
        return bool(decided.rowcount)

    async def _first(self, *which: Any) -> Collision | None:
        rows = await self._conn.execute(
            select(*_COLUMNS).where(*which).order_by(collisions.c.id).limit(1)
        )
        row = rows.one_or_none()
        return None if row is None else _to_collision(row)


def _to_collision(row: AnyRow) -> Collision:
    return Collision(**row._mapping)
