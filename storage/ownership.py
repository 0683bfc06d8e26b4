"""One bot for each database: two would both send what is queued."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import PermanentError
from storage.engines import to_url

_POSTGRES_LOCK = 0x67656E76
_STILL_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND pid = pg_backend_pid() AND objid = :lock"
).bindparams(lock=_POSTGRES_LOCK)


Holds = Callable[[], Awaitable[bool]]
"""Whether the database is still this process's own."""


@asynccontextmanager
async def sole_owner(url: str) -> AsyncIterator[Holds]:
    """Held by the process that serves; the system frees it however the process ends.

    Gives a question to ask again later: a lock in PostgreSQL ends with its connection, and
    then another process may have taken over. Raises PermanentError when another one holds it.
    """
    full_url = to_url(url)
    own = _own_file if full_url.get_backend_name() == "sqlite" else _own_postgres
    async with own(full_url) as holds:
        yield holds


@asynccontextmanager
async def _own_file(url: URL) -> AsyncIterator[Holds]:
    """On a file beside the database, which may be replaced while nobody serves."""
    with await asyncio.to_thread(Path(f"{url.database}.lock").open, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(url) from None
        yield _always


async def _always() -> bool:
    """The system takes a lock on a file from nobody who lives."""
    return True


@asynccontextmanager
async def _own_postgres(url: URL) -> AsyncIterator[Holds]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 10})
    try:
        async with engine.connect() as conn:
            if not await conn.scalar(select(func.pg_try_advisory_lock(_POSTGRES_LOCK))):
                raise _taken(url)
            asking = asyncio.Lock()

            async def holds() -> bool:
                try:
                    async with asking:
                        return bool(await conn.scalar(_STILL_HELD))
                except SQLAlchemyError:
                    return False

            yield holds
    finally:
        await engine.dispose()


def _taken(url: URL) -> PermanentError:
    shown = url.render_as_string(hide_password=True)
    return PermanentError(
        f"已有一个机器人在用这个数据库，先停掉它 (another bot serves this database): {shown}"
    )
