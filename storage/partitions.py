"""The inbox's months on PostgreSQL: made ahead, and dropped whole when they are old enough.

What no month takes lies in a partition for the rest, so nothing can fail for want of one. SQLite
has one table, and nothing to do here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.inbox import inbox_keys
from storage.tables import inbox

REST = "inbox_default"
KEYS_MONTHS = 13
"""Whole months for which it is known at least that a delivery came. Platforms send again for
minutes, or keep what was not taken until they are asked; a mailbox is read from a year ago at
most."""
KEYS_AT_ONCE = 200_000

_PARTS = text(
    "SELECT relname AS name, pg_get_expr(relpartbound, pg_class.oid) AS bounds"
    " FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = 'inbox'::regclass"
)
_BOUNDS = re.compile(r"FROM \((?:MINVALUE|'([^']+)')\) TO \('([^']+)'\)")
_NAME = re.compile(r"inbox_(?:before|\d{4}_\d{2})")


@dataclass(frozen=True, slots=True)
class Part:
    """What was received in [since, until); since: None for all before."""

    name: str
    since: datetime | None
    until: datetime


@dataclass(slots=True)
class Kept:
    """Names of partitions. left: old enough, but with deliveries that are not handled yet.
    forgotten: how many deliveries are not known any more."""

    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    forgotten: int = 0


class Partitions:
    """Makes and drops the months of the inbox, inside one transaction, which takes short locks on
    the inbox: whoever cannot have them within seconds gives up and is called again."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def parts(self) -> list[Part]:
        """The oldest first, without the one for the rest; none on SQLite."""
        if self._conn.dialect.name == "sqlite":
            return []
        found = []
        for row in await self._conn.execute(_PARTS):
            bounds = _BOUNDS.search(row.bounds)
            if bounds is not None:
                since = None if bounds[1] is None else datetime.fromisoformat(bounds[1])
                found.append(Part(row.name, since, datetime.fromisoformat(bounds[2])))
        return sorted(found, key=lambda part: part.until)

    async def keep(self, at: datetime, *, ahead: int, months: int) -> Kept:
        """Make the month of `at` and the next `ahead`; drop what lies behind the whole `months`
        before that of `at`. months: 0 keeps everything."""
        kept = Kept()
        parts = await self.parts()
        if not parts:
            return kept
        await self._conn.execute(text("SET LOCAL lock_timeout = '3s'"))
        for number in range(ahead + 1):
            since = month_after(at, number)
            until = month_after(at, number + 1)
            if all(until <= (part.since or since) or part.until <= since for part in parts):
                kept.made.append(await self._make(since, until))
        for part in parts:
            if months and part.until <= month_after(at, -months):
                dropped = await self._drop(part)
                (kept.dropped if dropped else kept.left).append(part.name)
        kept.forgotten = await self._forget(month_after(at, -max(months, KEYS_MONTHS)))
        return kept

    async def _forget(self, before: datetime) -> int:
        """Keys of what came before that and is no longer there; some of them, the rest is the next
        night's. What is there, a dead letter too, is known as long as it is."""
        there = inbox.c.id == inbox_keys.c.inbox_id
        old = (
            select(inbox_keys.c.key)
            .where(
                inbox_keys.c.received_at < before,
                ~exists().where(there, inbox.c.received_at == inbox_keys.c.received_at),
            )
            .limit(KEYS_AT_ONCE)
        )
        gone = await self._conn.execute(delete(inbox_keys).where(inbox_keys.c.key.in_(old)))
        return gone.rowcount

    async def _make(self, since: datetime, until: datetime) -> str:
        """With what lies in the rest meanwhile. Attached, which hinders nobody who writes; made
        in its place, it would wait for all of them."""
        name = f"inbox_{since:%Y_%m}"
        within = f"received_at >= '{since.isoformat()}' AND received_at < '{until.isoformat()}'"
        for statement in (
            f"CREATE TABLE {name} (LIKE inbox INCLUDING DEFAULTS)",
            f"WITH moved AS (DELETE FROM {REST} WHERE {within} RETURNING *)"  # noqa: S608
            f" INSERT INTO {name} SELECT * FROM moved",
            f"ALTER TABLE inbox ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{since.isoformat()}') TO ('{until.isoformat()}')",
        ):
            await self._conn.execute(text(statement))
        return name

    async def _drop(self, part: Part) -> bool:
        """Dead letters, and what was handled with a remark, can still be replayed: they move to
        the rest. False, and nothing is dropped, while anything is new."""
        if _NAME.fullmatch(part.name) is None:
            raise ValueError(f"not a partition of ours: {part.name!r}")
        new = await self._conn.scalar(
            text(f"SELECT 1 FROM {part.name} WHERE state = 'new' LIMIT 1")  # noqa: S608
        )
        if new is not None:
            return False
        replayable = f"SELECT * FROM {part.name} WHERE state = 'dead' OR reason <> ''"  # noqa: S608
        for statement in (
            f"ALTER TABLE inbox DETACH PARTITION {part.name}",
            "SET LOCAL gendan.moving = 'on'",  # their keys are there
            f"INSERT INTO inbox {replayable}",
            "SET LOCAL gendan.moving = 'off'",
            f"DROP TABLE {part.name}",
        ):
            await self._conn.execute(text(statement))
        return True


def month_after(at: datetime, months: int) -> datetime:
    """The beginning, in UTC, of the month that is so many after the one of `at`."""
    here = at.astimezone(UTC)
    years, month = divmod(here.year * 12 + here.month - 1 + months, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)
