"""What takes long comes before a message's transaction: files, transcripts, the directory, and
whatever handlers prepare."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.clock import Clock
from bot.domain.people import Directory
from bot.errors import FilesAway, PermanentError, TransientError, UserError
from bot.messages import Attachment, DirectoryChange, Fetched, InboundMessage, Incoming
from bot.ports import AppKey, ChatConnector, FileStore, Preparation, SecondReader, Transcriber
from bot.watching import Aside

TABLES = (".csv", ".json", ".yaml", ".yml", ".toml")
"""Files whose bytes handlers read: tables of customers, action libraries, bonus rules."""

FETCHING = 8  # of one application; its hanging downloads hold up nobody else

log = logging.getLogger(__name__)


class Stopped(Aside):
    """No new work is begun."""


@asynccontextmanager
async def one_of(slots: asyncio.Semaphore, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Wait for a slot. Raises Stopped when it comes too late."""
    async with slots:
        if stopping.is_set():
            raise Stopped
        yield


class Fetching:
    """All that is done for a message before its transaction. preparations: done for a message, in
    turn, once its files are there. stopping: set when no new work is to be begun."""

    def __init__(
        self,
        connectors: Mapping[AppKey, ChatConnector],
        files: FileStore,
        clock: Clock,
        stopping: asyncio.Event,
        *,
        transcriber: Transcriber | None,
        second_reader: SecondReader | None,
        preparations: Sequence[Preparation],
    ) -> None:
        self._connectors = connectors
        self._files = files
        self._clock = clock
        self._stopping = stopping
        self._transcriber = transcriber
        self._second_reader = second_reader
        self._preparations = preparations
        self._slots = {key: asyncio.Semaphore(FETCHING) for key in connectors}

    async def fetch(self, message: InboundMessage, *, source_id: str, last_try: bool) -> Incoming:
        """last_try: what cannot be had now is left out, and the message goes on without it. Raises
        Stopped, and TransientError for another try."""
        files: list[Fetched] = []
        directory = None
        if message.attachments or message.change is not None:
            connector = self._connectors[message.platform, message.app]
            async with one_of(self._slots[connector.platform, connector.app], self._stopping):
                files = [
                    await self._fetch_file(connector, attachment, last_try=last_try)
                    for attachment in message.attachments
                ]
                directory = await _read_again(connector, message.change)
            files = [await self._heard(file, last_try=last_try) for file in files]
        incoming = Incoming(
            message=message,
            source_id=source_id,
            at=self._clock.now(),
            files=tuple(files),
            directory=directory,
        )
        for one in self._preparations:
            incoming = await one.prepare(incoming, last_try=last_try)
        if self._second_reader is None:
            return incoming
        return replace(incoming, suggested=await self._second_reader.suggest(incoming))

    async def _fetch_file(
        self, connector: ChatConnector, attachment: Attachment, *, last_try: bool
    ) -> Fetched:
        try:
            data, name = await connector.download(attachment)
            stored = await self._files.put(data, name=attachment.name or name)
        except FilesAway:
            raise
        except (TransientError, PermanentError, UserError) as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            return Fetched(attachment, lost=f"{attachment.kind}: {error}")
        table = data if stored.name.lower().endswith(TABLES) else b""
        transcript = attachment.transcript
        return Fetched(attachment, stored=stored, transcript=transcript, table=table)

    async def _heard(self, file: Fetched, *, last_try: bool) -> Fetched:
        """With its transcript, if it is a recording without one. What nobody could read is
        still kept; the rep is asked to type."""
        wanted = file.attachment.kind == "voice" and not file.transcript
        if self._transcriber is None or file.stored is None or not wanted:
            return file
        try:
            audio = await self._files.get(file.stored.sha256)
            text = await self._transcriber.transcribe(audio, name=file.stored.name)
        except (TransientError, PermanentError) as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            log.warning("not transcribed", extra={"action": "transcribe", "error": str(error)})
            return file
        return replace(file, transcript=text)


async def _read_again(connector: ChatConnector, change: DirectoryChange | None) -> Directory | None:
    if change is None:
        return None
    if change.everything or change.department_ids:
        return await connector.read_directory()
    return await connector.read_users([*change.user_ids, *change.left_user_ids])
