"""What a forecaster learns from: when deals came, when they ended, and for how much."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.levels import Level
from bot.domain.opportunities import OpportunityState
from bot.domain.stages import NAMES_A_STAGE, MoveKind
from storage.dialects import among
from storage.tables import level_changes, opportunities, stage_events

PAGE = 20_000
_LIVING = (str(OpportunityState.OPEN), str(OpportunityState.ON_HOLD))
_STAGES = sorted(str(kind) for kind in NAMES_A_STAGE)


@dataclass(frozen=True, slots=True)
class PastMark:
    """Where a deal came to stand. level: the intent level it then had, None: none; of a mark that
    names a stage, always None. stage: the key of the stage it came to; "" of a mark that names a
    level. opening: it began there, nobody moved it."""

    at: datetime
    level: Level | None = None
    stage: str = ""
    opening: bool = False


@dataclass(frozen=True, slots=True)
class PastDeal:
    """One opportunity. ended_at: None while it lives. marks: levels and stages, each kind in the
    order in which it was written down."""

    owner_id: int
    won: bool
    amount_fen: int | None
    created_at: datetime
    ended_at: datetime | None
    marks: Sequence[PastMark] = ()


@dataclass(frozen=True, slots=True)
class OpenSum:
    """Living deals at one level; None: without one. Those without an amount count as 0 fen."""

    level: Level | None
    deals: int
    amount_fen: int


class ForecastHistory:
    """Queries of what a forecaster learns from, inside one transaction, which should be one that
    only reads."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def pages(self) -> AsyncIterator[list[PastDeal]]:
        """Every opportunity, by pages, so that others are served in between."""
        after = 0
        while True:
            rows = (
                await self._conn.execute(
                    select(
                        opportunities.c.id,
                        opportunities.c.owner_id,
                        opportunities.c.state,
                        opportunities.c.amount_fen,
                        opportunities.c.created_at,
                    )
                    .where(opportunities.c.id > after)
                    .order_by(opportunities.c.id)
                    .limit(PAGE)
                )
            ).all()
            if not rows:
                return
            ended = await self._ended(after, rows[-1].id)
            marks = await self._marks(after, rows[-1].id)
            yield [
                PastDeal(
                    owner_id=owner,
                    won=state == OpportunityState.WON,
                    amount_fen=amount,
                    created_at=created,
                    ended_at=None if state in _LIVING else ended.get(number, created),
                    marks=marks.get(number, ()),
                )
                for number, owner, state, amount, created in rows
            ]
            after = rows[-1].id

    async def open_by_level(self, owner_ids: Collection[int] | None) -> list[OpenSum]:
        """Of these owners, None: of all; the surest level first."""
        newest = (
            select(func.max(level_changes.c.id).label("id"))
            .group_by(level_changes.c.opportunity_id)
            .subquery()
        )
        current = (
            select(level_changes.c.opportunity_id, level_changes.c.after)
            .join(newest, newest.c.id == level_changes.c.id)
            .subquery()
        )
        amount = func.coalesce(func.sum(opportunities.c.amount_fen), 0)
        query = (
            select(current.c.after, func.count(), amount)
            .select_from(
                opportunities.outerjoin(current, current.c.opportunity_id == opportunities.c.id)
            )
            .where(opportunities.c.state.in_(_LIVING))
            .group_by(current.c.after)
        )
        if owner_ids is not None:
            query = query.where(among(self._conn, opportunities.c.owner_id, owner_ids))
        rows = (await self._conn.execute(query)).all()
        found = [
            OpenSum(Level(level) if level is not None else None, deals, int(fen))
            for level, deals, fen in rows
        ]
        order = [*Level, None]
        return sorted(found, key=lambda one: order.index(one.level))

    async def _ended(self, after: int, until: int) -> dict[int, datetime]:
        """opportunity -> when it was closed last."""
        rows = await self._conn.execute(
            select(stage_events.c.opportunity_id, func.max(stage_events.c.at))
            .where(
                stage_events.c.opportunity_id > after,
                stage_events.c.opportunity_id <= until,
                stage_events.c.kind == str(MoveKind.CLOSED),
            )
            .group_by(stage_events.c.opportunity_id)
        )
        return {number: at for number, at in rows}

    async def _marks(self, after: int, until: int) -> dict[int, list[PastMark]]:
        """opportunity -> its levels and stages, of those of which any are known."""
        found: dict[int, list[PastMark]] = {}
        levels = level_changes.c
        rows = await self._conn.execute(
            select(levels.opportunity_id, levels.at, levels.after)
            .where(levels.opportunity_id > after, levels.opportunity_id <= until)
            .order_by(levels.opportunity_id, levels.id)
        )
        for number, at, level in rows:
            mark = PastMark(at, level=None if level is None else Level(level))
            found.setdefault(number, []).append(mark)
        stages = stage_events.c
        moves = await self._conn.execute(
            select(stages.opportunity_id, stages.at, stages.went_to, stages.kind)
            .where(
                stages.opportunity_id > after,
                stages.opportunity_id <= until,
                stages.kind.in_(_STAGES),
            )
            .order_by(stages.opportunity_id, stages.id)
        )
        for number, at, stage, kind in moves:
            mark = PastMark(at, stage=stage, opening=kind == MoveKind.OPENED)
            found.setdefault(number, []).append(mark)
        return found
