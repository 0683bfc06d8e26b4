"""Files: what is known of them in the database, and their bytes in a folder.

`storage.kept_files` has the other place for the bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePosixPath

import filetype
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import InvalidInput
from bot.messages import StoredFile
from storage.dialects import in_chunks, insert_into
from storage.tables import accounts, file_uses, files

MAX_BYTES = 100 * 1024 * 1024
MAX_NAME = 255
CHANGED = "content changed"

_UNKNOWN_TYPE = "application/octet-stream"
_TEXT_TYPES = {".csv": "text/csv", ".txt": "text/plain", ".md": "text/plain"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Files:
    """What is known of stored files, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def record(self, file: StoredFile, at: datetime) -> None:
        """The first name a file came under stays; one that was erased is there anew."""
        values = {
            "sha256": file.sha256,
            "size": file.size,
            "media_type": file.media_type,
            "name": file.name,
            "stored_at": at,
        }
        await self._conn.execute(
            insert_into(self._conn, files)
            .values(values)
            .on_conflict_do_update(
                index_elements=[files.c.sha256],
                set_={"name": file.name, "stored_at": at, "erased_at": None},
                where=files.c.erased_at.is_not(None),
            )
        )

    async def get(self, sha256: str) -> StoredFile | None:
        rows = await self._conn.execute(
            select(files.c.sha256, files.c.size, files.c.media_type, files.c.name).where(
                files.c.sha256 == sha256
            )
        )
        row = rows.one_or_none()
        return None if row is None else StoredFile(*row)

    async def list_some(self, hashes: Iterable[str]) -> dict[str, StoredFile]:
        """Those of them that are known, by hash."""
        found: dict[str, StoredFile] = {}
        for chunk in in_chunks(hashes):
            rows = await self._conn.execute(
                select(files.c.sha256, files.c.size, files.c.media_type, files.c.name).where(
                    files.c.sha256.in_(chunk)
                )
            )
            found |= {row.sha256: StoredFile(*row) for row in rows}
        return found

    async def use(self, sha256: str, account_id: int, at: datetime) -> None:
        """A recorded file went to that customer."""
        values = {"sha256": sha256, "account_id": account_id, "first_used_at": at}
        await self._conn.execute(
            insert_into(self._conn, file_uses).values(values).on_conflict_do_nothing()
        )

    async def give_back(self, sha256: str, account_id: int) -> None:
        """It did not go to that customer after all: the record of it was taken back."""
        await self._conn.execute(
            delete(file_uses).where(
                file_uses.c.sha256 == sha256, file_uses.c.account_id == account_id
            )
        )

    async def accounts_using(self, sha256: str, *, besides: int | None = None) -> int:
        """How many customers it went to; `besides`: without counting that one. Those merged
        into one another are one."""
        standing = select(accounts.c.id).where(accounts.c.merged_into_id.is_(None))
        uses = (
            select(func.count())
            .select_from(file_uses)
            .where(file_uses.c.sha256 == sha256, file_uses.c.account_id.in_(standing))
        )
        if besides is not None:
            uses = uses.where(file_uses.c.account_id != besides)
        return await self._conn.scalar(uses) or 0


class FileFolder:
    """Stored files in a folder. A `bot.ports.FileStore`: `ab/cd/abcd…`, named by content, so that
    nothing is written twice and nothing is ever overwritten."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        """On disk when it returns. Raises InvalidInput above 100 MB."""
        return await asyncio.to_thread(self._put, data, name)

    async def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError."""
        return await asyncio.to_thread(self._place(sha256).read_bytes)

    async def delete(self, sha256: str) -> None:
        """The bytes; quiet when they are not there."""
        await asyncio.to_thread(self._place(sha256).unlink, missing_ok=True)

    async def find_damage(self, file: StoredFile) -> str | None:
        """None when the bytes are there and still the same; else what is wrong."""
        return await asyncio.to_thread(self._find_damage, file)

    async def check(self) -> None:
        """A folder is made when it is wanted; the doctor looks at its disk."""

    @property
    def trouble(self) -> str:
        return ""

    def _find_damage(self, file: StoredFile) -> str | None:
        try:
            with self._place(file.sha256).open("rb") as stored:
                found = hashlib.file_digest(stored, "sha256").hexdigest()
        except OSError as error:
            return error.strerror or type(error).__name__
        return None if found == file.sha256 else CHANGED

    def _place(self, sha256: str) -> Path:
        return self._path / place_of(sha256)

    def _put(self, data: bytes, name: str) -> StoredFile:
        file = describe(data, name)
        place = self._place(file.sha256)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(place, data)
        return file


def describe(data: bytes, name: str) -> StoredFile:
    """What these bytes are stored as. Raises InvalidInput above 100 MB. Takes 0.1 s for those."""
    shown = clean_name(name)
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"文件「{shown}」超过 100 MB，存不下，请压缩后再发。")
    return StoredFile(hashlib.sha256(data).hexdigest(), len(data), sniff(data, shown), shown)


def place_of(sha256: str) -> str:
    """`ab/cd/abcd…`, below the folder or the prefix. Raises FileNotFoundError for what is no
    hash."""
    if not _SHA256.fullmatch(sha256):
        raise FileNotFoundError(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def sniff(data: bytes, name: str) -> str:
    """The media type by the content; by the name only for plain text."""
    known = filetype.guess(data)
    if known is not None:
        return str(known.mime)
    if data.removeprefix(b"\x02").startswith(b"#!SILK_V3"):
        return "audio/silk"
    if b"\0" in data[:4096]:
        return _UNKNOWN_TYPE
    return _TEXT_TYPES.get(PurePosixPath(name).suffix.lower(), _UNKNOWN_TYPE)


def clean_name(name: str) -> str:
    """A name to show and to save under: no folders, no control or direction marks, at most
    255 characters with its ending kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(char for char in last if not unicodedata.category(char).startswith("C"))
    shown = shown.strip(" .") or "file"
    suffix = PurePosixPath(shown).suffix[:20]
    return shown if len(shown) <= MAX_NAME else shown[: MAX_NAME - len(suffix)] + suffix


def _write_durably(place: Path, data: bytes) -> None:
    """Whoever sees the name sees the whole file, even after a power cut."""
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    for folder in (place.parent, place.parent.parent, place.parent.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
