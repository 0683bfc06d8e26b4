"""Intent levels, and the evidence they rest on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level, LevelChange
from bot.errors import NotFound
from storage.dialects import AnyRow, in_chunks
from storage.tables import evidence, level_changes

_EVIDENCE = [field.name for field in fields(Evidence)]
_CHANGE = [field.name for field in fields(LevelChange)]
_later = level_changes.alias()
_IS_NEWEST = ~exists().where(
    _later.c.opportunity_id == level_changes.c.opportunity_id, _later.c.id > level_changes.c.id
)


class Levels:
    """Repository of intent levels and their evidence, inside one transaction. Which changes are
    allowed is the caller's to know."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add_evidence(self, given: Evidence) -> Evidence:
        """As it is stored. given: its id is not looked at."""
        values = {name: getattr(given, name) for name in _EVIDENCE if name != "id"}
        values |= {"kind": str(given.kind), "fields": dict(given.fields)}
        added = await self._conn.execute(insert(evidence).values(values).returning(evidence.c.id))
        return replace(given, id=added.scalar_one())

    async def get_evidence(self, evidence_id: int) -> Evidence:
        """Raises NotFound."""
        found = await self._evidence(evidence.c.id == evidence_id)
        if not found:
            raise NotFound("没有这份凭据。")
        return found[0]

    async def evidence_of(self, opportunity_id: int) -> list[Evidence]:
        """All that was ever added, in order."""
        return await self._evidence(evidence.c.opportunity_id == opportunity_id)

    async def evidence_of_many(self, opportunity_ids: Iterable[int]) -> dict[int, list[Evidence]]:
        """opportunity -> all its evidence, of those that have any."""
        found: dict[int, list[Evidence]] = {}
        for chunk in in_chunks(opportunity_ids):
            for one in await self._evidence(evidence.c.opportunity_id.in_(chunk)):
                found.setdefault(one.opportunity_id, []).append(one)
        return found

    async def withdraw(
        self, evidence_id: int, *, by: int, reason: str, at: datetime
    ) -> Evidence | None:
        """None where it was withdrawn before."""
        changed = await self._conn.execute(
            update(evidence)
            .where(evidence.c.id == evidence_id, evidence.c.withdrawn_at.is_(None))
            .values(withdrawn_at=at, withdrawn_by=by, withdrawal_reason=reason[:200])
        )
        return await self.get_evidence(evidence_id) if changed.rowcount else None

    async def append(self, change: LevelChange) -> LevelChange:
        """As it is stored. change: its id is not looked at."""
        values = {name: getattr(change, name) for name in _CHANGE if name != "id"}
        values |= {"cause": str(change.cause), "reason": change.reason[:200]}
        values |= {name: None if values[name] is None else str(values[name])
                   for name in ("before", "after")}  # fmt: skip
        added = await self._conn.execute(
            insert(level_changes).values(values).returning(level_changes.c.id)
        )
        return replace(change, id=added.scalar_one())

    async def changes_of(self, opportunity_id: int) -> list[LevelChange]:
        """In order."""
        return (await self.changes_of_many([opportunity_id])).get(opportunity_id, [])

    async def changes_of_many(self, opportunity_ids: Iterable[int]) -> dict[int, list[LevelChange]]:
        """opportunity -> its changes in order, of those that have any."""
        found: dict[int, list[LevelChange]] = {}
        for chunk in in_chunks(opportunity_ids):
            rows = await self._conn.execute(
                select(*(level_changes.c[name] for name in _CHANGE))
                .where(level_changes.c.opportunity_id.in_(chunk))
                .order_by(level_changes.c.id)
            )
            for row in rows:
                found.setdefault(row.opportunity_id, []).append(_to_change(row))
        return found

    async def current(self, opportunity_ids: Iterable[int]) -> dict[int, LevelChange]:
        """opportunity -> its newest change, whose `after` is its level; without those that never
        had one."""
        found: dict[int, LevelChange] = {}
        for chunk in in_chunks(opportunity_ids):
            newest = (
                select(func.max(level_changes.c.id))
                .where(level_changes.c.opportunity_id.in_(chunk))
                .group_by(level_changes.c.opportunity_id)
            )
            rows = await self._conn.execute(
                select(*(level_changes.c[name] for name in _CHANGE)).where(
                    level_changes.c.id.in_(newest)
                )
            )
            found |= {row.opportunity_id: _to_change(row) for row in rows}
        return found

    async def at_level(self, level: Level) -> list[LevelChange]:
        """The newest changes of all opportunities that stand at a level now."""
        rows = await self._conn.execute(
            select(*(level_changes.c[name] for name in _CHANGE))
            .where(level_changes.c.after == str(level), _IS_NEWEST)
            .order_by(level_changes.c.opportunity_id)
        )
        return [_to_change(row) for row in rows]

    async def next_expiry_at(self) -> datetime | None:
        """When the next evidence comes to its end."""
        moment: datetime | None = await self._conn.scalar(
            select(evidence.c.expires_at)
            .where(evidence.c.lapsed_at.is_(None), evidence.c.withdrawn_at.is_(None))
            .order_by(evidence.c.expires_at)
            .limit(1)
        )
        return moment

    async def expired(self, now: datetime, *, limit: int = 500) -> list[Evidence]:
        """What has come to its end and was not attended to, the longest ago first."""
        return await self._evidence(
            evidence.c.lapsed_at.is_(None),
            evidence.c.withdrawn_at.is_(None),
            evidence.c.expires_at <= now,
            order=(evidence.c.expires_at, evidence.c.id),
            limit=limit,
        )

    async def to_warn_of(
        self, now: datetime, *, until: datetime, limit: int = 500
    ) -> list[Evidence]:
        """What ends until then, and nobody was told so."""
        return await self._evidence(
            evidence.c.lapsed_at.is_(None),
            evidence.c.withdrawn_at.is_(None),
            evidence.c.warned_at.is_(None),
            evidence.c.expires_at > now,
            evidence.c.expires_at <= until,
            limit=limit,
        )

    async def mark_lapsed(self, evidence_ids: Collection[int], at: datetime) -> None:
        await self._mark(evidence_ids, {"lapsed_at": at})

    async def mark_warned(self, evidence_ids: Collection[int], at: datetime) -> None:
        await self._mark(evidence_ids, {"warned_at": at})

    async def words_ended(self, now: datetime) -> list[LevelChange]:
        """The newest changes of opportunities whose level was lowered by word, where the word
        holds no more."""
        rows = await self._conn.execute(
            select(*(level_changes.c[name] for name in _CHANGE)).where(
                level_changes.c.stands_until <= now, level_changes.c.after.is_not(None), _IS_NEWEST
            )
        )
        return [_to_change(row) for row in rows]

    async def _mark(self, evidence_ids: Collection[int], values: dict[str, Any]) -> None:
        for chunk in in_chunks(evidence_ids):
            await self._conn.execute(
                update(evidence).where(evidence.c.id.in_(chunk)).values(values)
            )

    async def _evidence(
        self, *where: Any, order: tuple[Any, ...] = (evidence.c.id,), limit: int | None = None
    ) -> list[Evidence]:
        rows = await self._conn.execute(
            select(*(evidence.c[name] for name in _EVIDENCE))
            .where(*where)
            .order_by(*order)
            .limit(limit)
        )
        return [_to_evidence(row) for row in rows]


def _to_evidence(row: AnyRow) -> Evidence:
    values = dict(zip(_EVIDENCE, row, strict=True))
    return Evidence(**values | {"kind": EvidenceKind(row.kind)})


def _to_change(row: AnyRow) -> LevelChange:
    values = dict(zip(_CHANGE, row, strict=True)) | {"cause": Cause(row.cause)}
    for name in ("before", "after"):
        values[name] = None if values[name] is None else Level(values[name])
    return LevelChange(**values)
