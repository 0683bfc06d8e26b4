"""The stream: entries are appended, never edited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, cast, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import Activity, Grade
from bot.errors import InvalidInput, NotFound
from storage.dialects import AnyRow, among, prepared_insert
from storage.merges import family
from storage.prepared import prepared
from storage.remembering import memory_of
from storage.tables import activities

CHUNK = 1_000

_NAMES = [field.name for field in fields(Activity)]
_QUERY = select(*(activities.c[name] for name in _NAMES))
_ADD = prepared_insert(
    activities,
    lambda new: new.on_conflict_do_nothing(index_elements=[activities.c.source_id]).returning(
        activities.c.id
    ),
)
_ADD_ALL = prepared_insert(
    activities, lambda new: new.on_conflict_do_nothing(index_elements=[activities.c.source_id])
)
_OF_OPPORTUNITY = prepared(
    _QUERY.where(
        activities.c.opportunity_id == bindparam("opportunity_id"),
        activities.c.occurred_at >= bindparam("since"),
    ).order_by(activities.c.occurred_at, activities.c.id)
)


@dataclass(frozen=True, slots=True)
class Only:
    """Which entries of a stream. units: keys of action units, "" for entries that are none;
    None: any. titled: beside them entries that are no unit and are called so. untitled: without
    those called so. with_files: those with something attached. opportunity_id: of that deal."""

    units: frozenset[str] | None = None
    titled: frozenset[str] = frozenset()
    untitled: frozenset[str] = frozenset()
    opportunity_id: int | None = None
    with_files: bool = False


class Activities:
    """Every customer's stream, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._streams: dict[int, tuple[datetime, list[Activity]]] = memory_of(conn, activities)

    async def add(self, activity: Activity) -> Activity | None:
        """Append, with a new id. None when its source is known: it stands there already."""
        streams = dict(self._streams)
        new_id = await self._conn.scalar(_ADD(self._conn), _values(activity))
        self._streams.update(streams)
        if new_id is None:
            return None
        added = replace(activity, id=new_id)
        self._follow(added)
        return added

    async def add_all(self, new: Sequence[Activity]) -> None:
        """Append them in order; those whose source is known are passed over."""
        if new:
            await self._conn.execute(_ADD_ALL(self._conn), [_values(one) for one in new])

    async def find_by_source(self, source_id: str) -> Activity | None:
        found = await self._list(_QUERY.where(activities.c.source_id == source_id))
        return found[0] if found else None

    async def get(self, activity_id: int) -> Activity:
        """Raises NotFound."""
        found = await self._list(_QUERY.where(activities.c.id == activity_id))
        if not found:
            raise NotFound("没有这条动态。")
        return found[0]

    async def page(
        self, account_id: int, *, limit: int, before: str | None, only: Only | None = None
    ) -> tuple[list[Activity], str | None]:
        """A customer's stream with those of customers merged into it, newest first, and the
        cursor of the next page if there is one.

        before: a cursor from an earlier page. Raises InvalidInput when it is none.
        """
        query = _QUERY.where(activities.c.account_id.in_(await family(self._conn, account_id)))
        if only is not None and only.units is not None:
            query = query.where(
                or_(
                    activities.c.unit.in_(sorted(only.units)),
                    and_(activities.c.unit == "", activities.c.title.in_(sorted(only.titled))),
                ),
                activities.c.title.not_in(sorted(only.untitled)),
            )
        if only is not None and only.opportunity_id is not None:
            query = query.where(activities.c.opportunity_id == only.opportunity_id)
        if only is not None and only.with_files:
            query = query.where(cast(activities.c.file_hashes, String) != "[]")
        place = tuple_(activities.c.occurred_at, activities.c.id)
        if before is not None:
            query = query.where(place < _read_cursor(before))
        query = query.order_by(activities.c.occurred_at.desc(), activities.c.id.desc())
        found = await self._list(query.limit(limit + 1))
        page = found[:limit]
        return page, (_cursor(page[-1]) if len(found) > limit else None)

    async def everything(self) -> AsyncIterator[list[Activity]]:
        """Of every customer, in the order in which it was learnt, some at a time."""
        last = 0
        while True:
            found = await self._list(
                _QUERY.where(activities.c.id > last).order_by(activities.c.id).limit(CHUNK)
            )
            if not found:
                return
            yield found
            last = found[-1].id

    async def belongs_to(self, activity: Activity, account_id: int) -> bool:
        """Whether the entry stands in that customer's stream."""
        return activity.account_id in await family(self._conn, account_id)

    async def list_of_opportunity(self, opportunity_id: int, *, since: datetime) -> list[Activity]:
        """What happened since then, oldest first."""
        start, known = self._streams.get(opportunity_id, (since, None))
        if known is None or since < start:
            key = {"opportunity_id": opportunity_id, "since": since}
            known = await self._list(_OF_OPPORTUNITY, key)
            self._streams[opportunity_id] = since, known
        return [one for one in known if one.occurred_at >= since]

    def _follow(self, added: Activity) -> None:
        """An entry that was appended stands in what is known of its deal's stream."""
        of = added.opportunity_id
        if of is None or of not in self._streams:
            return
        since, known = self._streams[of]
        if added.occurred_at >= since:
            in_order = sorted([*known, added], key=lambda one: (one.occurred_at, one.id))
            self._streams[of] = since, in_order

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
            select(activities.c.retracts_id).where(
                among(self._conn, activities.c.retracts_id, activity_ids)
            )
        )
        return set(rows.scalars())

    async def _list(self, query: Select[Any], key: dict[str, Any] | None = None) -> list[Activity]:
        return [_to_activity(row) for row in await self._conn.execute(query, key)]


def _values(activity: Activity) -> dict[str, Any]:
    return {name: getattr(activity, name) for name in _NAMES if name != "id"} | {
        "grade": str(activity.grade),
        "file_hashes": list(activity.file_hashes),
    }


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
    values = dict(zip(_NAMES, row, strict=True))
    values |= {"grade": Grade(row.grade), "file_hashes": tuple(row.file_hashes)}
    return Activity(**values)
