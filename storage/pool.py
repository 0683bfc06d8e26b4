"""The public pool: customers that nobody looks after. While one lies there its owner is who had
it last, and its open opportunities are on hold without an end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.calendar import WorkingCalendar
from bot.domain.opportunities import OpportunityState
from bot.domain.pool import Idle
from bot.domain.stages import MoveKind, StageEvent
from storage.dialects import AnyRow, among
from storage.stages import Stages
from storage.tables import accounts, opportunities, people, pool_claims

_OPEN, _ON_HOLD = str(OpportunityState.OPEN), str(OpportunityState.ON_HOLD)
_PLACE = (opportunities.c.id, opportunities.c.library, opportunities.c.stage)
_EXEMPTING = {str(OpportunityState.WON), _ON_HOLD}


class Pool:
    """Repository of the public pool, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._stages = Stages(conn)

    async def put(
        self, account_id: int, *, reason: str, at: datetime, calendar: WorkingCalendar
    ) -> bool:
        """False when it lies there already."""
        put = await self._conn.execute(
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.in_pool_since.is_(None))
            .values(in_pool_since=at, pool_reason=reason, pool_due_at=None, pool_warned_at=None)
        )
        if put.rowcount:
            await self._hold(account_id, reason, at, calendar)
        return bool(put.rowcount)

    async def take(
        self,
        account_id: int,
        person_id: int,
        *,
        at: datetime,
        calendar: WorkingCalendar,
        claimed: bool = False,
    ) -> bool:
        """The person looks after it from now on; their clock starts now. claimed: it counts as
        taken by themselves. False when it lies there no more."""
        taken = await self._conn.execute(
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.in_pool_since.is_not(None))
            .values(
                owner_id=person_id,
                in_pool_since=None,
                pool_reason="",
                pool_due_at=at,
                pool_warned_at=None,
            )
        )
        if not taken.rowcount:
            return False
        await self._resume(account_id, person_id, at, calendar)
        if claimed:
            await self._conn.execute(
                insert(pool_claims).values(
                    account_id=account_id, person_id=person_id, claimed_at=at
                )
            )
        return True

    async def list_in(self, words: str, *, limit: int) -> tuple[list[int], int]:
        """Customers in the pool whose name or industry holds the words, the newest there first,
        and how many there are in all."""
        which: list[Any] = [
            accounts.c.in_pool_since.is_not(None), accounts.c.merged_into_id.is_(None),
        ]  # fmt: skip
        for word in words.split():
            named = accounts.c.name.contains(word, autoescape=True)
            which.append(named | accounts.c.industry.contains(word, autoescape=True))
        rows = await self._conn.execute(
            select(accounts.c.id)
            .where(*which)
            .order_by(accounts.c.in_pool_since.desc(), accounts.c.id.desc())
            .limit(limit)
        )
        total = await self._conn.scalar(select(func.count()).select_from(accounts).where(*which))
        return list(rows.scalars()), total or 0

    async def claims_since(self, person_id: int, since: datetime) -> int:
        query = select(func.count()).select_from(pool_claims)
        found = await self._conn.scalar(
            query.where(pool_claims.c.person_id == person_id, pool_claims.c.claimed_at >= since)
        )
        return found or 0

    async def claims_held(self, person_id: int) -> int:
        """Customers that somebody took from the pool and still has."""
        held = await self._conn.scalar(
            select(func.count(pool_claims.c.account_id.distinct()))
            .join(accounts, accounts.c.id == pool_claims.c.account_id)
            .where(
                pool_claims.c.person_id == person_id,
                accounts.c.owner_id == person_id,
                accounts.c.in_pool_since.is_(None),
                accounts.c.merged_into_id.is_(None),
            )
        )
        return held or 0

    async def list_due(self, at: datetime, *, limit: int) -> list[Idle]:
        """Customers to look at, the longest due first."""
        query = (
            select(accounts, people.c.on_leave_until)
            .join(people, people.c.id == accounts.c.owner_id)
            .where(accounts.c.pool_due_at <= at)
            .order_by(accounts.c.pool_due_at, accounts.c.id)
            .limit(limit)
        )
        rows = (await self._conn.execute(query)).all()
        deals: dict[int, list[AnyRow]] = {row.id: [] for row in rows}
        for deal in await self._conn.execute(
            select(opportunities).where(among(self._conn, opportunities.c.account_id, deals))
        ):
            deals[deal.account_id].append(deal)
        return [_to_idle(row, deals[row.id]) for row in rows]

    async def plan(
        self, account_id: int, due_at: datetime | None, *, warned_at: datetime | None = None
    ) -> None:
        """When to look again. warned_at: its owner was warned now."""
        warned = {} if warned_at is None else {"pool_warned_at": warned_at}
        await self._conn.execute(
            update(accounts).where(accounts.c.id == account_id).values(pool_due_at=due_at, **warned)
        )

    async def look_again(self, at: datetime) -> None:
        """Have every customer looked at by the next rounds: the days changed."""
        await self._conn.execute(
            update(accounts)
            .where(accounts.c.in_pool_since.is_(None), accounts.c.merged_into_id.is_(None))
            .values(pool_due_at=at)
        )

    async def next_due_at(self) -> datetime | None:
        query = select(func.min(accounts.c.pool_due_at)).where(accounts.c.pool_due_at.is_not(None))
        moment: datetime | None = await self._conn.scalar(query)
        return moment

    async def _hold(
        self, account_id: int, reason: str, at: datetime, calendar: WorkingCalendar
    ) -> None:
        held = await self._conn.execute(
            update(opportunities)
            .where(opportunities.c.account_id == account_id, opportunities.c.state == _OPEN)
            .values(state=_ON_HOLD, hold_until=None, light_due_at=at)
            .returning(*_PLACE)
        )
        for deal in held:
            await self._stages.add(
                StageEvent(
                    deal.id, account_id, MoveKind.HELD, deal.library, came_from=deal.stage,
                    went_to=_ON_HOLD, at=at, reason=reason,
                ),
                calendar,
            )  # fmt: skip

    async def _resume(
        self, account_id: int, person_id: int, at: datetime, calendar: WorkingCalendar
    ) -> None:
        resumed = await self._conn.execute(
            update(opportunities)
            .where(opportunities.c.account_id == account_id, opportunities.c.state == _ON_HOLD)
            .values(
                state=_OPEN,
                owner_id=person_id,
                assigned_at=at,
                last_valid_at=None,
                light_due_at=at,
            )
            .returning(*_PLACE)
        )
        for deal in resumed:
            await self._stages.add(
                StageEvent(
                    deal.id, account_id, MoveKind.RESUMED, deal.library, came_from=_ON_HOLD,
                    went_to=deal.stage, at=at, person_id=person_id,
                ),
                calendar,
            )  # fmt: skip


def _to_idle(row: AnyRow, deals: list[AnyRow]) -> Idle:
    moments = [row.created_at]
    for deal in deals:
        moments += [deal.assigned_at] if deal.owner_id == row.owner_id else []
        moments += [deal.last_valid_at] if deal.last_valid_at is not None else []
    return Idle(
        account_id=row.id,
        name=row.name,
        owner_id=row.owner_id,
        since=max(moments),
        warned_at=row.pool_warned_at,
        exempt=any(deal.state in _EXEMPTING for deal in deals),
        away_until=row.on_leave_until,
    )
