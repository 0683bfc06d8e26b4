"""What people forecast: outlooks of deals, submissions, second signatures, judgements, targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.forecasts import Cosign, Forecast, Line
from bot.domain.levels import Level
from bot.domain.opportunities import OpportunityState
from bot.errors import NotFound
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import (
    account_csms,
    deal_outlooks,
    forecast_cosigns,
    forecast_judgements,
    forecast_lines,
    forecast_targets,
    forecasts,
    opportunities,
    stage_events,
)

_LINE = [field.name for field in fields(Line)]
_COSIGN = [field.name for field in fields(Cosign)]
_LATER = forecasts.alias("later")
_REPLACED = (
    select(forecast_lines.c.id)
    .join(forecasts, forecasts.c.id == forecast_lines.c.forecast_id)
    .join(
        _LATER,
        (_LATER.c.person_id == forecasts.c.person_id)
        & (_LATER.c.week == forecasts.c.week)
        & (_LATER.c.id > forecasts.c.id),
    )
    .where(forecast_lines.c.id == forecast_cosigns.c.line_id)
    .correlate(forecast_cosigns)
    .exists()
)
_AWAITED = (
    forecast_cosigns.c.signed_at.is_(None), forecast_cosigns.c.escalated_at.is_(None), ~_REPLACED
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of a deal now."""

    opportunity_id: int
    expected_on: date | None = None
    promise_on: date | None = None
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A supervisor's number beside a rep's."""

    forecast_id: int
    by: int
    amount_fen: int
    reason: str
    at: datetime


class Forecasts:
    """Repository of what people forecast, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def note_outlook(
        self, opportunity_id: int, values: Mapping[str, Any], *, by: int, at: datetime
    ) -> None:
        """values: of expected_on, promise_on, risk those that are now otherwise."""
        told = {**values, "by": by, "at": at}
        await self._conn.execute(
            insert_into(self._conn, deal_outlooks)
            .values(opportunity_id=opportunity_id, **told)
            .on_conflict_do_update(index_elements=[deal_outlooks.c.opportunity_id], set_=told)
        )

    async def outlooks(self, opportunity_ids: Iterable[int]) -> dict[int, Outlook]:
        found: dict[int, Outlook] = {}
        for chunk in in_chunks(opportunity_ids):
            rows = await self._conn.execute(
                select(deal_outlooks).where(deal_outlooks.c.opportunity_id.in_(chunk))
            )
            for row in rows:
                found[row.opportunity_id] = Outlook(
                    row.opportunity_id, row.expected_on, row.promise_on, row.risk
                )
        return found

    async def set_csm(self, account_id: int, csm_id: int, *, by: int, at: datetime) -> None:
        values = {"csm_id": csm_id, "set_by": by, "at": at}
        await self._conn.execute(
            insert_into(self._conn, account_csms)
            .values(account_id=account_id, **values)
            .on_conflict_do_update(index_elements=[account_csms.c.account_id], set_=values)
        )

    async def csms(self, account_ids: Iterable[int]) -> dict[int, int]:
        """account -> its CSM, of those that have one."""
        found: dict[int, int] = {}
        for chunk in in_chunks(account_ids):
            rows = await self._conn.execute(
                select(account_csms).where(account_csms.c.account_id.in_(chunk))
            )
            found |= {row.account_id: row.csm_id for row in rows}
        return found

    async def submit(
        self, person_id: int, week: str, on_day: date, lines: Sequence[Line], *, late: bool,
        at: datetime,
    ) -> Forecast:  # fmt: skip
        """The forecast as it is stored. lines: their ids are not looked at."""
        added = await self._conn.execute(
            insert(forecasts)
            .values(person_id=person_id, week=week, on_day=on_day, late=late, submitted_at=at)
            .returning(forecasts.c.id)
        )
        number = added.scalar_one()
        kept = []
        for line in lines:
            values = {name: getattr(line, name) for name in _LINE if name != "id"}
            values |= {"forecast_id": number, "level": str(line.level)}
            values |= {"evidence": list(line.evidence), "answers": list(line.answers)}
            row = await self._conn.execute(
                insert(forecast_lines).values(values).returning(forecast_lines.c.id)
            )
            kept.append(replace(line, id=row.scalar_one(), forecast_id=number))
        return Forecast(number, person_id, week, on_day, late, at, tuple(kept))

    async def newest_of_week(self, week: str, person_ids: Iterable[int]) -> dict[int, Forecast]:
        """person -> what counts of that week."""
        found: dict[int, Forecast] = {}
        for chunk in in_chunks(person_ids):
            newest = (
                select(func.max(forecasts.c.id))
                .where(forecasts.c.week == week, forecasts.c.person_id.in_(chunk))
                .group_by(forecasts.c.person_id)
            )
            for one in await self._read(forecasts.c.id.in_(newest)):
                found[one.person_id] = one
        return found

    async def newest_of_each_week(
        self, person_ids: Iterable[int], *, since: date | None = None
    ) -> list[Forecast]:
        """All that counts, the oldest week first."""
        found: list[Forecast] = []
        for chunk in in_chunks(person_ids):
            newest = select(func.max(forecasts.c.id)).where(forecasts.c.person_id.in_(chunk))
            if since is not None:
                newest = newest.where(forecasts.c.on_day >= since)
            newest = newest.group_by(forecasts.c.person_id, forecasts.c.week)
            found += await self._read(forecasts.c.id.in_(newest))
        return sorted(found, key=lambda one: (one.week, one.id))

    async def newest_of_each(self, person_ids: Iterable[int], *, since: date) -> list[Forecast]:
        """The last submission of each since that day, in the order in which they came."""
        found: list[Forecast] = []
        for chunk in in_chunks(person_ids):
            newest = (
                select(func.max(forecasts.c.id))
                .where(forecasts.c.person_id.in_(chunk), forecasts.c.on_day >= since)
                .group_by(forecasts.c.person_id)
            )
            found += await self._read(forecasts.c.id.in_(newest))
        return sorted(found, key=lambda one: one.id)

    async def get_for_update(self, forecast_id: int) -> Forecast:
        """Locked until the transaction ends. Raises NotFound."""
        await self._conn.execute(
            select(forecasts.c.id).where(forecasts.c.id == forecast_id).with_for_update()
        )
        found = await self._read(forecasts.c.id == forecast_id)
        if not found:
            raise NotFound("没有这份预测。")
        return found[0]

    async def of_line(self, line_id: int) -> tuple[Forecast, Line]:
        """Raises NotFound."""
        number = await self._conn.scalar(
            select(forecast_lines.c.forecast_id).where(forecast_lines.c.id == line_id)
        )
        if number is None:
            raise NotFound("没有这条预测。")
        (found,) = await self._read(forecasts.c.id == number)
        return found, next(line for line in found.lines if line.id == line_id)

    async def ask_cosign(
        self, line_id: int, csm_id: int | None, *, at: datetime, due_at: datetime
    ) -> Cosign:
        added = await self._conn.execute(
            insert(forecast_cosigns)
            .values(line_id=line_id, csm_id=csm_id, asked_at=at, due_at=due_at, answers=[])
            .returning(forecast_cosigns)
        )
        return _to_cosign(added.one())

    async def get_cosign(self, cosign_id: int) -> Cosign:
        """For whoever goes on to change it. Raises NotFound."""
        query = select(forecast_cosigns).where(forecast_cosigns.c.id == cosign_id)
        row = (await self._conn.execute(query.with_for_update())).one_or_none()
        if row is None:
            raise NotFound("没有这条复评。")
        return _to_cosign(row)

    async def cosigns(self, line_ids: Iterable[int]) -> dict[int, Cosign]:
        """line -> its second signature."""
        found: dict[int, Cosign] = {}
        for chunk in in_chunks(line_ids):
            rows = await self._conn.execute(
                select(forecast_cosigns).where(forecast_cosigns.c.line_id.in_(chunk))
            )
            found |= {row.line_id: _to_cosign(row) for row in rows}
        return found

    async def change_cosign(self, cosign_id: int, values: Mapping[str, Any]) -> Cosign:
        changed = await self._conn.execute(
            update(forecast_cosigns)
            .where(forecast_cosigns.c.id == cosign_id)
            .values(**values)
            .returning(forecast_cosigns)
        )
        return _to_cosign(changed.one())

    async def overdue_cosigns(self, now: datetime) -> list[Cosign]:
        """Not signed in time, and nobody above was told; of what counts in its week."""
        rows = await self._conn.execute(
            select(forecast_cosigns)
            .where(*_AWAITED, forecast_cosigns.c.due_at <= now)
            .order_by(forecast_cosigns.c.due_at, forecast_cosigns.c.id)
        )
        return [_to_cosign(row) for row in rows]

    async def next_cosign_due_at(self) -> datetime | None:
        moment: datetime | None = await self._conn.scalar(
            select(func.min(forecast_cosigns.c.due_at)).where(*_AWAITED)
        )
        return moment

    async def judge(
        self, forecast_id: int, amount_fen: int, reason: str, *, by: int, at: datetime
    ) -> None:
        await self._conn.execute(
            insert(forecast_judgements).values(
                forecast_id=forecast_id, by=by, amount_fen=amount_fen, reason=reason[:400], at=at
            )
        )

    async def judgements(self, forecast_ids: Iterable[int]) -> dict[int, Judgement]:
        """forecast -> the newest number beside it."""
        found: dict[int, Judgement] = {}
        for chunk in in_chunks(forecast_ids):
            rows = await self._conn.execute(
                select(forecast_judgements)
                .where(forecast_judgements.c.forecast_id.in_(chunk))
                .order_by(forecast_judgements.c.id)
            )
            for row in rows:
                found[row.forecast_id] = Judgement(
                    row.forecast_id, row.by, row.amount_fen, row.reason, row.at
                )
        return found

    async def set_target(
        self, person_id: int, quarter: str, amount_fen: int, *, by: int, at: datetime
    ) -> None:
        await self._conn.execute(
            insert(forecast_targets).values(
                person_id=person_id, quarter=quarter, amount_fen=amount_fen, by=by, at=at
            )
        )

    async def targets(self, quarter: str, person_ids: Iterable[int]) -> dict[int, int]:
        """person -> the target in fen, of those who have one."""
        found: dict[int, int] = {}
        for chunk in in_chunks(person_ids):
            rows = await self._conn.execute(
                select(forecast_targets)
                .where(
                    forecast_targets.c.quarter == quarter, forecast_targets.c.person_id.in_(chunk)
                )
                .order_by(forecast_targets.c.id)
            )
            found |= {row.person_id: row.amount_fen for row in rows}
        return found

    async def wins(self, opportunity_ids: Iterable[int]) -> dict[int, tuple[datetime, int]]:
        """deal -> when it was won and for how much, of those that stand as won."""
        won = str(OpportunityState.WON)
        found: dict[int, tuple[datetime, int]] = {}
        for chunk in in_chunks(opportunity_ids):
            rows = await self._conn.execute(
                select(
                    opportunities.c.id,
                    func.max(stage_events.c.at).label("at"),
                    opportunities.c.amount_fen,
                )
                .join(stage_events, stage_events.c.opportunity_id == opportunities.c.id)
                .where(
                    opportunities.c.id.in_(chunk),
                    opportunities.c.state == won,
                    stage_events.c.went_to == won,
                )
                .group_by(opportunities.c.id, opportunities.c.amount_fen)
            )
            found |= {row.id: (row.at, row.amount_fen or 0) for row in rows}
        return found

    async def won_since(
        self, person_ids: Iterable[int], since: datetime, until: datetime
    ) -> dict[int, int]:
        """person -> fen of their deals won in [since, until)."""
        won = str(OpportunityState.WON)
        found: dict[int, int] = {}
        for chunk in in_chunks(person_ids):
            ids = (
                select(stage_events.c.opportunity_id)
                .where(
                    stage_events.c.went_to == won,
                    stage_events.c.at >= since,
                    stage_events.c.at < until,
                )
                .distinct()
            )
            rows = await self._conn.execute(
                select(opportunities.c.owner_id, func.sum(opportunities.c.amount_fen).label("fen"))
                .where(
                    opportunities.c.owner_id.in_(chunk),
                    opportunities.c.state == won,
                    opportunities.c.id.in_(ids),
                )
                .group_by(opportunities.c.owner_id)
            )
            found |= {row.owner_id: int(row.fen or 0) for row in rows}
        return found

    async def _read(self, *where: Any) -> list[Forecast]:
        heads = (
            await self._conn.execute(select(forecasts).where(*where).order_by(forecasts.c.id))
        ).all()
        lines: dict[int, list[Line]] = {}
        for chunk in in_chunks([row.id for row in heads]):
            rows = await self._conn.execute(
                select(*(forecast_lines.c[name] for name in _LINE))
                .where(forecast_lines.c.forecast_id.in_(chunk))
                .order_by(forecast_lines.c.id)
            )
            for row in rows:
                lines.setdefault(row.forecast_id, []).append(_to_line(row))
        return [
            Forecast(
                row.id, row.person_id, row.week, row.on_day, row.late, row.submitted_at,
                tuple(lines.get(row.id, ())),
            )
            for row in heads
        ]  # fmt: skip


def _to_line(row: AnyRow) -> Line:
    values = dict(zip(_LINE, row, strict=True)) | {"level": Level(row.level)}
    values |= {name: tuple(values[name]) for name in ("evidence", "answers")}
    return Line(**values)


def _to_cosign(row: AnyRow) -> Cosign:
    values = {name: getattr(row, name) for name in _COSIGN}
    return Cosign(**values | {"answers": tuple(row.answers)})
