"""Bonuses and disputes as pages list them: a part at a time, and never more than one page of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.payouts.disputes import State
from storage.dialects import among, in_chunks
from storage.merges import family
from storage.payout_ledger import StoredLine
from storage.tables import activities, contracts, payout_disputes, payout_lines, people


@dataclass(frozen=True, slots=True)
class MonthOf:
    """One person's month. open_lines: of them, those that are not locked."""

    person_id: int
    name: str
    fen: int
    lines: int
    open_lines: int


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute as a list shows it. number, kind, fen, month: of the disputed line."""

    id: int
    person_id: int
    arbiter_id: int | None
    state: State
    number: str
    kind: str
    fen: int
    month: str


class PayoutViews:
    """Queries of bonuses and disputes for pages, inside one transaction that only reads."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def month_of(self, person_id: int, month: str) -> MonthOf | None:
        """None for a month without a line."""
        found = await self._months(payout_lines.c.person_id == person_id, month=month)
        return found[0] if found else None

    async def months(
        self, month: str, *, only: Iterable[int] | None, after: str, limit: int
    ) -> list[MonthOf]:
        """By name, those behind `after`; only: these people, None for everybody."""
        which: list[ColumnElement[bool]] = [people.c.name > after] if after else []
        if only is None:
            return await self._months(*which, month=month, limit=limit)
        found: list[MonthOf] = []
        for chunk in in_chunks(sorted(only)):
            theirs = payout_lines.c.person_id.in_(chunk)
            found += await self._months(theirs, *which, month=month, limit=limit)
        return sorted(found, key=lambda one: (one.name, one.person_id))[:limit]

    async def lines(
        self, person_id: int, month: str, *, after: int, limit: int
    ) -> list[StoredLine]:
        """In the order of booking, those behind the line `after`; 0: from the first."""
        rows = await self._conn.execute(
            select(payout_lines, contracts.c.number, contracts.c.account_id)
            .outerjoin(contracts, contracts.c.id == payout_lines.c.contract_id)
            .where(
                payout_lines.c.person_id == person_id,
                payout_lines.c.month == month,
                payout_lines.c.id > after,
            )
            .order_by(payout_lines.c.id)
            .limit(limit)
        )
        return [
            StoredLine(
                id=row.id, contract_id=row.contract_id, number=row.number or "",
                account_id=row.account_id, person_id=row.person_id, month=row.month,
                kind=row.kind, fen=row.fen, rule_id=row.rule_id, rule_version=row.rule_version,
                why=row.why, origin=row.origin, run_id=row.run_id, paid_at=row.paid_at,
            )
            for row in rows
        ]  # fmt: skip

    async def lines_until(self, person_id: int, month: str, line_id: int) -> int:
        """How many stand up to a line."""
        found = await self._months(
            payout_lines.c.person_id == person_id, payout_lines.c.id <= line_id, month=month
        )
        return found[0].lines if found else 0

    async def disputes(
        self, *, only: Iterable[int] | None, arbiter: int, open_only: bool, before: int, limit: int
    ) -> list[DisputeRow]:
        """The newest first, with numbers below `before` (0: from the newest). only: of these
        people, and those that `arbiter` decides; None for all."""
        table = payout_disputes
        which = [table.c.state != str(State.DRAFT)]
        if only is not None:
            theirs = among(self._conn, table.c.person_id, only)
            which.append(theirs | (table.c.arbiter_id == arbiter))
        if open_only:
            which.append(table.c.closed_at.is_(None))
        if before:
            which.append(table.c.id < before)
        line = payout_lines
        rows = await self._conn.execute(
            select(
                table.c.id, table.c.person_id, table.c.arbiter_id, table.c.state,
                contracts.c.number, line.c.kind, line.c.fen, line.c.month,
            )
            .join(line, line.c.id == table.c.line_id)
            .outerjoin(contracts, contracts.c.id == line.c.contract_id)
            .where(*which)
            .order_by(table.c.id.desc())
            .limit(limit)
        )  # fmt: skip
        return [
            DisputeRow(
                row.id, row.person_id, row.arbiter_id, State(row.state), row.number or "",
                row.kind, row.fen, row.month,
            )
            for row in rows
        ]  # fmt: skip

    async def work_on(self, account_id: int, until: datetime) -> list[tuple[int | None, str, int]]:
        """(person, kind of action, how often) in a customer's stream before a moment; None for
        what no person wrote. What was taken back is left out."""
        retraction = activities.alias()
        taken_back = select(retraction.c.id).where(retraction.c.retracts_id == activities.c.id)
        rows = await self._conn.execute(
            select(activities.c.actor_id, activities.c.title, func.count())
            .where(
                activities.c.account_id.in_(await family(self._conn, account_id)),
                activities.c.occurred_at < until,
                activities.c.unit != "",
                activities.c.retracts_id.is_(None),
                ~taken_back.exists(),
            )
            .group_by(activities.c.actor_id, activities.c.title)
            .order_by(activities.c.actor_id, func.count().desc(), activities.c.title)
        )
        return [(actor_id, title, count) for actor_id, title, count in rows]

    async def _months(
        self, *which: ColumnElement[bool], month: str, limit: int | None = None
    ) -> list[MonthOf]:
        line = payout_lines.c
        is_open = func.count().filter(line.run_id.is_(None))
        rows = await self._conn.execute(
            select(
                line.person_id, people.c.name, func.sum(line.fen).label("fen"),
                func.count().label("lines"), is_open.label("open"),
            )
            .join(people, people.c.id == line.person_id)
            .where(line.month == month, *which)
            .group_by(line.person_id, people.c.name)
            .order_by(people.c.name, line.person_id)
            .limit(limit)
        )  # fmt: skip
        return [MonthOf(row.person_id, row.name, int(row.fen), row.lines, row.open) for row in rows]
