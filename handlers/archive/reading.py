"""Reads the archive page by page: every few seconds, and at once when the platform says that there
is something. What was read and how far stand in one transaction, so a crash repeats nothing and
loses nothing; a message that comes again is known by its id."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.clock import Clock, wait_for
from bot.domain.archive import Opened
from bot.errors import BotError
from bot.ports import Archive
from bot.router import Begin
from handlers.archive.keeping import Keeping
from storage.unit_of_work import UnitOfWork

AT_ONCE = 200
"""Messages that were kept encrypted, decrypted in one transaction."""

LONGEST_PAUSE_S = 300.0
NOTE_EVERY = timedelta(seconds=30)
"""So often it is noted that there is nothing new."""

LOOK_AT_SEALED_EVERY = timedelta(minutes=1)

log = logging.getLogger(__name__)


class ArchiveReading:
    """The loop that reads the archive page by page. poll_s: between two looks, when nobody tells of
    news. kept: called after each page."""

    def __init__(
        self,
        archive: Archive,
        keeping: Keeping,
        begin: Begin[UnitOfWork],
        clock: Clock,
        *,
        poll_s: float,
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._archive = archive
        self._keeping = keeping
        self._begin = begin
        self._clock = clock
        self._poll_s = poll_s
        self._kept = kept
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._seq: int | None = None  # as the database has it, where nobody else writes it
        self._failures = 0
        self._noted_at: datetime | None = None
        self._looked_at: datetime | None = None
        self.trouble = ""

    def wake(self) -> None:
        """There is something to read."""
        self._news.set()

    async def run(self) -> None:
        """For ever; ends by cancellation, between two transactions or inside one, which is then
        undone."""
        while True:
            await wait_for(self._news, self._pause_s())
            self._news.clear()
            try:
                await self.catch_up()
            except Exception as error:  # noqa: BLE001 - told by _note_failure, with its trace
                self._note_failure(error)

    async def catch_up(self) -> int:
        """Until there is nothing more; how many messages came. Raises BotError."""
        async with self._turn:
            await self._open_sealed()
            count = await self._read_pages()
            if self._failures:
                log.info("the archive is read again", extra={"action": "archive"})
            self._failures, self.trouble = 0, ""
            return count

    async def settle(self) -> None:
        """Until what was told of is read. Raises BotError."""
        if self._news.is_set() or self._turn.locked():
            await self.catch_up()

    async def _read_pages(self) -> int:
        """While a page is being kept the worker fetches and decrypts the next."""
        if self._seq is None:
            async with self._begin() as tx:
                self._seq, _ = await tx.archive.bookmark(self._archive.corp)
        count, asked_at = 0, self._clock.now()
        page = await self._archive.page(self._seq)
        while page:
            last = max(one.sealed.seq for one in page)
            next_asked_at = self._clock.now()
            following = asyncio.create_task(self._fetch(last), name="next page of the archive")
            try:
                await self._keep(page, last, asked_at)
            except BaseException:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                raise
            count += len(page)
            page, asked_at = await following, next_asked_at
        if self._noted_at is None or asked_at - self._noted_at >= NOTE_EVERY:
            async with self._begin() as tx:
                await tx.archive.move_bookmark(self._archive.corp, self._seq, known_until=asked_at)
            self._noted_at = asked_at
        return count

    async def _fetch(self, after: int) -> Sequence[Opened]:
        return await self._archive.page(after)

    async def _keep(self, page: Sequence[Opened], last: int, asked_at: datetime) -> None:
        counts = await self._take(page, asked_at, moves_bookmark=True)
        self._seq = last
        self._kept()
        log.info("archive", extra={"action": "archive", "seq": last, **counts})

    async def _take(
        self, page: Sequence[Opened], at: datetime, *, moves_bookmark: bool
    ) -> Mapping[str, int]:
        """A message over which we stumble keeps no other away: it is set aside with the reason. A
        database that takes nothing takes no such note either, so then all of it comes again."""
        try:
            return await self._keeping.take(self._begin, page, at, moves_bookmark=moves_bookmark)
        except BotError:
            raise
        except Exception:
            log.exception("a page of the archive is kept one by one", extra={"action": "archive"})
        counts: Counter[str] = Counter()
        for one in page:
            try:
                counts += await self._keeping.take(
                    self._begin, [one], at, moves_bookmark=moves_bookmark
                )
            except BotError:
                raise
            except Exception as error:
                log.exception("an archived message was set aside", extra={"action": "archive"})
                why = type(error).__name__  # its text may quote what was said
                await self._keeping.set_aside(
                    self._begin, one, why, at, moves_bookmark=moves_bookmark
                )
                counts["broken"] += 1
        return counts

    async def _open_sealed(self) -> None:
        """What lacked a key that is there now, and what `replay` has put back."""
        now = self._clock.now()
        if self._looked_at is not None and now - self._looked_at < LOOK_AT_SEALED_EVERY:
            return
        versions = list(self._archive.key_versions)
        while True:
            async with self._begin() as tx:
                sealed = await tx.archive.sealed(self._archive.corp, versions, limit=AT_ONCE)
            if not sealed:
                break
            opened = await self._archive.open(sealed)
            await self._take(opened, now, moves_bookmark=False)
        self._looked_at = now

    def _pause_s(self) -> float:
        if not self._failures:
            return self._poll_s
        return min(self._poll_s * 2.0**self._failures, LONGEST_PAUSE_S)

    def _note_failure(self, error: Exception) -> None:
        """One line when it goes away; a bug with its trace each time."""
        self.trouble = str(error) or type(error).__name__
        if not isinstance(error, BotError):
            log.exception("the archive could not be read", extra={"action": "archive"})
        elif not self._failures:
            log.warning(
                "the archive is out of reach", extra={"action": "archive", "error": self.trouble}
            )
        self._failures = min(self._failures + 1, 10)
