"""The database as the program sees it: transactions, and an inbox that commits in groups."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Container, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.messages import Envelope
from bot.ports import Pending
from storage.engines import (
    STATEMENT_TIMEOUT_S,
    at_once,
    for_reading,
    open_engine,
    to_url,
    writers,
)
from storage.group_commit import GroupCommit
from storage.postgres_connections import PostgresConnections
from storage.sqlite_writer import SqliteWriter
from storage.trouble import told_apart
from storage.unit_of_work import UnitOfWork
from storage.writers import PostgresWriter, Writer


class Database:
    """One SQLite file or one PostgreSQL database; a `bot.ports.Store`.

    SQLite has one writer. Inside the process writers take turns, first come first served,
    so that none is refused; a transaction must not wait for another one of its own task.
    """

    def __init__(
        self, engine: AsyncEngine, writer: Writer, kept: PostgresConnections | None = None
    ) -> None:
        """kept: PostgreSQL's that write."""
        self._engine = engine
        self._readers = for_reading(engine)
        self._kept = kept
        self._at_once = at_once(engine).connect if kept is None else kept.one
        self._writer = writer
        self._inbox = GroupCommit(writer)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        data_dir: Path | None = None,
        synchronous: str = "FULL",
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
    ) -> Database:
        """Connect to a database whose schema is up to date (see `storage.admin.upgrade`).

        data_dir: where a relative SQLite file lies. synchronous: SQLite's setting; FULL
        survives a power cut. statement_timeout_s: PostgreSQL's. Raises ValueError for a URL
        that is neither SQLite nor PostgreSQL, and SQLAlchemy's errors when nothing answers.
        """
        full_url = to_url(url, data_dir=data_dir)
        engine = open_engine(
            full_url, synchronous=synchronous, statement_timeout_s=statement_timeout_s
        )
        try:
            async with engine.connect():
                pass
        except BaseException:
            await engine.dispose()
            raise
        if engine.dialect.name == "sqlite":
            return cls(engine, SqliteWriter(full_url, synchronous=synchronous))
        kept = PostgresConnections(engine, most=writers(os.cpu_count() or 1))
        return cls(engine, PostgresWriter(engine, kept), kept)

    async def close(self) -> None:
        """Write what doors still wait for, then disconnect."""
        await self._inbox.close()
        await self._writer.close()
        await self._engine.dispose()

    @property
    def connections(self) -> dict[str, int]:
        """Of the pool: "used" by transactions now, and "idle". On SQLite those that only read."""
        pool = self._engine.sync_engine.pool
        if not isinstance(pool, QueuePool):
            return {}
        idle = self._kept.idle if self._kept else 0  # lent for ever
        return {"used": pool.checkedout() - idle, "idle": pool.checkedin() + idle}

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """One transaction: commits on leaving, rolls back when the block raises. Raises
        TransientError when PostgreSQL is away, or ended what took too long."""
        return self._writer.begin()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A transaction that only reads, beside any writer, in one snapshot; for pages. Raises
        TransientError as `begin` does."""
        with told_apart():
            async with self._readers.begin() as conn:
                yield UnitOfWork(conn)

    async def append(self, envelope: Envelope) -> int | None:
        """Durable when it returns. None: the delivery id was known."""
        return await self._inbox.append(envelope)

    async def unfinished(
        self,
        *,
        besides: Container[int] = frozenset(),
        ours: Callable[[str], bool] | None = None,
    ) -> Sequence[Pending]:
        """Stored and not yet handled, in order of sent_at then arrival, 10,000 at a time.
        besides: ids that are left out. ours: of these conversations only.

        What was postponed is named too, since later ones of its conversation must not
        overtake it.
        """
        async with self.read() as tx:
            return await tx.delivery.unfinished(besides=besides, ours=ours)

    async def pending(self, inbox_id: int) -> Pending | None:
        """The envelope, if it is still to be handled."""
        async with self.read() as tx:
            return await tx.delivery.pending(inbox_id)

    async def pending_of(self, inbox_ids: Sequence[int]) -> Sequence[Pending]:
        """Those of them that are still to be handled."""
        async with self._at_once() as conn:
            return await UnitOfWork(cast(AsyncConnection, conn)).delivery.pending_of(inbox_ids)

    async def first_of(self, conversation: str) -> Pending | None:
        """What is to be handled next there."""
        async with self._at_once() as conn:
            return await UnitOfWork(cast(AsyncConnection, conn)).delivery.first_of(conversation)
