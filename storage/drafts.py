"""Drafts, and files that wait to be told for whom they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.activities import Draft, DraftState
from bot.errors import NotFound
from storage.dialects import AnyRow, fixed, insert_into
from storage.tables import drafts, files, loose_files

_COLUMNS = [drafts.c[field.name] for field in fields(Draft)]
_QUERY = select(*_COLUMNS)
CHUNK = 500
_IS_OPEN = drafts.c.state == fixed("open")


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

    async def add(self, draft: Draft) -> Draft:
        """With a new id. When its source is known: the draft that stands there."""
        values = _to_row(draft)
        del values["id"]
        added = await self._conn.execute(
            insert_into(self._conn, drafts)
            .values(values)
            .on_conflict_do_nothing(index_elements=[drafts.c.source_id])
            .returning(*_COLUMNS)
        )
        row = added.one_or_none()
        if row is not None:
            return _to_draft(row)
        return (await self._list(_QUERY.where(drafts.c.source_id == draft.source_id)))[0]

    async def get_for_update(self, draft_id: int) -> Draft:
        """Locked until the transaction ends. Raises NotFound."""
        found = await self._list(_QUERY.where(drafts.c.id == draft_id).with_for_update())
        if not found:
            raise NotFound("没有这份草稿。")
        return found[0]

    async def save(self, draft: Draft) -> None:
        """Write it back as a whole."""
        await self._conn.execute(
            update(drafts).where(drafts.c.id == draft.id).values(_to_row(draft))
        )

    async def open_of(self, conversation: str, person_id: int) -> list[Draft]:
        """Most recently touched first."""
        return await self._list(
            _recent_first(
                _QUERY.where(
                    _IS_OPEN,
                    drafts.c.conversation == conversation,
                    drafts.c.person_id == person_id,
                )
            )
        )

    async def open_of_person(self, person_id: int) -> list[Draft]:
        """In all conversations, most recently touched first."""
        return await self._list(
            _recent_first(_QUERY.where(_IS_OPEN, drafts.c.person_id == person_id))
        )

    async def open_of_people(self, person_ids: Iterable[int]) -> list[Draft]:
        """Those of all of them, most recently touched first."""
        ids = sorted(set(person_ids))
        found: list[Draft] = []
        for start in range(0, len(ids), CHUNK):
            chunk = drafts.c.person_id.in_(ids[start : start + CHUNK])
            found += await self._list(_recent_first(_QUERY.where(_IS_OPEN, chunk)))
        return found

    async def due_to_expire(self, at: datetime, limit: int) -> list[Draft]:
        """Open ones past their time, the longest past first; locked."""
        return await self._list(
            _QUERY.where(_IS_OPEN, drafts.c.expires_at <= at)
            .order_by(drafts.c.expires_at, drafts.c.id)
            .limit(limit)
            .with_for_update()
        )

    async def next_expiry_at(self) -> datetime | None:
        """When the next open draft expires."""
        moment: datetime | None = await self._conn.scalar(
            select(drafts.c.expires_at).where(_IS_OPEN).order_by(drafts.c.expires_at).limit(1)
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
        rows = await self._conn.execute(
            select(loose_files.c.id, files.c.sha256, files.c.name, files.c.media_type)
            .join(files, files.c.sha256 == loose_files.c.sha256)
            .where(
                loose_files.c.conversation == conversation,
                loose_files.c.person_id == person_id,
                loose_files.c.settled_at.is_(None),
            )
            .order_by(loose_files.c.id)
        )
        return [LooseFile(*row) for row in rows]

    async def settle_loose(self, loose_ids: Iterable[int], at: datetime) -> None:
        """They wait no more."""
        await self._conn.execute(
            update(loose_files).where(loose_files.c.id.in_(loose_ids)).values(settled_at=at)
        )

    async def _list(self, query: Select[Any]) -> list[Draft]:
        return [_to_draft(row) for row in await self._conn.execute(query)]


def _recent_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(drafts.c.touched_at.desc(), drafts.c.id.desc())


def _to_row(draft: Draft) -> dict[str, Any]:
    return asdict(draft) | {
        "state": str(draft.state),
        "touched_at": draft.touched_at or draft.created_at,
        "file_hashes": list(draft.file_hashes),
        "candidates": list(draft.candidates),
    }


def _to_draft(row: AnyRow) -> Draft:
    values = row._asdict()
    values |= {
        "state": DraftState(row.state),
        "file_hashes": tuple(row.file_hashes),
        "candidates": tuple(row.candidates),
    }
    return Draft(**values)
