"""Inbox, outbox and ticks inside one transaction; a `bot.ports.Delivery`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import fixed, insert_into
from storage.inbox import Inbox
from storage.outbox import Outbox
from storage.tables import inbox, outbox, ticks

TICKS_KEPT = timedelta(days=3)
"""Longer than any tick may come late, so that one which was acted on is always found."""

FORGOTTEN_AT_ONCE = 1_000
"""What an older version has left behind goes little by little."""

_OLD_TICKS = (
    select(ticks.c.scheduled_at)
    .where(ticks.c.job == bindparam("of_job"), ticks.c.scheduled_at < bindparam("before"))
    .order_by(ticks.c.scheduled_at)
    .limit(FORGOTTEN_AT_ONCE)
)
_FORGET_TICKS = delete(ticks).where(
    ticks.c.job == bindparam("of_job"), ticks.c.scheduled_at.in_(_OLD_TICKS)
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What was given up. box: "inbox" or "outbox". place: its channel or its address."""

    box: str
    id: int
    place: str
    reason: str
    died_at: datetime | None


class Delivery(Inbox, Outbox):
    """What comes in, what goes out, and which ticks were acted on."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def claim_tick(self, job: str, scheduled_at: datetime, *, at: datetime) -> bool:
        """False when that tick was claimed before. The job's old ticks are forgotten: there are
        some dozens a minute."""
        values = {"job": job, "scheduled_at": scheduled_at, "claimed_at": at}
        claimed = await self._conn.execute(
            insert_into(self._conn, ticks).values(values).on_conflict_do_nothing()
        )
        if claimed.rowcount != 1:
            return False
        old = {"of_job": job, "before": scheduled_at - TICKS_KEPT}
        await self._conn.execute(_FORGET_TICKS, old)
        return True

    async def last_noted_at(self) -> datetime | None:
        """The latest moment that a tick was for, or a delivery came or was handled at."""
        newest = [ticks.c.scheduled_at, inbox.c.received_at, inbox.c.finished_at]
        found = [await self._conn.scalar(select(func.max(column))) for column in newest]
        return max((moment for moment in found if moment is not None), default=None)

    async def counts(self) -> dict[str, int]:
        """For metrics: how many wait in "inbox" and "outbox", and how many were given up,
        "inbox_dead" and "outbox_dead"."""
        wanted = {
            "inbox": (inbox, fixed("new")),
            "inbox_dead": (inbox, fixed("dead")),
            "outbox": (outbox, fixed("queued")),
            "outbox_dead": (outbox, fixed("dead")),
        }
        queries = [
            select(func.count()).select_from(table).where(table.c.state == state).scalar_subquery()
            for table, state in wanted.values()
        ]
        found = (await self._conn.execute(select(*queries))).one()
        return dict(zip(wanted, found, strict=True))

    async def overdue(self, now: datetime) -> dict[str, float]:
        """For metrics: for how many seconds the oldest delivery in "inbox" has waited, and by how
        many the most overdue one in "outbox" is late; 0 for none."""
        came = select(func.min(inbox.c.received_at)).where(inbox.c.state == fixed("new"))
        due = select(func.min(outbox.c.due_at)).where(outbox.c.state == fixed("queued"))
        since = {"inbox": await self._conn.scalar(came), "outbox": await self._conn.scalar(due)}
        return {
            box: max((now - moment).total_seconds(), 0.0) if moment else 0.0
            for box, moment in since.items()
        }

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """The newest of both boxes, the newest first."""
        came = select(inbox.c.id, inbox.c.channel, inbox.c.reason, inbox.c.finished_at)
        went = select(outbox.c.id, outbox.c.address, outbox.c.reason, outbox.c.finished_at)
        letters = [
            DeadLetter(table.name, *row)
            for table, query in ((inbox, came), (outbox, went))
            for row in await self._conn.execute(
                query.where(table.c.state == fixed("dead")).order_by(table.c.id.desc()).limit(limit)
            )
        ]
        letters.sort(key=lambda letter: (letter.died_at is not None, letter.died_at), reverse=True)
        return letters[:limit]
