"""The stream: entries are appended, never edited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import Activity, Grade
from bot.errors import InvalidInput, NotFound
from storage.dialects import AnyRow, insert_into
from storage.merges import family
from storage.tables import activities

_COLUMNS = [activities.c[field.name] for field in fields(Activity)]
_QUERY = select(*_COLUMNS)


class Activities:
    """Every customer's stream, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, activity: Activity) -> Activity | None:
        """Append, with a new id. None when its source is known: it stands there already."""
        values = asdict(activity) | {
            "grade": str(activity.grade),
            "file_hashes": list(activity.file_hashes),
        }
        del values["id"]
        added = await self._conn.execute(
            insert_into(self._conn, activities)
            .values(values)
            .on_conflict_do_nothing(index_elements=[activities.c.source_id])
            .returning(*_COLUMNS)
        )
        row = added.one_or_none()
        return None if row is None else _to_activity(row)

    async def get(self, activity_id: int) -> Activity:
        """Raises NotFound."""
        found = await self._list(_QUERY.where(activities.c.id == activity_id))
        if not found:
            raise NotFound("没有这条动态。")
        return found[0]

    async def page(
        self, account_id: int, *, limit: int, before: str | None
    ) -> tuple[list[Activity], str | None]:
        """A customer's stream with those of customers merged into it, newest first, and the
        cursor of the next page if there is one.

        before: a cursor from an earlier page. Raises InvalidInput when it is none.
        """
        query = _QUERY.where(activities.c.account_id.in_(await family(self._conn, account_id)))
        place = tuple_(activities.c.occurred_at, activities.c.id)
        if before is not None:
            query = query.where(place < _read_cursor(before))
        query = query.order_by(activities.c.occurred_at.desc(), activities.c.id.desc())
        found = await self._list(query.limit(limit + 1))
        page = found[:limit]
        return page, (_cursor(page[-1]) if len(found) > limit else None)

    async def list_of_opportunity(self, opportunity_id: int, *, since: datetime) -> list[Activity]:
        """What happened since then, oldest first."""
        return await self._list(
            _QUERY.where(
                activities.c.opportunity_id == opportunity_id,
                activities.c.occurred_at >= since,
            ).order_by(activities.c.occurred_at, activities.c.id)
        )

    async def last_of_actor(self, actor_id: int, limit: int) -> list[Activity]:
        """What somebody recorded last, newest first."""
        return await self._list(
            _QUERY.where(activities.c.actor_id == actor_id)
            .order_by(activities.c.recorded_at.desc(), activities.c.id.desc())
            .limit(limit)
        )

    async def without_slot(
        self, actor_id: int, *, intent: str, slot: str, since: datetime
    ) -> list[Activity]:
        """What somebody recorded with that intent and without that slot, and did not take
        back, newest first."""
        later = activities.alias()
        taken_back = select(later.c.id).where(later.c.retracts_id == activities.c.id).exists()
        return await self._list(
            _QUERY.where(
                activities.c.actor_id == actor_id,
                activities.c.recorded_at >= since,
                activities.c.slots["intent"].as_string() == intent,
                activities.c.slots[slot].as_string().is_(None),
                activities.c.retracts_id.is_(None),
                ~taken_back,
            ).order_by(activities.c.recorded_at.desc(), activities.c.id.desc())
        )

    async def is_retracted(self, activity_id: int) -> bool:
        return bool(await self.retracted_among([activity_id]))

    async def retracted_among(self, activity_ids: Iterable[int]) -> set[int]:
        """Those of them that a later entry took back."""
        rows = await self._conn.execute(
            select(activities.c.retracts_id).where(activities.c.retracts_id.in_(activity_ids))
        )
        return set(rows.scalars())

    async def _list(self, query: Select[Any]) -> list[Activity]:
        return [_to_activity(row) for row in await self._conn.execute(query)]


def _cursor(activity: Activity) -> str:
    return f"{activity.occurred_at.isoformat()}~{activity.id}"


def _read_cursor(text: str) -> tuple[datetime, int]:
    moment, _, number = text.partition("~")
    try:
        occurred_at, activity_id = datetime.fromisoformat(moment), int(number)
    except ValueError:
        raise InvalidInput("这一页的地址不完整，请从第一页重新打开。") from None
    if occurred_at.tzinfo is None or activity_id not in range(2**63):
        raise InvalidInput("这一页的地址不完整，请从第一页重新打开。")
    return occurred_at, activity_id


def _to_activity(row: AnyRow) -> Activity:
    values = row._asdict()
    values |= {"grade": Grade(row.grade), "file_hashes": tuple(row.file_hashes)}
    return Activity(**values)
