"""Values an administrator changed without touching a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import insert_into
from storage.tables import settings_rows


class Settings:
    """JSON values by name, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, name: str) -> Any:
        """None when it was never put."""
        return await self._conn.scalar(
            select(settings_rows.c.value).where(settings_rows.c.name == name)
        )

    async def put(self, name: str, value: Any, at: datetime) -> None:
        values = {"value": value, "updated_at": at}
        await self._conn.execute(
            insert_into(self._conn, settings_rows)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=[settings_rows.c.name], set_=values)
        )
