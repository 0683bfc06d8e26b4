"""Where the process of a team breaks: how often, and some examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import DraftState
from bot.domain.deadlines import Awaited
from bot.domain.opportunities import OpportunityState
from bot.domain.stages import MoveKind
from storage.dialects import fixed
from storage.tables import (
    accounts,
    activities,
    deadlines,
    drafts,
    group_words,
    light_episodes,
    opportunities,
    people,
    stage_events,
)

CHUNK = 500
EXAMPLES = 3
_OPEN = opportunities.c.state == str(OpportunityState.OPEN)
_SILENT_SINCE = func.coalesce(opportunities.c.last_valid_at, opportunities.c.assigned_at)


@dataclass(frozen=True, slots=True)
class Sample:
    """How often one break was found, with examples. examples: (customer, rep), the oldest first; ""
    for a customer that is not known."""

    count: int = 0
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What a record owed, and when it came. since, hours: as `Deadline` has them. reopened: the
    supervisor had let it in after a lock."""

    customer: str | None
    rep: str
    since: datetime
    hours: int
    at: datetime
    reopened: bool


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

    async def handed_in(self, person_ids: Iterable[int], since: datetime) -> list[HandedIn]:
        """Minutes, fields and files that came since then, the oldest first."""
        columns = (deadlines.c.since, deadlines.c.hours, deadlines.c.settled_at,
                   deadlines.c.reopened_at.is_not(None))  # fmt: skip
        found: list[HandedIn] = []
        for ids in _chunks(person_ids):
            query = _named(deadlines, deadlines.c.person_id).add_columns(*columns)
            chosen = query.where(
                deadlines.c.state == fixed("done"),
                deadlines.c.awaited != str(Awaited.LATE),
                deadlines.c.settled_at >= since,
                deadlines.c.person_id.in_(ids),
            )
            found += [HandedIn(*row) for row in await self._conn.execute(chosen)]
        return sorted(found, key=lambda one: one.at)

    async def undocumented_moves(
        self, owner_ids: Iterable[int], since: datetime, *, worked_since: datetime
    ) -> Sample:
        """Moves forward since then, of deals without a valid action between `worked_since` and
        the move."""
        worked = exists().where(
            activities.c.opportunity_id == stage_events.c.opportunity_id,
            activities.c.valid,
            activities.c.occurred_at >= worked_since,
            activities.c.recorded_at <= stage_events.c.at,
        )
        query = (
            select(accounts.c.name.label("customer"), people.c.name.label("rep"))
            .select_from(stage_events)
            .join(opportunities, opportunities.c.id == stage_events.c.opportunity_id)
            .join(accounts, accounts.c.id == opportunities.c.account_id)
            .join(people, people.c.id == opportunities.c.owner_id)
            .where(
                stage_events.c.at >= since,
                stage_events.c.kind == str(MoveKind.FORWARD),
                ~worked,
            )
        )
        return await self._sample(query, owner_ids, opportunities.c.owner_id, stage_events.c.at)

    async def unbound_groups(self, person_ids: Iterable[int], since: datetime) -> Sample:
        """Groups in which they told the bot something since then, and nothing of it became a
        record. The customer is not known; the rep is who spoke there last."""
        last: dict[str, tuple[datetime, str]] = {}
        kept: set[str] = set()
        for chunk in _chunks(person_ids):
            query = (
                select(
                    group_words.c.conversation,
                    group_words.c.recorded,
                    people.c.name,
                    func.max(group_words.c.said_at).label("said_at"),
                )
                .join(people, people.c.id == group_words.c.person_id)
                .where(group_words.c.person_id.in_(chunk), group_words.c.said_at >= since)
                .group_by(group_words.c.conversation, group_words.c.recorded, people.c.name)
            )
            for group, recorded, name, said_at in await self._conn.execute(query):
                kept |= {group} if recorded else set()
                last[group] = max(last.get(group, (said_at, name)), (said_at, name))
        lost = sorted(told for group, told in last.items() if group not in kept)
        return Sample(len(lost), tuple(("", name) for _, name in lost[:EXAMPLES]))

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
        for ids in _chunks(person_ids):
            query = (
                select(activities.c.actor_id)
                .where(
                    activities.c.actor_id.in_(ids),
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
        count, examples = 0, []
        for ids in _chunks(person_ids):
            chunk = query.add_columns(
                func.count().over().label("every"), order.label("place")
            ).where(person.in_(ids))
            rows = (await self._conn.execute(chunk.order_by(order).limit(EXAMPLES))).all()
            count += rows[0].every if rows else 0
            examples += [(row.place, row.customer or "", row.rep) for row in rows]
        oldest = sorted(examples, key=lambda one: one[0])[:EXAMPLES]
        return Sample(count, tuple((customer, rep) for _, customer, rep in oldest))


def _chunks(person_ids: Iterable[int]) -> Iterator[list[int]]:
    ids = sorted(set(person_ids))
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _named(table: Any, person: ColumnElement[Any]) -> Select[Any]:
    return (
        select(accounts.c.name.label("customer"), people.c.name.label("rep"))
        .select_from(table)
        .join(accounts, accounts.c.id == table.c.account_id, isouter=True)
        .join(people, people.c.id == person)
    )
