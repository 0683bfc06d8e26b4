"""What a measurement costs PostgreSQL, whose server runs on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from sqlalchemy import text

from storage.database import Database

LOOK_EVERY_S = 0.2
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class PostgresTime:
    """Counts the processor seconds of PostgreSQL's processes for this database, of which some end
    on the way; without those that write and tidy for all databases. 0 for SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spent: dict[int, float] = {}

    @property
    def spent_s(self) -> float:
        return sum(self._spent.values())

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        async with self._database.read() as tx:
            conn = tx.delivery._conn
            if conn.dialect.name == "sqlite":
                return
            query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            for pid in (await conn.execute(query)).scalars():
                with contextlib.suppress(FileNotFoundError):
                    self._spent[pid] = _spent_s(pid)


def _spent_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
