"""Where the process of a team breaks: how often, and some examples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import DraftState
from bot.domain.deadlines import Awaited
from bot.domain.opportunities import OpportunityState
from storage.dialects import fixed
from storage.tables import (
    accounts,
    activities,
    deadlines,
    drafts,
    light_episodes,
    opportunities,
    people,
)

CHUNK = 500
EXAMPLES = 3
_OPEN = opportunities.c.state == str(OpportunityState.OPEN)
_SILENT_SINCE = func.coalesce(opportunities.c.last_valid_at, opportunities.c.assigned_at)


@dataclass(frozen=True, slots=True)
class Sample:
    """examples: (customer, rep), the oldest first; "" for a customer that is not known."""

    count: int = 0
    examples: tuple[tuple[str, str], ...] = ()


class Diagnosis:
    """Of some reps, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def owed(self, person_ids: Iterable[int], awaited: Awaited, *, by: datetime) -> Sample:
        """Minutes, fields or words of unlocking that are owed since before `by`."""
        waits = deadlines.c.state.in_([fixed("open"), fixed("locked")])
        query = _named(deadlines, deadlines.c.person_id).where(
            waits, deadlines.c.awaited == str(awaited), deadlines.c.since <= by
        )
        return await self._sample(query, person_ids, deadlines.c.person_id, deadlines.c.since)

    async def overdue(self, owner_ids: Iterable[int], before: datetime) -> Sample:
        """Promised contacts that did not take place."""
        query = _named(opportunities, opportunities.c.owner_id).where(
            _OPEN, opportunities.c.next_contact_at < before
        )
        order = opportunities.c.next_contact_at
        return await self._sample(query, owner_ids, opportunities.c.owner_id, order)

    async def stuck(self, owner_ids: Iterable[int]) -> Sample:
        query = _named(opportunities, opportunities.c.owner_id).where(_OPEN, opportunities.c.stuck)
        order = opportunities.c.stage_since
        return await self._sample(query, owner_ids, opportunities.c.owner_id, order)

    async def silent(self, owner_ids: Iterable[int], before: datetime) -> Sample:
        """Open leads without a valid action since then."""
        query = _named(opportunities, opportunities.c.owner_id).where(_OPEN, before > _SILENT_SINCE)
        return await self._sample(query, owner_ids, opportunities.c.owner_id, _SILENT_SINCE)

    async def late(self, actor_ids: Iterable[int], since: datetime) -> Sample:
        """Records that came later than allowed."""
        query = _named(activities, activities.c.actor_id).where(
            activities.c.recorded_at >= since, activities.c.late
        )
        return await self._sample(query, actor_ids, activities.c.actor_id, activities.c.recorded_at)

    async def expired_drafts(self, person_ids: Iterable[int], since: datetime) -> Sample:
        query = _named(drafts, drafts.c.person_id).where(
            drafts.c.state == str(DraftState.EXPIRED), drafts.c.expires_at >= since
        )
        return await self._sample(query, person_ids, drafts.c.person_id, drafts.c.expires_at)

    async def unacknowledged(self, owner_ids: Iterable[int]) -> Sample:
        """Red lights that nobody has acknowledged."""
        joined = light_episodes.join(
            opportunities, opportunities.c.id == light_episodes.c.opportunity_id
        )
        query = (
            select(accounts.c.name.label("customer"), people.c.name.label("rep"))
            .select_from(joined)
            .join(accounts, accounts.c.id == opportunities.c.account_id)
            .join(people, people.c.id == light_episodes.c.owner_id)
            .where(
                light_episodes.c.cleared_at.is_(None),
                light_episodes.c.red_at.is_not(None),
                light_episodes.c.acked_at.is_(None),
            )
        )
        order = light_episodes.c.red_at
        return await self._sample(query, owner_ids, light_episodes.c.owner_id, order)

    async def recorders(self, person_ids: Iterable[int], since: datetime) -> set[int]:
        """Those of them who recorded anything since then."""
        found: set[int] = set()
        ids = sorted(set(person_ids))
        for start in range(0, len(ids), CHUNK):
            query = (
                select(activities.c.actor_id)
                .where(
                    activities.c.actor_id.in_(ids[start : start + CHUNK]),
                    activities.c.recorded_at >= since,
                )
                .distinct()
            )
            found |= set((await self._conn.execute(query)).scalars())
        return found

    async def _sample(
        self,
        query: Select[Any],
        person_ids: Iterable[int],
        person: ColumnElement[Any],
        order: ColumnElement[Any],
    ) -> Sample:
        ids = sorted(set(person_ids))
        count, examples = 0, []
        for start in range(0, len(ids), CHUNK):
            chunk = query.add_columns(
                func.count().over().label("every"), order.label("place")
            ).where(person.in_(ids[start : start + CHUNK]))
            rows = (await self._conn.execute(chunk.order_by(order).limit(EXAMPLES))).all()
            count += rows[0].every if rows else 0
            examples += [(row.place, row.customer or "", row.rep) for row in rows]
        oldest = sorted(examples, key=lambda one: one[0])[:EXAMPLES]
        return Sample(count, tuple((customer, rep) for _, customer, rep in oldest))


def _named(table: Any, person: ColumnElement[Any]) -> Select[Any]:
    return (
        select(accounts.c.name.label("customer"), people.c.name.label("rep"))
        .select_from(table)
        .join(accounts, accounts.c.id == table.c.account_id, isouter=True)
        .join(people, people.c.id == person)
    )
