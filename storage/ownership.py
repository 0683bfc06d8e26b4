"""Who may use a database: one bot alone on SQLite, several in turn on PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import PermanentError
from storage.engines import ANSWER_OR_BE_GONE, to_url

_START_LOCK = 0x67656E76


def is_shared(url: str) -> bool:
    """Whether several processes may serve it at the same time."""
    return to_url(url).get_backend_name() != "sqlite"


@asynccontextmanager
async def sole_owner(url: str) -> AsyncIterator[None]:
    """Of an SQLite file, held by the process that serves; the system frees it however the process
    ends. It lies on a file beside the database, which may be replaced while nobody serves.

    Raises PermanentError when another one holds it.
    """
    full_url = to_url(url)
    with await asyncio.to_thread(Path(f"{full_url.database}.lock").open, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(full_url) from None
        yield


@asynccontextmanager
async def turn(url: str) -> AsyncIterator[None]:
    """One process after the other, for what each does to the database when it starts. Ends with
    the process, however it ends."""
    engine = create_async_engine(
        to_url(url),
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": 10, "server_settings": ANSWER_OR_BE_GONE},
    )
    try:
        async with engine.connect() as conn:
            await conn.execute(select(func.pg_advisory_lock(_START_LOCK)))
            yield
    finally:
        await engine.dispose()


def _taken(url: URL) -> PermanentError:
    shown = url.render_as_string(hide_password=True)
    return PermanentError(
        f"已有一个机器人在用这个数据库，先停掉它 (another bot serves this database): {shown}"
    )
