"""Sums of forecasts and of what was won, for many people at once: no line is read for itself where
the database can add it up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.levels import Level
from bot.domain.opportunities import OpportunityState
from storage.dialects import among
from storage.tables import (
    deal_outlooks,
    forecast_cosigns,
    forecast_lines,
    forecasts,
    level_changes,
    opportunities,
    stage_events,
)

_CLOSED = [
    str(one) for one in (OpportunityState.WON, OpportunityState.LOST, OpportunityState.INVALID)
]


@dataclass(frozen=True, slots=True)
class OpenSum:
    """Lines of one person and level whose second signature stands alike. answers: the rep's and
    the second one's, where one line is signed but not settled."""

    person_id: int
    level: Level
    signed: bool
    settled: bool
    lines: int
    fen: int
    answers: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


class ForecastSums:
    """Queries of sums of forecasts, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def open_sums(
        self, person_ids: Iterable[int], *, since: date, until: date
    ) -> list[OpenSum]:
        """Of each one's last submission since that day: what is expected before `until` of deals
        that are neither won nor lost."""
        newest = (
            select(func.max(forecasts.c.id))
            .where(
                among(self._conn, forecasts.c.person_id, person_ids), forecasts.c.on_day >= since
            )
            .group_by(forecasts.c.person_id)
        )
        signed = forecast_cosigns.c.signed_at.is_not(None)
        settled = forecast_cosigns.c.closed_at.is_not(None)
        one_by_one = case((signed & ~settled, forecast_lines.c.id), else_=0)
        keys = (forecasts.c.person_id, forecast_lines.c.level, signed, settled, one_by_one)
        query = (
            select(*keys, func.count(), func.sum(forecast_lines.c.amount_fen))
            .select_from(forecast_lines)
            .join(forecasts, forecasts.c.id == forecast_lines.c.forecast_id)
            .join(opportunities, opportunities.c.id == forecast_lines.c.opportunity_id)
            .outerjoin(forecast_cosigns, forecast_cosigns.c.line_id == forecast_lines.c.id)
            .where(
                forecasts.c.id.in_(newest),
                forecast_lines.c.expected_on < until,
                opportunities.c.state.not_in(_CLOSED),
            )
            .group_by(*keys)
        )
        rows = (await self._conn.execute(query)).all()
        answers = await self._answers([row[4] for row in rows if row[4]])
        return [
            OpenSum(
                person, Level(level), bool(is_signed), bool(is_settled), lines, int(fen),
                answers.get(line, ((), ())),
            )
            for person, level, is_signed, is_settled, line, lines, fen in rows
        ]  # fmt: skip

    async def _answers(
        self, line_ids: Sequence[int]
    ) -> dict[int, tuple[tuple[int, ...], tuple[int, ...]]]:
        if not line_ids:
            return {}
        rows = await self._conn.execute(
            select(forecast_lines.c.id, forecast_lines.c.answers, forecast_cosigns.c.answers)
            .join(forecast_cosigns, forecast_cosigns.c.line_id == forecast_lines.c.id)
            .where(among(self._conn, forecast_lines.c.id, line_ids))
        )
        return {line: (tuple(rep), tuple(second)) for line, rep, second in rows}

    async def to_submit(self, person_ids: Iterable[int], *, until: date) -> dict[int, int]:
        """person -> how many of their open deals have a level and are not expected after that
        day, of those that have any."""
        later = level_changes.alias("later")
        is_newest = ~(
            select(later.c.id)
            .where(
                later.c.opportunity_id == level_changes.c.opportunity_id,
                later.c.id > level_changes.c.id,
            )
            .exists()
        )
        expected_on = deal_outlooks.c.expected_on
        rows = await self._conn.execute(
            select(opportunities.c.owner_id, func.count())
            .join(level_changes, level_changes.c.opportunity_id == opportunities.c.id)
            .outerjoin(deal_outlooks, deal_outlooks.c.opportunity_id == opportunities.c.id)
            .where(
                among(self._conn, opportunities.c.owner_id, person_ids),
                opportunities.c.state == str(OpportunityState.OPEN),
                level_changes.c.after.is_not(None),
                is_newest,
                or_(expected_on.is_(None), expected_on <= until),
            )
            .group_by(opportunities.c.owner_id)
        )
        return {person_id: count for person_id, count in rows}

    async def won_by_owner(self, since: datetime, until: datetime) -> dict[int, int]:
        """person -> fen of their deals won in [since, until), of everybody: found from the moments
        on, which is far less than everybody's deals. The state stands in the query itself, or no
        database would know that `ix_stage_events_won` holds all of them."""
        won = str(OpportunityState.WON)
        ids = (
            select(stage_events.c.opportunity_id)
            .where(
                stage_events.c.at >= since,
                stage_events.c.at < until,
                stage_events.c.went_to == literal_column(f"'{won}'"),
            )
            .distinct()
            .subquery()
        )
        rows = await self._conn.execute(
            select(opportunities.c.owner_id, func.sum(opportunities.c.amount_fen).label("fen"))
            .select_from(ids.join(opportunities, opportunities.c.id == ids.c.opportunity_id))
            .where(opportunities.c.state == won)
            .group_by(opportunities.c.owner_id)
        )
        return {row.owner_id: int(row.fen or 0) for row in rows}
