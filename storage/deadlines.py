"""What entries of the stream still owe, and when to remind or lock. A sweep reads what is due
by an index, never what exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.deadlines import Awaited, Deadline, DeadlineState
from storage.dialects import AnyRow, fixed, insert_into
from storage.tables import accounts, activities, deadlines

_READ_ALONG = ("account_name", "title")
_COLUMNS = [deadlines.c[one.name] for one in fields(Deadline) if one.name not in _READ_ALONG]
_QUERY = (
    select(*_COLUMNS, accounts.c.name.label("account_name"), activities.c.title.label("title"))
    .join(accounts, accounts.c.id == deadlines.c.account_id)
    .join(activities, activities.c.id == deadlines.c.activity_id)
)
_WAITS = deadlines.c.state.in_([fixed("open"), fixed("locked")])

_CHANGES = ("state", "since", "step", "due_at", "reopened_at", "locked_at")

CHUNK = 500


class Deadlines:
    """Repository of what entries still owe, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, deadline: Deadline) -> None:
        """Once for each entry; a second one is passed over."""
        values = asdict(deadline)
        for name in ("id", *_READ_ALONG):
            del values[name]
        values |= {"awaited": str(deadline.awaited), "state": str(deadline.state)}
        await self._conn.execute(
            insert_into(self._conn, deadlines)
            .values(values)
            .on_conflict_do_nothing(index_elements=[deadlines.c.activity_id])
        )

    async def get(self, deadline_id: int) -> Deadline | None:
        found = await self._list(_QUERY.where(deadlines.c.id == deadline_id))
        return found[0] if found else None

    async def of_activity(self, activity_id: int) -> Deadline | None:
        found = await self._list(_QUERY.where(deadlines.c.activity_id == activity_id))
        return found[0] if found else None

    async def list_due(self, at: datetime, *, limit: int) -> list[Deadline]:
        """Where a reminder or the lock is due by then, the longest due first; locked rows."""
        return await self._list(
            _QUERY.where(deadlines.c.due_at <= at)
            .order_by(deadlines.c.due_at, deadlines.c.id)
            .limit(limit)
            .with_for_update(of=deadlines)
        )

    async def next_due_at(self) -> datetime | None:
        column = deadlines.c.due_at
        query = select(column).where(column.is_not(None)).order_by(column).limit(1)
        moment: datetime | None = await self._conn.scalar(query)
        return moment

    async def waiting_of(self, person_ids: Iterable[int]) -> list[Deadline]:
        """Open and locked ones of these people, the oldest first."""
        found: list[Deadline] = []
        for chunk in _chunks(person_ids):
            query = _QUERY.where(_WAITS, deadlines.c.person_id.in_(chunk))
            found += await self._list(query)
        return sorted(found, key=lambda one: (one.since, one.id))

    async def waiting_of_account(self, account_id: int) -> list[Deadline]:
        """Open and locked ones, the oldest first."""
        query = _QUERY.where(_WAITS, deadlines.c.account_id == account_id)
        return await self._list(query.order_by(deadlines.c.since, deadlines.c.id))

    async def minutes_waiting(
        self, opportunity_id: int, *, booked_before: datetime
    ) -> list[Deadline]:
        """Minutes that are owed, or locked, for visits booked by then."""
        return await self._list(
            _QUERY.where(
                _WAITS,
                deadlines.c.opportunity_id == opportunity_id,
                deadlines.c.awaited == str(Awaited.MINUTES),
                deadlines.c.acted_at <= booked_before,
            ).order_by(deadlines.c.id)
        )

    async def minutes_settled(self, opportunity_id: int, *, since: datetime) -> list[Deadline]:
        """Minutes that were handed in since then."""
        return await self._list(
            _QUERY.where(
                deadlines.c.opportunity_id == opportunity_id,
                deadlines.c.awaited == str(Awaited.MINUTES),
                deadlines.c.state == str(DeadlineState.DONE),
                deadlines.c.settled_at >= since,
            ).order_by(deadlines.c.id)
        )

    async def locked_among(self, activity_ids: Iterable[int]) -> set[int]:
        """Those entries that are locked."""
        found: set[int] = set()
        for chunk in _chunks(activity_ids):
            query = select(deadlines.c.activity_id).where(
                deadlines.c.activity_id.in_(chunk),
                deadlines.c.state == str(DeadlineState.LOCKED),
            )
            found |= set((await self._conn.execute(query)).scalars())
        return found

    async def locked_since(self, moment: datetime) -> list[Deadline]:
        """What was locked since then, of everybody, the newest first."""
        query = _QUERY.where(deadlines.c.locked_at >= moment)
        return await self._list(query.order_by(deadlines.c.locked_at.desc(), deadlines.c.id))

    async def save(self, *changed: Deadline) -> None:
        """State, step and times. Read them before in the same transaction."""
        if changed:
            await self._conn.execute(
                update(deadlines)
                .where(deadlines.c.id == bindparam("of_id"))
                .values(settled_at=None, **{name: bindparam(f"new_{name}") for name in _CHANGES}),
                [
                    {"of_id": one.id} | {f"new_{name}": getattr(one, name) for name in _CHANGES}
                    for one in changed
                ],
            )

    async def settle(self, owed: Sequence[Deadline], *, state: DeadlineState, at: datetime) -> None:
        """They are over: done, or dropped."""
        for chunk in _chunks(one.id for one in owed):
            await self._conn.execute(
                update(deadlines)
                .where(deadlines.c.id.in_(chunk))
                .values(state=str(state), due_at=None, locked_at=None, settled_at=at)
            )

    async def hand_over(self, account_id: int, *, of: int, to: int) -> None:
        """A customer's new owner answers for what the former one still owed."""
        await self._conn.execute(
            update(deadlines)
            .where(_WAITS, deadlines.c.account_id == account_id, deadlines.c.person_id == of)
            .values(person_id=to)
        )

    async def _list(self, query: Select[Any]) -> list[Deadline]:
        return [_to_deadline(row) for row in await self._conn.execute(query)]


def _to_deadline(row: AnyRow) -> Deadline:
    values = row._asdict()
    values |= {"awaited": Awaited(row.awaited), "state": DeadlineState(row.state)}
    return Deadline(**values)


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    distinct = sorted(set(ids))
    return (distinct[start : start + CHUNK] for start in range(0, len(distinct), CHUNK))
