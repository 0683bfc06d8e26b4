"""How many connections a process opens to PostgreSQL, and whether it has that many."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy import func, select, text

from storage.engines import BESIDE_POOL, open_engine, pool_size, to_url
from storage.tables import nodes


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections the database has room for. each: what one process opens at most.
    processes: of ours that run. taken_by_others: of other programs. most: what the server gives to
    such as us."""

    each: int
    processes: int
    taken_by_others: int
    most: int

    @property
    def wanted(self) -> int:
        """By all that run and one that starts, which may be the next version of one of them."""
        return self.each * (self.processes + 1)

    @property
    def is_enough(self) -> bool:
        return self.wanted + self.taken_by_others <= self.most


async def room(url: str) -> Room | None:
    """None on SQLite, which has no server. The database's tables are up to date."""
    full_url = to_url(url)
    if full_url.get_backend_name() == "sqlite":
        return None
    engine = open_engine(full_url)
    try:
        async with engine.connect() as conn:
            most = await conn.scalar(
                text(
                    "SELECT current_setting('max_connections')::int"
                    " - current_setting('superuser_reserved_connections')::int"
                )
            )
            others = await conn.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend'"
                    " AND datname IS DISTINCT FROM current_database()"
                )
            )
            alive = select(func.count()).where(nodes.c.alive_until > func.clock_timestamp())
            processes = await conn.scalar(alive)
    finally:
        await engine.dispose()
    each = pool_size(os.cpu_count() or 1) + BESIDE_POOL
    return Room(each, processes or 0, others or 0, most or 0)
