"""Counts and intervals for the figures about the process, added up by the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, Integer, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.figures import Interval, Share, Spoken, TeamLights
from bot.domain.opportunities import Light, OpportunityState
from bot.domain.valid_actions import Invalid
from storage.tables import activities, light_episodes, opportunities, pushes

CHUNK = 500
_LATER = activities.alias()
_TAKEN_BACK = select(_LATER.c.id).where(_LATER.c.retracts_id == activities.c.id).exists()


class FigureRows:
    """Of some people, inside one transaction. A period is [since, until), in UTC."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def actions(
        self, person_ids: Iterable[int], since: datetime, until: datetime
    ) -> dict[int, Share]:
        """person id -> valid actions of all they recorded, what never counts and what was
        taken back left out."""
        found: dict[int, Share] = {}
        for chunk in _chunks(person_ids):
            query = (
                select(
                    activities.c.actor_id,
                    func.sum(cast(activities.c.valid, Integer)).label("valid"),
                    func.count().label("every"),
                )
                .where(
                    activities.c.actor_id.in_(chunk),
                    activities.c.recorded_at >= since,
                    activities.c.recorded_at < until,
                    activities.c.unit != "",
                    activities.c.invalid_reason != str(Invalid.NOT_COUNTED),
                    ~_TAKEN_BACK,
                )
                .group_by(activities.c.actor_id)
            )
            for row in await self._conn.execute(query):
                found[row.actor_id] = Share(row.valid, row.every)
        return found

    async def responses(
        self, owner_ids: Iterable[int], since: datetime, until: datetime
    ) -> list[Interval]:
        """From the first push about a light's present colour to its acknowledgement, of lights
        told of in the period. Lights that ended unacknowledged need none."""
        found: list[Interval] = []
        colour_at = func.coalesce(light_episodes.c.red_at, light_episodes.c.yellow_at)
        for chunk in _chunks(owner_ids):
            first = func.min(pushes.c.pushed_at).label("first")
            query = (
                select(light_episodes.c.acked_at, light_episodes.c.cleared_at, first)
                .join(
                    pushes,
                    (pushes.c.opportunity_id == light_episodes.c.opportunity_id)
                    & (pushes.c.episode == light_episodes.c.episode),
                )
                .where(
                    light_episodes.c.owner_id.in_(chunk),
                    pushes.c.pushed_at >= colour_at,
                    pushes.c.pushed_at >= since,
                    pushes.c.pushed_at < until,
                )
                .group_by(
                    light_episodes.c.id, light_episodes.c.acked_at, light_episodes.c.cleared_at
                )
            )
            found += [
                Interval(row.first, row.acked_at)
                for row in await self._conn.execute(query)
                if row.acked_at is not None or row.cleared_at is None
            ]
        return found

    async def lights(self, owner_ids: Iterable[int]) -> dict[int, TeamLights]:
        """owner id -> their open leads now."""
        found: dict[int, TeamLights] = {}
        since = func.coalesce(opportunities.c.last_valid_at, opportunities.c.assigned_at)
        lit = opportunities.c.light != str(Light.GREEN)
        for chunk in _chunks(owner_ids):
            query = (
                select(
                    opportunities.c.owner_id,
                    func.count().label("leads"),
                    _count(opportunities.c.light == str(Light.YELLOW)).label("yellow"),
                    _count(opportunities.c.light == str(Light.RED)).label("red"),
                    _count(opportunities.c.stuck).label("stuck"),
                    func.min(case((lit, since))).label("oldest"),
                )
                .where(
                    opportunities.c.owner_id.in_(chunk),
                    opportunities.c.state == str(OpportunityState.OPEN),
                )
                .group_by(opportunities.c.owner_id)
            )
            for row in await self._conn.execute(query):
                found[row.owner_id] = TeamLights(
                    row.leads, row.yellow, row.red, row.stuck, row.oldest
                )
        return found

    async def first_contacts(
        self, owner_ids: Iterable[int], since: datetime, until: datetime
    ) -> list[Interval]:
        """From the assignment of a lead in the period to its first valid action."""
        found: list[Interval] = []
        for chunk in _chunks(owner_ids):
            first = (
                select(func.min(activities.c.occurred_at))
                .where(
                    activities.c.opportunity_id == opportunities.c.id,
                    activities.c.valid,
                    activities.c.occurred_at >= opportunities.c.assigned_at,
                    ~_TAKEN_BACK,
                )
                .scalar_subquery()
                .label("first")
            )
            query = select(opportunities.c.assigned_at, first).where(
                opportunities.c.owner_id.in_(chunk),
                opportunities.c.assigned_at >= since,
                opportunities.c.assigned_at < until,
            )
            found += [
                Interval(row.assigned_at, row.first) for row in await self._conn.execute(query)
            ]
        return found

    async def episodes(
        self, owner_ids: Iterable[int], since: datetime, until: datetime
    ) -> tuple[int, int]:
        """How many lights rose in the period, and how many ended."""
        rose_at, ended_at = light_episodes.c.yellow_at, light_episodes.c.cleared_at
        rose = ended = 0
        for chunk in _chunks(owner_ids):
            query = select(
                _count((rose_at >= since) & (rose_at < until)).label("rose"),
                _count((ended_at >= since) & (ended_at < until)).label("ended"),
            ).where(light_episodes.c.owner_id.in_(chunk))
            row = (await self._conn.execute(query)).one()
            rose, ended = rose + (row.rose or 0), ended + (row.ended or 0)
        return rose, ended

    async def actions_by_day(
        self, person_ids: Iterable[int], midnights: Sequence[datetime]
    ) -> dict[int, list[int]]:
        """person id -> how many entries they recorded, for each day. midnights: the beginning
        of each day, and the end of the last."""
        days = [
            _count((activities.c.recorded_at >= begin) & (activities.c.recorded_at < end))
            for begin, end in pairwise(midnights)
        ]
        found: dict[int, list[int]] = {}
        for chunk in _chunks(person_ids):
            query = (
                select(activities.c.actor_id, *days)
                .where(
                    activities.c.actor_id.in_(chunk),
                    activities.c.recorded_at >= midnights[0],
                    activities.c.recorded_at < midnights[-1],
                )
                .group_by(activities.c.actor_id)
            )
            for row in await self._conn.execute(query):
                found[row[0]] = [int(count) for count in row[1:]]
        return found

    async def lights_by_day(
        self, owner_ids: Iterable[int], midnights: Sequence[datetime]
    ) -> tuple[list[int], list[int]]:
        """How many lights rose, and how many ended, for each day. midnights: see above."""
        days = list(pairwise(midnights))
        sums = [0] * (2 * len(days))
        counts = [
            _count((column >= begin) & (column < end))
            for column in (light_episodes.c.yellow_at, light_episodes.c.cleared_at)
            for begin, end in days
        ]
        for chunk in _chunks(owner_ids):
            query = select(*counts).where(
                light_episodes.c.owner_id.in_(chunk),
                or_(
                    light_episodes.c.yellow_at >= midnights[0],
                    light_episodes.c.cleared_at >= midnights[0],
                ),
            )
            row = (await self._conn.execute(query)).one()
            sums = [before + (more or 0) for before, more in zip(sums, row, strict=True)]
        return sums[: len(days)], sums[len(days) :]

    async def spoken(
        self, person_ids: Iterable[int], since: datetime, until: datetime
    ) -> list[Spoken]:
        """What they recorded in the period, what was taken back left out."""
        found: list[Spoken] = []
        for chunk in _chunks(person_ids):
            query = select(
                activities.c.opportunity_id,
                activities.c.occurred_at,
                activities.c.unit,
                activities.c.slots,
            ).where(
                activities.c.actor_id.in_(chunk),
                activities.c.recorded_at >= since,
                activities.c.recorded_at < until,
                activities.c.opportunity_id.is_not(None),
                ~_TAKEN_BACK,
            )
            for row in await self._conn.execute(query):
                contact = bool(row.unit) and row.slots.get("connected") is not False
                promised = str(row.slots.get("next_contact") or "")
                found.append(Spoken(row.opportunity_id, row.occurred_at, promised, contact))
        return found


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    distinct = sorted(set(ids))
    return (distinct[start : start + CHUNK] for start in range(0, len(distinct), CHUNK))
