"""Fetches the files of archived messages, slice by slice, each once; recordings are heard where an
engine is configured."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock import Clock, wait_for
from bot.errors import BotError, PermanentError, TransientError, UserError
from bot.messages import StoredFile
from bot.ports import Archive, FileStore, Transcriber
from bot.router import Begin
from handlers.archive import entering
from handlers.archive.bindings import Bindings
from handlers.texts import archive as texts
from storage.archive_files import FileRow, PartialFiles
from storage.files import MAX_BYTES
from storage.unit_of_work import UnitOfWork

AT_ONCE = 20
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
MOST_ATTEMPTS = 24
"""Five days, after which the platform has nothing any more."""

LOOK_EVERY_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """why: what is odd about it. transcript: what was heard in it."""

    stored: StoredFile
    why: str
    transcript: str


class ArchiveFetching:
    """Fetches the files of archived messages, slice by slice. transcriber: None where no engine is
    configured."""

    def __init__(
        self,
        archive: Archive,
        bindings: Bindings,
        begin: Begin[UnitOfWork],
        clock: Clock,
        *,
        files: FileStore,
        partial: PartialFiles,
        transcriber: Transcriber | None,
    ) -> None:
        self._archive = archive
        self._bindings = bindings
        self._begin = begin
        self._clock = clock
        self._files = files
        self._partial = partial
        self._transcriber = transcriber
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()

    def wake(self) -> None:
        self._news.set()

    async def run(self) -> None:
        """For ever; ends by cancellation. What was received is kept for the next start."""
        while True:
            await wait_for(self._news, LOOK_EVERY_S)
            self._news.clear()
            try:
                await self.catch_up()
            except Exception:
                log.exception("archived files could not be fetched", extra={"action": "archive"})

    async def catch_up(self) -> int:
        """All that are due; how many were tried."""
        async with self._turn:
            tried = 0
            while True:
                async with self._begin() as tx:
                    due = await tx.archive_files.due(
                        self._archive.corp, self._clock.now(), limit=AT_ONCE
                    )
                if not due:
                    await self._tidy()
                    return tried
                for row in due:
                    await self._try(row)
                    tried += 1

    async def settle(self) -> None:
        """Until all that is due was tried."""
        if self._news.is_set() or self._turn.locked():
            await self.catch_up()

    async def _tidy(self) -> None:
        """Parts of files that are no longer to come: their rows were erased."""
        parts = await self._partial.ids()
        if parts:
            async with self._begin() as tx:
                waiting = await tx.archive_files.waiting_among(parts)
            for one in set(parts) - waiting:
                await self._partial.drop(one)

    async def _try(self, row: FileRow) -> None:
        try:
            fetched = await self._fetch(row)
        except (BotError, OSError) as error:
            await self._failed(row, error)
            return
        await self._keep(row, fetched)
        await self._partial.drop(row.id)

    async def _fetch(self, row: FileRow) -> _Fetched:
        """Sizes and sums that the platform tells are wrong now and then, and then the same each
        time: the first time a file is fetched anew, the second time taken as it is."""
        data, why = await self._receive(row), ""
        if not await asyncio.to_thread(_is_as_told, row, data):
            afresh = replace(row, mark="", received=0)
            async with self._begin() as tx:
                await tx.archive_files.went_on(row.id, mark="", received=0)
            data = await self._receive(afresh)
            why = "" if await asyncio.to_thread(_is_as_told, row, data) else texts.UNSURE
        stored = await self._files.put(data, name=row.file.name)
        return _Fetched(stored, why, await self._hear(row, data))

    async def _receive(self, row: FileRow) -> bytes:
        """Goes on where it stopped, if what came so far is still there."""
        mark, received = row.mark, row.received
        if await self._partial.size(row.id) < received:
            mark, received = "", 0
        is_whole = bool(received) and not mark
        while not is_whole:
            part = await self._archive.slice(row.file.handle, mark)
            if received + len(part.data) > MAX_BYTES:
                raise PermanentError("over 100 MB")
            await self._partial.write(row.id, received, part.data)
            mark, received, is_whole = part.mark, received + len(part.data), part.is_last
            async with self._begin() as tx:
                await tx.archive_files.went_on(row.id, mark=mark, received=received)
        return await self._partial.read(row.id)

    async def _hear(self, row: FileRow, data: bytes) -> str:
        """ "" where nothing was heard, or nobody can hear."""
        if row.file.kind != "voice" or self._transcriber is None:
            return ""
        try:
            return await self._transcriber.transcribe(data, name=row.file.name)
        except (TransientError, PermanentError) as error:
            fields = {"action": "archive", "error": str(error)}
            log.warning("an archived recording was not heard", extra=fields)
            return ""

    async def _keep(self, row: FileRow, fetched: _Fetched) -> None:
        at, stored = self._clock.now(), fetched.stored
        async with self._begin() as tx:
            if not await tx.archive_files.waiting_among([row.id]):
                return  # erased meanwhile
            await tx.files.record(stored, at)
            await tx.archive_files.kept(row.id, stored.sha256, why=fetched.why)
            if row.attempts == 0:
                await self._tried(tx, row, at, transcript=fetched.transcript)
                return
            chat = await tx.archive_chats.get_for_update(row.chat_id)
            message = await tx.archive.get(row.message_id)
            if message.entered_at is not None and chat.account_id is not None:
                whole = replace(row, sha256=stored.sha256)
                await entering.enter_late_file(
                    tx, self._bindings, chat, message=message, file=whole, at=at
                )

    async def _failed(self, row: FileRow, error: Exception) -> None:
        """Tried again, later and later; what is gone is not. Either way its message waits no
        longer for it."""
        at = self._clock.now()
        is_gone = isinstance(error, PermanentError | UserError)
        over = is_gone or row.attempts + 1 >= MOST_ATTEMPTS
        pause = min(FIRST_PAUSE * 2.0 ** min(row.attempts, 12), LONGEST_PAUSE)
        fields = {"action": "archive", "file": row.id, "lost": over, "error": str(error)}
        log.warning("an archived file was not fetched", extra=fields)
        async with self._begin() as tx:
            next_at = None if over else at + pause
            is_there = await tx.archive_files.failed(row, why=str(error), next_at=next_at)
            if is_there and row.attempts == 0:
                await self._tried(tx, row, at)
        if over:
            await self._partial.drop(row.id)

    async def _tried(
        self, tx: UnitOfWork, row: FileRow, at: datetime, *, transcript: str = ""
    ) -> None:
        """The message enters once each of its files was tried."""
        chat = await tx.archive_chats.get_for_update(row.chat_id)
        text = None
        if transcript:
            text = texts.heard((await tx.archive.get(row.message_id)).text, transcript)
        message = await tx.archive.tried_a_file(row.message_id, text)
        if message.waits_for == 0 and chat.account_id is not None:
            await entering.enter(tx, self._bindings, chat, [message], at)


def _is_as_told(row: FileRow, data: bytes) -> bool:
    told = row.file
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return told.size in (0, len(data)) and told.md5 in ("", digest)
