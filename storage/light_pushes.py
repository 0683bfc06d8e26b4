"""Pushes about lights: owed, sent, dropped. At most one per (lead, episode, step, person)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, column, func, select, update, values
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.notifying import Reason, Step
from storage.dialects import fixed, insert_into, pairs_among
from storage.tables import Utc, activities, opportunities, pushes

CHUNK = 500

EpisodeKey = tuple[int, int]
"""(opportunity id, number of the episode)"""


@dataclass(frozen=True, slots=True)
class NewPush:
    """A push from now on owed. Times in UTC."""

    opportunity_id: int
    episode: int
    step: Step
    receiver_id: int
    owed_at: datetime
    send_at: datetime


@dataclass(frozen=True, slots=True)
class OwedPush:
    """A row of what is owed."""

    id: int
    opportunity_id: int
    episode: int
    step: Step
    receiver_id: int
    send_at: datetime


@dataclass(frozen=True, slots=True)
class LastAction:
    """The valid action a lead's count began with. unit: key of the action library."""

    unit: str
    title: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class HeatRow:
    """What was done with a lead on one day. by_us: not a customer's signal. day: its place
    among the days that were asked for."""

    opportunity_id: int
    unit: str
    by_us: bool
    day: int
    count: int


class LightPushes:
    """Who is owed and who was told what, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def owe(self, new: Sequence[NewPush]) -> None:
        """Pushes known by their key are passed over."""
        rows = [
            {
                "opportunity_id": push.opportunity_id,
                "episode": push.episode,
                "step": str(push.step),
                "receiver_id": push.receiver_id,
                "owed_at": push.owed_at,
                "send_at": push.send_at,
                "state": "owed",
            }
            for push in new
        ]
        if rows:
            insert = insert_into(self._conn, pushes).on_conflict_do_nothing()
            await self._conn.execute(insert, rows)

    async def list_owed(self, until: datetime) -> list[OwedPush]:
        """All that is owed to go out by then, to anybody."""
        query = (
            select(pushes)
            .where(pushes.c.state == fixed("owed"), pushes.c.send_at <= until)
            .order_by(pushes.c.send_at, pushes.c.id)
        )
        return [
            OwedPush(
                id=row.id,
                opportunity_id=row.opportunity_id,
                episode=row.episode,
                step=Step(row.step),
                receiver_id=row.receiver_id,
                send_at=row.send_at,
            )
            for row in await self._conn.execute(query)
        ]

    async def next_send_at(self) -> datetime | None:
        query = (
            select(pushes.c.send_at)
            .where(pushes.c.state == fixed("owed"))
            .order_by(pushes.c.send_at)
            .limit(1)
        )
        moment: datetime | None = (await self._conn.execute(query)).scalar()
        return moment

    async def mark_pushed(self, push_ids: Iterable[int], *, card_id: str, at: datetime) -> None:
        await self._settle(push_ids, state="pushed", card_id=card_id, pushed_at=at)

    async def drop(self, push_ids: Iterable[int], *, reason: Reason | str) -> None:
        await self._settle(push_ids, state="dropped", reason=str(reason))

    async def defer(self, moments: Mapping[int, datetime]) -> None:
        """push id -> when to look again."""
        if moments:
            await self._conn.execute(
                update(pushes).where(pushes.c.id == bindparam("of_id")).values(
                    send_at=bindparam("look_at")
                ),
                [{"of_id": push_id, "look_at": moment} for push_id, moment in moments.items()],
            )  # fmt: skip

    async def receivers(
        self, keys: Iterable[EpisodeKey], *, steps: Sequence[Step] = tuple(Step)
    ) -> dict[EpisodeKey, set[int]]:
        """Who was told about each episode in one of these steps."""
        told: dict[EpisodeKey, set[int]] = defaultdict(set)
        keys = list(keys)
        if not keys:
            return told
        episode = pushes.c.opportunity_id, pushes.c.episode
        query = select(*episode, pushes.c.receiver_id).where(
            pairs_among(self._conn, episode, keys),
            pushes.c.state == "pushed",
            pushes.c.step.in_([str(step) for step in steps]),
        )
        for row in await self._conn.execute(query):
            told[row.opportunity_id, row.episode].add(row.receiver_id)
        return told

    async def told_since(
        self, moment: datetime, receiver_ids: Iterable[int]
    ) -> set[tuple[int, int]]:
        """(receiver, opportunity) of what was pushed to these people since then."""
        told: set[tuple[int, int]] = set()
        for chunk in _chunks(receiver_ids):
            query = select(pushes.c.receiver_id, pushes.c.opportunity_id).where(
                pushes.c.receiver_id.in_(chunk), pushes.c.pushed_at >= moment
            )
            rows = await self._conn.execute(query)
            told |= {(row.receiver_id, row.opportunity_id) for row in rows}
        return told

    async def last_actions(self, opportunity_ids: Iterable[int]) -> dict[int, LastAction]:
        """opportunity id -> its last valid action."""
        found: dict[int, LastAction] = {}
        for chunk in _chunks(opportunity_ids):
            query = (
                select(
                    activities.c.opportunity_id,
                    activities.c.unit,
                    activities.c.title,
                    activities.c.occurred_at,
                )
                .join(opportunities, opportunities.c.id == activities.c.opportunity_id)
                .where(
                    activities.c.opportunity_id.in_(chunk),
                    activities.c.occurred_at == opportunities.c.last_valid_at,
                    activities.c.valid,
                )
                .order_by(activities.c.id)
            )
            for row in await self._conn.execute(query):
                found[row.opportunity_id] = LastAction(row.unit, row.title, row.occurred_at)
        return found

    async def heat(
        self, opportunity_ids: Iterable[int], spans: Sequence[tuple[datetime, datetime]]
    ) -> list[HeatRow]:
        """The stream entries of these leads, what was taken back left out, counted by day.
        spans: the beginning and the end of each day.

        Each day is a range of the index, and the counting is the database's: a busy customer
        has thousands of entries in some weeks.
        """
        later = activities.alias()
        taken_back = select(later.c.id).where(later.c.retracts_id == activities.c.id).exists()
        days = (
            values(column("day", Integer), column("begun", Utc), column("over", Utc), name="days")
            .data([(day, *ends) for day, ends in enumerate(spans)])
            .cte("days")
        )
        found: list[HeatRow] = []
        for chunk in _chunks(opportunity_ids):
            by_us = activities.c.actor_id.is_not(None)
            query = (
                select(
                    activities.c.opportunity_id,
                    activities.c.unit,
                    by_us.label("by_us"),
                    days.c.day,
                    func.count().label("every"),
                )
                .join(
                    days,
                    (activities.c.occurred_at >= days.c.begun)
                    & (activities.c.occurred_at < days.c.over),
                )
                .where(
                    activities.c.opportunity_id.in_(chunk),
                    activities.c.retracts_id.is_(None),
                    ~taken_back,
                )
                .group_by(activities.c.opportunity_id, activities.c.unit, by_us, days.c.day)
            )
            rows = await self._conn.execute(query)
            found += [
                HeatRow(row.opportunity_id, row.unit, bool(row.by_us), row.day, row.every)
                for row in rows
            ]
        return found

    async def _settle(self, push_ids: Iterable[int], **values: Any) -> None:
        for chunk in _chunks(push_ids):
            await self._conn.execute(update(pushes).where(pushes.c.id.in_(chunk)).values(**values))


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    distinct = sorted(set(ids))
    return (distinct[start : start + CHUNK] for start in range(0, len(distinct), CHUNK))
