"""What a transaction has read it need not ask for again.

The steps of one message (which customer is meant, may the speaker record for them, what does the
card show) know nothing of each other, and each asks for the same rows.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import FromClause, Select, Table, UpdateBase
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.postgres_connections import Direct


class Remembering:
    """The connection of one transaction, with what was read through it.

    Nothing is kept longer than the transaction, so nobody else has to say what they change. What
    is kept is forgotten when the transaction writes to a table that it came from, and all of it
    when rows are locked, since whoever held them before may have changed anything. On SQLite
    nobody did: a transaction that writes is the only one.
    """

    def __init__(self, conn: AsyncConnection | Direct) -> None:
        self.dialect = conn.dialect
        self._conn = conn
        self._is_alone = conn.dialect.name == "sqlite"
        self._kept: list[tuple[frozenset[FromClause], dict[Any, Any]]] = []

    def memory(self, *tables: Table) -> dict[Any, Any]:
        """Where to keep what was read of these tables; of none: what holds until rows are locked
        or something is rolled back. Keep values that nobody changes."""
        kept: dict[Any, Any] = {}
        self._kept.append((frozenset(tables), kept))
        return kept

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        self._forget_what_changes(statement)
        return await self._conn.execute(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        self._forget_what_changes(statement)
        return await self._conn.scalar(statement, parameters)

    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        self._forget_what_changes(statement)
        return await self._conn.scalars(statement, parameters)

    async def write_what_waits(self) -> None:
        """Of `Direct`; nothing waits elsewhere."""
        if isinstance(self._conn, Direct):
            await self._conn.write_what_waits()

    def drop_what_waits(self) -> None:
        if isinstance(self._conn, Direct):
            self._conn.drop_what_waits()

    def _forget_what_changes(self, statement: Any) -> None:
        if isinstance(statement, Select) and (self._is_alone or statement._for_update_arg is None):
            return
        changed = statement.table if isinstance(statement, UpdateBase) else None
        for tables, kept in self._kept:
            if changed is None or changed in tables:
                kept.clear()


def memory_of(conn: AsyncConnection, *tables: Table) -> dict[Any, Any]:
    """The `Remembering.memory` of a unit of work's connection."""
    return cast(Remembering, conn).memory(*tables)
