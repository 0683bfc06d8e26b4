"""How the databases find what a quarter's deals were won for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


async def test_what_was_won_is_found_by_its_own_index(database: Database) -> None:
    async with database.read() as tx:
        conn: Any = _Explaining(tx.forecast_sums._conn)
        tx.forecast_sums._conn = conn
        await tx.forecast_sums.won_by_owner(SINCE, UNTIL)
    assert "ix_stage_events_won" in conn.plan, conn.plan


class _Explaining:
    """Asks for the plan of each statement beside it. A table without rows is read as a whole by
    PostgreSQL if it may."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self.plan = ""

    async def execute(self, statement: Any) -> Any:
        dialect = self._conn.dialect
        told = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        how = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
        if dialect.name == "postgresql":
            await self._conn.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await self._conn.execute(text(f"{how} {told}"))
        self.plan = "\n".join(str(row) for row in rows)
        return await self._conn.execute(statement)
