"""Care of the database: bring it up to date, back it up, check it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import PermanentError
from bot.messages import StoredFile
from storage import schema, sealing
from storage.audit import Audit
from storage.engines import for_reading, open_engine, prepare_sqlite, to_url
from storage.kept_files import KeptFiles
from storage.tables import activities, drafts, files

PAGE = 1_000
_FILES_AT_ONCE = 8

_LOCK_S, _TRIES, _TRY_AGAIN_S = 2, 60, 1.0
_UPGRADE_LOCK = 0x67656E75  # on PostgreSQL: two processes may start at once


async def upgrade(url: str, *, data_dir: Path | None = None) -> None:
    """Bring the schema up to date, creating it where there is none.

    SQLite: all or nothing. PostgreSQL, where others may serve meanwhile: step by step, each all or
    nothing, and never waiting long for a table, since everybody would wait behind it. Raises
    PermanentError when the schema is newer than the program can serve.
    """
    engine = _open_for_upgrade(to_url(url, data_dir=data_dir))
    try:
        tries_left = _TRIES
        is_done = False
        while not is_done:
            try:
                is_done = await _step(engine)
            except DBAPIError as error:
                tries_left -= 1
                if not tries_left or not _lock_was_not_given(error):
                    raise
                await asyncio.sleep(_TRY_AGAIN_S)
    finally:
        await engine.dispose()


async def backup(url: str, file: Path, *, key: str = "", data_dir: Path | None = None) -> None:
    """A consistent copy while the bot runs: an SQLite file, or a custom-format pg_dump.

    key: seals it (`storage.sealing`). Nobody else may read the file, nor the plain one that stands
    beside it while a sealed one is made. Raises PermanentError when the file exists or cannot be
    made.
    """
    if await asyncio.to_thread(file.exists):
        raise PermanentError(f"{file} exists already; a backup never overwrites")
    full_url = to_url(url, data_dir=data_dir)
    unfinished = file.with_name(f"{file.name}.unfinished")
    sealed = file.with_name(f"{file.name}.sealed")
    try:
        await _require_file(full_url)
        await asyncio.to_thread(unfinished.touch, mode=0o600)
        if full_url.get_backend_name() == "sqlite":
            await asyncio.to_thread(_copy_sqlite, Path(str(full_url.database)), unfinished)
        else:
            await _dump_postgres(full_url, unfinished)
        if key:
            await asyncio.to_thread(sealing.seal, unfinished, sealed, key)
        (sealed if key else unfinished).replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
        sealed.unlink(missing_ok=True)


async def complaints(url: str, *, data_dir: Path | None = None) -> list[str]:
    """What is wrong with the version of the tables, with the remedy; empty when it is ours.

    Raises PermanentError when there is no such SQLite file.
    """
    full_url = to_url(url, data_dir=data_dir)
    await _require_file(full_url)
    engine = open_engine(full_url)
    try:
        async with for_reading(engine).connect() as conn:
            return await conn.run_sync(_check_schema)
    finally:
        await engine.dispose()


async def verify(
    url: str,
    *,
    data_dir: Path | None = None,
    kept: KeptFiles | None = None,
    head: tuple[int, str] | None = None,
) -> list[str]:
    """What is wrong, in words for an administrator; empty when all is well.

    kept: where the files' bytes lie; without it they are not looked at. head: of the audit chain,
    written down earlier. Raises FilesAway.
    """
    engine = open_engine(to_url(url, data_dir=data_dir), statement_timeout_s=0)
    try:
        async with for_reading(engine).connect() as conn:
            findings = await conn.run_sync(_check_schema)
            if findings:
                return findings
            if conn.dialect.name == "sqlite":
                findings += await _check_sqlite(conn)
            findings += await _check_audit(conn, head)
            findings += await _check_references(conn)
            if kept is not None:
                findings += await _check_files(conn, kept)
            return findings
    finally:
        await engine.dispose()


def _open_for_upgrade(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, connect_args={"timeout": 10})
    engine = create_async_engine(url)
    # SQLite changes a table by building it anew; references to it must not fire meanwhile.
    prepare_sqlite(engine.sync_engine, synchronous="FULL", foreign_keys=False)
    return engine


async def _step(engine: AsyncEngine) -> bool:
    """Whether it was the last."""
    async with engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            await conn.execute(select(func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            await conn.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_S}s'"))
        return await conn.run_sync(schema.upgrade)


def _lock_was_not_given(error: DBAPIError) -> bool:
    """In time, or because two waited for each other."""
    return getattr(error.orig, "sqlstate", "") in ("55P03", "40P01")


async def _require_file(url: URL) -> None:
    """Opening an SQLite file that is not there would make an empty one."""
    if url.get_backend_name() == "sqlite" and not await asyncio.to_thread(
        Path(str(url.database)).exists
    ):
        raise PermanentError(f"there is no database at {url.database}")


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)


async def _dump_postgres(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise PermanentError("pg_dump is not installed: add PostgreSQL's client programs")
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    process = await asyncio.create_subprocess_exec(
        program, "--format=custom", f"--file={target}", plain,
        env={**os.environ, **secret}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise PermanentError(f"pg_dump failed: {complaint.decode(errors='replace').strip()}")


def _check_schema(connection: Connection) -> list[str]:
    told = schema.complaint(connection)
    return [] if told is None else [told]


async def _check_sqlite(conn: AsyncConnection) -> list[str]:
    pages = (await conn.execute(text("PRAGMA integrity_check"))).scalars().all()
    orphans = (await conn.execute(text("PRAGMA foreign_key_check"))).all()
    return [f"数据库文件损坏：{page}" for page in pages if page != "ok"] + [
        f"{row[0]} 第 {row[1]} 行指向不存在的 {row[2]}" for row in orphans
    ]


async def _check_audit(conn: AsyncConnection, head: tuple[int, str] | None) -> list[str]:
    chain, findings = Audit(conn), []
    broken = await chain.verify()
    if broken is not None:
        findings.append(f"审计链在第 {broken} 条断开：该条或它之前的一条被改动过。")
    if head is not None and not await chain.holds_head(*head):
        findings.append(
            f"审计链第 {head[0]} 条和给出的校验值对不上：末尾被删过，或从前面某条起被整个重写过。"
        )
    return findings


async def _check_references(conn: AsyncConnection) -> list[str]:
    """Hashes stand in JSON, where no foreign key watches."""
    known = set((await conn.execute(select(files.c.sha256))).scalars())
    findings = []
    for table, word in ((activities, "动态"), (drafts, "草稿")):
        rows = await conn.stream(select(table.c.id, table.c.file_hashes).order_by(table.c.id))
        async for row in rows:
            lost = [sha256 for sha256 in row.file_hashes if sha256 not in known]
            findings += [f"{word} {row.id} 引用的文件 {sha256} 没有登记。" for sha256 in lost]
    return findings


async def _check_files(conn: AsyncConnection, kept: KeptFiles) -> list[str]:
    columns = (files.c.sha256, files.c.size, files.c.media_type, files.c.name)
    findings = []
    query = select(*columns).where(files.c.erased_at.is_(None)).order_by(files.c.sha256)
    rows = (await conn.execute(query)).all()
    for start in range(0, len(rows), _FILES_AT_ONCE):
        some = [StoredFile(*row) for row in rows[start : start + _FILES_AT_ONCE]]
        damages = await asyncio.gather(*map(kept.find_damage, some))
        findings += [
            f"文件「{file.name}」({file.sha256})读不出或已改变：{damage}"
            for file, damage in zip(some, damages, strict=True)
            if damage is not None
        ]
    return findings
