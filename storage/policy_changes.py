"""Numbers of the policy that were changed at run time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.policy_changes import PolicyChange, Value
from storage.dialects import AnyRow
from storage.tables import policy_changes

_POSTGRES_LOCK = 0x706F6C69  # any number nobody else uses


class PolicyChanges:
    """Repository of changed policy numbers, inside one transaction. Append only."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def version(self) -> int:
        """The number of the newest change; 0 before the first."""
        return await self._conn.scalar(select(func.max(policy_changes.c.id))) or 0

    async def take_turn(self) -> None:
        """Before it is judged whether a number is still what somebody saw: on PostgreSQL whoever
        changes one at the same moment waits for our commit. SQLite has one writer."""
        if self._conn.dialect.name == "postgresql":
            await self._conn.execute(select(func.pg_advisory_xact_lock(_POSTGRES_LOCK)))

    async def add(
        self,
        *,
        team_id: int | None,
        key: str,
        before: Value | None,
        after: Value | None,
        by: int,
        at: datetime,
    ) -> int:
        """Its number."""
        added = await self._conn.execute(
            insert(policy_changes)
            .values(
                team_id=team_id,
                key=key,
                before=null() if before is None else before,
                after=null() if after is None else after,
                person_id=by,
                at=at,
            )
            .returning(policy_changes.c.id)
        )
        return int(added.scalar_one())

    async def in_force(self) -> list[PolicyChange]:
        """The newest of each team and key, the oldest first; also those that took a change back."""
        newest = select(func.max(policy_changes.c.id)).group_by(
            policy_changes.c.team_id, policy_changes.c.key
        )
        query = select(policy_changes).where(policy_changes.c.id.in_(newest))
        rows = await self._conn.execute(query.order_by(policy_changes.c.id))
        return [_to_change(row) for row in rows]

    async def newest(self, key: str, team_id: int | None) -> PolicyChange | None:
        """The last change of one number; None where there was none."""
        query = select(policy_changes).where(
            policy_changes.c.key == key, policy_changes.c.team_id.is_not_distinct_from(team_id)
        )
        rows = await self._conn.execute(query.order_by(policy_changes.c.id.desc()).limit(1))
        row = rows.one_or_none()
        return None if row is None else _to_change(row)

    async def list_last(self, *, key: str = "", limit: int) -> list[PolicyChange]:
        """The newest first, of one key or of all."""
        query = select(policy_changes).order_by(policy_changes.c.id.desc()).limit(limit)
        if key:
            query = query.where(policy_changes.c.key == key)
        return [_to_change(row) for row in await self._conn.execute(query)]


def _to_change(row: AnyRow) -> PolicyChange:
    return PolicyChange(**row._asdict())
