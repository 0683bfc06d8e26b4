"""Notices to warehouse and planning, and who acknowledged them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.supply import Notice, NoticeKind, Station, Step
from storage.dialects import in_chunks, insert_into
from storage.tables import supply_acks, supply_notices, supply_numbers, supply_reminders

_NAMES = [field.name for field in fields(Notice)]
_COLUMNS = [supply_notices.c[name] for name in _NAMES]


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody at a station has taken note."""

    notice_id: int
    station: Station
    person_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RecentNotices:
    """Notices of late that stand. fen: their worth. waiting: those that some station has not
    acknowledged."""

    count: int = 0
    fen: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """A station that has not taken note of the last notice of a deal. reminded_at: None if it was
    not reminded yet."""

    notice: Notice
    station: Station
    reminded_at: datetime | None = None


class SupplyNotices:
    """Repository of notices to warehouse and planning, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def next_number(self, day: date) -> int:
        """Of that day, from 1. Whoever else asks waits until this transaction ends; one that is
        undone leaves no gap."""
        statement = insert_into(self._conn, supply_numbers).values(day=day, last=1)
        given = await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=[supply_numbers.c.day], set_={"last": supply_numbers.c.last + 1}
            ).returning(supply_numbers.c.last)
        )
        return int(given.scalar_one())

    async def append(self, notice: Notice) -> Notice:
        """notice: with any id. Raises IntegrityError for a generation that is there."""
        values = {name: getattr(notice, name) for name in _NAMES if name != "id"}
        values |= {"kind": str(notice.kind), "reason": notice.reason[:200]}
        added = await self._conn.execute(
            insert(supply_notices).values(values).returning(supply_notices.c.id)
        )
        return replace(notice, id=added.scalar_one())

    async def get(self, notice_id: int) -> Notice | None:
        found = await self._list(supply_notices.c.id == notice_id)
        return found[0] if found else None

    async def numbered(self, evidence_id: str) -> Notice | None:
        """The newest under that number."""
        found = await self._list(
            supply_notices.c.evidence_id == evidence_id, newest_first=True, limit=1
        )
        return found[0] if found else None

    async def last_of(self, opportunity_id: int) -> Notice | None:
        found = await self._list(
            supply_notices.c.opportunity_id == opportunity_id, newest_first=True, limit=1
        )
        return found[0] if found else None

    async def of(self, opportunity_id: int) -> list[Notice]:
        """Everything that was told of the deal, in order."""
        return await self._list(supply_notices.c.opportunity_id == opportunity_id)

    async def newest(self, *, standing: bool, limit: int) -> list[Notice]:
        """The last notice of each deal, the newest first; standing: of those not withdrawn, else
        of those withdrawn."""
        withdrawn = supply_notices.c.kind == str(NoticeKind.WITHDRAWAL)
        rows = await self._conn.execute(
            select(*_COLUMNS)
            .where(~withdrawn if standing else withdrawn, _is_last())
            .order_by(supply_notices.c.id.desc())
            .limit(limit)
        )
        return [_to_notice(row) for row in rows]

    async def lately(self, since: datetime) -> RecentNotices:
        """Of what was told since: the last notice of each deal, without those withdrawn."""
        acks = (
            select(func.count())
            .where(supply_acks.c.notice_id == supply_notices.c.id)
            .correlate(supply_notices)
            .scalar_subquery()
        )
        row = (
            await self._conn.execute(
                select(
                    func.count(),
                    func.coalesce(func.sum(supply_notices.c.amount_fen), 0),
                    func.count().filter(acks < len(Station)),
                ).where(
                    supply_notices.c.at >= since,
                    supply_notices.c.kind != str(NoticeKind.WITHDRAWAL),
                    _is_last(),
                )
            )
        ).one()
        return RecentNotices(row[0], int(row[1]), row[2])

    async def acknowledge(
        self, notice_id: int, station: Station, person_id: int, at: datetime
    ) -> bool:
        """False where that station did before."""
        statement = insert_into(self._conn, supply_acks).values(
            notice_id=notice_id, station=str(station), person_id=person_id, at=at
        )
        added = await self._conn.execute(statement.on_conflict_do_nothing())
        return bool(added.rowcount)

    async def acks_of(self, notice_ids: Iterable[int]) -> list[Ack]:
        found: list[Ack] = []
        for chunk in in_chunks(notice_ids):
            rows = await self._conn.execute(
                select(supply_acks).where(supply_acks.c.notice_id.in_(chunk))
            )
            found += [
                Ack(row.notice_id, Station(row.station), row.person_id, row.at) for row in rows
            ]
        return found

    async def silences(self) -> list[Silence]:
        """In order of the notices; without those that whoever leads the station has heard of."""
        last = select(func.max(supply_notices.c.id)).group_by(supply_notices.c.opportunity_id)
        found: list[Silence] = []
        for station in Station:
            of_station = supply_reminders.c.station == str(station)
            taken = select(supply_acks.c.notice_id).where(supply_acks.c.station == str(station))
            ended = select(supply_reminders.c.notice_id).where(
                of_station, supply_reminders.c.step == str(Step.LEAD)
            )
            rows = await self._conn.execute(
                select(*_COLUMNS, supply_reminders.c.at.label("reminded_at"))
                .outerjoin(
                    supply_reminders,
                    and_(
                        supply_reminders.c.notice_id == supply_notices.c.id,
                        of_station,
                        supply_reminders.c.step == str(Step.STATION),
                    ),
                )
                .where(
                    supply_notices.c.id.in_(last),
                    supply_notices.c.id.not_in(taken),
                    supply_notices.c.id.not_in(ended),
                )
                .order_by(supply_notices.c.id)
            )
            found += [Silence(_to_notice(row[:-1]), station, row.reminded_at) for row in rows]
        return found

    async def remind(self, notice_id: int, station: Station, step: Step, at: datetime) -> None:
        await self._conn.execute(
            insert(supply_reminders).values(
                notice_id=notice_id, station=str(station), step=str(step), at=at
            )
        )

    async def _list(
        self, *where: Any, newest_first: bool = False, limit: int | None = None
    ) -> list[Notice]:
        order = supply_notices.c.id.desc() if newest_first else supply_notices.c.id
        rows = await self._conn.execute(
            select(*_COLUMNS).where(*where).order_by(order).limit(limit)
        )
        return [_to_notice(row) for row in rows]


def _is_last() -> ColumnElement[bool]:
    """Nothing was told of the deal after it."""
    later = supply_notices.alias()
    return ~(
        select(later.c.id)
        .where(
            later.c.opportunity_id == supply_notices.c.opportunity_id,
            later.c.generation > supply_notices.c.generation,
        )
        .correlate(supply_notices)
        .exists()
    )


def _to_notice(row: Sequence[Any]) -> Notice:
    values = dict(zip(_NAMES, row, strict=True))
    return Notice(**values | {"kind": NoticeKind(values["kind"])})
