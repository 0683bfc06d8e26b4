"""From one SQLite file to PostgreSQL, whole or not at all.

Rows are copied as they stand, a page at a time in the order of their keys, each page in a
transaction of its own; so whatever ends in the middle is gone on with by the same command. Until
everything was compared, a mark in the target says that it is unfinished, and nobody serves it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Integer,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import PermanentError
from storage import admin
from storage.audit import Audit
from storage.dialects import AnyRow
from storage.engines import open_engine, to_url
from storage.ownership import sole_owner
from storage.tables import leases, metadata, nodes, settings_rows

PAGE = 1_000
MARK = "move.unfinished"

Progress = Callable[[str, int], None]
"""Table, and how many of its rows are there by now."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied. entries: of the audit chain."""

    tables: int
    rows: int
    entries: int


def moved_tables() -> list[Table]:
    """Those that others refer to first. Who does what is no data."""
    return [table for table in metadata.sorted_tables if table not in (leases, nodes)]


async def move(source: str, target: str, *, told: Progress = lambda _table, _rows: None) -> Moved:
    """Copy, compare, and lift the mark. Raises PermanentError: the source is being served or of
    another version, the target has data of its own, or the two differ in the end."""
    origin = to_url(source)
    if origin.get_backend_name() != "sqlite" or to_url(target).get_backend_name() == "sqlite":
        raise PermanentError("db move 从 SQLite 搬到 PostgreSQL (from SQLite to PostgreSQL)")
    complaints = await admin.complaints(source)
    if complaints:
        raise PermanentError("; ".join(complaints))
    await admin.upgrade(target)
    async with sole_owner(source), _engines(source, target) as (old, new):
        await _mark(new, str(origin.database))
        async with old.connect() as reading:
            for table in moved_tables():
                await _copy(reading, new, table, told)
            for table in moved_tables():
                await _refer_to_itself(reading, new, table)
            moved = await _compare(reading, new)
        await _finish(new)
    return moved


async def refuse_half_moved(url: str) -> None:
    """Raises PermanentError for a database into which a move is not finished."""
    engine = open_engine(to_url(url))
    try:
        async with engine.connect() as conn:
            mark = await _mark_in(conn)
    finally:
        await engine.dispose()
    if mark is not None:
        raise PermanentError(
            f"从 {mark} 搬来的数据还没搬完：请再运行一次 gendan db move (a move is unfinished)"
        )


@asynccontextmanager
async def _engines(source: str, target: str) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    old = open_engine(to_url(source))
    new = open_engine(to_url(target), statement_timeout_s=0)
    try:
        yield old, new
    finally:
        await old.dispose()
        await new.dispose()


async def _mark_in(conn: AsyncConnection) -> str | None:
    mark = await conn.scalar(select(settings_rows.c.value).where(settings_rows.c.name == MARK))
    return None if mark is None else str(mark)


async def _mark(new: AsyncEngine, source: str) -> None:
    """The target is empty, or was begun from this very file, and nobody serves it."""
    async with new.begin() as conn:
        mark = await _mark_in(conn)
        if mark is not None and mark != source:
            raise PermanentError(f"目标里有从 {mark} 搬了一半的数据 (another move is unfinished)")
        if mark is None:
            for table in moved_tables():
                if await conn.scalar(select(func.count()).select_from(table)):
                    raise PermanentError(
                        f"目标数据库不是空的：表 {table.name} 有数据 (the target is not empty)"
                    )
            values = {"name": MARK, "value": source, "updated_at": func.now()}
            await conn.execute(insert(settings_rows).values(values))
        if await conn.scalar(
            select(nodes.c.id).where(nodes.c.alive_until > func.clock_timestamp()).limit(1)
        ):
            raise PermanentError("目标数据库正有机器人在用，先停掉它 (it is being served)")


async def _copy(reading: AsyncConnection, new: AsyncEngine, table: Table, told: Progress) -> None:
    """What is not there yet. A table with numbers goes on after the last one; of others all is
    offered again, since the two databases sort texts differently."""
    async with new.connect() as conn:
        there = await _count(conn, table)
        after: Sequence[Any] | None = None
        if len(table.primary_key) == 1 and isinstance(_key(table)[0].type, Integer):
            last = await conn.scalar(select(func.max(_key(table)[0])))
            after = None if last is None else [last]
    if there == await _count(reading, table):
        told(table.name, there)
        return
    statement = _insert(table)
    copied = there if after is not None else 0
    while page := await _page(reading, table, after):
        try:
            async with new.begin() as conn:
                await conn.execute(statement, [_values(table, row) for row in page])
        except DBAPIError as error:
            first, last = _key_of(table, page[0]), _key_of(table, page[-1])
            raise PermanentError(
                f"表 {table.name} 第 {first} 到 {last} 行放不进去: {error.orig}"
            ) from error
        after = _key_of(table, page[-1])
        copied += len(page)
        told(table.name, copied)


async def _page(
    reading: AsyncConnection, table: Table, after: Sequence[Any] | None
) -> Sequence[AnyRow]:
    key = _key(table)
    query = select(*(_as_it_stands(column) for column in table.c)).order_by(*key).limit(PAGE)
    if after is not None:
        typed = (
            bindparam(None, value, column.type) for column, value in zip(key, after, strict=True)
        )
        query = query.where(tuple_(*key) > tuple_(*typed))
    return (await reading.execute(query)).all()


def _as_it_stands(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """JSON as its text: read and written anew, an empty value and none would look the same."""
    if isinstance(column.type, JSON):
        return type_coerce(column, Text).label(column.key)
    return column


def _insert(table: Table) -> Any:
    values = {
        column.name: cast(bindparam(f"v_{column.name}", type_=Text), JSONB)
        if isinstance(column.type, JSON)
        else bindparam(f"v_{column.name}", type_=column.type)
        for column in table.c
    }
    return insert(table).values(values).on_conflict_do_nothing()


def _values(table: Table, row: AnyRow) -> dict[str, Any]:
    """References of a table to itself come afterwards: they may point at later rows."""
    own = {column.name for column in _own_references(table)}
    return {f"v_{name}": None if name in own else value for name, value in row._mapping.items()}


async def _refer_to_itself(reading: AsyncConnection, new: AsyncEngine, table: Table) -> None:
    (key, *_) = _key(table)
    for column in _own_references(table):
        rows = (await reading.execute(select(key, column).where(column.is_not(None)))).all()
        if not rows:
            continue
        statement = (
            update(table).where(key == bindparam("k")).values({column.name: bindparam("to")})
        )
        async with new.begin() as conn:
            await conn.execute(statement, [{"k": row[0], "to": row[1]} for row in rows])


async def _compare(reading: AsyncConnection, new: AsyncEngine) -> Moved:
    """Raises PermanentError where a count or the audit chain differs."""
    rows = 0
    async with new.connect() as conn:
        for table in moved_tables():
            old_count, new_count = await _count(reading, table), await _count(conn, table)
            if old_count != new_count:
                raise PermanentError(
                    f"表 {table.name} 原有 {old_count} 行，搬到 {new_count} 行 (counts differ)"
                )
            rows += new_count
        chain = Audit(conn)
        broken = await chain.verify()
        if broken is not None:
            raise PermanentError(f"审计链在第 {broken} 条断开 (the audit chain is broken)")
        head = await chain.head()
        if head != await Audit(reading).head():
            raise PermanentError("两边审计链的末条不同 (the audit chains end differently)")
    return Moved(len(moved_tables()), rows, head[0])


async def _finish(new: AsyncEngine) -> None:
    """Numbers go on where they stood; then the mark is lifted."""
    async with new.begin() as conn:
        for table in moved_tables():
            column = table.autoincrement_column
            if column is None:
                continue
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            last = select(func.max(column)).scalar_subquery()
            await conn.execute(
                select(func.setval(sequence, last)).where(sequence.is_not(None), last.is_not(None))
            )
        await conn.execute(delete(settings_rows).where(settings_rows.c.name == MARK))


async def _count(conn: AsyncConnection, table: Table) -> int:
    """Of its rows, without the mark."""
    query = select(func.count()).select_from(table)
    if table is settings_rows:
        query = query.where(settings_rows.c.name != MARK)
    return int(await conn.scalar(query) or 0)


def _own_references(table: Table) -> list[Any]:
    return [
        column
        for column in table.c
        if any(reference.column.table is table for reference in column.foreign_keys)
    ]


def _key(table: Table) -> list[Any]:
    return list(table.primary_key)


def _key_of(table: Table, row: AnyRow) -> list[Any]:
    return [row._mapping[column.name] for column in _key(table)]
