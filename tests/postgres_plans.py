"""Every statement that the tests have the program issue on PostgreSQL is explained, once, over a
large data set: none may read a whole table that grows with the company.

The data set is a database of its own on the tests' server, made when the schema is first seen and
kept from run to run. Each checkout has its own, and drops no other's: their schemas differ, and a
run there may be using it. Its rows mean nothing; how many there are, how they are spread and which
of them wait for something is as in a company of a thousand people after two years.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    make_url,
)

from storage import admin
from storage.tables import metadata

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = 1_000
ROWS = 10_000
MORE_ROWS = {
    "accounts": 40_000, "account_keys": 50_000, "opportunities": 40_000, "activities": 100_000,
    "inbox": 100_000, "outbox": 100_000, "audit": 100_000, "stage_events": 50_000,
    "deadlines": 50_000, "archive_messages": 50_000, "signal_events": 50_000,
}  # fmt: skip

ONE_PAGE = 2.0  # what the planner takes it for, with some rows on it

_OURS = f"gendan_plans_{hashlib.sha256(bytes(ROOT)).hexdigest()[:8]}_"
_LOCK = 0x67656E76  # of those who make it at the same time
_BEGIN = "timestamptz '2025-01-01'"
_WORDS = re.compile(r"(\w+) (?:=|IN) \(?('\w*'(?:, '\w*')*)\)?")
_PARTIAL_OF_A_PART = re.compile(r"(?:ix_)?inbox_(?:before|default|\d{4}_\d{2})_(?!pkey)\w+")
_PARTITION = re.compile(r"(?<=^inbox)_(?:before|default|\d{4}_\d{2})$")
_explainer: list[Explainer] = []


class Explainer:
    """Asks for plans from a thread of its own: whoever is being watched must wait meanwhile, and
    their loop may be any test's."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._url = url
        self._conn: asyncpg.Connection | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="plans", daemon=True)
        self._thread.start()

    def plan(self, statement: str, parameters: Any) -> dict[str, Any] | None:
        """None for a statement that cannot be planned there, such as one of a migration."""
        asked = self._plan(statement, parameters)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(timeout=60)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        if self._conn is not None:
            await self._conn.close()

    async def _plan(self, statement: str, parameters: Any) -> dict[str, Any] | None:
        if self._conn is None:  # not SQLAlchemy's, whose statements tests count
            self._conn = await asyncpg.connect(self._url, statement_cache_size=0)
            for kind in ("json", "jsonb"):
                await self._conn.set_type_codec(
                    kind, encoder=str, decoder=json.loads, schema="pg_catalog"
                )
        try:
            told = await self._conn.fetchval(
                f"EXPLAIN (FORMAT JSON) {statement}", *(parameters or ())
            )
        except asyncpg.PostgresError:
            return None
        plan: dict[str, Any] = told[0]["Plan"]
        return plan


def explainer() -> Explainer | None:
    """None where no test has asked for PostgreSQL yet."""
    return _explainer[0] if _explainer else None


def whole_tables(plan: dict[str, Any], small: set[str], *, limited: bool = False) -> Iterator[str]:
    """The steps that read a whole table which is not small, or the whole of an index to it,
    unless no more than the first rows of that are asked for."""
    kind, table = plan["Node Type"], _PARTITION.sub("", plan.get("Relation Name", ""))
    if table in metadata.tables.keys() - small:
        if kind == "Seq Scan" and not _is_one_page(plan):
            yield f"{kind} on {table}"
        whole_index = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan
        index = plan.get("Index Name", "")
        is_partial = index in _partial() or _PARTIAL_OF_A_PART.fullmatch(index)
        if whole_index and not limited and not is_partial:
            yield f"{kind} on {table} using {plan['Index Name']}"
    limited = kind == "Limit" or (limited and kind not in ("Sort", "Aggregate", "Hash"))
    for part in plan.get("Plans", ()):
        yield from whole_tables(part, small, limited=limited)


def _is_one_page(plan: dict[str, Any]) -> bool:
    """A part of a table that is as good as empty, such as that of a month to come."""
    return _PARTITION.search(plan["Relation Name"]) is not None and plan["Total Cost"] < ONE_PAGE


def prepare(server: str) -> None:
    """Have the data set on this server, and plans of statements from now on."""
    if not _explainer:
        _explainer.append(Explainer(asyncio.run(_prepared(server))))


def done() -> None:
    """No plans any more."""
    while _explainer:
        _explainer.pop().close()


async def _prepared(server: str) -> str:
    name = _OURS + _fingerprint()
    conn = await asyncpg.connect(server)
    try:
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        there = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)"
        databases = [row["datname"] for row in await conn.fetch(there, _OURS)]
        url = make_url(server)
        if name not in databases:
            for old in databases:
                await conn.execute(f"DROP DATABASE {old} WITH (FORCE)")
            unfinished = f"{_OURS}unfinished"
            await conn.execute(f"CREATE DATABASE {unfinished}")
            await _fill(url.set(database=unfinished).render_as_string(hide_password=False))
            await conn.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
        return url.set(database=name).render_as_string(hide_password=False)
    finally:
        await conn.close()


def _fingerprint() -> str:
    """Of all that the data set is made from."""
    told = hashlib.sha256()
    for file in (Path(__file__), *sorted((ROOT / "storage/migrations/versions").glob("*.py"))):
        told.update(file.read_bytes())
    return told.hexdigest()[:12]


async def _fill(url: str) -> None:
    await admin.upgrade(url)
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("SET synchronous_commit = off")
        for row in await conn.fetch(
            "SELECT conrelid::regclass AS of, conname AS name FROM pg_constraint"
            " WHERE contype = 'f' AND conparentid = 0"
        ):
            await conn.execute(f"ALTER TABLE {row['of']} DROP CONSTRAINT {row['name']}")
        for table in metadata.sorted_tables:
            await conn.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
            await conn.execute(str(table.delete()))
            await conn.execute(_rows_of(table))
        await conn.execute("VACUUM ANALYZE")
    finally:
        await conn.close()


def _count(table: Table) -> int:
    return PEOPLE if table.name == "people" else MORE_ROWS.get(table.name, ROWS)


def _rows_of(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    values = ", ".join(_value(table, column) for column in table.c)
    series = f"generate_series(1, {_count(table)}) AS g"
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {series}"  # noqa: S608 - of our own names


def _value(table: Table, column: Column[Any]) -> str:
    """One column of row g."""
    value = _present(table, column)
    if not column.nullable or column in _distinct(table):
        return value
    told = " ".join(_conditions(table))
    if f"{column.name} IS NOT NULL" in told:
        often = "g % 50 = 0"
    elif f"{column.name} IS NULL" in told:
        often = "g % 20 <> 0"
    else:
        often = "g % 2 = 0"
    return f"CASE WHEN {often} THEN {value} END"


def _present(table: Table, column: Column[Any]) -> str:
    kind = column.type
    distinct = column in _distinct(table)
    targets = [key.column.table for key in column.foreign_keys]
    if isinstance(kind, Integer):
        if targets and not (distinct and len(_distinct(table)) == 1):
            return f"1 + (g::bigint * 7919) % {_count(targets[0])}"
        return "g" if distinct or column.primary_key else "g % 100"
    if isinstance(kind, Boolean):
        return "g % 10 = 0"
    if isinstance(kind, Date):
        if distinct:
            return "date '1900-01-01' + g"
        return f"({_BEGIN} + g * interval '730 days' / {_count(table)})::date"
    if isinstance(kind, LargeBinary):
        return r"'\x00'::bytea"
    name = type(kind).__name__
    if isinstance(kind, DateTime) or name == "Utc":
        return f"{_BEGIN} + g * interval '730 days' / {_count(table)}"
    if "JSON" in name:
        return "'[]'::jsonb"
    length = getattr(kind, "length", None) or 300
    if distinct:
        return f"right('x' || g, {length})"
    waiting = _waiting(table, column)
    if waiting:
        words = ", ".join(sorted(waiting))
        one = f"(ARRAY[{words}])[1 + g / 50 % {len(waiting)}]"
        return f"CASE WHEN g % 50 = 0 THEN {one} ELSE '-' END"
    return f"right('v' || g::bigint * 7919 % 500, {length})"


def _distinct(table: Table) -> set[Column[Any]]:
    """Columns of which each row has another value: those of its keys."""
    keys = [list(table.primary_key)]
    keys += [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys += [list(index.columns) for index in table.indexes if index.unique]
    return {column for key in keys for column in key}


def _conditions(table: Table) -> list[str]:
    """Of its indexes over some rows only."""
    return [
        str(index.dialect_options["postgresql"]["where"])
        for index in table.indexes
        if index.dialect_options["postgresql"]["where"] is not None
    ]


def _waiting(table: Table, column: Column[Any]) -> set[str]:
    """The words of a column that such indexes ask for: what waits for something."""
    return {
        word
        for condition in _conditions(table)
        for name, words in _WORDS.findall(condition)
        if name == column.name
        for word in words.split(", ")
    }


def _partial() -> set[str]:
    return {
        str(index.name)
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["postgresql"]["where"] is not None
    }
