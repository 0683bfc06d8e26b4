"""Looking through the audit chain: by person, action, subject and time.

The chain has no index by who or what, which every message would have to pay for. So a search looks
at a bounded piece of it, from the newest back, and says where it stopped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import Audit, fits
from storage.dialects import AnyRow
from storage.tables import audit

SPAN = 50_000
"""Entries that one search looks at."""

SLACK = 1_000
"""Entries of neighbouring transactions may stand a little out of the order of their times."""

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the audit chain, as administrators see it. before, after: JSON as sealed; ""
    where it was erased. holds: it is as it was sealed."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: str
    after: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty: any. actor, action: exactly. subject: its beginning."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Newest first. before: where the next search begins; None at the chain's beginning."""

    entries: tuple[AuditEntry, ...]
    before: int | None


class AuditSearch:
    """Queries of the audit chain, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def search(self, wanted: Wanted, *, before: int | None, limit: int) -> Found:
        """before: entries older than this number."""
        head, _ = await Audit(self._conn).head()
        start = min(before or head + 1, head + 1)
        if wanted.until is not None and before is None:
            start = min(start, await self._first_after(wanted.until, head) + SLACK)
        floor = max(0, start - SPAN)
        which = [audit.c.seq < start, audit.c.seq >= floor, *_which(wanted)]
        rows = await self._conn.execute(
            select(audit).where(*which).order_by(audit.c.seq.desc()).limit(limit)
        )
        entries = tuple(_to_entry(row) for row in rows)
        if len(entries) == limit:
            return Found(entries, entries[-1].seq)
        return Found(entries, floor if floor > 1 and not await self._over(wanted, floor) else None)

    async def actions(self) -> list[str]:
        """Every name of an action among the newest entries."""
        head, _ = await Audit(self._conn).head()
        query = select(audit.c.action).distinct().where(audit.c.seq > head - SPAN)
        return sorted((await self._conn.execute(query)).scalars())

    async def everything(self, wanted: Wanted) -> AsyncIterator[list[AuditEntry]]:
        """Oldest first, some at a time."""
        last = 0
        while True:
            query = select(audit).where(audit.c.seq > last, *_which(wanted))
            rows = list(await self._conn.execute(query.order_by(audit.c.seq).limit(CHUNK)))
            if not rows:
                return
            yield [_to_entry(row) for row in rows]
            last = rows[-1].seq

    async def _over(self, wanted: Wanted, seq: int) -> bool:
        """Whether all that is older lies before what is wanted."""
        if wanted.since is None:
            return False
        at = await self._conn.scalar(select(audit.c.at).where(audit.c.seq == max(1, seq - SLACK)))
        return at is not None and at < wanted.since

    async def _first_after(self, moment: datetime, head: int) -> int:
        """About where the entries of a moment stand: times rise with numbers."""
        low, high = 1, head + 1
        while low < high:
            middle = (low + high) // 2
            at = await self._conn.scalar(select(audit.c.at).where(audit.c.seq == middle))
            if at is None or at < moment:
                low = middle + 1
            else:
                high = middle
        return low


def _which(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.actor:
        found.append(audit.c.actor == wanted.actor)
    if wanted.action:
        found.append(audit.c.action == wanted.action)
    if wanted.subject:
        found.append(audit.c.subject.startswith(wanted.subject, autoescape=True))
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    return found


def _to_entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        row.seq, row.at, row.actor, row.action, row.subject, row.before, row.after,
        holds=fits(row._asdict()),
    )  # fmt: skip
