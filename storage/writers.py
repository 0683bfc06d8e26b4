"""Who writes: on PostgreSQL any connection of the pool, on SQLite one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Protocol, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.messages import Envelope
from storage.postgres_append import PostgresAppend
from storage.postgres_connections import PostgresConnections
from storage.trouble import told_apart
from storage.unit_of_work import UnitOfWork


class Writer(Protocol):
    """Write transactions of one process. commits_elsewhere: another process does what a commit
    costs, while ours goes on."""

    commits_elsewhere: bool

    @property
    def turn(self) -> AbstractAsyncContextManager[Any]:
        """Held by whoever writes, where only one can."""
        ...

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Takes its turn. Commits on leaving; rolls back when the block raises."""
        ...

    async def append(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        """In one transaction, durable when it returns, by whoever holds the turn. The new
        id of each; None where the delivery was known or stands twice in the batch."""
        ...

    async def close(self) -> None: ...


class PostgresWriter:
    """Writers do not wait for each other, so a turn means nothing."""

    commits_elsewhere = True

    def __init__(self, engine: AsyncEngine, connections: PostgresConnections) -> None:
        self.turn = nullcontext()
        self._engine = engine
        self._connections = connections
        self._doors = PostgresAppend(engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        with told_apart():
            async with self._connections.transaction() as conn:
                tx = UnitOfWork(cast(AsyncConnection, conn))
                yield tx
                await tx.complete()
        tx.committed()

    async def append(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        return await self._doors.append(envelopes)

    async def close(self) -> None:
        await self._doors.close()
        await self._connections.close()
        await self._engine.dispose()
