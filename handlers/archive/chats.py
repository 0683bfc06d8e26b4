"""The chat archive of one company with all that is done about it, as one part of the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from bot.clock import Clock
from bot.ports import Archive, FileStore, Transcriber
from bot.router import Begin, Job
from handlers.archive.bindings import Bindings
from handlers.archive.fetching import ArchiveFetching
from handlers.archive.keeping import Keeping
from handlers.archive.naming import RoomNames
from handlers.archive.reading import ArchiveReading
from handlers.archive.watching import ArchiveWatch
from handlers.desk import Desk, Office
from storage.archive_files import PartialFiles
from storage.unit_of_work import UnitOfWork


class Ways(Protocol):
    """How an archive is read. poll_s, keep_days, keep_internal: see docs/archive.md."""

    @property
    def poll_s(self) -> float: ...

    @property
    def keep_days(self) -> int: ...

    @property
    def keep_internal(self) -> bool: ...


class ChatArchive:
    """Reading, keeping, naming and watching one company's archive, as one part of the bot."""

    def __init__(
        self,
        office: Office,
        archive: Archive,
        ways: Ways,
        *,
        bindings: Bindings,
        begin: Begin[UnitOfWork],
        clock: Clock,
        files: FileStore,
        partial: PartialFiles,
        transcriber: Transcriber | None,
    ) -> None:
        self._fetching = ArchiveFetching(
            archive, bindings, begin, clock, files=files, partial=partial, transcriber=transcriber
        )
        keeping = Keeping(archive, bindings, keeps_internal=ways.keep_internal)
        self._reading = ArchiveReading(
            archive, keeping, begin, clock, poll_s=ways.poll_s, kept=self._fetching.wake
        )
        self._names = RoomNames(archive, begin, clock)
        self._watch = ArchiveWatch(office, archive, self._reading, keep_days=ways.keep_days)

    def wake(self) -> None:
        """The platform says that there is something to fetch."""
        self._reading.wake()

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._reading.run())
            both.create_task(self._fetching.run())

    async def catch_up(self) -> None:
        """Read all that there is, and fetch the files that are due. Raises BotError."""
        await self._reading.catch_up()
        await self._fetching.catch_up()

    async def settle(self) -> None:
        """Until what it was told of is read, and its files are fetched or were tried."""
        await self._reading.settle()
        await self._fetching.settle()

    def job(self) -> Job[UnitOfWork]:
        """What is told to the administrators."""
        return self._watch.job()

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        return self.job(), self._names.job()

    async def name_groups(self) -> int:
        """Ask about groups whose names are due; about how many. Raises BotError."""
        return await self._names.look()

    async def figures(self, tx: UnitOfWork, now: datetime) -> Mapping[str, float]:
        return await self._watch.figures(tx, now)

    @property
    def trouble(self) -> str:
        """Why it cannot be read; "" while all is well."""
        return self._reading.trouble


async def notified(desk: Desk) -> None:
    """The platform's word that there is something: read at once, after this is done."""
    wake, app = desk.office.wake_archive, desk.message.app
    desk.tx.once_committed(lambda: wake(app))
