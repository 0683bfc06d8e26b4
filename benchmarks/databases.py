"""A fresh, migrated database for a measurement, on each kind that we support."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import make_url, text

from storage import admin
from storage.database import Database

KINDS = ("SQLite", "PostgreSQL")
LOCAL_POSTGRES = "postgresql://127.0.0.1:5432/postgres?user=postgres"


@asynccontextmanager
async def fresh(kind: str) -> AsyncIterator[Database]:
    """kind: one of KINDS. SQLite lies in GENDAN_BENCH_DIR, else among the temporary files;
    PostgreSQL is GENDAN_BENCH_POSTGRES, else the local server."""
    if kind == "SQLite":
        with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
            async with _opened(f"sqlite:///{Path(folder) / 'bench.db'}") as database:
                yield database
        return
    async with fresh_url() as url, _opened(url) as database:
        yield database


@asynccontextmanager
async def fresh_url() -> AsyncIterator[str]:
    """Of an empty PostgreSQL database, without tables."""
    server = os.environ.get("GENDAN_BENCH_POSTGRES", LOCAL_POSTGRES)
    name = f"gendan_bench_{uuid.uuid4().hex[:8]}"
    await _tell(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        await _tell(server, f"DROP DATABASE {name} WITH (FORCE)")


async def analyse(database: Database) -> None:
    """What the database does by itself after a while: learn how its rows are spread."""
    async with database.begin() as tx:
        await tx.delivery._conn.execute(text("ANALYZE"))


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    await admin.upgrade(url)
    database = await Database.open(url, synchronous="FULL")
    try:
        yield database
    finally:
        await database.close()


async def _tell(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
