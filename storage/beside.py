"""The database for commands that run beside the bot, or without one: each call opens it anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from bot.errors import PermanentError
from storage import admin
from storage.database import Database
from storage.engines import open_engine, to_url
from storage.kept_files import KeptFiles
from storage.tokens import SharedTokens


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """Raises PermanentError when it is not there, or not of this version."""
    complaints = await admin.complaints(url)
    if complaints:
        raise PermanentError("; ".join(complaints))
    database = await Database.open(url)
    try:
        yield database
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many were put back. emptied: of the asked ones, whose words were removed."""

    count: int
    emptied: Sequence[int]


async def replay(
    url: str, *, failed: bool, since: datetime | None, ids: Sequence[int], at: datetime
) -> Replayed:
    """Put envelopes back into the inbox and, with `failed`, what could not be sent into the
    outbox, and archived messages and files that were given up; a running bot looks at all of it by
    itself."""
    async with opened(url) as database, database.begin() as tx:
        count = await tx.delivery.mark_for_replay(failed=failed, since=since, ids=ids)
        if failed and not ids:
            count += await tx.delivery.send_again(since=since, at=at)
            count += await tx.archive.try_broken_again()
            count += await tx.archive_files.try_lost_again(at)
        return Replayed(count, await tx.boxes.emptied("inbox", ids) if ids else ())


async def verify(
    url: str, *, kept: KeptFiles | None = None, head: tuple[int, str] | None = None
) -> list[str]:
    """As `admin.verify`. Raises PermanentError when there is no database."""
    return await admin.complaints(url) or await admin.verify(url, kept=kept, head=head)


async def sweep_out(url: str) -> None:
    """What was erased leaves the disk too: SQLite's log, PostgreSQL's dead rows. Waits for
    nobody, so a reader beside it may keep a part until the next time."""
    engine = open_engine(to_url(url), statement_timeout_s=0)
    try:
        async with engine.connect() as plain:
            conn = await plain.execution_options(isolation_level="AUTOCOMMIT")
            if conn.dialect.name == "sqlite":
                await conn.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            else:
                await conn.execute(text("VACUUM"))
    finally:
        await engine.dispose()


async def write(url: str, *, at: datetime) -> None:
    """Something harmless, to see that it can be done."""
    async with opened(url) as database, database.begin() as tx:
        await tx.settings.put("doctor.was_here", True, at)


class Counts:
    """The month's calls as a running bot has counted them; a `bot.ports.CallCounter`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def add_calls(self, name: str, month: str, calls: int) -> int:
        """The month's total after adding."""
        async with opened(self._url) as database:
            return await SharedTokens(database).add_calls(name, month, calls)
