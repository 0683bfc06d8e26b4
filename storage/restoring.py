"""A backup put into the place of a database that is not there. Nothing is ever overwritten."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, func, inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import PermanentError
from storage import sealing
from storage.engines import to_url


async def restore(url: str, file: Path, *, key: str = "", data_dir: Path | None = None) -> int:
    """Put what `db backup` wrote into the database at `url`; how many rows it has.

    key: of a sealed backup. Raises PermanentError when a database is there, the key does not fit,
    or the file is no whole backup; then nothing is left behind.
    """
    full_url = to_url(url, data_dir=data_dir)
    await _require_room(full_url)
    if not await asyncio.to_thread(file.is_file):
        raise PermanentError(f"没有这个文件 (no such file)：{file}")
    beside = Path(str(full_url.database)).parent if _is_sqlite(full_url) else None
    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gendan-restore-", dir=beside) as folder:
        plain = Path(folder, "backup")
        await asyncio.to_thread(_open, file, plain, key)
        if _is_sqlite(full_url):
            await asyncio.to_thread(_put_sqlite, plain, Path(str(full_url.database)))
        else:
            await _put_postgres(full_url, plain)
    return await _count(full_url)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


async def _require_room(url: URL) -> None:
    if _is_sqlite(url):
        database = Path(str(url.database))
        there = [f"{database}{end}" for end in ("", "-wal", "-shm") if _exists(database, end)]
        if there:
            told = "先把它移走 (move it away): 恢复不覆盖数据库"
            raise PermanentError(f"已经有 {'、'.join(there)}，{told}")
        return
    engine = create_async_engine(url)
    try:
        async with engine.connect() as conn:
            tables = await conn.run_sync(lambda plain: inspect(plain).get_table_names())
    finally:
        await engine.dispose()
    if tables:
        told = "要恢复到一个空库 (restore into an empty one): createdb"
        raise PermanentError(f"数据库 {url.database} 里已经有 {len(tables)} 张表，{told}")


def _exists(database: Path, end: str) -> bool:
    return database.with_name(database.name + end).exists()


def _open(file: Path, plain: Path, key: str) -> None:
    if not sealing.is_sealed(file):
        shutil.copyfile(file, plain)
    elif key:
        sealing.unseal(file, plain, key)
    else:
        raise PermanentError(f"{file} 是加密的，请给 --key-file (sealed: a key is needed)")


def _put_sqlite(plain: Path, target: Path) -> None:
    """Checked whole before it gets its name. An empty file would pass for an empty database."""
    if plain.stat().st_size == 0:
        raise PermanentError("备份是空的 (empty)")
    try:
        with closing(sqlite3.connect(plain)) as opened:
            (found,) = opened.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise PermanentError(f"不是完好的备份 (not a whole backup)：{error}") from error
    if found != "ok":
        raise PermanentError(f"备份损坏 (damaged)：{found}")
    plain.replace(target)


async def _put_postgres(url: URL, plain: Path) -> None:
    program = shutil.which("pg_restore")
    if program is None:
        raise PermanentError("pg_restore is not installed: add PostgreSQL's client programs")
    place = url.set(drivername="postgresql", password=None).render_as_string()
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    process = await asyncio.create_subprocess_exec(
        program, "--no-owner", "--single-transaction", "--exit-on-error",
        f"--dbname={place}", plain,
        env={**os.environ, **secret}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise PermanentError(f"pg_restore failed: {complaint.decode(errors='replace').strip()}")


async def _count(url: URL) -> int:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as conn:
            names = await conn.run_sync(_whole_tables)
            counts = [
                await conn.scalar(select(func.count()).select_from(text(f'"{name}"')))
                for name in names
            ]
    finally:
        await engine.dispose()
    return sum(count or 0 for count in counts)


def _whole_tables(connection: Connection) -> list[str]:
    """Without the partitions, whose rows are counted with their tables'."""
    names = inspect(connection).get_table_names()
    if connection.dialect.name == "sqlite":
        return names
    partitions = text("SELECT relname FROM pg_class WHERE relispartition")
    return sorted({*names} - {*connection.scalars(partitions)})
