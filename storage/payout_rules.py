"""Changes of bonus rules, from their draft to what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.payouts.rule_changes import Change, Document, State
from bot.errors import NotFound
from storage.dialects import AnyRow
from storage.tables import payout_rule_changes

_TABLE = payout_rule_changes
_ALIVE = (State.DRAFT, State.SIMULATED, State.SUBMITTED, State.APPROVED, State.TESTING)


class PayoutRules:
    """Repository of changes of bonus rules, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, rules: Sequence[Document], *, author_id: int, at: datetime) -> Change:
        added = await self._conn.execute(
            insert(_TABLE)
            .values(
                rules=[dict(rule) for rule in rules],
                state=str(State.DRAFT),
                author_id=author_id,
                created_at=at,
            )
            .returning(_TABLE)
        )
        return _to_change(added.one())

    async def get(self, change_id: int) -> Change:
        """For whoever goes on to move it: nobody else does meanwhile. Raises NotFound."""
        query = select(_TABLE).where(_TABLE.c.id == change_id).with_for_update()
        row = (await self._conn.execute(query)).one_or_none()
        if row is None:
            raise NotFound("没有这次规则变更。")
        return _to_change(row)

    async def look_at(self, change_id: int) -> Change:
        """To read only. Raises NotFound."""
        row = (
            await self._conn.execute(select(_TABLE).where(_TABLE.c.id == change_id))
        ).one_or_none()
        if row is None:
            raise NotFound("没有这次规则变更。")
        return _to_change(row)

    async def authors_of(self, rule_id: str, version: int | None) -> set[int]:
        """Who wrote in a version that was published."""
        query = select(_TABLE.c.rules, _TABLE.c.author_id, _TABLE.c.writers).where(
            _TABLE.c.state == str(State.PUBLISHED)
        )
        return {
            person
            for row in await self._conn.execute(query)
            for person in (row.author_id, *(row.writers or ()))
            if any(rule["id"] == rule_id and rule["version"] == version for rule in row.rules)
        }

    async def move(self, change_id: int, state: State, **values: Any) -> Change:
        """values: columns that the step fills in."""
        changed = await self._conn.execute(
            update(_TABLE)
            .where(_TABLE.c.id == change_id)
            .values(state=str(state), **values)
            .returning(_TABLE)
        )
        return _to_change(changed.one())

    async def edit(
        self,
        change: Change,
        rules: Sequence[Document],
        layout: Mapping[str, Any],
        *,
        by: int,
        at: datetime,
    ) -> Change:
        """What it says now, as a draft again. change: as it was got, and has not changed since."""
        writers = [one for one in change.writers if one != by]
        return await self.move(
            change.id,
            State.DRAFT,
            rules=[dict(rule) for rule in rules],
            layout=dict(layout),
            writers=[*writers, by],
            revision=change.revision + 1,
            edited_at=at,
            simulation=null(),
            simulated_at=None,
        )

    async def note_simulation(
        self, change_id: int, state: State, simulation: Mapping[str, Any], at: datetime
    ) -> Change:
        return await self.move(change_id, state, simulation=dict(simulation), simulated_at=at)

    async def published(
        self, *, until: datetime | None = None
    ) -> list[tuple[tuple[Document, ...], datetime]]:
        """(rules, when they were published), the first first; until: as they were then."""
        query = select(_TABLE.c.rules, _TABLE.c.published_at).where(
            _TABLE.c.state == str(State.PUBLISHED)
        )
        if until is not None:
            query = query.where(_TABLE.c.published_at <= until)
        rows = await self._conn.execute(query.order_by(_TABLE.c.published_at, _TABLE.c.id))
        return [(tuple(row.rules), row.published_at) for row in rows]

    async def last_published(self, *, limit: int) -> list[Change]:
        """The newest first."""
        query = select(_TABLE).where(_TABLE.c.state == str(State.PUBLISHED))
        rows = await self._conn.execute(query.order_by(_TABLE.c.published_at.desc()).limit(limit))
        return [_to_change(row) for row in rows]

    async def alive(self) -> list[Change]:
        """Those that are on their way, the oldest first."""
        query = select(_TABLE).where(_TABLE.c.state.in_([str(one) for one in _ALIVE]))
        rows = await self._conn.execute(query.order_by(_TABLE.c.id))
        return [_to_change(row) for row in rows]


def _to_change(row: AnyRow) -> Change:
    return Change(
        id=row.id,
        rules=tuple(row.rules),
        state=State(row.state),
        author_id=row.author_id,
        created_at=row.created_at,
        simulation=row.simulation,
        approved_by=row.approved_by,
        tested_since=row.tested_since,
        published_at=row.published_at,
        note=row.note,
        revision=row.revision,
        edited_at=row.edited_at,
        writers=tuple(row.writers or ()),
        layout=row.layout,
    )
