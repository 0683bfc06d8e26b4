"""Writes a batch of envelopes in one transaction, as fast as each database allows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import URL, Connection, create_engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import StaticPool

from bot.messages import Envelope
from storage.dialects import AnyRow
from storage.engines import prepare_sqlite
from storage.tables import inbox

_KEY = (inbox.c.id, inbox.c.channel, inbox.c.delivery_id)


class InboxWriter(Protocol):
    """Appends to the inbox."""

    async def write(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        """Durable when it returns. The new id of each; None where the delivery was known,
        or stands twice in the batch."""
        ...

    async def close(self) -> None: ...


class PostgresInboxWriter:
    """One INSERT over the ordinary pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        statement = postgresql.insert(inbox).on_conflict_do_nothing().returning(*_KEY)
        async with self._engine.begin() as conn:
            added = await conn.execute(statement, [_row(envelope) for envelope in envelopes])
            return _ids(envelopes, added.all())

    async def close(self) -> None:
        """The pool belongs to somebody else."""


class SqliteInboxWriter:
    """A thread with a connection of its own: one hop for the whole batch, where the async
    driver takes one for each cursor, statement and fetch.

    The batch is one statement, because the thread gives up the interpreter lock with each
    and must then wait for a busy event loop to get it back.
    """

    def __init__(self, url: URL, *, synchronous: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")
        self._engine = create_engine(
            url.set(drivername="sqlite"),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )
        prepare_sqlite(self._engine, synchronous=synchronous)

    async def write(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._write, envelopes)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()

    def _write(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        values = tuple(value for envelope in envelopes for value in _bound(_row(envelope)))
        with self._engine.begin() as conn:
            result = conn.exec_driver_sql(_insert_sql(len(envelopes)), values)
            added = result.rowcount
            first = result.lastrowid - added + 1
            if added == len(envelopes):  # the holder of the write lock is given ids in a row
                return list(range(first, first + added))
            return _ids(envelopes, _added_since(conn, first) if added else [])


def _row(envelope: Envelope) -> dict[str, Any]:
    """Unreadable ones are dead letters from birth. In the order of the table's columns."""
    dead = envelope.unreadable is not None
    return {
        "channel": envelope.channel,
        "delivery_id": envelope.delivery_id,
        "conversation": envelope.conversation,
        "sent_at": envelope.sent_at,
        "received_at": envelope.received_at,
        "body": envelope.body,
        "state": "dead" if dead else "new",
        "attempts": 0,
        "finished_at": envelope.received_at if dead else None,
        "reason": envelope.unreadable or "",
        "replayed": False,
    }


def _ids(envelopes: Sequence[Envelope], added: Sequence[AnyRow]) -> list[int | None]:
    ids: dict[tuple[str, str], int] = {
        (row.channel, row.delivery_id): row.id for row in added
    }  # fmt: skip
    return [ids.pop((one.channel, one.delivery_id), None) for one in envelopes]


def _added_since(conn: Connection, first_id: int) -> Sequence[AnyRow]:
    return conn.execute(select(*_KEY).where(inbox.c.id >= first_id)).all()


_DIALECT = sqlite.dialect()
_BINDERS = {
    column.name: column.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    for column in inbox.columns
}


def _bound(row: dict[str, Any]) -> list[Any]:
    """The values as the driver takes them."""
    return [
        binder(value) if (binder := _BINDERS[name]) is not None else value
        for name, value in row.items()
    ]


_NAMES = [
    "channel", "delivery_id", "conversation", "sent_at", "received_at", "body", "state",
    "attempts", "finished_at", "reason", "replayed",
]  # fmt: skip


@lru_cache(maxsize=512)
def _insert_sql(rows: int) -> str:
    """Compiled once for each size of batch; compiling costs more than inserting."""
    values = [dict.fromkeys(_NAMES)] * rows
    statement = sqlite.insert(inbox).values(values).on_conflict_do_nothing()
    return str(statement.compile(dialect=_DIALECT))
