"""What people said, word for word, taken out of rows that are handled and old (docs/privacy.md).

The rows stay. By their keys a delivery is known when it comes again, and their states and times
tell that it was handled. Each table is gone through once, in order of its numbers, up to a place
that is kept; what could not be emptied there, since it still waits, is kept by its number and
looked at again. So no index is needed, which every message would have to pay for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import AnyRow, among
from storage.kept_places import KeptPlaces, Place
from storage.outbox import NO_WORDS
from storage.tables import drafts, inbox, outbox

log = logging.getLogger(__name__)

BATCH = 1_000
MOST_LEFT = 10_000
"""Rows that are passed over, since they wait. With more of them a table is not gone on with before
somebody has seen to these."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A table of raw words. since: by which a row's age is told. waits: the state of those that are
    still needed. emptied: what takes the place of its words."""

    since: Column[datetime]
    waits: str
    emptied: Mapping[str, Any]

    @property
    def table(self) -> Table:
        return self.since.table


_TABLES = {
    "inbox": _Kept(inbox.c.received_at, "new", {"body": b""}),
    "outbox": _Kept(
        outbox.c.queued_at,
        "queued",
        {
            "content": NO_WORDS,
            "address": "",
            "user_id": None,
            "chat_id": None,
            "webhook": None,
            "undelivered": null(),
        },
    ),
    "drafts": _Kept(drafts.c.created_at, "open", {"text": "", "slots": {}, "confidence": {}}),
}
TABLES = tuple(_TABLES)
"""Their names. A draft that was confirmed lives on in the stream."""


class RawWords:
    """Takes words out of rows that are handled and old, inside one transaction, which should be
    short: one batch."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._places = KeptPlaces(conn)

    async def look_again(self, name: str, *, before: datetime, at: datetime) -> None:
        """Empty what was passed over, where it no longer waits. before: what is younger stays."""
        place = await self._places.get(name, at)
        if place.left:
            kept = _TABLES[name]
            again = await self._rows(kept, among(self._conn, kept.table.c.id, place.left))
            await self._empty(name, again, replace(place, left=()), before, at)

    async def go_on(self, name: str, *, before: datetime, at: datetime) -> bool:
        """Empty among the next BATCH rows; whether more may follow them. A batch of which all are
        too young is the end. before: as above."""
        kept, place = _TABLES[name], await self._places.get(name, at)
        if len(place.left) > MOST_LEFT:
            told = {"action": "empty", "table": name, "waiting": len(place.left)}
            log.warning("old rows that wait keep others from being emptied", extra=told)
            return False
        following = await self._rows(kept, kept.table.c.id > place.up_to, most=BATCH)
        last = max((row.id for row in following if row.since < before), default=None)
        if last is None:
            return False
        passed = [row for row in following if row.id <= last]
        await self._empty(name, passed, replace(place, up_to=last), before, at)
        return len(following) == BATCH

    async def _empty(
        self, name: str, rows: Sequence[AnyRow], place: Place, before: datetime, at: datetime
    ) -> None:
        """Those rows, where they may be; with what becomes of the place."""
        kept = _TABLES[name]
        ended = [row.id for row in rows if row.state != kept.waits and row.since < before]
        left = tuple(sorted({row.id for row in rows} - set(ended)))
        if ended:
            its = (among(self._conn, kept.table.c.id, ended), kept.since < before)
            await self._conn.execute(update(kept.table).where(*its).values(kept.emptied))
        after = replace(place, left=(*place.left, *left), untold=place.untold + len(ended))
        await self._places.put(name, after, at)

    async def _rows(
        self, kept: _Kept, which: ColumnElement[bool], *, most: int | None = None
    ) -> Sequence[AnyRow]:
        columns = kept.table.c.id, kept.table.c.state, kept.since.label("since")
        query = select(*columns).where(which).order_by(kept.table.c.id).limit(most)
        return (await self._conn.execute(query)).all()
