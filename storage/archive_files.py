"""Files of archived chats, inside one transaction: which are to be fetched, and how far they are.
Their parts lie in a folder until they are whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.archive import ArchivedFile
from storage.dialects import AnyRow, by_no_index, fixed, in_chunks
from storage.tables import archive_chats, archive_files

WAITING, KEPT, LOST = "waiting", "kept", "lost"
MAX_NAME = 255
MAX_WHY = 300

_WAITS: ColumnElement[bool] = archive_files.c.state == fixed(WAITING)
_IS_LOST: ColumnElement[bool] = archive_files.c.state == fixed(LOST)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file on record. mark, received: where the next slice begins. attempts: that failed."""

    id: int
    chat_id: int
    message_id: int
    place: int
    file: ArchivedFile
    state: str
    attempts: int
    mark: str
    received: int
    why: str
    sha256: str | None


class ArchiveFiles:
    """Repository of files of archived chats."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(
        self, new: Sequence[tuple[int, int, Sequence[ArchivedFile]]], at: datetime
    ) -> None:
        """Of each message: id of its chat, its id, its files."""
        rows = [
            {
                "chat_id": chat_id,
                "message_id": message_id,
                "place": place,
                "kind": file.kind,
                "handle": file.handle,
                "name": file.name[-MAX_NAME:],
                "size": file.size,
                "md5": file.md5[:32],
                "state": WAITING,
                "attempts": 0,
                "next_at": at,
                "mark": "",
                "received": 0,
                "why": "",
            }
            for chat_id, message_id, files in new
            for place, file in enumerate(files)
        ]
        if rows:
            await self._conn.execute(insert(archive_files), rows)

    async def due(self, corp: str, at: datetime, *, limit: int) -> list[FileRow]:
        query = (
            select(archive_files)
            .join(archive_chats)
            .where(
                _WAITS,
                archive_files.c.next_at <= at,
                by_no_index(self._conn, archive_chats.c.corp) == corp,
            )
        )
        query = query.order_by(archive_files.c.next_at, archive_files.c.id).limit(limit)
        return [_to_row(row) for row in await self._conn.execute(query)]

    async def waiting_among(self, ids: Iterable[int]) -> set[int]:
        """Those of them that are still to come."""
        found: set[int] = set()
        for chunk in in_chunks(ids):
            query = select(archive_files.c.id).where(archive_files.c.id.in_(chunk), _WAITS)
            found.update((await self._conn.execute(query)).scalars())
        return found

    async def of_message(self, message_id: int) -> list[FileRow]:
        query = select(archive_files).where(archive_files.c.message_id == message_id)
        query = query.order_by(archive_files.c.place)
        return [_to_row(row) for row in await self._conn.execute(query)]

    async def went_on(self, file_id: int, *, mark: str, received: int) -> None:
        """So many bytes lie in the folder; the next slice begins at `mark`."""
        await self._change(file_id, mark=mark, received=received)

    async def kept(self, file_id: int, sha256: str, *, why: str) -> None:
        """It is whole. why: what is odd about it, or ""."""
        await self._change(file_id, state=KEPT, sha256=sha256, why=why[:MAX_WHY])

    async def failed(self, row: FileRow, *, why: str, next_at: datetime | None) -> bool:
        """next_at: when it is tried again; None: never, it is lost. False when it was erased
        meanwhile."""
        values = {"attempts": row.attempts + 1, "why": why[:MAX_WHY]}
        if next_at is None:
            return await self._change(row.id, **values, state=LOST)
        return await self._change(row.id, **values, next_at=next_at)

    async def try_lost_again(self, at: datetime) -> int:
        again = update(archive_files).where(_IS_LOST)
        values = {"state": WAITING, "next_at": at, "attempts": 1, "mark": "", "received": 0}
        return (await self._conn.execute(again.values(values))).rowcount

    async def counts(self, corp: str) -> dict[str, int]:
        """How many are WAITING and how many LOST."""
        files = select(func.count()).select_from(archive_files.join(archive_chats))
        files = files.where(by_no_index(self._conn, archive_chats.c.corp) == corp)
        query = select(
            files.where(_WAITS).scalar_subquery(), files.where(_IS_LOST).scalar_subquery()
        )
        waiting, lost = (await self._conn.execute(query)).one()
        return {WAITING: waiting, LOST: lost}

    async def _change(self, file_id: int, **values: object) -> bool:
        changed = await self._conn.execute(
            update(archive_files).where(archive_files.c.id == file_id).values(values)
        )
        return changed.rowcount == 1


class PartialFiles:
    """Parts of files that are still coming, one file each; durable when a call returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, file_id: int, offset: int, data: bytes) -> None:
        """What lay behind `offset` is gone."""
        await asyncio.to_thread(self._write, file_id, offset, data)

    async def read(self, file_id: int) -> bytes:
        return await asyncio.to_thread(self._place(file_id).read_bytes)

    async def size(self, file_id: int) -> int:
        """Bytes that lie there, 0 when nothing does."""
        place = self._place(file_id)
        return await asyncio.to_thread(lambda: place.stat().st_size if place.exists() else 0)

    async def ids(self) -> list[int]:
        """Of which something lies there."""
        parts = await asyncio.to_thread(lambda: list(self._folder.glob("*.part")))
        return [int(part.stem) for part in parts if part.stem.isdecimal()]

    async def drop(self, file_id: int) -> None:
        await asyncio.to_thread(self._place(file_id).unlink, missing_ok=True)

    def _place(self, file_id: int) -> Path:
        return self._folder / f"{file_id:d}.part"

    def _write(self, file_id: int, offset: int, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._place(file_id), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(descriptor)


def _to_row(row: AnyRow) -> FileRow:
    return FileRow(
        id=row.id,
        chat_id=row.chat_id,
        message_id=row.message_id,
        place=row.place,
        file=ArchivedFile(row.kind, row.handle, row.name, row.size, row.md5),
        state=row.state,
        attempts=row.attempts,
        mark=row.mark,
        received=row.received,
        why=row.why,
        sha256=row.sha256,
    )
