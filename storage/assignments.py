"""Leads given to somebody, until they take them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound
from storage.dialects import AnyRow
from storage.tables import activities, assignments


class Outcome(StrEnum):
    """How an assignment ended. MOVED: the customer went to somebody else meanwhile."""

    ACCEPTED = "accepted"
    RETURNED = "returned"
    MOVED = "moved"


class Escalation(StrEnum):
    """Who hears next of a lead that nobody took."""

    SUPERVISOR = "supervisor"
    LEADER = "leader"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A lead given to somebody."""

    id: int
    account_id: int
    person_id: int
    assigned_by: int
    assigned_at: datetime
    step: str
    due_at: datetime | None
    settled_at: datetime | None = None
    outcome: str = ""


_COLUMNS = [assignments.c[field.name] for field in fields(Assignment)]


class Assignments:
    """Repository of leads given to somebody, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, assignment_id: int) -> Assignment:
        """Raises NotFound."""
        rows = await self._conn.execute(select(*_COLUMNS).where(assignments.c.id == assignment_id))
        row = rows.one_or_none()
        if row is None:
            raise NotFound("没有这次分配。")
        return _to_assignment(row)

    async def add(
        self, account_id: int, person_id: int, *, by: int, at: datetime, due_at: datetime
    ) -> Assignment:
        """An earlier one of the same customer has ended."""
        await self._conn.execute(
            update(assignments)
            .where(assignments.c.account_id == account_id, assignments.c.settled_at.is_(None))
            .values(settled_at=at, outcome=str(Outcome.MOVED), due_at=None)
        )
        added = await self._conn.execute(
            insert(assignments)
            .values(
                account_id=account_id,
                person_id=person_id,
                assigned_by=by,
                assigned_at=at,
                step=str(Escalation.SUPERVISOR),
                due_at=due_at,
            )
            .returning(*_COLUMNS)
        )
        return _to_assignment(added.one())

    async def settle(self, assignment_id: int, outcome: Outcome, at: datetime) -> bool:
        """False when it had ended before."""
        settled = await self._conn.execute(
            update(assignments)
            .where(assignments.c.id == assignment_id, assignments.c.settled_at.is_(None))
            .values(settled_at=at, outcome=str(outcome), due_at=None)
        )
        return bool(settled.rowcount)

    async def list_due(self, at: datetime, *, limit: int) -> list[Assignment]:
        rows = await self._conn.execute(
            select(*_COLUMNS)
            .where(assignments.c.due_at <= at)
            .order_by(assignments.c.due_at, assignments.c.id)
            .limit(limit)
        )
        return [_to_assignment(row) for row in rows]

    async def plan(self, assignment_id: int, step: Escalation, due_at: datetime | None) -> None:
        await self._conn.execute(
            update(assignments)
            .where(assignments.c.id == assignment_id)
            .values(step=str(step), due_at=due_at)
        )

    async def is_worked_on(self, assignment: Assignment) -> bool:
        """Whether the person has recorded something with that customer since."""
        recorded = exists().where(
            activities.c.account_id == assignment.account_id,
            activities.c.actor_id == assignment.person_id,
            activities.c.recorded_at >= assignment.assigned_at,
        )
        return bool(await self._conn.scalar(select(recorded)))

    async def next_due_at(self) -> datetime | None:
        query = select(func.min(assignments.c.due_at)).where(assignments.c.due_at.is_not(None))
        moment: datetime | None = await self._conn.scalar(query)
        return moment


def _to_assignment(row: AnyRow) -> Assignment:
    return Assignment(**row._mapping)
