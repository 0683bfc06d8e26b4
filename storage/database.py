"""The database as the program sees it: transactions, and an inbox that commits in groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from bot.messages import Envelope
from bot.ports import Pending
from storage.engines import Engines, open_engines, to_url
from storage.group_commit import GroupCommit
from storage.inbox_writer import InboxWriter, PostgresInboxWriter, SqliteInboxWriter
from storage.unit_of_work import UnitOfWork, transaction


class Database:
    """One SQLite file or one PostgreSQL database; a `bot.ports.Store`.

    SQLite has one writer. Inside the process writers take turns, first come first served,
    so that none is refused; a transaction must not wait for another one of its own task.
    """

    def __init__(
        self, engines: Engines, inbox: InboxWriter, turn: AbstractAsyncContextManager[Any]
    ) -> None:
        self._engines = engines
        self._turn = turn
        self._inbox = GroupCommit(inbox, turn=turn)

    @classmethod
    async def open(
        cls, url: str, *, data_dir: Path | None = None, synchronous: str = "FULL"
    ) -> Database:
        """Connect to a database whose schema is up to date (see `storage.admin.upgrade`).

        data_dir: where a relative SQLite file lies. synchronous: SQLite's setting; FULL
        survives a power cut. Raises ValueError for a URL that is neither SQLite nor
        PostgreSQL, and SQLAlchemy's errors when nothing answers.
        """
        full_url = to_url(url, data_dir=data_dir)
        engines = open_engines(full_url, synchronous=synchronous)
        try:
            async with engines.read.connect():
                pass
        except BaseException:
            await engines.dispose()
            raise
        return cls(engines, *_writing(full_url, engines, synchronous))

    async def close(self) -> None:
        """Write what doors still wait for, then disconnect."""
        await self._inbox.close()
        await self._engines.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """One transaction: commits on leaving, rolls back when the block raises."""
        async with self._turn, transaction(self._engines.write) as tx:
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A transaction that only reads, beside any writer, in one snapshot; for pages."""
        async with transaction(self._engines.read) as tx:
            yield tx

    async def append(self, envelope: Envelope) -> int | None:
        """Durable when it returns. None: the delivery id was known."""
        return await self._inbox.append(envelope)

    async def unfinished(self, *, at: datetime) -> Sequence[Pending]:
        """Stored and not yet handled, the oldest 10,000, in order of sent_at then arrival.

        `at` leaves nothing out: what was postponed beyond it is named too, since later
        ones of its conversation must not overtake it.
        """
        async with self.read() as tx:
            return await tx.delivery.unfinished()

    async def pending(self, inbox_id: int) -> Pending | None:
        """The envelope, if it is still to be handled."""
        async with self.read() as tx:
            return await tx.delivery.pending(inbox_id)


def _writing(
    url: URL, engines: Engines, synchronous: str
) -> tuple[InboxWriter, AbstractAsyncContextManager[Any]]:
    if url.get_backend_name() == "sqlite":
        return SqliteInboxWriter(url, synchronous=synchronous), asyncio.Lock()
    return PostgresInboxWriter(engines.write), nullcontext()
