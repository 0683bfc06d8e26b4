"""Access tokens and call counts that all tasks and processes share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import insert_into
from storage.tables import call_counts, tokens

if TYPE_CHECKING:
    from storage.database import Database


class SharedTokens:
    """Access tokens and counts of calls in the database. A `bot.ports.TokenStore` and
    `bot.ports.CallCounter`; each call is a transaction of its own, so none may be made inside
    another one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        """Token and when it expires (UTC)."""
        async with self._database.read() as tx:
            return await tx.tokens.load(name)

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None:
        async with self._database.begin() as tx:
            await tx.tokens.save(name, token, expires_at)

    async def drop_token(self, name: str, token: str) -> None:
        """Forget it, if it is still the one that failed."""
        async with self._database.begin() as tx:
            await tx.tokens.drop(name, token)

    async def add_calls(self, name: str, month: str, calls: int) -> int:
        """The month's total after adding."""
        async with self._database.begin() as tx:
            return await tx.tokens.add_calls(name, month, calls)


class Tokens:
    """The rows behind it, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def load(self, name: str) -> tuple[str, datetime] | None:
        rows = await self._conn.execute(
            select(tokens.c.token, tokens.c.expires_at).where(tokens.c.name == name)
        )
        row = rows.one_or_none()
        return None if row is None else (row.token, row.expires_at)

    async def save(self, name: str, token: str, expires_at: datetime) -> None:
        values = {"token": token, "expires_at": expires_at}
        await self._conn.execute(
            insert_into(self._conn, tokens)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=[tokens.c.name], set_=values)
        )

    async def drop(self, name: str, token: str) -> None:
        await self._conn.execute(
            delete(tokens).where(tokens.c.name == name, tokens.c.token == token)
        )

    async def add_calls(self, name: str, month: str, calls: int) -> int:
        added = await self._conn.execute(
            insert_into(self._conn, call_counts)
            .values(name=name, month=month, calls=calls)
            .on_conflict_do_update(
                index_elements=[call_counts.c.name, call_counts.c.month],
                set_={"calls": call_counts.c.calls + calls},
            )
            .returning(call_counts.c.calls)
        )
        return int(added.scalar_one())
