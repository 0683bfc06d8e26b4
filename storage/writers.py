"""Who writes: on PostgreSQL any connection of the pool, on SQLite one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import bindparam, column, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.messages import Envelope
from storage.engines import at_once
from storage.inbox import NEW_ROW, ROW_KEY, ids_in_order, to_row
from storage.postgres_connections import PostgresConnections
from storage.tables import inbox
from storage.trouble import told_apart
from storage.unit_of_work import UnitOfWork

_new = (
    func.unnest(*(bindparam(name, type_=postgresql.ARRAY(inbox.c[name].type)) for name in NEW_ROW))
    .table_valued(*(column(name, inbox.c[name].type) for name in NEW_ROW), name="new")
    .render_derived()
)
_APPEND = (
    postgresql.insert(inbox)
    .from_select(NEW_ROW, select(*_new.c))
    .on_conflict_do_nothing()
    .returning(*ROW_KEY)
)
"""Of however many rows, each column being one value, so that it is prepared once; and a
transaction of its own."""


class Writer(Protocol):
    """Write transactions of one process."""

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

    def __init__(self, engine: AsyncEngine, connections: PostgresConnections) -> None:
        self.turn = nullcontext()
        self._engine = engine
        self._connections = connections
        self._at_once = at_once(engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        with told_apart():
            async with self._connections.transaction() as conn:
                tx = UnitOfWork(cast(AsyncConnection, conn))
                yield tx
                await tx.complete()
        tx.committed()

    async def append(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        rows = [to_row(one, _as_it_is) for one in envelopes]
        columns = {name: list(values) for name, *values in zip(NEW_ROW, *rows, strict=True)}
        async with self._at_once.connect() as conn:
            added = await conn.execute(_APPEND, columns)
            return ids_in_order(envelopes, added.all())

    async def close(self) -> None:
        await self._connections.close()
        await self._engine.dispose()


def _as_it_is(moment: datetime) -> datetime:
    return moment
