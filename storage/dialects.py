"""The few places where SQLite and PostgreSQL want different words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Row,
    Select,
    String,
    Table,
    UnaryExpression,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.operators import custom_op

from storage.prepared import prepared

T = TypeVar("T")

CHUNK = 500

ONE: ColumnElement[int] = literal_column("1")
"""The LIMIT of what is asked for often. Handed over as a parameter it says nothing before it is
there, so that PostgreSQL looks for a plan at each execution."""

AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever was selected; never leaves storage/."""


def insert_into(conn: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    if conn.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def prepared_insert(
    table: Table, finish: Callable[[Any], Executable], *, unread: bool = False
) -> Callable[[AsyncConnection], Executable]:
    """The same, built once for either database instead of for each row, which takes several
    times as long as to execute it. finish: adds ON CONFLICT and RETURNING. The values are handed
    over with the execution, by name of column. unread: see `prepared`."""
    built = {
        "sqlite": prepared(finish(sqlite.insert(table)), unread=unread),
        "postgresql": prepared(finish(postgresql.insert(table)), unread=unread),
    }
    return lambda conn: built[conn.dialect.name]


def changes(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of a row is to be written; before: as it stands, where that is known. A column that is
    set, to what it was even, has its indexes written anew and what it refers to looked up."""
    known = before or {}
    return {key: value for key, value in row.items() if key not in known or known[key] != value}


async def read_by_index(conn: AsyncConnection) -> None:
    """Until the transaction ends. PostgreSQL takes pages that lie apart for so dear that it would
    read a whole table for each of many small parts of it."""
    if conn.dialect.name == "postgresql":
        await conn.execute(text("SET LOCAL random_page_cost = 1.1"))


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Distinct values, few enough at once to be parameters of one statement."""
    distinct = list(dict.fromkeys(values))
    return (distinct[start : start + CHUNK] for start in range(0, len(distinct), CHUNK))


async def unhurried(values: Iterable[T]) -> AsyncIterator[T]:
    """The same, with others having their turn in between: going through the rows of 50,000 people
    takes seconds, in which no callback would be answered."""
    for number, value in enumerate(values, start=1):
        yield value
        if number % CHUNK == 0:
            await asyncio.sleep(0)


def fixed(word: str) -> ColumnElement[Any]:
    """A word written into the statement itself. An index over some rows only (state = 'new')
    is not used when the word is handed over as a parameter."""
    if word and not word.isidentifier():
        raise ValueError(f"not a word of ours: {word!r}")
    return literal_column(f"'{word}'", String)


def among(
    conn: AsyncConnection, column: ColumnElement[Any], values: Iterable[Any]
) -> ColumnElement[bool]:
    """Whether a column is one of these numbers or texts, however many: they are handed over as one
    value. A parameter for each has SQLAlchemy write the statement anew at each call, which takes
    longer than to execute it."""
    distinct = list(dict.fromkeys(values))
    if conn.dialect.name == "sqlite":
        return column.in_(_listed(distinct))
    return column == any_(_array(column, distinct))


def not_among(
    conn: AsyncConnection, column: ColumnElement[Any], values: Iterable[Any]
) -> ColumnElement[bool]:
    """Whether it is none of these; not the negation of `among`, which would ask whether it
    differs from any."""
    distinct = list(dict.fromkeys(values))
    if conn.dialect.name == "sqlite":
        return column.not_in(_listed(distinct))
    return column != all_(_array(column, distinct))


def pairs_among(
    conn: AsyncConnection,
    columns: tuple[ColumnElement[Any], ColumnElement[Any]],
    values: Iterable[tuple[Any, Any]],
) -> ColumnElement[bool]:
    """Whether two columns are one of these pairs, however many."""
    distinct = list(dict.fromkeys(values))
    pair = tuple_(*columns)
    if conn.dialect.name == "sqlite":
        listed = func.json_each(_json(distinct)).table_valued("value")
        both = [func.json_extract(listed.c.value, f"$[{place}]") for place in (0, 1)]
        return pair.in_(select(*both))
    arrays = [
        _array(column, [one[place] for one in distinct]) for place, column in enumerate(columns)
    ]
    listed = func.unnest(*arrays).table_valued("first", "second").render_derived()
    return pair.in_(select(listed.c.first, listed.c.second))


def by_no_index(conn: AsyncConnection, column: ColumnElement[T]) -> ColumnElement[T]:
    """The same column, for which SQLite uses no index. Without statistics it would rather go
    through a whole index that has the wanted order than find a few rows and sort them."""
    if conn.dialect.name != "sqlite":
        return column
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _listed(values: list[Any]) -> Select[Any]:
    return select(func.json_each(_json(values)).table_valued("value").c.value)


def _json(values: list[Any]) -> BindParameter[str]:
    return bindparam(None, json.dumps(values), String)


def _array(column: ColumnElement[Any], values: list[Any]) -> BindParameter[Any]:
    return bindparam(None, values, postgresql.ARRAY(column.type))


def holds(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Whether the word stands in a column of text or JSON. Goes through all rows."""
    return cast(column, String).contains(word, autoescape=True)


def begins_with(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """By an index where there is one, which LIKE with an escape uses nowhere. The column is
    compared by bytes: on SQLite each is, on PostgreSQL one with the collation C."""
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return and_(column >= prefix, column < after)
