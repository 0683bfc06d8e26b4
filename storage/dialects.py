"""The few places where SQLite and PostgreSQL want different words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, String, Table, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

CHUNK = 500

AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever was selected; never leaves storage/."""


def insert_into(conn: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    if conn.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Distinct values, few enough at once to be parameters of one statement."""
    distinct = list(dict.fromkeys(values))
    return (distinct[start : start + CHUNK] for start in range(0, len(distinct), CHUNK))


def fixed(word: str) -> ColumnElement[Any]:
    """A word written into the statement itself. An index over some rows only (state = 'new')
    is not used when the word is handed over as a parameter."""
    if word and not word.isidentifier():
        raise ValueError(f"not a word of ours: {word!r}")
    return literal_column(f"'{word}'", String)
