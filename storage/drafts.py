"""Drafts, and files that wait to be told for whom they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import Draft, DraftState
from bot.errors import NotFound
from storage.dialects import AnyRow, among, changes, fixed, insert_into, prepared_insert
from storage.prepared import prepared
from storage.remembering import memory_of
from storage.tables import drafts, files, loose_files

_NAMES = [field.name for field in fields(Draft)]
_COLUMNS = [drafts.c[name] for name in _NAMES]
_QUERY = select(*_COLUMNS)
CHUNK = 500
IS_OPEN = drafts.c.state == fixed("open")
IS_LOOSE = loose_files.c.settled_at.is_(None)
_ADD = prepared_insert(
    drafts,
    lambda new: new.on_conflict_do_nothing(index_elements=[drafts.c.source_id]).returning(
        drafts.c.id
    ),
)
_SAVE = prepared(update(drafts).where(drafts.c.id == bindparam("saved_id")), unread=True)
_OF_SOURCE = prepared(_QUERY.where(drafts.c.source_id == bindparam("source_id")))
_FOR_UPDATE = prepared(_QUERY.where(drafts.c.id == bindparam("key")).with_for_update())
_RECENT_FIRST = _QUERY.order_by(drafts.c.touched_at.desc(), drafts.c.id.desc())
_OPEN_OF = prepared(
    _RECENT_FIRST.where(
        IS_OPEN,
        drafts.c.conversation == bindparam("conversation"),
        drafts.c.person_id == bindparam("person_id"),
    )
)
_LOOSE_OF = prepared(
    select(loose_files.c.id, files.c.sha256, files.c.name, files.c.media_type)
    .join(files, files.c.sha256 == loose_files.c.sha256)
    .where(
        loose_files.c.conversation == bindparam("conversation"),
        loose_files.c.person_id == bindparam("person_id"),
        IS_LOOSE,
    )
    .order_by(loose_files.c.id)
)


@dataclass(frozen=True, slots=True)
class LooseFile:
    """A stored file without a customer. id: of the waiting entry, not of the file."""

    id: int
    sha256: str
    name: str
    media_type: str


class Drafts:
    """What was understood and not yet stored, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self.open: dict[tuple[str, int], Sequence[Draft]] = memory_of(conn, drafts)
        self.loose: dict[tuple[str, int], Sequence[LooseFile]] = memory_of(conn, loose_files, files)
        self._rows: dict[int, dict[str, Any]] = memory_of(conn, drafts)

    async def add(self, draft: Draft) -> Draft:
        """With a new id. When its source is known: the draft that stands there."""
        row = _to_row(draft)
        new_id = await self._conn.scalar(_ADD(self._conn), row)
        if new_id is None:
            return (await self._list(_OF_SOURCE, {"source_id": draft.source_id}))[0]
        self._rows[new_id] = row
        return replace(draft, id=new_id, touched_at=row["touched_at"])

    async def get_for_update(self, draft_id: int) -> Draft:
        """Locked until the transaction ends. Raises NotFound."""
        found = await self._list(_FOR_UPDATE, {"key": draft_id})
        if not found:
            raise NotFound("没有这份草稿。")
        return found[0]

    async def save(self, draft: Draft) -> None:
        """Write it back as a whole."""
        row = _to_row(draft)
        changed = changes(row, self._rows.get(draft.id))
        if changed:
            await self._conn.execute(_SAVE, {**changed, "saved_id": draft.id})
            self._rows[draft.id] = row

    async def open_of(self, conversation: str, person_id: int) -> list[Draft]:
        """Most recently touched first."""
        chat = conversation, person_id
        if chat not in self.open:
            whose = {"conversation": conversation, "person_id": person_id}
            self.open[chat] = await self._list(_OPEN_OF, whose)
        return list(self.open[chat])

    async def open_of_person(self, person_id: int) -> list[Draft]:
        """In all conversations, most recently touched first."""
        return await self._list(_RECENT_FIRST.where(IS_OPEN, drafts.c.person_id == person_id))

    async def open_of_people(self, person_ids: Iterable[int]) -> list[Draft]:
        """Those of all of them, most recently touched first."""
        ids = sorted(set(person_ids))
        found: list[Draft] = []
        for start in range(0, len(ids), CHUNK):
            chunk = drafts.c.person_id.in_(ids[start : start + CHUNK])
            found += await self._list(_RECENT_FIRST.where(IS_OPEN, chunk))
        return found

    async def due_to_expire(self, at: datetime, limit: int) -> list[Draft]:
        """Open ones past their time, the longest past first; locked."""
        return await self._list(
            _QUERY.where(IS_OPEN, drafts.c.expires_at <= at)
            .order_by(drafts.c.expires_at, drafts.c.id)
            .limit(limit)
            .with_for_update()
        )

    async def next_expiry_at(self) -> datetime | None:
        """When the next open draft expires."""
        moment: datetime | None = await self._conn.scalar(
            select(drafts.c.expires_at).where(IS_OPEN).order_by(drafts.c.expires_at).limit(1)
        )
        return moment

    async def add_loose(
        self, conversation: str, person_id: int, sha256: str, source_id: str, at: datetime
    ) -> None:
        """Set a recorded file aside until its customer is known; once for each source."""
        values = {
            "conversation": conversation,
            "person_id": person_id,
            "sha256": sha256,
            "source_id": source_id,
            "received_at": at,
        }
        await self._conn.execute(
            insert_into(self._conn, loose_files)
            .values(values)
            .on_conflict_do_nothing(index_elements=[loose_files.c.source_id])
        )

    async def loose_of(self, conversation: str, person_id: int) -> list[LooseFile]:
        """What waits in a conversation, in order of arrival."""
        chat = conversation, person_id
        if chat not in self.loose:
            whose = {"conversation": conversation, "person_id": person_id}
            rows = await self._conn.execute(_LOOSE_OF, whose)
            self.loose[chat] = [LooseFile(*row) for row in rows]
        return list(self.loose[chat])

    async def settle_loose(self, loose_ids: Iterable[int], at: datetime) -> None:
        """These files wait for no customer any more."""
        await self._conn.execute(
            update(loose_files)
            .where(among(self._conn, loose_files.c.id, loose_ids))
            .values(settled_at=at)
        )

    async def _list(self, query: Select[Any], key: dict[str, Any] | None = None) -> list[Draft]:
        return [_to_draft(row) for row in await self._conn.execute(query, key)]


def _to_row(draft: Draft) -> dict[str, Any]:
    """Without its id."""
    return {name: getattr(draft, name) for name in _NAMES if name != "id"} | {
        "state": str(draft.state),
        "touched_at": draft.touched_at or draft.created_at,
        "file_hashes": list(draft.file_hashes),
        "candidates": list(draft.candidates),
    }


def _to_draft(row: AnyRow) -> Draft:
    values = dict(zip(_NAMES, row, strict=True))
    values |= {
        "state": DraftState(row.state),
        "file_hashes": tuple(row.file_hashes),
        "candidates": tuple(row.candidates),
    }
    return Draft(**values)
