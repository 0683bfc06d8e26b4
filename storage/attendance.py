"""Facts of attendance: appended, and ended by what corrects them. Inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.attendance import CheckIn, CheckInKind, Fact
from storage.dialects import AnyRow, in_chunks
from storage.tables import attendance_facts

_PRESENT = attendance_facts.c.ended_at.is_(None)


class AttendanceFacts:
    """Repository of facts of attendance."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, facts: Iterable[Fact], at: datetime) -> None:
        """What they stand instead of must have been ended before."""
        rows = [
            {
                "platform": fact.check_in.platform,
                "key": fact.check_in.key,
                "person_id": fact.person_id,
                "day": fact.check_in.day,
                "kind": str(fact.check_in.kind),
                "trouble": fact.check_in.trouble,
                "at": fact.check_in.at,
                "place": fact.check_in.place,
                "note": fact.check_in.note,
                "account_id": fact.account_id,
                "told_at": at,
            }
            for fact in facts
        ]
        if rows:
            await self._conn.execute(insert(attendance_facts), rows)

    async def end(self, facts: Iterable[Fact], at: datetime) -> None:
        for chunk in in_chunks(fact.id for fact in facts):
            await self._conn.execute(
                update(attendance_facts)
                .where(attendance_facts.c.id.in_(chunk), _PRESENT)
                .values(ended_at=at)
            )

    async def present(
        self, platform: str, user_of: dict[int, str], first: date, last: date
    ) -> list[Fact]:
        """What one platform's records say now of these people's days. user_of: person -> their
        user id there."""
        found: list[Fact] = []
        for chunk in in_chunks(user_of):
            query = self._days(chunk, first, last).where(attendance_facts.c.platform == platform)
            rows = await self._conn.execute(query)
            found += [_to_fact(row, user_of[row.person_id]) for row in rows]
        return found

    async def of_people(self, person_ids: Collection[int], first: date, last: date) -> list[Fact]:
        """All that stands of these people's days, in order."""
        found: list[Fact] = []
        for chunk in in_chunks(person_ids):
            rows = await self._conn.execute(self._days(chunk, first, last))
            found += [_to_fact(row, "") for row in rows]
        return found

    async def at_customers(self, account_ids: Collection[int]) -> list[Fact]:
        """All that stands and names one of these customers, in order."""
        found: list[Fact] = []
        for chunk in in_chunks(account_ids):
            query = select(attendance_facts).where(
                attendance_facts.c.account_id.in_(chunk), _PRESENT
            )
            rows = await self._conn.execute(query.order_by(attendance_facts.c.id))
            found += [_to_fact(row, "") for row in rows]
        return found

    async def history(self, person_id: int, day: date) -> list[tuple[Fact, datetime, bool]]:
        """(fact, when we were told, whether it still stands), what was told first at first."""
        query = (
            select(attendance_facts)
            .where(attendance_facts.c.person_id == person_id, attendance_facts.c.day == day)
            .order_by(attendance_facts.c.id)
        )
        rows = await self._conn.execute(query)
        return [(_to_fact(row, ""), row.told_at, row.ended_at is None) for row in rows]

    def _days(self, person_ids: Sequence[int], first: date, last: date) -> Select[tuple[object]]:
        return (
            select(attendance_facts)
            .where(
                attendance_facts.c.person_id.in_(person_ids),
                attendance_facts.c.day >= first,
                attendance_facts.c.day <= last,
                _PRESENT,
            )
            .order_by(attendance_facts.c.day, attendance_facts.c.at, attendance_facts.c.id)
        )


def _to_fact(row: AnyRow, user_id: str) -> Fact:
    check_in = CheckIn(
        platform=row.platform,
        user_id=user_id,
        key=row.key,
        day=row.day,
        kind=CheckInKind(row.kind),
        at=row.at,
        trouble=row.trouble,
        place=row.place,
        note=row.note,
    )
    return Fact(row.id, row.person_id, check_in, row.account_id)
