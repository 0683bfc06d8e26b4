"""What is to be read from a platform again: a queue in which each thing stands once.

Events only say that something changed. However many of them come for one contact or group
before it is read, it is read once; and what a crash interrupts is read after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import insert_into, pairs_among
from storage.tables import external_reads

CONTACT, GROUP, EVERYTHING = "contact", "group", "all"


@dataclass(frozen=True, slots=True)
class Reading:
    """Something that is to be read from a platform again. what: CONTACT, GROUP or EVERYTHING. key:
    of the contact or group. version: what the group's members must be at. asked_at: when it was
    last asked for."""

    platform: str
    app: str
    what: str
    key: str
    version: str
    asked_at: datetime
    due_at: datetime
    tries: int = 0


_NAMES = [field.name for field in fields(Reading)]
_COLUMNS = [external_reads.c[name] for name in _NAMES]


class ExternalReads:
    """Queue of what is to be read again, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def ask(self, readings: Iterable[Reading]) -> None:
        """Asked again, it is read once, when the later one is due."""
        rows = [{name: getattr(one, name) for name in _NAMES} for one in readings]
        if not rows:
            return
        statement = insert_into(self._conn, external_reads)
        told = statement.excluded
        await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=list(external_reads.primary_key.columns),
                set_={name: told[name] for name in ("version", "asked_at", "due_at", "tries")},
            ),
            rows,
        )

    async def ask_once(self, reading: Reading) -> None:
        """Leaves it as it stands where it was asked for before."""
        values = {name: getattr(reading, name) for name in _NAMES}
        await self._conn.execute(
            insert_into(self._conn, external_reads).values(values).on_conflict_do_nothing()
        )

    async def due(
        self,
        apps: Collection[tuple[str, str]],
        whats: Collection[str],
        *,
        at: datetime,
        limit: int,
    ) -> list[Reading]:
        """The longest due first."""
        rows = await self._conn.execute(
            select(*_COLUMNS)
            .where(external_reads.c.due_at <= at, _of(self._conn, apps, whats))
            .order_by(external_reads.c.due_at, external_reads.c.key)
            .limit(limit)
        )
        return [Reading(**row._mapping) for row in rows]

    async def next_at(
        self, apps: Collection[tuple[str, str]], whats: Collection[str]
    ) -> datetime | None:
        """When the first of them is due."""
        query = select(func.min(external_reads.c.due_at)).where(_of(self._conn, apps, whats))
        found: datetime | None = await self._conn.scalar(query)
        return found

    async def done(self, reading: Reading) -> None:
        """Unless it was asked for again meanwhile."""
        await self._conn.execute(
            delete(external_reads).where(
                _is(reading), external_reads.c.asked_at == reading.asked_at
            )
        )

    async def put_off(self, reading: Reading, *, until: datetime, tries: int | None = None) -> None:
        """tries: so far; None: one more."""
        await self._conn.execute(
            update(external_reads)
            .where(_is(reading), external_reads.c.asked_at == reading.asked_at)
            .values(due_at=until, tries=reading.tries + 1 if tries is None else tries)
        )


def _of(
    conn: AsyncConnection, apps: Collection[tuple[str, str]], whats: Collection[str]
) -> ColumnElement[bool]:
    app = external_reads.c.platform, external_reads.c.app
    return and_(pairs_among(conn, app, apps), external_reads.c.what.in_(sorted(whats)))


def _is(reading: Reading) -> ColumnElement[bool]:
    keys = external_reads.primary_key.columns
    return and_(*(column == getattr(reading, column.name) for column in keys))
