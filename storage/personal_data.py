"""A customer's personal data, out and gone (semantics B17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import personal_erasure, personal_traces
from storage.dialects import among
from storage.personal_traces import Traces, chat_of, external_rows, file_hashes, rows_of
from storage.tables import accounts, files


class PersonalData:
    """Inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def trace(self, account_id: int) -> Traces:
        """Raises NotFound."""
        return await personal_traces.trace(self._conn, account_id)

    async def rows(self, traces: Traces) -> dict[str, list[dict[str, Any]]]:
        """Every row that names the customer, its deals or its contracts, by its table."""
        found = {
            "accounts": await _dump(
                self._conn, accounts, among(self._conn, accounts.c.id, traces.ids[accounts])
            ),
        }
        for table, chosen in rows_of(self._conn, traces):
            found[str(table.name)] = await _dump(self._conn, table, chosen)
        for table, chosen in external_rows(self._conn, traces):
            found[str(table.name)] = await _dump(self._conn, table, chosen)
        hashes = await file_hashes(self._conn, traces)
        found["files"] = await _dump(self._conn, files, among(self._conn, files.c.sha256, hashes))
        found["inbox"] = [
            {"id": row.id, "at": row.sent_at, "body": bytes(row.body).decode(errors="replace")}
            async for row in chat_of(self._conn, traces)
        ]
        return {name: rows for name, rows in found.items() if rows}

    async def erase(self, traces: Traces, at: datetime) -> tuple[dict[str, int], list[str]]:
        """How many rows of each table lost something, and the hashes of the files that nobody
        else uses: their bytes are the caller's to delete, once this is committed."""
        return await personal_erasure.erase(self._conn, traces, at)


async def _dump(conn: AsyncConnection, table: Table, chosen: Any) -> list[dict[str, Any]]:
    rows = await conn.execute(select(table).where(chosen).order_by(*table.primary_key.columns))
    return [{str(name): value for name, value in row._asdict().items()} for row in rows]
