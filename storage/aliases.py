"""What reps call their customers, learnt from their own confirmed choices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.aliases import LearntAlias, LearntState
from storage.dialects import AnyRow, insert_into
from storage.tables import learnt_aliases

_COLUMNS = (
    learnt_aliases.c.alias, learnt_aliases.c.account_id, learnt_aliases.c.person_id,
    learnt_aliases.c.state,
)  # fmt: skip


class Aliases:
    """Learnt names, inside one transaction. One row a (name, customer, person)."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def of(self, alias: str) -> list[LearntAlias]:
        """All that anybody ever meant by it; `alias` normalised."""
        rows = await self._conn.execute(
            select(*_COLUMNS).where(learnt_aliases.c.alias == alias).order_by(learnt_aliases.c.id)
        )
        return [_to_alias(row) for row in rows]

    async def put(self, learnt: LearntAlias, *, activity_id: int | None, at: datetime) -> None:
        """Set what this person means by this name as far as this customer goes."""
        values = {"state": str(learnt.state), "activity_id": activity_id, "learnt_at": at}
        await self._conn.execute(
            insert_into(self._conn, learnt_aliases)
            .values(
                alias=learnt.alias,
                account_id=learnt.account_id,
                person_id=learnt.person_id,
                **values,
            )
            .on_conflict_do_update(
                index_elements=[
                    learnt_aliases.c.alias,
                    learnt_aliases.c.account_id,
                    learnt_aliases.c.person_id,
                ],
                set_=values,
            )
        )

    async def undo(self, activity_id: int) -> Sequence[LearntAlias]:
        """What that record had taught is held no more; what that was."""
        rows = await self._conn.execute(
            update(learnt_aliases)
            .where(
                learnt_aliases.c.activity_id == activity_id,
                learnt_aliases.c.state == str(LearntState.HELD),
            )
            .values(state=str(LearntState.UNDONE))
            .returning(*_COLUMNS)
        )
        return [_to_alias(row) for row in rows]


def _to_alias(row: AnyRow) -> LearntAlias:
    return LearntAlias(row.alias, row.account_id, row.person_id, LearntState(row.state))
